"""The dock with the faults of all services."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from PyQt5.QtCore import Qt, QTimer, pyqtSignal
from PyQt5.QtGui import QCloseEvent, QResizeEvent
from PyQt5.QtWidgets import (
    QDockWidget,
    QLabel,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.faults.hits import LiveFault
from app.faults.presets import Preset
from app.faults.tables import named
from app.options import Options
from app.post import Post
from app.programs.shown import HostedPort
from app.services.service import Service
from ui.faults.changes import FaultChanges
from ui.faults.empty import NoFaults
from ui.faults.presets_menu import menu_of, with_network
from ui.faults.row import FaultRow
from ui.faults.words import count_words
from ui.forms.form import Words, sentence, tab_through
from ui.parts.bottom_dock import BottomDock
from ui.parts.line import Line
from ui.parts.scrolled import Scrolled

MOST = 100
"""Faults that have a row at the most: each has several widgets. The pages of the services have all."""

LINES = 6
"""Lines of text for which there is always room."""

PAUSE = 60
"""Milliseconds between two values of a slider that are applied."""

Key = tuple[str, str, int]


class FaultsDock(BottomDock):
    """A row for each fault, in the order of the services.

    Attributes:
        rows: by service, name of the fault, and connection of one that was set by hand.
        networks, all_off: buttons of the title.

    Signals:
        page_wanted(str, int): the page of a service, and the fault to show; -1: none of them.
        hits_wanted(str, str): the hits of a fault of a service.
        off_wanted(): no fault is to act.
    """

    characters = 110  # a row with one figure
    page_wanted = pyqtSignal(str, int)
    hits_wanted = pyqtSignal(str, str)
    off_wanted = pyqtSignal()

    def __init__(
        self,
        post: Post,
        changes: FaultChanges,
        selected: Callable[[], Service | HostedPort | None],
        parent: QWidget | None = None,
    ) -> None:
        """``selected()`` is the service that gets a network."""
        super().__init__(parent)
        self.setWindowTitle(self.tr("Faults"))
        self.setObjectName("faults dock")
        self.setAllowedAreas(Qt.BottomDockWidgetArea | Qt.TopDockWidgetArea)
        self.setFeatures(QDockWidget.DockWidgetClosable)
        self._post, self._changes, self._selected = post, changes, selected
        self.rows: dict[Key, FaultRow] = {}
        self._order: list[Key] = []
        self._faults: list[LiveFault] = []
        self._wanted: dict[tuple[Key, str], Any] = {}
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(PAUSE)
        self._pause.timeout.connect(self._apply)
        self.figures = Line()
        self.networks = QPushButton()
        self.all_off = QPushButton(self.tr("All off"))
        self.note = Words()
        self.empty = NoFaults()
        self._lay_out()
        self._connect()
        self.refresh()

    # -- building

    def _lay_out(self) -> None:
        self._list = QWidget()
        self._list.setProperty("surface", "panel")
        self._list.setAttribute(Qt.WA_StyledBackground)
        self._column = QVBoxLayout(self._list)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._rest = QLabel()
        self._rest.setProperty("role", "dim")
        self._rest.setContentsMargins(12, 8, 12, 8)
        self._column.addWidget(self._rest)
        self._column.addStretch(1)
        self._stack = QStackedWidget()
        for part in (self._list, self.empty):
            self._stack.addWidget(Scrolled(part, LINES))
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.note.setContentsMargins(12, 0, 12, 4)
        self.note.hide()
        column.addWidget(self.note)
        column.addWidget(self._stack, 1)
        self.setWidget(whole)
        self.set_title(self.tr("FAULTS"), self.figures, self.networks, self.all_off)

    def _connect(self) -> None:
        self.networks.setMenu(menu_of(self.networks, self._failing, self.put_preset))
        self.all_off.setToolTip(self.tr("Switch every fault off; what faults hold back is passed on"))
        self.all_off.clicked.connect(self.off_wanted)
        self.empty.chosen.connect(self.put_preset)
        self.empty.page_wanted.connect(self._open_page)

    def _failing(self) -> tuple[str, Sequence[Options]]:
        """Protocol and faults of the selected service."""
        service = self._selected()
        return (service.config.protocol, service.config.faults) if service is not None else ("", ())

    def _open_page(self) -> None:
        service = self._selected()
        if service is not None:
            self.page_wanted.emit(service.config.name, -1)

    # -- what is shown

    def refresh(self) -> None:
        """Services or their faults may be others."""
        if self.isHidden():
            return
        self._faults = [fault for service in self._post.owners() for fault in service.faults.all]
        found = list(self._found())
        shown = {key: (service, fault, at) for key, service, fault, at in found[:MOST]}
        for key in [key for key in self.rows if key not in shown]:
            row = self.rows.pop(key)
            self._column.removeWidget(row)
            row.hide()
            row.deleteLater()
        for key, (service, fault, at) in shown.items():
            known = self.rows.get(key)
            if known is not None and known.fault.kind is fault.kind:
                known.show_fault(fault, at)
            else:
                self._make(key, service, fault, at)
        if list(shown) != self._order:
            self._order = list(shown)
            for at, key in enumerate(self._order):
                self._column.removeWidget(self.rows[key])
                self._column.insertWidget(at, self.rows[key])
                self.rows[key].show()  # now: it may be about to take the keyboard
            tab_through(self.networks, self.all_off, *(self.rows[key] for key in self._order))
        more = len(found) - len(shown)
        self._rest.setVisible(more > 0)
        self._rest.setText(self.tr("{count} more faults are on the pages of their services").format(count=f"{more:,}"))
        self._stack.setCurrentIndex(0 if found else 1)
        self.show_selected()
        self.count()

    def on_faults(self) -> None:
        """Faults were switched, have hit, or are others."""
        now = [fault for service in self._post.owners() for fault in service.faults.all]
        if now == self._faults:
            self.count()
        else:
            self.refresh()

    def _found(self) -> Iterator[tuple[Key, str, LiveFault, int]]:
        for service in self._post.owners():
            name = service.config.name
            places = {fault: at for at, (fault, _) in enumerate(named(service.config.faults))}
            for fault in service.faults.all:
                at = -1 if fault.only else places.get(fault.name, -1)
                if at >= 0 or fault.only:
                    yield (name, fault.name, fault.only and id(fault)), name, fault, at

    def show_selected(self) -> None:
        """Another service may be selected, which a network would be for."""
        service = self._selected()
        name = service.config.name if service is not None else ""
        protocol, tables = self._failing()
        self.empty.show_service(name, protocol)
        self.networks.setEnabled(bool(name) and self.empty.offers)
        words = self.tr("Network of {name}").format(name=name) if name else self.tr("Network")
        words = with_network(words, tables, protocol)
        self.networks.setText(self.fontMetrics().elidedText(words, Qt.ElideMiddle, 260).replace("&", "&&") + "   ")
        self.networks.setToolTip(self.tr("Simulate a network for the selected service"))

    def count(self) -> None:
        """Hits and switches may be others."""
        if self.isHidden():
            return
        for row in self.rows.values():
            row.refresh()
        faults = [(s, fault) for s in self._post.owners() for fault in s.faults.all]
        acting = sum(fault.enabled for _, fault in faults)
        hits = sum(fault.hits for _, fault in faults)
        seeds = {service.faults.seed for service, _ in faults}
        words = self.tr("{acting} of {count} active, {hits}").format(
            acting=acting, count=len(faults), hits=count_words(hits)
        )
        if len(seeds) == 1 and (seed := seeds.pop()):
            words = self.tr("{words}, seed {seed}").format(words=words, seed=seed)
        words = words if faults else ""
        if words != self.figures.text():
            self.figures.setText(words)
        self.all_off.setEnabled(acting > 0)
        self.all_off.setVisible(bool(faults))
        self.networks.setVisible(bool(faults))

    def _make(self, key: Key, service: str, fault: LiveFault, at: int) -> None:
        old = self.rows.get(key)
        if old is not None:
            self._column.removeWidget(old)
            old.hide()
            old.deleteLater()
            self._order = []
        owner = self._post.owner(service)
        protocol = owner.config.protocol if owner is not None else "tcp"
        row = self.rows[key] = FaultRow(service, protocol, fault, at)
        row.arrange(self.width())
        row.switched.connect(lambda on: self._switch(row, on=on))
        row.once.connect(lambda: self._once(row))
        row.lifted.connect(lambda: self._lift(row))
        row.hits_wanted.connect(lambda: self.hits_wanted.emit(row.service, row.fault.name))
        row.page_wanted.connect(lambda: self.page_wanted.emit(row.service, row.at))
        row.figure_changed.connect(lambda name, value: self._on_figure(key, name, value))
        self._order = []

    # -- what is done

    def _switch(self, row: FaultRow, *, on: bool) -> None:
        service = self._post.owner(row.service)
        if service is not None:
            service.faults.switch(row.fault, on=on)
            self.count()

    def _once(self, row: FaultRow) -> None:
        service = self._post.owner(row.service)
        if service is not None:
            service.faults.once_now(row.fault)
            self.count()

    def _lift(self, row: FaultRow) -> None:
        service = self._post.owner(row.service)
        if service is not None:
            service.faults.lift_connection(row.fault.only)
            self.refresh()

    def put_preset(self, preset: Preset | None) -> None:
        """Have the selected service behave as behind this network; None: as it is."""
        service = self._selected()
        if service is not None:
            self._tell(self._changes.put_preset(service.config.name, preset))

    def _tell(self, problem: str) -> None:
        self.note.setVisible(bool(problem))
        self.note.say(sentence(problem) if problem else "", "error")

    def _on_figure(self, key: Key, name: str, value: object) -> None:
        self._wanted[key, name] = value
        if not self._pause.isActive():
            self._pause.start()

    def _apply(self) -> None:
        wanted, self._wanted = self._wanted, {}
        for (key, name), value in wanted.items():
            row = self.rows.get(key)
            if row is not None and row.at >= 0:
                row.tell(name, self._changes.set_figure(row.service, row.at, name, value))

    # -- the dock itself

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        for row in self.rows.values():
            row.arrange(event.size().width())

    def begin(self) -> None:
        """Take the keyboard: the first switch, or where there is none the first button."""
        row = self.rows.get(self._order[0]) if self._order else None
        first: QWidget = self.empty.page if row is None else row.switch if not row.fault.only else row.once_now
        first.setFocus(Qt.ShortcutFocusReason)

    def closeEvent(self, event: QCloseEvent) -> None:
        self._apply()
        super().closeEvent(event)
