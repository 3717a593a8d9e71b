"""The mark of a service's state, and a word in a frame."""

from __future__ import annotations

from PyQt5.QtCore import QRectF, QSize, pyqtSlot
from PyQt5.QtGui import QFont, QPainter, QPaintEvent
from PyQt5.QtWidgets import QWidget

from ui.looks import shapes, theme


class Lamp(QWidget):
    """Shows the state of a service by shape and colour."""

    def __init__(self) -> None:
        super().__init__()
        self._state: shapes.State = "stopped"
        self.setFixedSize(16, 16)

    def set_state(self, state: shapes.State) -> None:
        if state != self._state:
            self._state = state
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        shapes.paint_state(QPainter(self), self.rect(), self._state, theme.current())


class Badge(QWidget):
    """A word in a rounded frame: a protocol, or in another colour a warning."""

    def __init__(self, text: str, color: str = "") -> None:
        super().__init__()
        self._text, self._color = text, color
        theme.notifier.fonts_changed.connect(self._measure)
        self._measure()

    @pyqtSlot()
    def _measure(self) -> None:
        font = QFont(theme.ui_font())
        font.setPointSizeF(font.pointSize() * 0.78)
        self.setFont(font)
        self.setFixedSize(shapes.badge_size(self._text, font).toSize() + QSize(1, 1))

    def paintEvent(self, event: QPaintEvent) -> None:
        colors = theme.current()
        painter = QPainter(self)
        painter.setFont(self.font())
        color = getattr(colors, self._color) if self._color else None
        shapes.badge(painter, QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), self._text, colors, color)
