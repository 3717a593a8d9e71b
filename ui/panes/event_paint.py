"""Paints the rows of the log, in the theme's monospaced font."""

from __future__ import annotations

from math import ceil

from PyQt5.QtCore import QRect, Qt
from PyQt5.QtGui import QColor, QFontMetrics, QFontMetricsF, QPainter

from app.events import Row
from ui.looks import shapes, theme
from ui.panes.columns import Columns
from ui.panes.event_columns import row_color
from ui.panes.event_header import PAD, EventHeader
from ui.panes.note_colours import paint_note


def character() -> float:
    """The width of a character of rows in pixels, with a fraction.

    Measured over many: for one character Qt gives whole pixels, and a long text would be cut too late.
    """
    return QFontMetricsF(theme.mono_font()).horizontalAdvance("0" * 64) / 64


class RowPainter:
    """Paints rows in the font that is set when the painter is made.

    Attributes:
        font: that font.
        char: the width of a character in pixels, with a fraction.
        height: the height of a row in pixels.
        tight: columns whose figures did not fit, by name, and the characters that they need.
    """

    def __init__(self, columns: Columns) -> None:
        self.columns, self.font = columns, theme.mono_font()
        self._metrics = metrics = QFontMetrics(self.font)
        self.char = character()
        self.height = metrics.height() + PAD
        self._baseline = metrics.ascent() + PAD // 2
        self.tight: dict[str, int] = {}

    def paint_unread(self, painter: QPainter, rect: QRect, colors: theme.Theme) -> None:
        """Paint a row that is not read yet."""
        painter.setPen(QColor(colors.faint))
        painter.drawText(PAD, rect.top() + self._baseline, "…")

    def paint(
        self,
        painter: QPainter,
        rect: QRect,
        row: Row,
        above: Row | None,
        header: EventHeader,
        colors: theme.Theme,
        *,
        selected: bool,
    ) -> None:
        """Paint ``row``, which stands below ``above``, into the columns of ``header``."""
        if row.note is not None:
            paint_note(painter, rect, row.note, colors, selected=selected)
        special = row_color(row, colors)
        strong = colors.selected_text if selected else special or colors.text
        tinted = row.note is not None and bool(row.note.colour)
        quiet = colors.selected_dim if selected or tinted else colors.dim
        baseline = rect.top() + self._baseline
        for i, column in enumerate(self.columns):
            left = header.sectionViewportPosition(i)
            width = header.sectionSize(i)
            if left > rect.right() or left + width < 0 or not width:
                continue
            if column is self.columns[-1]:
                # It may reach beyond the window, where the mark of a cut text would not be seen.
                width = min(width, rect.right() + 1 - left)
            if column.mark is not None:
                if (mark := column.mark(row)) is not None:
                    area = QRect(left, rect.top(), width, rect.height())
                    shapes.paint_mark(painter, area, mark, colors, strong if selected else None)
                continue
            text = column.text(row, above)
            if not text:
                continue
            if (column.right or column.whole) and len(text) * self.char > width - 2 * PAD:
                self.tight[column.name] = max(len(text), self.tight.get(column.name, 0))
            text, taken = self.fit(text, max(0, width - 2 * PAD), middle=column.middle)
            own = None if selected else column.color(row, colors)
            painter.setPen(QColor(own or (quiet if column.quiet else strong)))
            painter.drawText(left + width - PAD - taken if column.right else left + PAD, baseline, text)

    def fit(self, text: str, room: int, *, middle: bool = False) -> tuple[str, int]:
        """``text`` cut to ``room`` pixels, at its end or in its middle, and its width in pixels."""
        chars = int(room / self.char)
        if not text.isascii():
            # Some characters are as wide as two, and would reach into the next column.
            most = 2 * chars + 2
            if len(text) > 2 * most:
                text = text[:most] + (text[-most:] if middle else "")
            text = self._metrics.elidedText(text, Qt.ElideMiddle if middle else Qt.ElideRight, room)
            return text, self._metrics.horizontalAdvance(text)
        if len(text) > chars:
            end = text[-(chars // 2) :] if middle and chars > 1 else ""
            text = text[: chars - 1 - len(end)] + "…" + end if chars > 1 else "…"
        return text, ceil(len(text) * self.char)
