"""What an empty list says in its middle."""

from __future__ import annotations

import re
from collections.abc import Iterator

from PyQt5.QtCore import QRect, Qt
from PyQt5.QtGui import QFont, QFontMetrics, QPainter, QTextLayout

_ENDS = re.compile(r"(?<=[.!?:])\s+|\n\n+")


def paint_hint(painter: QPainter, room: QRect, text: str) -> None:
    """Write ``text`` into the middle of ``room`` with the font and the pen of the painter, no line of it cut."""
    lines = whole_lines(text, painter.font(), room.width(), room.height())
    painter.drawText(room, int(Qt.AlignCenter | Qt.TextDontClip), "\n".join(lines))


def whole_lines(text: str, font: QFont, width: int, height: int) -> list[str]:
    """The lines of ``text``, broken between words at ``width`` pixels, as many as ``height`` has room for.

    They end with a sentence; where there is no room for the first one, with an ellipsis. There is always a line.
    """
    most = max(1, height // QFontMetrics(font).lineSpacing())
    for part in _beginnings(text):
        lines = [line for paragraph in part.split("\n") for line in _broken(paragraph, font, width)]
        if len(lines) <= most:
            return lines
    return [*lines[: most - 1], _ended(lines[most - 1], font, width)]


def _beginnings(text: str) -> Iterator[str]:
    """All of it, then one sentence less each time. An empty line ends one, too."""
    yield text
    for end in reversed([found.start() for found in _ENDS.finditer(text)]):
        yield text[:end].rstrip()


def _ended(line: str, font: QFont, width: int) -> str:
    """The line with an ellipsis in place of what has no room beside it."""
    metrics = QFontMetrics(font)
    return line + "…" if metrics.horizontalAdvance(line + "…") <= width else line.rpartition(" ")[0] + "…"


def _broken(paragraph: str, font: QFont, width: int) -> list[str]:
    layout, lines = QTextLayout(paragraph, font), []
    layout.beginLayout()
    while (line := layout.createLine()).isValid():
        line.setLineWidth(max(1, width))
        lines.append(paragraph[line.textStart() : line.textStart() + line.textLength()].strip())
    layout.endLayout()
    return lines or [""]
