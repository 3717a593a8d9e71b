"""A button with an icon and no text."""

from __future__ import annotations

from PyQt5.QtCore import QSize
from PyQt5.QtWidgets import QToolButton

from ui.looks.icons import icon


def small_button(name: str, tip: str) -> QToolButton:
    """A button with an icon and no text."""
    button = QToolButton()
    button.setIcon(icon(name))
    button.setIconSize(QSize(14, 14))
    button.setAutoRaise(True)
    button.setToolTip(tip)
    button.setAccessibleName(tip)
    return button
