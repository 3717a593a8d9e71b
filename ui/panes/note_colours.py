"""The colours of notes: five names, each readable in both themes."""

from __future__ import annotations

from functools import cache

from PyQt5.QtCore import QPoint, QRect, QRectF, Qt
from PyQt5.QtGui import QColor, QIcon, QPainter, QPolygon

from app.events import COLOURS, Note
from ui.looks import theme
from ui.looks.icons import painted
from ui.looks.theme import Theme

_WORDS = dict(zip(COLOURS, ("bad", "warning", "good", "received", "sent"), strict=True))
"""The colour of the theme that each name stands for."""

_SHARE = {"dark": 0.13, "light": 0.10}
"""The share of the colour in the background of a row; with it all text stays readable."""

BAR = 3
"""Pixels of full colour at the left of a row with a colour."""


def strong(name: str, colors: Theme) -> str:
    """The colour of this name; that of dim text for any other name."""
    return str(getattr(colors, _WORDS.get(name, "dim")))


@cache
def tint(name: str, colors: Theme) -> str:
    """The background of a row with this colour."""
    over, under, share = QColor(strong(name, colors)), QColor(colors.panel), _SHARE[colors.name]
    mixed = [round(a * share + b * (1 - share)) for a, b in zip(_rgb(over), _rgb(under), strict=True)]
    return QColor(*mixed).name()


def _rgb(color: QColor) -> tuple[int, int, int]:
    return color.red(), color.green(), color.blue()


def paint_note(painter: QPainter, rect: QRect, note: Note, colors: Theme, *, selected: bool) -> None:
    """Paint the note of a row: a tinted background and a bar for its colour, a corner for its text."""
    if note.colour in _WORDS:
        if not selected:
            painter.fillRect(rect, QColor(tint(note.colour, colors)))
        painter.fillRect(QRect(rect.left(), rect.top(), BAR, rect.height()), QColor(strong(note.colour, colors)))
    if note.text:
        left, top, side = rect.left(), rect.top(), max(6, rect.height() // 3)
        color = strong(note.colour, colors) if note.colour in _WORDS else colors.accent
        painter.save()
        painter.setRenderHint(QPainter.Antialiasing)
        painter.setPen(Qt.NoPen)
        painter.setBrush(QColor(color))
        right, bottom = left + side + BAR, top + side + BAR
        painter.drawPolygon(QPolygon([QPoint(left, top), QPoint(right, top), QPoint(left, bottom)]))
        painter.restore()


def swatch(name: str) -> QIcon:
    """A square of the colour for menus and buttons; an empty one for any other name."""

    def draw(painter: QPainter, rect: QRectF) -> None:
        colors = theme.current()
        edge, corner = rect.width() / 14, rect.width() * 3 / 14
        painter.save()
        painter.setRenderHint(QPainter.Antialiasing)
        painter.setPen(QColor(colors.dim) if name not in _WORDS else Qt.NoPen)
        painter.setBrush(QColor(strong(name, colors)) if name in _WORDS else QColor(Qt.transparent))
        painter.drawRoundedRect(rect.adjusted(edge, edge, -edge, -edge), corner, corner)
        painter.restore()

    return painted(draw)
