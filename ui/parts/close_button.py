"""The small cross that takes away or closes what it stands in."""

from __future__ import annotations

from PyQt5.QtCore import QSize
from PyQt5.QtWidgets import QToolButton

from ui.looks.icons import icon
from ui.parts.labels import plain


def close_button(words: str) -> QToolButton:
    """A flat button with a cross; ``words`` say what it does, in the tooltip and to screen readers."""
    button = QToolButton()
    button.setIcon(icon("close", "dim"))
    button.setIconSize(QSize(10, 10))
    button.setAutoRaise(True)
    button.setToolTip(plain(words))
    button.setAccessibleName(words)
    return button
