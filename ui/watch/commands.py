"""The dock of watches, and what the actions on watches do. Each method has the name of its action."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from PyQt5.QtWidgets import QMainWindow

from app.capture.filters.completion import combined, condition
from app.post import Post
from ui.bridge import Bridge
from ui.edits import Edits
from ui.parts.docks import add_below
from ui.watch.changes import WatchChanges

if TYPE_CHECKING:
    from ui.watch.dialog import WatchDialog
    from ui.watch.dock import WatchDock

HEIGHT = 240
"""Pixels of the dock when it is shown first."""


class WatchCommands:
    """Makes the dock and the dialogs when they are first wanted.

    Attributes:
        dialog: the one that is open; None while there is none.
    """

    def __init__(
        self,
        post: Post,
        edits: Edits,
        bridge: Bridge,
        window: QMainWindow,
        selected: Callable[[], str],
        show_filtered: Callable[[str], object],
        alert_on: Callable[[str], object],
    ) -> None:
        """``selected()`` is the name of the selected service, or the URL of a port of a program, or "";
        ``show_filtered(condition)`` shows the events that a filter lets through; ``alert_on(condition)`` begins an
        alert on them.
        """
        self._post, self._bridge, self._window = post, bridge, window
        self._selected, self._show_filtered, self._alert_on = selected, show_filtered, alert_on
        self._changes = WatchChanges(edits, window)
        self.dialog: WatchDialog | None = None

    @cached_property
    def dock(self) -> WatchDock:
        """The dock, hidden at first."""
        from ui.watch.dock import WatchDock

        dock = WatchDock(self._post, self._changes, self._window)
        add_below(self._window, dock, HEIGHT)
        dock.new_wanted.connect(self._new)
        dock.edit_wanted.connect(self.edit)
        dock.events_wanted.connect(lambda name: self._show_filtered(condition("watch.name", name)))
        dock.alert_wanted.connect(
            lambda name: self._alert_on(combined(condition("watch.name", name), "kind == watch.failed"))
        )
        self._bridge.services_changed.connect(dock.refresh)
        self._bridge.watches_changed.connect(dock.refresh)
        return dock

    # -- the actions

    def watches(self) -> None:
        dock = self.dock
        if dock.isVisible():
            dock.close()
            return
        dock.open()
        dock.refresh()
        dock.begin()

    def watch_service(self) -> None:
        self.watch(self._selected())

    def watch(self, target: str) -> None:
        """Open the form of a new watch on a service, here or of an outpost."""
        if not self.dock.isVisible():
            self.watches()
        self._new(target)

    # -- the dialog

    def _new(self, service: str) -> None:
        self._open(self._changes.first(service))

    def edit(self, name: str) -> None:
        """Show a watch in its form."""
        found = next((watch for watch in self._changes.watches if watch.name == name), None)
        if found is not None:
            self._open(found.as_table(), name)

    def _open(self, table: dict[str, object], instead: str = "") -> None:
        from ui.watch.dialog import WatchDialog

        self.dialog = WatchDialog(self._changes, table, instead, self._window)
        self.dialog.given.connect(lambda given: self._changes.put(given, instead))
        self.dialog.finished.connect(self._closed)
        self.dialog.open()

    def _closed(self) -> None:
        self.dialog = None
