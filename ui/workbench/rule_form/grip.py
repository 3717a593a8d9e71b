"""The six dots by which a row is dragged."""

from __future__ import annotations

from PyQt5.QtCore import QPointF, QRect, Qt
from PyQt5.QtGui import QColor, QPainter

from ui.looks import theme


def paint_grip(painter: QPainter, rect: QRect, color: str = "") -> None:
    """Paint the dots into the middle of ``rect``."""
    painter.save()
    painter.setRenderHint(QPainter.Antialiasing)
    painter.setPen(Qt.NoPen)
    painter.setBrush(QColor(color or theme.current().thumb))
    middle = QPointF(rect.center()) + QPointF(0.5, 0.5)
    for x in (-2.5, 2.5):
        for y in (-5, 0, 5):
            painter.drawEllipse(middle + QPointF(x, y), 1.2, 1.2)
    painter.restore()
