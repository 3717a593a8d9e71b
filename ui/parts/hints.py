"""What an empty list says in its middle."""

from __future__ import annotations

from PyQt5.QtCore import QRect, Qt
from PyQt5.QtGui import QFont, QFontMetrics, QPainter, QTextLayout


def paint_hint(painter: QPainter, room: QRect, text: str) -> None:
    """Write ``text`` into the middle of ``room`` with the font and the pen of the painter, no line of it cut."""
    lines = whole_lines(text, painter.font(), room.width(), room.height())
    painter.drawText(room, int(Qt.AlignCenter | Qt.TextDontClip), "\n".join(lines))


def whole_lines(text: str, font: QFont, width: int, height: int) -> list[str]:
    """The lines of ``text``, broken between words at ``width`` pixels, as many as ``height`` has room for.

    There is always the first one.
    """
    lines = [line for paragraph in text.split("\n") for line in _broken(paragraph, font, width)]
    lines = lines[: max(1, height // QFontMetrics(font).lineSpacing())]
    while len(lines) > 1 and not lines[-1]:
        del lines[-1]
    return lines


def _broken(paragraph: str, font: QFont, width: int) -> list[str]:
    layout, lines = QTextLayout(paragraph, font), []
    layout.beginLayout()
    while (line := layout.createLine()).isValid():
        line.setLineWidth(max(1, width))
        lines.append(paragraph[line.textStart() : line.textStart() + line.textLength()].strip())
    layout.endLayout()
    return lines or [""]
