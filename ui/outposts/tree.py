"""The outposts with their services, as a tree."""

from __future__ import annotations

from functools import cache

from PyQt5.QtCore import QSize, Qt, pyqtSlot
from PyQt5.QtGui import QIcon
from PyQt5.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget, QTreeWidgetItem

from app.outposts import protocol as p
from app.outposts import sound
from app.outposts.console import Console
from app.outposts.following import Following
from app.outposts.ways.carrier import Connected
from ui.looks import shapes, theme
from ui.looks.icons import painted
from ui.outposts import words
from ui.parts.delegates import Spaced
from ui.parts.labels import plain

NAME, STATE, CONNECTIONS, BEHIND, CLOCK = range(5)

_RIGHT = int(Qt.AlignRight | Qt.AlignVCenter)

LAMP = 12
"""Pixels of a lamp beside letters of the usual size."""

Place = tuple[str, str]
"""The names of an outpost and of its service; of the outpost itself, an empty one."""


class OutpostTree(QTreeWidget):
    """A row for each outpost, below it one for each of its services."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("outposts")
        self.setAccessibleName(self.tr("Outposts and their services"))
        self.setHeaderLabels(
            [self.tr("Name"), self.tr("State"), self.tr("Connections"), self.tr("Unread"), self.tr("Clock")]
        )
        self.setUniformRowHeights(True)
        self.setItemDelegate(Spaced(self))
        self.setAllColumnsShowFocus(True)
        self.setSelectionMode(QAbstractItemView.SingleSelection)
        self.setEditTriggers(QAbstractItemView.NoEditTriggers)
        self.setContextMenuPolicy(Qt.CustomContextMenu)
        for column in (CONNECTIONS, BEHIND, CLOCK):
            self.model().setHeaderData(column, Qt.Horizontal, _RIGHT, Qt.TextAlignmentRole)
        header = self.header()
        header.setStretchLastSection(False)
        for column in (NAME, CONNECTIONS, BEHIND, CLOCK):
            header.setSectionResizeMode(column, QHeaderView.ResizeToContents)
        header.setSectionResizeMode(STATE, QHeaderView.Stretch)
        theme.notifier.fonts_changed.connect(self._measure)
        self._measure()
        self._rows: dict[Place, QTreeWidgetItem] = {}

    @property
    def place(self) -> Place | None:
        """What is selected; None: nothing."""
        found = self.currentItem()
        place: Place | None = found.data(NAME, Qt.UserRole) if found is not None else None
        return place

    def show_console(self, console: Console | None, now: float) -> None:
        """Show how the outposts are at ``now``, in seconds of the reactor's clock."""
        wanted: dict[Place, None] = {}
        for outpost in console.outposts.values() if console is not None else ():
            wanted[outpost.name, ""] = None
            row = self._row((outpost.name, ""), None)
            self._show_outpost(row, outpost, now)
            for service in outpost.services:
                wanted[outpost.name, service.name] = None
                known = isinstance(outpost.carrier.way, Connected)
                self._show_service(self._row((outpost.name, service.name), row), service, known=known)
        for name, why in console.held.items() if console is not None else ():
            wanted[name, ""] = None
            self._say(self._row((name, ""), None), "stopped", name, self.tr("not trusted: {why}").format(why=why))
        for place in reversed([place for place in self._rows if place not in wanted]):  # services before their outpost
            self._remove(place)

    def _row(self, place: Place, parent: QTreeWidgetItem | None) -> QTreeWidgetItem:
        if place not in self._rows:
            row = self._rows[place] = QTreeWidgetItem()
            row.setData(NAME, Qt.UserRole, place)
            for column in (CONNECTIONS, BEHIND, CLOCK):
                row.setTextAlignment(column, _RIGHT)
            if parent is None:
                self.addTopLevelItem(row)
                row.setExpanded(True)
            else:
                parent.addChild(row)
        return self._rows[place]

    def _remove(self, place: Place) -> None:
        row = self._rows.pop(place)
        at = self.indexOfTopLevelItem(row)
        if at >= 0:
            self.takeTopLevelItem(at)
        else:
            row.parent().removeChild(row)

    def _show_outpost(self, row: QTreeWidgetItem, outpost: Following, now: float) -> None:
        state = words.state_of(outpost, now)
        self._say(row, words.lamp_of(outpost), outpost.name, f"{outpost.carrier.target}: {state}")
        known = isinstance(outpost.carrier.way, Connected)
        connections = sum(service.connections for service in outpost.services) if known else 0
        self._set(row, CONNECTIONS, str(connections or ""))
        self._set(row, BEHIND, words.behind(outpost))
        self._set(row, CLOCK, words.clock(outpost.clock))

    def _show_service(self, row: QTreeWidgetItem, service: p.Service, *, known: bool) -> None:
        """``known``: whether it is so now, and not only was when the outpost was lost."""
        said = sound.name(service.words)
        status = sound.name(service.status)
        faults = [sound.name(fault.name) for fault in service.faults if fault.enabled]
        state = f"{status}, {said}" if said else status
        if service.tls:
            state = self.tr("{state}, with TLS").format(state=state)
        if faults:
            state = self.tr("{state}; faults: {names}").format(state=state, names=", ".join(faults))
        if not known:
            state = self.tr("when last seen: {state}").format(state=state)
        self._say(row, words.shape_of(service) if known else "stopped", sound.name(service.name), state)
        self._set(row, CONNECTIONS, str(service.connections or "") if known else "")

    def _say(self, row: QTreeWidgetItem, lamp: shapes.State, name: str, state: str) -> None:
        if row.data(NAME, Qt.UserRole + 1) != lamp:
            row.setData(NAME, Qt.UserRole + 1, lamp)
            row.setIcon(NAME, _lamp(lamp))
        self._set(row, NAME, name)
        self._set(row, STATE, state)

    def _set(self, row: QTreeWidgetItem, column: int, text: str) -> None:
        if row.text(column) != text:
            row.setText(column, text)
            row.setToolTip(column, plain(text))

    @pyqtSlot()
    def _measure(self) -> None:
        side = theme.scaled(LAMP)
        self.setIconSize(QSize(side, side))


@cache
def _lamp(state: shapes.State) -> QIcon:
    return painted(lambda painter, rect: shapes.paint_state(painter, rect, state, theme.current()))
