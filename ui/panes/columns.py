"""What a column of a pane is. Each pane declares its own columns, each of them once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PyQt5.QtCore import Qt

from app.events import Row
from ui.looks.shapes import Mark
from ui.looks.theme import Theme

Text = Callable[[Row, "Row | None"], str]
"""The text of a row's cell, from the row and the one above it."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        name: what code calls it; no two columns of a pane have the same. Where a pane can be
            sorted by the column, the reader of its rows sorts by this name.
        chars: its first width, in characters of the monospaced font.
        text: what a cell says; copied, too.
        right: whether numbers stand right-aligned in it.
        least: its least width, in characters; it is never narrower than its title.
        whole: whether a text in it is never cut, as figures are not: the column is widened for it.
        middle: whether a text too long for it is cut in the middle: names that begin alike differ at their end.
        quiet: whether it is dim, unless the row itself has a colour.
        numbered: whether it has the numbers of the rows, and is widened as they grow.
        stretch: whether it takes the room that the other columns leave.
        yields: where there is little room, columns with the highest number are left out first; 0: it never is.
        color: the colour of a cell that says more than others, or None.
        mark: the shape that is painted in place of the text; None for a column of text.
        field: what a filter calls it, and ``value`` what a row has there; None: nothing to filter by.
    """

    name: str
    title: str
    tip: str
    chars: int
    text: Text
    right: bool = False
    least: int = 0
    whole: bool = False
    middle: bool = False
    quiet: bool = False
    numbered: bool = False
    stretch: bool = False
    yields: int = 0
    color: Callable[[Row, Theme], str | None] = lambda *_: None
    mark: Callable[[Row], Mark | None] | None = None
    field: str = ""
    value: Callable[[Row], object] = lambda _: None

    @property
    def alignment(self) -> int:
        return int((Qt.AlignRight if self.right else Qt.AlignLeft) | Qt.AlignVCenter)


Columns = tuple[Column, ...]


def as_text(row: Row, above: Row | None, columns: Columns) -> str:
    """The row as tab-separated text, for the clipboard."""
    return "\t".join(column.text(row, above) for column in columns)
