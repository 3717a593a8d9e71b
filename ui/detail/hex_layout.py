"""The positions of bytes in a hex view. It calculates, and paints nothing."""

from __future__ import annotations

from PyQt5.QtCore import QRectF
from PyQt5.QtGui import QFontMetricsF

ROW, NARROW = 16, 8
"""Bytes in a row, and where there is no room for so many."""

MARGIN = 10.0
"""Pixels left free at either side."""


class HexLayout:
    """The grid of offset, pairs of digits in two halves, and as many characters, in pixels from the first row.

    Attributes:
        row: bytes in a row.
        digits: digits of an offset: 4, 6, or as many as the last offset needs.
        char_width, row_height: size of one cell of the grid.
        hex_x, ascii_x: left edges of the two columns.
        width: total width.
        rows: number of rows.
    """

    def __init__(self, metrics: QFontMetricsF, length: int, row: int = ROW) -> None:
        # The width of a single character may be rounded to whole pixels; that of a line is not.
        self.char_width = metrics.horizontalAdvance("0" * 64) / 64
        self.row_height = round(metrics.height() + 3)
        self.baseline = 1.5 + metrics.ascent()
        self.length, self.row = length, row
        self.rows = -(-length // row)
        needed = len(f"{max(length - 1, 0):x}")
        self.digits = max(4, needed + needed % 2)
        self.hex_x = MARGIN + (self.digits + 3) * self.char_width
        self.ascii_x = self.hex_x + (row * 3 + 3) * self.char_width
        self.width = self.ascii_x + row * self.char_width + MARGIN

    def first_of(self, row: int) -> int:
        """The position of a row's first byte."""
        return row * self.row

    def hex_column(self, index: int) -> int:
        """The character in the hex column where the digits of a row's byte begin."""
        return index * 3 + (index >= self.row // 2)

    def hex_rect(self, row: int, start: int, stop: int) -> QRectF:
        """The rectangle around the digits of a row's bytes from ``start`` up to ``stop``."""
        left = self.hex_x + (self.hex_column(start) - 0.5) * self.char_width
        right = self.hex_x + (self.hex_column(stop - 1) + 2.5) * self.char_width
        return QRectF(left, row * self.row_height, right - left, self.row_height)

    def ascii_rect(self, row: int, start: int, stop: int) -> QRectF:
        """The rectangle around the characters of a row's bytes from ``start`` up to ``stop``."""
        left = self.ascii_x + start * self.char_width
        return QRectF(left, row * self.row_height, (stop - start) * self.char_width, self.row_height)

    def position_at(self, x: float, y: float, nearest: bool) -> int | None:
        """The position of the byte at a point, in either column.

        With ``nearest``, a point outside gives the closest byte. None if there is no byte.
        """
        if not self.length:
            return None
        row = int(y // self.row_height)
        index = self._index_at(x)
        inside = MARGIN <= x < self.width and 0 <= row < self.rows and row * self.row + index < self.length
        if not inside and not nearest:
            return None
        row = max(0, min(row, self.rows - 1))
        return min(row * self.row + index, self.length - 1)

    def _index_at(self, x: float) -> int:
        if x >= self.ascii_x - self.char_width:
            index = int((x - self.ascii_x) // self.char_width)
        else:
            column = (x - self.hex_x) / self.char_width + 0.5
            index = int((column - (column >= self.hex_column(self.row // 2))) // 3)
        return max(0, min(index, self.row - 1))
