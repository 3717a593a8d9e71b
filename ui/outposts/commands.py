"""The dock of outposts, and what its actions do. Each method has the name of its action."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from socket import gethostname
from typing import TYPE_CHECKING, Any

from PyQt5.QtCore import QCoreApplication, QTimer
from PyQt5.QtWidgets import QMainWindow

from app.capture.filters.completion import condition
from app.post import Post
from ui.edits import Edits
from ui.outposts.changes import OutpostChanges
from ui.parts import copying
from ui.parts.docks import add_below

if TYPE_CHECKING:
    from app.outposts.console import Console
    from app.outposts.following import Following
    from app.outposts.protocol import Request
    from ui.outposts.connections import ConnectionsDialog
    from ui.outposts.dialog import OutpostDialog
    from ui.outposts.dock import OutpostsDock

HEIGHT = 260
"""Pixels of the dock when it is shown first."""

CALM = 100
"""Milliseconds between two looks at what has changed."""


PANES = {"events": "all", "conversations": "conversations", "failures": "failures"}
"""The panes that menus show."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What other rooms do for outposts.

    Attributes:
        services: called with ``new``, ``change``, ``take`` or ``drop``, an outpost, and the name of a service there.
        send: shows the Send dock with a URL.
        watch: opens the form of a watch on a target.
    """

    services: Callable[[str, Following, str], object]
    send: Callable[[str], object]
    watch: Callable[[str], object]


class OutpostCommands:
    """Makes the console when the workspace first has an outpost, the dock and the dialogs when they are first wanted.

    Attributes:
        console: reads the outposts; None while there was none.
        dialog: the one that is open; None while there is none.
    """

    def __init__(
        self, post: Post, edits: Edits, window: QMainWindow, say: Callable[[str], object],
        show_filtered: Callable[[str, str], object], elsewhere: Elsewhere,
    ) -> None:  # fmt: skip
        """``say(words)`` tells the user; ``show_filtered(condition, pane)`` shows what a filter lets through."""
        self._post, self._window, self._say, self._show_filtered = post, window, say, show_filtered
        self._elsewhere = elsewhere
        self._changes = OutpostChanges(edits, window)
        self.console: Console | None = None
        self.dialog: OutpostDialog | ConnectionsDialog | None = None
        self._begun = self._closed = False
        self._later = QTimer(window)
        self._later.setSingleShot(True)
        self._later.setInterval(CALM)
        self._later.timeout.connect(self._refresh)
        self._unhook = post.outposts_changed.connect(lambda _: self._look())
        edits.changed.connect(self._later.start)

    def begin(self) -> None:
        """The capture is open: outposts are read from now on."""
        self._begun = True
        self._look()

    def _look(self) -> None:
        if self.console is None and self._begun and not self._closed and self._post.outposts:
            from app.outposts.console import Console

            self.console = Console(self._post.sender.reactor, self._post, gethostname())
            self.console.changed.connect(lambda _: self._touch())
            self.console.outposts_changed.connect(lambda _: self._touch())
            self.console.follow_workspace()
            self.console.open()
        self._touch()

    def _touch(self) -> None:
        if not self._later.isActive() and not self._closed:
            self._later.start()

    async def close(self) -> None:
        """Read no more."""
        self._closed = True
        self._unhook()
        self._later.stop()
        if self.console is not None:
            await self.console.close()

    @cached_property
    def dock(self) -> OutpostsDock:
        """The dock, hidden at first."""
        from ui.outposts.dock import OutpostsDock

        dock = OutpostsDock(self._changes, self._post.sender.reactor.seconds, self._window)
        add_below(self._window, dock, HEIGHT)
        dock.new_wanted.connect(lambda: self._open({}))
        dock.asked.connect(self.ask)
        dock.wanted.connect(self.do)
        return dock

    def _refresh(self) -> None:
        if "dock" in self.__dict__:
            if self.console is not None:
                self.dock.follow(self.console)
            else:
                self.dock.refresh()

    # -- the actions

    def outposts(self) -> None:
        dock = self.dock
        if dock.isVisible():
            dock.close()
            return
        dock.open()
        self._refresh()
        dock.begin()

    # -- what the dock wants

    def ask(self, name: str, request: Request) -> None:
        """Have an outpost do something; tell where it refuses."""
        outpost = self.outposts_now().get(name)
        if outpost is not None:
            outpost.ask(request).addErrback(self._refused, name)

    def _refused(self, failure: Any, name: str) -> None:
        from app.errors import PostError

        if isinstance(failure.value, PostError):
            self._say(
                QCoreApplication.translate("Outposts", "{name}: {reason}").format(name=name, reason=failure.value)
            )

    def do(self, what: str, name: str, service: str) -> None:
        """Do what a menu wants, one of ``menu.WANTED``."""
        where = condition("service", f"{name}/{service}") if service else condition("outpost", name)
        outpost = self.outposts_now().get(name)
        if what in PANES:
            self._show_filtered(where, PANES[what])
        elif what == "edit":
            self.edit(name)
        elif what == "remove":
            self._changes.remove(name)
        elif what == "watch":
            self._elsewhere.watch(f"{name}/{service}")
        elif outpost is None:
            self._say(QCoreApplication.translate("Outposts", "{name} is no longer connected").format(name=name))
        elif what == "connections":
            self._show_connections(outpost, service)
        elif what == "restart":
            self._restart(outpost, service)
        elif what in ("send", "copy"):
            self._reach(what, name, service)
        else:
            self._elsewhere.services(what, outpost, service)

    def outposts_now(self) -> Mapping[str, Following]:
        """Those that are read, by name."""
        return self.console.outposts if self.console is not None else {}

    def _show_connections(self, outpost: Following, service: str) -> None:
        from ui.outposts.connections import ConnectionsDialog

        self.dialog = ConnectionsDialog(outpost, service, self._window)
        self.dialog.finished.connect(self._on_closed)
        self.dialog.open()

    def _restart(self, outpost: Following, service: str) -> None:
        from app.outposts.protocol import Start, Stop

        asking = outpost.ask(Stop((service,)))
        asking.addCallback(lambda _: outpost.ask(Start((service,))))
        asking.addErrback(self._refused, outpost.name)

    def _reach(self, what: str, name: str, service: str) -> None:
        """Open a service in Send, or copy its address."""
        from app.errors import PostError
        from app.sending.clients import scheme_for
        from app.services.address import join

        assert self.console is not None
        try:
            found = self.console.locate(name, service)
        except PostError as e:
            self._say(f"{name}/{service}: {e.fields['reason']}")
            return
        place = join(found.host, found.port)
        scheme = scheme_for(found.protocol, tls=bool(found.tls))
        if what == "copy":
            copying.copy(place, place)
        elif scheme is None:
            words = QCoreApplication.translate(
                "Outposts", "Listening Post cannot send over {protocol}, which {name} uses"
            )
            self._say(words.format(protocol=found.protocol, name=f"{name}/{service}"))
        else:
            self._elsewhere.send(f"{scheme}://{place}")

    def edit(self, name: str) -> None:
        """Show an outpost in its form."""
        found = next((outpost for outpost in self._changes.outposts if outpost.name == name), None)
        if found is not None:
            self._open(found.as_table(), name)

    def _open(self, table: dict[str, Any], instead: str = "") -> None:
        from ui.outposts.dialog import OutpostDialog

        dialog = self.dialog = OutpostDialog(self._changes, table, instead, self._window)
        dialog.given.connect(lambda given: self._changes.put(given, instead))
        dialog.finished.connect(self._on_closed)
        dialog.open()

    def _on_closed(self) -> None:
        self.dialog = None
