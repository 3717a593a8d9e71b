"""Windows that fit on their screen."""

from __future__ import annotations

from PyQt5.QtCore import QSize
from PyQt5.QtGui import QScreen
from PyQt5.QtWidgets import QWidget

FRAME = QSize(8, 40)
"""Pixels left for the frame and the title, whose size nobody knows before the window is on the screen."""


STEPS = 8
"""Pixels that a window's size may grow by at a time, at most, to be a whole number on the screen."""


def keep_size(window: QWidget) -> None:
    """Have a window that is not shown yet keep its size where a pixel of ours is one and a half of the screen's.

    WORKAROUND: Qt 5 then tells the window manager that the size may only change by two of the screen's pixels at a
    time (``QPlatformWindow::windowSizeIncrement`` rounds 1.5). Each time that the least size changes, as with a dock
    that opens, the window manager rounds the size down, Qt rounds what it hears, and the window is a pixel smaller.
    """
    ratio = window.devicePixelRatioF()
    steps = [pixels for pixels in range(1, STEPS + 1) if abs(pixels * ratio - round(pixels * ratio)) < 1e-6]
    if round(ratio) != 1 and steps and steps[0] != 1:
        window.setSizeIncrement(steps[0], steps[0])
        window.setBaseSize(steps[0], steps[0])  # else the steps are counted from the least size, which changes


def fit(window: QWidget, screen: QScreen | None = None) -> None:
    """Make a window that is not shown yet no larger than its screen, with its frame.

    Else what is at its right and its bottom is beyond the edge: the status bar, and the buttons that answer the
    question of trust, too. ``screen`` is where it is going to be; by default where Qt places it.
    """
    fitting = window.size().boundedTo((screen or window.screen()).availableGeometry().size() - FRAME)
    if fitting != window.size() and not window.isMaximized():
        window.resize(fitting)
