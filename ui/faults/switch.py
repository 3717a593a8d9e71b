"""A switch that is on or off."""

from __future__ import annotations

from PyQt5.QtCore import QRectF, QSize
from PyQt5.QtGui import QColor, QPainter, QPaintEvent, QPen
from PyQt5.QtWidgets import QCheckBox, QSizePolicy

from ui.looks import shapes, theme

WIDTH, HEIGHT = 32, 18
"""Pixels, beside letters of the usual size."""


class Switch(QCheckBox):
    """A check box without a text that looks as it acts: at once."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Fixed, QSizePolicy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(theme.scaled(WIDTH) + 4, theme.scaled(HEIGHT) + 4)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def hitButton(self, pos: object) -> bool:
        return True

    def paintEvent(self, event: QPaintEvent) -> None:
        colors, painter = theme.current(), QPainter(self)
        track = QRectF(0, 0, theme.scaled(WIDTH), theme.scaled(HEIGHT))
        track.moveCenter(QRectF(self.rect()).center())
        shapes.paint_switch(painter, track, colors, on=self.isChecked())
        if self.hasFocus():
            painter.setRenderHint(QPainter.Antialiasing)
            painter.setPen(QPen(QColor(colors.text), 1.5))
            painter.drawRoundedRect(track.adjusted(-1.25, -1.25, 1.25, 1.25), HEIGHT / 2 + 1, HEIGHT / 2 + 1)
