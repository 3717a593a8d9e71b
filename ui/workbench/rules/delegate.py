"""Paints one rule: grip, switch, two lines, hits."""

from __future__ import annotations

from PyQt5.QtCore import QModelIndex, QRect, QRectF, QSize, Qt
from PyQt5.QtGui import QColor, QFontMetrics, QPainter, QPalette
from PyQt5.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from ui.looks import shapes, theme
from ui.looks.icons import icon
from ui.workbench.rule_form.grip import paint_grip
from ui.workbench.rules.model import RULE, RuleRow

GRIP, SWITCH_WIDTH, SWITCH_HEIGHT, GAP, PADDING = 24, 26, 14, 8, 6
"""Pixels."""


class RuleDelegate(QStyledItemDelegate):
    """Rows of a fixed height: whatever a rule says, and however often it applied."""

    switchable = True

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        return QSize(120, row_height())

    def switch_rect(self, row: QRect) -> QRect:
        """Where the switch is in a row."""
        if not self.switchable:
            return QRect()
        top = row.center().y() - SWITCH_HEIGHT // 2
        return QRect(row.left() + GRIP, top, SWITCH_WIDTH, SWITCH_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        row = index.data(RULE)
        if not isinstance(row, RuleRow):
            return
        colors = theme.current()
        chosen = bool(option.state & QStyle.State_Selected)
        painter.save()
        if chosen:
            painter.fillRect(option.rect, option.palette.color(QPalette.Highlight))
        elif option.state & QStyle.State_MouseOver:
            painter.fillRect(option.rect, QColor(colors.hover))
        painter.fillRect(QRect(option.rect.left(), option.rect.bottom(), option.rect.width(), 1), QColor(colors.line))
        if chosen and option.state & QStyle.State_HasFocus:
            painter.fillRect(
                QRect(option.rect.left(), option.rect.top(), 3, option.rect.height()), QColor(colors.accent)
            )
        dim = colors.selected_dim if chosen else colors.dim
        grip = QRect(option.rect.left() + 2, option.rect.top(), GRIP - 2, option.rect.height())
        paint_grip(painter, grip, dim if chosen else "")
        if self.switchable:
            shapes.paint_switch(painter, QRectF(self.switch_rect(option.rect)), colors, on=row.on)
        self._paint_words(painter, option.rect, row, chosen, dim)
        painter.restore()

    def _paint_words(self, painter: QPainter, rect: QRect, row: RuleRow, chosen: bool, dim: str) -> None:
        colors, font = theme.current(), theme.mono_font()
        text = colors.selected_text if chosen else colors.text
        if not row.on:
            text = dim = colors.selected_dim if chosen else colors.faint
        painter.setFont(font)
        metrics = QFontMetrics(font)
        left = rect.left() + GRIP + (SWITCH_WIDTH + GAP + 2 if self.switchable else 0)
        count = f"{row.hits:,}" if row.hits else ""
        right = rect.right() - GAP - 2
        if count:
            painter.setPen(QColor(dim))
            painter.drawText(
                QRect(left, rect.top(), right - left, rect.height()), int(Qt.AlignRight | Qt.AlignVCenter), count
            )
            right -= metrics.horizontalAdvance(count) + GAP
        if row.mistake or row.takes:
            name, color = ("warning", "bad") if row.mistake else ("check", "good")
            size = 14
            icon(name, color).paint(painter, QRect(right - size, rect.center().y() - size // 2, size, size))
            right -= size + GAP
        lines = rect.adjusted(0, PADDING, 0, -PADDING)
        first = QRect(left, lines.top(), right - left, lines.height() // 2)
        second = QRect(left, lines.top() + lines.height() // 2, right - left, lines.height() - lines.height() // 2)
        painter.setPen(QColor(text))
        painter.drawText(
            first, int(Qt.AlignLeft | Qt.AlignVCenter), metrics.elidedText(row.asks, Qt.ElideRight, first.width())
        )
        painter.setPen(QColor(colors.bad if row.mistake and not chosen else dim))
        below = row.mistake or row.why or row.below
        painter.drawText(
            second, int(Qt.AlignLeft | Qt.AlignVCenter), metrics.elidedText(below, Qt.ElideRight, second.width())
        )


def row_height() -> int:
    """Pixels of a row: two lines of data, and room around them."""
    return 2 * (QFontMetrics(theme.mono_font()).height() + 1) + 2 * PADDING
