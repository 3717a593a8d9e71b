"""A short list above a view, of which one row is shown: the parts of a body, or messages."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import QModelIndex, QSize, Qt, pyqtSignal
from PyQt5.QtGui import QResizeEvent
from PyQt5.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
)

from ui.parts.labels import plain

_RIGHT = int(Qt.AlignRight | Qt.AlignVCenter)

ROWS = 4
"""Rows that are in view at first."""


class _Spaced(QStyledItemDelegate):
    """Leaves room between columns, which Qt does not."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        return super().sizeHint(option, index) + QSize(12, 4)

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        super().initStyleOption(option, index)
        before = index.sibling(index.row(), index.column() - 1)
        if before.isValid() and before.data(Qt.TextAlignmentRole) == _RIGHT and not index.data(Qt.TextAlignmentRole):
            option.text = f"  {option.text}"  # figures end where this text begins


class ItemList(QTreeWidget):
    """Rows of plain text, of which one is current.

    Signals:
        chosen: the number, from 0, of the row that became current.
    """

    chosen = pyqtSignal(int)

    def __init__(self, titles: Sequence[str], *, right: Sequence[int] = (), stretch: int = 0) -> None:
        """``right``: columns of numbers, right-aligned; ``stretch``: the column that takes the room left over."""
        super().__init__()
        self._right = frozenset(right)
        self.setHeaderLabels(list(titles))
        self.setColumnCount(len(titles))
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setItemDelegate(_Spaced(self))
        self.setAllColumnsShowFocus(True)
        self.setSelectionMode(QAbstractItemView.SingleSelection)
        self.setEditTriggers(QAbstractItemView.NoEditTriggers)
        self.setProperty("role", "mono")
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionsMovable(False)
        header.setSectionResizeMode(QHeaderView.Fixed)
        self._stretch = stretch
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        for column in self._right:
            self.model().setHeaderData(column, Qt.Horizontal, _RIGHT, Qt.TextAlignmentRole)
        self.currentItemChanged.connect(lambda item, _: self._on_current(item))

    def show_rows(self, rows: Sequence[Sequence[str]], current: int = 0) -> None:
        """Show other rows, and make one of them current without saying so."""
        self.blockSignals(True)
        self.clear()
        for cells in rows:
            item = QTreeWidgetItem(list(cells))
            for column, cell in enumerate(cells):
                item.setToolTip(column, plain(cell))
                if column in self._right:
                    item.setTextAlignment(column, _RIGHT)
            self.addTopLevelItem(item)
        if rows:
            self.setCurrentItem(self.topLevelItem(current))
        self.blockSignals(False)
        self.updateGeometry()
        self._share()

    def row(self) -> int:
        """The current row, or -1."""
        return self.indexOfTopLevelItem(self.currentItem()) if self.currentItem() is not None else -1

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share()

    def _share(self) -> None:
        """Give each column what it needs. Where there is less, texts are cut, and never figures."""
        columns, room = range(self.columnCount()), self.viewport().width()
        needed = [max(self.sizeHintForColumn(at), self.header().sectionSizeHint(at)) for at in columns]
        texts = [at for at in columns if at not in self._right]
        over = sum(needed) - room
        for at in sorted(texts, key=lambda at: -needed[at]):
            cut = max(0, min(over, needed[at] - self.header().sectionSizeHint(at)))
            needed[at], over = needed[at] - cut, over - cut
        needed[self._stretch] += max(0, -over)
        for at in columns:
            self.setColumnWidth(at, needed[at])

    def sizeHint(self) -> QSize:
        rows = max(1, min(ROWS, self.topLevelItemCount()))
        height = self.sizeHintForRow(0) if self.topLevelItemCount() else self.fontMetrics().height() + 6
        return QSize(200, self.header().sizeHint().height() + rows * height + 4)

    def minimumSizeHint(self) -> QSize:
        return QSize(80, self.header().sizeHint().height() + self.fontMetrics().height() + 8)

    def _on_current(self, item: QTreeWidgetItem | None) -> None:
        if item is not None:
            self.chosen.emit(self.indexOfTopLevelItem(item))
