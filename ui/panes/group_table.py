"""The table of failure groups: what failed, how often, where, and whether it is resolved."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PyQt5.QtCore import QAbstractTableModel, QCoreApplication, QModelIndex, QPoint, QSize, Qt, pyqtSignal, pyqtSlot
from PyQt5.QtGui import QColor, QFontMetrics, QKeyEvent, QResizeEvent
from PyQt5.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTableView,
)

from app.capture.reading.groups import Group
from ui.detail.sheet import visible
from ui.looks import theme
from ui.looks.declared import in_words
from ui.looks.icons import icon
from ui.looks.times import clock, moment
from ui.panes.event_header import LEAST, PAD, SORT_ARROW
from ui.panes.folding import left_out
from ui.parts.delegates import Unframed
from ui.parts.labels import plain

STATES = {"open": ("failure", "bad"), "reopened": ("again", "warning"), "resolved": ("check", "good")}
"""Icon and colour of each state."""

_WORDS = re.compile(r"\w?'…'|<\w+>")
"""The placeholders in a generalised message."""


@dataclass(frozen=True, slots=True)
class GroupColumn:
    """One column of the table.

    Attributes:
        chars: its first width, in characters of the monospaced font.
        key: what the groups are sorted by.
        right: whether numbers stand right-aligned in it.
        strong: whether it stands out in groups that are not resolved.
        stretch: whether it takes the room that the other columns leave.
        yields: where there is little room, columns with the highest number are left out first; 0: it never is.
        icon: name and colour of the icon before the text; None for no icon.
    """

    title: str
    tip: str
    chars: int
    text: Callable[[Group], str]
    key: Callable[[Group], Any]
    right: bool = False
    strong: bool = False
    stretch: bool = False
    yields: int = 0
    icon: Callable[[Group], tuple[str, str]] | None = None

    @property
    def alignment(self) -> int:
        return int((Qt.AlignRight if self.right else Qt.AlignLeft) | Qt.AlignVCenter)


def message(group: Group) -> str:
    """The generalised message, or the newest one where only placeholders are left, as for KeyError."""
    return visible(group.message if re.search(r"\w", _WORDS.sub("", group.message)) else group.example)


def _seen(time: int) -> str:
    return clock(time).rpartition(".")[0]


_STATE_ORDER = ("reopened", "open", "resolved")

COLUMNS = (
    GroupColumn("State", "Open, resolved, or reopened because it happened again", 11, lambda g: g.state,
                lambda g: (_STATE_ORDER.index(g.state), -g.newest), icon=lambda g: STATES[g.state]),
    GroupColumn("Count", "Number of failures in the group", 6, lambda g: f"{g.count:,}", lambda g: g.count,
                right=True, strong=True),
    GroupColumn("Type", "Type of the exception", 16, lambda g: visible(g.type).rpartition(".")[2], lambda g: g.type,
                strong=True),
    GroupColumn("Message", "Message of the exception, with placeholders for what differs", 30, message, message,
                strong=True, stretch=True),
    GroupColumn("Where", "Innermost line of your own code", 25, lambda g: visible(g.where.rpartition("/")[2]),
                lambda g: g.where, yields=2),
    GroupColumn("First", "Time of the first failure, in local time", 9, lambda g: _seen(g.first), lambda g: g.first,
                yields=4),
    GroupColumn("Last", "Time of the last failure, in local time", 9, lambda g: _seen(g.last), lambda g: g.newest,
                yields=1),
    GroupColumn("Services", "Services where the failure happened", 12, lambda g: visible(", ".join(g.services)),
                lambda g: g.services, yields=3),
)  # fmt: skip


class GroupModel(QAbstractTableModel):
    """Groups, sorted by a column."""

    def __init__(self) -> None:
        super().__init__()
        self.groups: list[Group] = []
        self._sorted = (0, Qt.AscendingOrder)

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(self.groups)

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.DisplayRole) -> Any:
        if orientation != Qt.Horizontal:
            return None
        column = COLUMNS[section]
        if role == Qt.TextAlignmentRole:
            return column.alignment
        return {Qt.DisplayRole: in_words(column.title), Qt.ToolTipRole: in_words(column.tip)}.get(
            role  # type: ignore[call-overload]
        )

    def data(self, index: QModelIndex, role: int = Qt.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self.groups):
            return None
        group, column = self.groups[index.row()], COLUMNS[index.column()]
        if role in (Qt.DisplayRole, Qt.AccessibleTextRole):
            return column.text(group)
        if role == Qt.TextAlignmentRole:
            return column.alignment
        if role == Qt.DecorationRole and column.icon is not None:
            return icon(*column.icon(group))
        if role == Qt.ForegroundRole:
            colors = theme.current()
            strong = group.state != "resolved" and column.strong
            return QColor(colors.text if strong else colors.dim)
        return plain(_tip(group)) if role == Qt.ToolTipRole else None

    def sort(self, column: int, order: Qt.SortOrder = Qt.AscendingOrder) -> None:
        self._sorted = (column, order)
        self.show_groups(self.groups)

    def show_groups(self, groups: list[Group]) -> None:
        """Show these groups in the order of the sorted column."""
        column, order = self._sorted
        groups = sorted(groups, key=COLUMNS[column].key, reverse=order == Qt.DescendingOrder)
        if [g.fingerprint for g in groups] == [g.fingerprint for g in self.groups]:
            self.groups = groups
            if groups:
                self.dataChanged.emit(self.index(0, 0), self.index(len(groups) - 1, len(COLUMNS) - 1))
            return
        self.beginResetModel()
        self.groups = groups
        self.endResetModel()

    def row_of(self, fingerprint: str) -> int:
        """The row of a group, or -1."""
        return next((row for row, group in enumerate(self.groups) if group.fingerprint == fingerprint), -1)


def _tip(group: Group) -> str:
    times = [moment(t) for t in (group.first, group.last)]
    seen = " – ".join(f"{time:%Y-%m-%d %H:%M:%S}" for time in dict.fromkeys(times))
    lines = [f"{group.type}: {group.example}", group.where, seen]
    if group.peers:
        lines.append(QCoreApplication.translate("Failures", "from {peers}").format(peers=", ".join(group.peers)))
    return " · ".join(visible(line) for line in lines if line)


class GroupTable(QTableView):
    """All groups; one may be selected.

    Signals:
        chosen: the fingerprint of the group that was selected, or "".
        menu_wanted: the global position of a context menu.
    """

    chosen = pyqtSignal(str)
    menu_wanted = pyqtSignal(QPoint)

    def __init__(self) -> None:
        super().__init__()
        self.groups = GroupModel()
        self._chosen = ""
        self._left_out: dict[int, int] = {}  # widths of columns for which there is no room
        self.setModel(self.groups)
        self.setProperty("role", "mono")
        self.setAccessibleName(self.tr("Failure groups"))
        self.setItemDelegate(Unframed(self))
        self.setSelectionBehavior(QAbstractItemView.SelectRows)
        self.setSelectionMode(QAbstractItemView.SingleSelection)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollPerPixel)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setIconSize(QSize(13, 13))
        rows = self.verticalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.Fixed)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setMinimumSectionSize(24)
        self._measure()
        for at, column in enumerate(COLUMNS):
            if column.stretch:
                header.setSectionResizeMode(at, QHeaderView.Stretch)
        header.setSortIndicator(0, Qt.AscendingOrder)
        self.setSortingEnabled(True)
        header.sortIndicatorChanged.connect(lambda *_: self._fold())
        self.setContextMenuPolicy(Qt.CustomContextMenu)
        self.customContextMenuRequested.connect(self._on_menu)
        self.selectionModel().selectionChanged.connect(lambda *_: self._on_selection())
        self.groups.modelAboutToBeReset.connect(lambda: self.selectionModel().blockSignals(True))
        self.groups.modelReset.connect(self._select_again)
        theme.notifier.changed.connect(self._repaint)
        theme.notifier.fonts_changed.connect(self._measure)

    @pyqtSlot()
    def _measure(self) -> None:
        metrics = QFontMetrics(theme.mono_font())
        bold = theme.ui_font()
        bold.setBold(True)
        titles = QFontMetrics(bold)
        self.verticalHeader().setDefaultSectionSize(metrics.height() + PAD + 2)
        for at, column in enumerate(COLUMNS):
            # The text of the window may be much larger than that of the data.
            title = titles.horizontalAdvance(in_words(column.title)) + SORT_ARROW
            width = max(column.chars * metrics.horizontalAdvance("0"), title) + 2 * PAD
            self.horizontalHeader().resizeSection(at, width)
            if at in self._left_out:
                self._left_out[at] = width
        self._fold()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fold()

    def _fold(self) -> None:
        """Leave columns out where the message would be cut after a word or two; the one that sorts stays."""
        header = self.horizontalHeader()
        widths = [self._left_out.get(at, header.sectionSize(at)) for at in range(len(COLUMNS))]
        yields = [0 if at == header.sortIndicatorSection() else column.yields for at, column in enumerate(COLUMNS)]
        stretched = next(at for at, column in enumerate(COLUMNS) if column.stretch)
        widths[stretched] = LEAST * QFontMetrics(theme.mono_font()).horizontalAdvance("0") + 2 * PAD
        out = left_out(widths, yields, self.viewport().width())
        self._left_out = {at: widths[at] for at in out}
        for at in range(len(COLUMNS)):
            if header.isSectionHidden(at) != (at in out):
                header.setSectionHidden(at, at in out)

    def show_groups(self, groups: list[Group]) -> None:
        """Show these groups; the selected one stays selected."""
        self.groups.show_groups(groups)

    def current(self) -> Group | None:
        row = self.groups.row_of(self._chosen)
        return self.groups.groups[row] if row >= 0 else None

    def choose(self, fingerprint: str) -> None:
        """Select a group; none with ""."""
        row = self.groups.row_of(fingerprint)
        if row < 0:
            self.clearSelection()
        else:
            self.selectRow(row)

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), self._height(min(max(len(self.groups.groups), 3), 8)))

    def minimumSizeHint(self) -> QSize:
        return QSize(super().minimumSizeHint().width(), self._height(1))

    def _height(self, rows: int) -> int:
        return self.horizontalHeader().sizeHint().height() + rows * self.verticalHeader().defaultSectionSize() + 4

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key_Escape and self._chosen:
            self.clearSelection()
        else:
            super().keyPressEvent(event)

    def _select_again(self) -> None:
        row = self.groups.row_of(self._chosen)
        if row >= 0:
            self.selectRow(row)
        self.selectionModel().blockSignals(False)
        if row < 0:
            self._on_selection()
        self.viewport().update()

    def _on_selection(self) -> None:
        rows = self.selectionModel().selectedRows()
        chosen = self.groups.groups[rows[0].row()].fingerprint if rows else ""
        if chosen != self._chosen:
            self._chosen = chosen
            self.chosen.emit(chosen)

    def _on_menu(self, at: QPoint) -> None:
        if self.indexAt(at).isValid():
            self.menu_wanted.emit(self.viewport().mapToGlobal(at))

    @pyqtSlot()
    def _repaint(self, *_: object) -> None:
        self.viewport().update()
