"""Windows that fit on their screen."""

from __future__ import annotations

from PyQt5.QtCore import QSize
from PyQt5.QtGui import QScreen
from PyQt5.QtWidgets import QWidget

FRAME = QSize(8, 40)
"""Pixels left for the frame and the title, whose size nobody knows before the window is on the screen."""


def fit(window: QWidget, screen: QScreen | None = None) -> None:
    """Make a window that is not shown yet no larger than its screen, with its frame.

    Else what is at its right and its bottom is beyond the edge: the status bar, and the buttons that answer the
    question of trust, too. ``screen`` is where it is going to be; by default where Qt places it.
    """
    fitting = window.size().boundedTo((screen or window.screen()).availableGeometry().size() - FRAME)
    if fitting != window.size() and not window.isMaximized():
        window.resize(fitting)
