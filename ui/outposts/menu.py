"""The menu of an outpost, or of one of its services: what can be done there, and why not where it cannot."""

from __future__ import annotations

from collections.abc import Callable

from PyQt5.QtCore import pyqtSignal
from PyQt5.QtWidgets import QAction, QMenu, QWidget

from app.outposts import protocol as p
from app.outposts.following import Following
from app.outposts.ways.carrier import Lost
from ui.looks.icons import icon
from ui.outposts import words
from ui.parts.labels import unmarked

WANTED = (
    "events", "conversations", "failures", "restart", "connections", "send", "copy", "watch", "new", "change", "take",
    "drop", "edit", "remove",
)  # fmt: skip
"""What a menu wants that takes more than a request; ``drop`` takes a service away, ``remove`` an outpost."""

SHOWN = 80
"""Characters of a name in a menu."""


class OutpostMenu(QMenu):
    """What can be done with the outpost called ``name``, or with its service ``service``.

    Signals:
        asked(str, object): this request of this outpost.
        wanted(str, str, str): one of ``WANTED``, the outpost, and the service or "".
    """

    asked = pyqtSignal(str, object)
    wanted = pyqtSignal(str, str, str)

    def __init__(self, name: str, service: str, outpost: Following | None, parent: QWidget | None = None) -> None:
        """``outpost``: None while it is not read, because the user has not allowed that."""
        super().__init__(parent)
        self.setToolTipsVisible(True)
        self._name, self._service, self._outpost = name, service, outpost
        self._want(self.tr("Show e&vents"), "events")
        if service:
            self._want(self.tr("Show conversat&ions"), "conversations")
        self._want(self.tr("Show fai&lures"), "failures")
        self.addSeparator()
        if outpost is not None:
            self._fill(outpost)
        if not service:
            self._end(outpost)

    def _fill(self, outpost: Following) -> None:
        named = (self._service,) if self._service else ()
        start, stop = (self.tr("&Start"), self.tr("S&top")) if named else (self.tr("&Start all"), self.tr("S&top all"))
        self._ask(start, p.Start(named), "play")
        self._ask(stop, p.Stop(named), "stop")
        if named:
            self._want(self.tr("Start &again"), "restart", p.Stop, "again")
        self._add_faults(outpost)
        self._want(self.tr("&Connections…"), "connections", p.Connections)
        self.addSeparator()
        if not named:
            self._want(self.tr("Add a se&rvice…"), "new", p.Put, "plus")
            return
        if any(one.name == self._service and one.protocol == "program" for one in outpost.services):
            return  # it has ports, which are services, and stands in the workspace of its machine
        self._want(self.tr("&Open in Send"), "send", p.Status, "send")
        self._want(self.tr("&Watch it…"), "watch", p.Status)
        self._want(self.tr("Cop&y its address"), "copy", p.Status, "copy")
        self.addSeparator()
        self._want(self.tr("C&hange…"), "change", p.Configuration, "pencil")
        self._want(self.tr("Co&py into this workspace"), "take", p.Configuration, "duplicate")
        self._want(self.tr("&Remove from the outpost…"), "drop", p.Remove, "trash")

    def _end(self, outpost: Following | None) -> None:
        self.addSeparator()
        if outpost is not None and isinstance(outpost.carrier.way, Lost):
            self.addAction(self.tr("Connect &now"), outpost.carrier.now)
        self._want(self.tr("&Edit…"), "edit")
        self._want(self.tr("Remove the &outpost"), "remove")

    def _want(self, text: str, what: str, request: type[p.Request] | None = None, picture: str = "") -> None:
        """``request``: what it will ask the outpost for, if it asks."""
        self._add(self, text, lambda: self.wanted.emit(what, self._name, self._service), request, picture)

    def _ask(self, text: str, request: p.Request, picture: str = "", menu: QMenu | None = None) -> QAction:
        return self._add(menu or self, text, lambda: self.asked.emit(self._name, request), type(request), picture)

    def _add(
        self, menu: QMenu, text: str, do: Callable[[], object], request: type[p.Request] | None, picture: str = ""
    ) -> QAction:
        action = menu.addAction(text)
        action.triggered.connect(lambda _: do())
        if picture:
            action.setIcon(icon(picture))
        why = words.why_not(self._outpost, request) if self._outpost is not None and request is not None else ""
        action.setEnabled(not why)
        action.setToolTip(why)
        return action

    def _add_faults(self, outpost: Following) -> None:
        found = [one for one in outpost.services if self._service in ("", one.name) and one.faults]
        if not found:
            return
        menu = self.addMenu(self.tr("&Faults"))
        menu.setToolTipsVisible(True)
        named = [(f"{one.name}/{fault.name}", fault.enabled) for one in found for fault in one.faults]
        for name, enabled in named:
            request = p.SwitchFault(name, "off" if enabled else "on")
            action = self._ask(unmarked(name[:SHOWN]), request, menu=menu)
            action.setCheckable(True)
            action.setChecked(enabled)
        menu.addSeparator()
        for name, _ in named:
            text = self.tr("Hit the next one: {name}").format(name=unmarked(name[:SHOWN]))
            self._ask(text, p.SwitchFault(name, "once"), menu=menu)
