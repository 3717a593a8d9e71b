"""A table of facts that is read and copied, not edited."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import QSize, Qt, pyqtSlot
from PyQt5.QtGui import QFontMetrics
from PyQt5.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem

from ui.detail.sheet import visible
from ui.looks import theme
from ui.parts.delegates import Spaced
from ui.parts.labels import plain

Row = Sequence[str]


class Listing(QTableWidget):
    """Rows of texts. The first column takes the room that is left; the others hold numbers."""

    def __init__(self, name: str, titles: Sequence[str], rows: int, least: int = 2) -> None:
        """``name``: for screen readers. ``rows``: how many it has room for; ``least``: on a small screen."""
        super().__init__(0, len(titles))
        self._rows, self._least = rows, least
        self.setAccessibleName(name)
        self.setProperty("role", "mono")
        self._titles = tuple(titles)
        for at, title in enumerate(titles):
            self.setHorizontalHeaderItem(at, _item(at, title))
        self.setEditTriggers(QAbstractItemView.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectRows)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollPerPixel)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setItemDelegate(Spaced(self))
        self.verticalHeader().hide()
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsClickable(False)
        header.setSectionResizeMode(QHeaderView.Fixed)
        header.setSectionResizeMode(0, QHeaderView.Stretch)
        theme.notifier.fonts_changed.connect(self._measure)
        self._measure()

    @pyqtSlot()
    def _measure(self) -> None:
        metrics = QFontMetrics(theme.mono_font())
        self.verticalHeader().setDefaultSectionSize(metrics.height() + 8)
        for at in range(1, self.columnCount()):
            self.horizontalHeader().resizeSection(at, 13 * metrics.horizontalAdvance("0"))
        self.setMinimumHeight(self._height(self._least))

    def _height(self, rows: int) -> int:
        return self.horizontalHeader().sizeHint().height() + rows * self.verticalHeader().defaultSectionSize() + 2

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), self._height(self._rows))

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Show these. What is selected and where it is scrolled to stay, as far as there are as many rows."""
        self.setRowCount(len(rows))
        for at, row in enumerate(rows):
            for column, text in enumerate(row):
                self._show(at, column, visible(text))

    def _show(self, row: int, column: int, text: str) -> None:
        item = self.item(row, column)
        if item is None:
            item = _item(column, "")
            self.setItem(row, column, item)
        if item.text() != text:
            item.setText(text)
            item.setToolTip(plain(text))

    def text(self) -> str:
        """All of it: columns apart by tabs."""
        lines = ["\t".join(self._titles)]
        for row in range(self.rowCount()):
            items = (self.item(row, column) for column in range(self.columnCount()))
            lines.append("\t".join(item.text() if item is not None else "" for item in items))
        return "\n".join(lines)


def _item(column: int, text: str) -> QTableWidgetItem:
    item = QTableWidgetItem(text)
    item.setTextAlignment(int((Qt.AlignRight if column else Qt.AlignLeft) | Qt.AlignVCenter))
    return item
