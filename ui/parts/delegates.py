"""How cells of tables are painted."""

from __future__ import annotations

from PyQt5.QtCore import QModelIndex
from PyQt5.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem


class Unframed(QStyledItemDelegate):
    """Paints no focus frame around a cell: whole rows are current."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        super().initStyleOption(option, index)
        option.state = option.state & ~QStyle.StateFlag(QStyle.State_HasFocus)  # type: ignore[assignment]
