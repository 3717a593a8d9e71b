"""Choices with a help text beside each, such as the responders of a service."""

from __future__ import annotations

from html import escape

from PyQt5.QtCore import QModelIndex, QRect, QSize, Qt
from PyQt5.QtGui import QColor, QFontMetrics, QPainter
from PyQt5.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from ui.forms.dropdown import Dropdown
from ui.looks import theme

HELP = Qt.UserRole + 7
"""The role of the help text."""

GAP, PAD = 16, 8

WIDEST = 680
"""Pixels of the list at the most, with letters of the usual size; longer texts are cut, and whole in the tooltip."""


class HelpedChoice(Dropdown):
    """A combo box whose list says what each choice does; closed, it shows the chosen name."""

    def __init__(self) -> None:
        super().__init__()
        self.setItemDelegate(_Delegate(self))

    def add(self, name: str, data: str, help: str) -> None:
        """Add a choice."""
        self.addItem(name, data)
        at = self.count() - 1
        if not help:
            return
        self.setItemData(at, help, HELP)
        self.setItemData(at, f"<span>{escape(help)}</span>", Qt.ToolTipRole)
        self.setItemData(at, f"{name}: {help}", Qt.AccessibleTextRole)

    def showPopup(self) -> None:
        wanted = max((self._width(at) for at in range(self.count())), default=0)
        width = max(self.width(), min(wanted, theme.scaled(WIDEST)))
        self.view().setMinimumWidth(width)
        super().showPopup()

    def _width(self, at: int) -> int:
        help = str(self.itemData(at, HELP) or "")
        return self.name_width() + QFontMetrics(self.font()).horizontalAdvance(help) + GAP + 3 * PAD + 16

    def name_width(self) -> int:
        """Pixels of the widest name."""
        metrics = QFontMetrics(self.font())
        return max((metrics.horizontalAdvance(self.itemText(at)) for at in range(self.count())), default=0)


class _Delegate(QStyledItemDelegate):
    """Paints the help text behind the widest name."""

    def __init__(self, box: HelpedChoice) -> None:
        super().__init__(box)
        self._box = box

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        super().paint(painter, option, index)
        help = str(index.data(HELP) or "")
        shift = self._box.name_width() + GAP + PAD
        room: QRect = option.rect.adjusted(shift, 0, -PAD, 0)
        colors = theme.current()
        painter.save()
        painter.setFont(self._box.font())
        painter.setPen(QColor(colors.selected_dim if option.state & QStyle.State_Selected else colors.dim))
        shown = QFontMetrics(self._box.font()).elidedText(help, Qt.ElideRight, room.width())
        painter.drawText(room, int(Qt.AlignLeft | Qt.AlignVCenter | Qt.TextSingleLine), shown)
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        return QSize(0, super().sizeHint(option, index).height())
