"""A combo box for forms."""

from __future__ import annotations

from PyQt5.QtCore import Qt
from PyQt5.QtGui import QWheelEvent
from PyQt5.QtWidgets import QComboBox, QStyledItemDelegate, QWidget


class Dropdown(QComboBox):
    """Leaves the wheel to the form that it stands in: who scrolls past it must not change it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setItemDelegate(QStyledItemDelegate(self))
        self.setFocusPolicy(Qt.StrongFocus)  # nor is it to take the keyboard by the wheel

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()
