"""One fault in the dock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import QFrame, QHBoxLayout, QMenu, QPushButton, QToolButton, QVBoxLayout, QWidget

from app.faults.hits import LiveFault
from ui.actions.build import show
from ui.faults.figure import Figure, Figures
from ui.faults.sliders import figures
from ui.faults.switch import Switch
from ui.faults.words import at_zero, conditions, count_words, kind_words, spreads, summary
from ui.forms.form import set_property
from ui.parts.labels import plain
from ui.parts.line import Line
from ui.parts.small_button import small_button

NAME, HITS, COLUMN = 31, 11, 40
"""Digits of the widths of the name, of the hits, and of a figure."""

NARROW, NARROW_NAME, NARROW_HITS = 120, 22, 8
"""Digits of the width of a row below which name and hits take less, and how much."""

LEAST = 12
"""Digits of the width of the name where all else needs the room, as beside another dock."""

BESIDE = 32
"""Digits that the switch and the buttons take."""


class FaultRow(QFrame):
    """A switch, what it is, its main figures, its hits, and what can be done with it.

    A fault that was set on one connection by hand has no switch and no figures: it can be lifted.

    Attributes:
        service: the name of its service.
        fault: as it is now.
        at: its number among the faults of the workspace, from 0; -1: set by hand.

    Signals:
        switched(bool): it is to act or not.
        once(): it is to hit the next candidate.
        lifted(): what was set by hand is to be taken away.
        hits_wanted(), page_wanted(): the user wants to see its hits, or its form.
        figure_changed(str, object): an option is to have this value.
    """

    switched = pyqtSignal(bool)
    once = pyqtSignal()
    lifted = pyqtSignal()
    hits_wanted = pyqtSignal()
    page_wanted = pyqtSignal()
    figure_changed = pyqtSignal(str, object)

    def __init__(self, service: str, protocol: str, fault: LiveFault, at: int) -> None:
        super().__init__()
        self.service, self.fault, self.at = service, fault, at
        self._protocol = protocol
        self.setProperty("row", True)
        self.switch = Switch()
        self.name, self.kind = Line(), Line()
        self.hits = QPushButton()
        self.hits.setProperty("link", True)
        self.hits.setAutoDefault(False)
        self.once_now = QPushButton()
        self.once_now.setAutoDefault(False)
        self.more = small_button("chevron-down", self.tr("More about {name}").format(name=fault.name))
        self.figures = Figures([])
        self._columns = 1
        self._known: tuple[object, ...] = ()
        self._lay_out()
        self.switch.clicked.connect(self.switched)
        self.once_now.clicked.connect(self.lifted if fault.only else self.once)
        self.hits.clicked.connect(self.hits_wanted)
        self.more.clicked.connect(self._show_menu)
        self.show_fault(fault, at)

    def _lay_out(self) -> None:
        words = self._words = QWidget()
        column = QVBoxLayout(words)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addStretch(1)
        column.addWidget(self.name)
        column.addWidget(self.kind)
        column.addStretch(1)
        self.name.setProperty("role", "strong")
        self.kind.setProperty("role", "dim")
        by_hand = bool(self.fault.only)
        self.once_now.setText(self.tr("Remove") if by_hand else self.tr("Once now"))
        self.once_now.setToolTip(
            self.tr("Remove the fault; what it holds back is passed on")
            if by_hand
            else self.tr("Hit the next message or connection")
        )
        row = self._row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 8, 6)
        row.setSpacing(12)
        row.addWidget(self.switch, 0, Qt.AlignVCenter)
        row.addWidget(words)
        row.addWidget(self.figures, 1)
        row.addWidget(self.hits)
        row.addWidget(self.once_now)
        row.addWidget(self.more)
        self.switch.setVisible(not by_hand)

    def arrange(self, width: int) -> None:
        """Make it ``width`` pixels wide: figures stand beside each other where there is room."""
        digit = self.fontMetrics().horizontalAdvance("0")
        narrow = width < NARROW * digit
        name, hits = (NARROW_NAME, NARROW_HITS) if narrow else (NAME, HITS)
        self._words.setFixedWidth(name * digit)
        self.hits.setMinimumWidth(hits * digit)
        self._columns = (width // digit - name - hits - BESIDE) // COLUMN
        self.figures.arrange(min(self._columns, len(self.figures.figures)))
        beyond = max(0, self.minimumSizeHint().width() - width)
        self._words.setFixedWidth(max(LEAST, name - beyond // digit - 1) * digit if beyond else name * digit)

    def show_fault(self, fault: LiveFault, at: int) -> None:
        """Show the fault as it is now; its figures may be others."""
        self.fault, self.at = fault, at
        wanted = [] if fault.only else figures(fault.kind, fault.table, self._protocol)
        values: Mapping[str, Any] = fault.options | dict(fault.when.values)
        if [figure.option for figure in self.figures.figures] != wanted:
            beside = spreads(fault.kind.options)
            made = []
            for option in wanted:
                spread = beside.get(option.name)
                varies = values[spread.name] if spread is not None else 0.0
                made.append(Figure(option, values[option.name], self._title(), spread, varies))
            self._make_figures(made)
        for figure in self.figures.figures:
            figure.show_value(values[figure.option.name])
            if figure.spread is not None:
                figure.show_spread(values[figure.spread.name])
        self.name.setText(self._title())
        self.refresh()

    def _make_figures(self, made: list[Figure]) -> None:
        old, self.figures = self.figures, Figures(made)
        self.figures.arrange(min(self._columns, len(made)))
        self._row.replaceWidget(old, self.figures)
        self._row.setStretchFactor(self.figures, 1)
        old.hide()
        old.deleteLater()
        for figure in made:
            figure.changed.connect(self.figure_changed)

    def _title(self) -> str:
        return f"{self.service} · {self.fault.name}"

    def refresh(self) -> None:
        """Show switch and hits as they are now, if they are others than before."""
        fault = self.fault
        known = (fault, fault.hits, fault.once, fault.enabled, fault.seed)
        if known == self._known:
            return
        self._known = known
        said = kind_words(fault.kind.name, fault.on)
        if zero := at_zero(fault.kind, fault.table):
            said = f"{said} · {zero}"
        if fault.only:
            said = self.tr("on connection #{number}").format(number=fault.only)
        elif fault.once:
            said = self.tr("{kind}, waits for the next").format(kind=said)
        elif when := conditions(fault.table, {"enabled", *(figure.option.name for figure in self.figures.figures)}):
            said = f"{said} · {when}"
        if said != self.kind.text():
            self.kind.setText(said)
        if self.switch.isChecked() != fault.enabled:
            self.switch.setChecked(fault.enabled)
        words = count_words(fault.hits)
        if words != self.hits.text():
            self.hits.setText(words)
            set_property(self.hits, "link", "warning" if fault.hits else "dim")
        name = self._title()
        self.switch.setAccessibleName(name)
        self.switch.setToolTip(plain(self.tr("Switch {name} on or off").format(name=name)))
        self.hits.setToolTip(plain(self._told()))
        self.hits.setAccessibleName(f"{name}: {words}")
        self.once_now.setAccessibleName(f"{name}: {self.once_now.text()}")

    def _told(self) -> str:
        fault = self.fault
        return self.tr("Show the hits of this fault. {summary}, seed {seed}").format(
            summary=summary(fault.kind, fault.table) or fault.kind.name, seed=fault.seed
        )

    def tell(self, name: str, problem: str) -> None:
        """Say why an option has not the value that its figure shows."""
        for figure in self.figures.figures:
            figure.tell(name, problem)

    def _show_menu(self) -> None:
        menu = QMenu(self)
        for words, wanted in (
            (self.tr("Show &hits"), self.hits_wanted),
            (self.tr("&Edit fault"), self.page_wanted),
            (self.tr("&Once now"), self.once),
        ):
            if not (self.fault.only and wanted is not self.hits_wanted):
                menu.addAction(words).triggered.connect(wanted)
        if self.fault.only:
            menu.addAction(self.tr("&Remove")).triggered.connect(self.lifted)
        show(menu, self.more.mapToGlobal(self.more.rect().bottomLeft()))

    def buttons(self) -> tuple[QPushButton | QToolButton, ...]:
        """What can be pressed, beside the switch."""
        return self.hits, self.once_now, self.more
