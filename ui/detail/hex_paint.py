"""Paints the rows of a hex view. Each row is painted as a few strings, not byte by byte, to be fast."""

from __future__ import annotations

from PyQt5.QtCore import QPointF, QRectF, Qt
from PyQt5.QtGui import QColor, QPainter, QPen

from ui.detail.hex_layout import MARGIN, HexLayout
from ui.looks.theme import Theme

PRINTABLE = range(0x20, 0x7F)
UNPRINTABLE = "·"
"""Shown for a byte that is not printable; a full stop would look like the byte 2e."""


def paint_rows(painter: QPainter, layout: HexLayout, data: bytes, rows: range, selection: range, theme: Theme) -> None:
    """Paint ``rows``, the first one at the top."""
    for line, row in enumerate(rows):
        start = layout.first_of(row)
        chunk = data[start : start + layout.row]
        chosen = range(
            min(max(selection.start - start, 0), len(chunk)), min(max(selection.stop - start, 0), len(chunk))
        )
        if chosen:
            color = QColor(theme.selection)
            painter.fillRect(layout.hex_rect(line, chosen.start, chosen.stop), color)
            painter.fillRect(layout.ascii_rect(line, chosen.start, chosen.stop), color)
        baseline = line * layout.row_height + layout.baseline
        painter.setPen(QColor(theme.dim))
        painter.drawText(QPointF(MARGIN, baseline), f"{start:0{layout.digits}x}")
        _paint_bytes(painter, layout, baseline, chunk, chosen, theme)


def paint_cursor(painter: QPainter, layout: HexLayout, cursor: int, first_row: int, theme: Theme) -> None:
    """Outline the byte under the cursor in both columns."""
    row, index = divmod(cursor, layout.row)
    painter.setPen(QPen(QColor(theme.accent), 1))
    painter.setBrush(Qt.NoBrush)
    for rect in (
        layout.hex_rect(row - first_row, index, index + 1),
        layout.ascii_rect(row - first_row, index, index + 1),
    ):
        painter.drawRect(QRectF(rect.toAlignedRect()).adjusted(0.5, 0.5, -0.5, -0.5))


def _paint_bytes(
    painter: QPainter, layout: HexLayout, baseline: float, chunk: bytes, chosen: range, theme: Theme
) -> None:
    """Paint one row in both columns: one string for each colour, with spaces in place of other bytes."""
    pairs: dict[str, list[str]] = {}
    letters: dict[str, list[str]] = {}
    for index, byte in enumerate(chunk):
        selected, printable = index in chosen, byte in PRINTABLE
        quiet = theme.selected_dim if selected else theme.dim
        loud = theme.selected_text if selected else theme.text
        cells = pairs.setdefault(quiet if byte == 0 else loud, ["  "] * layout.row)
        cells[index] = f"{byte:02x}"
        cells = letters.setdefault(loud if printable else quiet, [" "] * layout.row)
        cells[index] = chr(byte) if printable else UNPRINTABLE
    for color, cells in pairs.items():
        painter.setPen(QColor(color))
        half = layout.row // 2
        text = " ".join(cells[:half]) + "  " + " ".join(cells[half:])
        painter.drawText(QPointF(layout.hex_x, baseline), text)
    for color, cells in letters.items():
        painter.setPen(QColor(color))
        painter.drawText(QPointF(layout.ascii_x, baseline), "".join(cells))
