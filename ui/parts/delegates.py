"""How cells of tables are painted."""

from __future__ import annotations

from PyQt5.QtCore import QModelIndex, QSize
from PyQt5.QtGui import QPainter
from PyQt5.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem


class Unframed(QStyledItemDelegate):
    """Paints no focus frame around a cell: whole rows are current."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        super().initStyleOption(option, index)
        option.state = option.state & ~QStyle.StateFlag(QStyle.State_HasFocus)  # type: ignore[assignment]


class Spaced(Unframed):
    """Leaves free as much beside a cell as its heading does; Qt sets texts at the edges, where they meet."""

    BESIDE, AROUND = 3, 6
    """Pixels at the left and at the right, beside the style's own; pixels above and below together."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        whole = QStyleOptionViewItem(option)
        self.initStyleOption(whole, index)
        style = whole.widget.style()
        style.drawPrimitive(QStyle.PE_PanelItemViewItem, whole, painter, whole.widget)
        inner = QStyleOptionViewItem(option)
        inner.rect = option.rect.adjusted(self.BESIDE, 0, -self.BESIDE, 0)
        super().paint(painter, inner, index)

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        return super().sizeHint(option, index) + QSize(2 * self.BESIDE, self.AROUND)
