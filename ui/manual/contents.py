"""The list of the manual's window: pages under headings, or sections that a search found with an excerpt."""

from __future__ import annotations

from PyQt5.QtCore import QModelIndex, QRect, QSize, Qt, pyqtSlot
from PyQt5.QtGui import QColor, QFont, QPainter
from PyQt5.QtWidgets import QListWidget, QListWidgetItem, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from ui.looks import theme

PLACE, EXCERPT = Qt.UserRole, Qt.UserRole + 1
"""Data of an item: the place in the manual that it opens, none for a heading; the text below its title."""

MARGIN, ABOVE = 16, 12
"""Pixels beside the text, and above a heading."""


class Contents(QListWidget):
    """Items with a title, and below it perhaps an excerpt; headings cannot be selected."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "panel")
        self.setItemDelegate(_Delegate(self))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self.setAccessibleName(self.tr("Contents"))
        theme.notifier.changed.connect(self._on_theme)

    def add(self, title: str, place: str, excerpt: str = "") -> None:
        """Add an entry that opens ``place``."""
        item = QListWidgetItem(title, self)
        item.setData(PLACE, place)
        item.setData(EXCERPT, excerpt)
        item.setToolTip(title)

    def add_heading(self, text: str) -> None:
        """Add a heading."""
        QListWidgetItem(text, self).setFlags(Qt.NoItemFlags)

    def place_at(self, row: int) -> str:
        """The place that a row opens; empty for a heading, and where there is no row."""
        item = self.item(row)
        return str(item.data(PLACE) or "") if item is not None else ""

    def step(self, step: int) -> None:
        """Select the next entry (1), the previous one (-1), or the current or first one (0)."""
        row = max(0, self.currentRow() + step)
        while 0 <= row < self.count() and not self.place_at(row):
            row += step or 1
        if 0 <= row < self.count():
            self.setCurrentRow(row)

    def mark(self, place: str) -> None:
        """Select the entry of ``place`` without opening it."""
        self.blockSignals(True)
        row = next((row for row in range(self.count()) if self.place_at(row) == place), -1)
        self.setCurrentRow(row)
        self.blockSignals(False)

    @pyqtSlot()
    def _on_theme(self) -> None:
        self.scheduleDelayedItemsLayout()


class _Delegate(QStyledItemDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        line = option.fontMetrics.height()
        if index.data(PLACE) is None:
            return QSize(0, line + ABOVE + 4 if index.row() else line + 8)
        return QSize(0, 8 + line * (2 if index.data(EXCERPT) else 1))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        now, line = theme.current(), option.fontMetrics.height()
        selected = bool(option.state & QStyle.State_Selected)
        room = option.rect.adjusted(MARGIN, 4, -8, -4)
        painter.save()
        if selected:
            painter.fillRect(option.rect, QColor(now.selection))
        elif option.state & QStyle.State_MouseOver and index.data(PLACE) is not None:
            painter.fillRect(option.rect, QColor(now.hover))
        if index.data(PLACE) is None:
            font = QFont(option.font)
            font.setBold(True)
            font.setPointSizeF(font.pointSizeF() * 0.85)
            painter.setFont(font)
            painter.setPen(QColor(now.dim))
            painter.drawText(room, int(Qt.AlignLeft | Qt.AlignBottom | Qt.TextWordWrap), str(index.data()))
        else:
            painter.setPen(QColor(now.selected_text if selected else now.text))
            title = QRect(room.left(), room.top(), room.width(), line)
            _draw(painter, option, title, str(index.data()))
            painter.setPen(QColor(now.selected_dim if selected else now.dim))
            _draw(painter, option, title.translated(0, line), str(index.data(EXCERPT) or ""))
        painter.restore()


def _draw(painter: QPainter, option: QStyleOptionViewItem, room: QRect, text: str) -> None:
    cut = option.fontMetrics.elidedText(text, Qt.ElideRight, room.width())
    painter.drawText(room, int(Qt.AlignLeft | Qt.AlignVCenter), cut)
