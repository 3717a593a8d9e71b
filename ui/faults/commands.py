"""The dock of faults, and what the actions on faults do. Each method has the name of its action."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from PyQt5.QtCore import QT_TRANSLATE_NOOP, QCoreApplication
from PyQt5.QtWidgets import QMainWindow

from app.capture.filters.completion import combined, condition
from app.capture.reading.conversations import Conversation, rows
from app.capture.reading.reader import Reader
from app.capture.reading.store import Store
from app.events import Event
from app.faults.tables import named
from app.post import Post
from app.programs.shown import HostedPort
from app.services.service import Service
from ui.bridge import Bridge
from ui.edits import Edits
from ui.faults.changes import FaultChanges
from ui.faults.strikes import DONE, strike
from ui.parts.docks import add_below

if TYPE_CHECKING:
    from ui.faults.dock import FaultsDock

HEIGHT = 260
"""Pixels of the dock when it is shown first."""


class FaultCommands:
    """Makes the dock when it is first wanted, and acts on faults, connections and seeds."""

    def __init__(
        self,
        post: Post,
        edits: Edits,
        bridge: Bridge,
        window: QMainWindow,
        reader: Reader,
        show_page: Callable[[str, int], object],
        show_filtered: Callable[[str], object],
        selected: Callable[[], Service | HostedPort | None],
        event: Callable[[], Event | None],
        connection: Callable[[], tuple[int, bool] | None],
        tell: Callable[[str], object],
    ) -> None:
        """``selected()`` is the selected service, ``event()`` the current event; ``tell`` says what was done.

        ``show_page(service, fault)`` shows the faults of a service, one of them in its form, if it is not -1;
        ``show_filtered(condition)`` shows the events that a filter lets through.

        ``connection()`` is the number of the connection to act on, and whether that is of a live one.
        """
        self._post, self._bridge, self._window, self._reader = post, bridge, window, reader
        self._show_page, self._show_filtered = show_page, show_filtered
        self._selected, self._event, self._connection, self._tell = selected, event, connection, tell
        self._changes = FaultChanges(edits, window, post.programs)

    @cached_property
    def dock(self) -> FaultsDock:
        """The dock, hidden at first."""
        from ui.faults.dock import FaultsDock

        dock = FaultsDock(self._post, self._changes, self._selected, self._window)
        add_below(self._window, dock, HEIGHT)
        dock.page_wanted.connect(self._show_page)
        dock.hits_wanted.connect(self.show_hits)
        dock.off_wanted.connect(self.faults_off)
        self._bridge.services_changed.connect(dock.refresh)
        self._bridge.faults_changed.connect(dock.on_faults)
        self._bridge.measured.connect(dock.count)
        return dock

    @property
    def made(self) -> bool:
        """Whether the dock was wanted before."""
        return "dock" in vars(self)

    def on_selection(self) -> None:
        """Another service may be selected."""
        if self.made:
            self.dock.show_selected()

    # -- the dock and its places

    def faults(self) -> None:
        dock = self.dock
        if dock.isVisible():
            dock.close()
            return
        dock.open()
        dock.refresh()
        dock.begin()

    def edit_faults(self) -> None:
        service = self._selected()
        if service is not None:
            self._show_page(service.config.name, -1)

    def faults_off(self) -> None:
        """Have no fault act; what was set by hand is taken away, and what they hold passes."""
        for service in self._post.owners():
            for fault in list(service.faults.all):
                if fault.only:
                    service.faults.lift_connection(fault.only)
                else:
                    service.faults.switch(fault, on=False)
        self._tell(_translate("All faults are off"))

    def show_hits(self, service: str, fault: str) -> None:
        """Show the events of one fault."""
        self._show_filtered(combined(condition("service", service), condition("fault.name", fault)))

    def fault_hits(self) -> None:
        event = self._event()
        if event is not None and "fault" in event.detail:
            self.show_hits(event.service, str(event.detail["fault"]))

    def fault_of_event(self) -> None:
        """Show the fault of a hit on the page of its service."""
        event = self._event()
        config = self._changes.config(event.service) if event is not None else None
        if event is None or config is None:
            return
        names = [name for name, _ in named(config.faults)]
        wanted = str(event.detail.get("fault", ""))
        self._show_page(event.service, names.index(wanted) if wanted in names else -1)

    # -- seeds

    def repeat_seed(self) -> None:
        event = self._event()
        seed = event.detail.get("seed") if event is not None else None
        if event is not None and isinstance(seed, int):
            self._repeat(event.service, seed, str(event.detail.get("fault", "")))

    def repeat_run(self) -> None:
        service = self._selected()
        if service is not None and service.faults.seed:
            self._repeat(service.config.name, service.faults.seed)

    def _repeat(self, service: str, seed: int, fault: str = "") -> None:
        config = self._changes.config(service)
        own = [table for name, table in named(config.faults) if name == fault] if config is not None else []
        if own and own[0].get("seed"):
            words = _translate(
                "No change is needed for “{name}”: this fault has a seed of its own, so each start repeats its hits"
            )
        elif self._changes.set_seed(service, seed):
            words = _translate("“{name}” uses the seed {seed} from now on: its faults hit as they did then")
        else:
            words = _translate("“{name}” already uses the seed {seed}: each start repeats the one before")
        self._tell(words.format(name=service, seed=seed))

    # -- connections

    def fault_reset(self) -> None:
        self._strike("fault_reset")

    def fault_stall(self) -> None:
        self._strike("fault_stall")

    def fault_cut(self) -> None:
        self._strike("fault_cut")

    def fault_slow(self) -> None:
        self._strike("fault_slow")

    def fault_hang(self) -> None:
        self._strike("fault_hang")

    def fault_freeze(self) -> None:
        self._strike("fault_freeze")

    def fault_lift(self) -> None:
        self._strike("fault_lift")

    def _strike(self, name: str) -> None:
        chosen = self._connection()
        if chosen is None:
            return
        number, live = chosen
        if live:
            self._strike_live(number, name)
            return
        run = self._post.recorder.run

        def read(store: Store) -> list[Conversation]:
            return rows(store, array("q", [number]), run)

        def on_read(found: list[Conversation]) -> None:
            self._strike_live(found[0].live if found else None, name)

        nothing: list[Conversation] = []
        self._reader.read(read, nothing, on_read)

    def _strike_live(self, number: int | None, name: str) -> None:
        """Act on an open connection, by its number in the program that runs; None: it is not open."""
        services = self._post.owners()
        service = next((service for service in services if number in service.connections), None)
        if service is None or number is None:
            self._tell(_translate("This connection is no longer open"))
            return
        if name == "fault_lift":
            done = service.faults.lift_connection(number)
            words = DONE[name] if done else QT_TRANSLATE_NOOP("Faults", "Connection #{number} has no fault to remove")
        elif strike(service, number, name):
            words = DONE[name]
        else:
            words = QT_TRANSLATE_NOOP("Faults", "The protocol of connection #{number} does not have this fault")
        self._tell(_translate(words).format(number=number))


def _translate(text: str) -> str:
    return QCoreApplication.translate("Faults", text)
