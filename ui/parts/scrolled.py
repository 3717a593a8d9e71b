"""A part that scrolls where there is little room, in place of making its window grow."""

from __future__ import annotations

from PyQt5.QtCore import QSize, Qt
from PyQt5.QtWidgets import QFrame, QScrollArea, QWidget


class Scrolled(QScrollArea):
    """Scrolls ``part`` once there are fewer pixels than it needs; it asks for ``lines`` lines of text itself."""

    def __init__(self, part: QWidget, lines: int) -> None:
        super().__init__(part.parentWidget())
        self._lines = lines
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.NoFrame)
        self.setFocusPolicy(Qt.NoFocus)
        self.setWidget(part)

    def minimumSizeHint(self) -> QSize:
        return QSize(200, self.fontMetrics().lineSpacing() * self._lines)
