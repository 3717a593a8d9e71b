"""The header of an event pane: titles of the columns, and how wide they are."""

from __future__ import annotations

from math import ceil

from PyQt5.QtCore import Qt
from PyQt5.QtGui import QStandardItemModel
from PyQt5.QtWidgets import QHeaderView, QWidget

from ui.panes.columns import Columns

PAD = 6

LEAST = 24
"""Characters that the last column shows in the narrowest window."""


class EventHeader(QHeaderView):
    """Widths are in pixels; ``char`` is what a character of the monospaced font takes of them."""

    def __init__(self, columns: Columns, char: float, parent: QWidget) -> None:
        super().__init__(Qt.Horizontal, parent)
        self._columns, self._char, self._digits = columns, char, 0
        model = QStandardItemModel(0, len(columns), self)
        for i, column in enumerate(columns):
            model.setHeaderData(i, Qt.Horizontal, column.title)
            model.setHeaderData(i, Qt.Horizontal, column.tip, Qt.ToolTipRole)
            model.setHeaderData(i, Qt.Horizontal, column.alignment, Qt.TextAlignmentRole)
        self.setModel(model)
        self.setStretchLastSection(True)
        self.setSectionsMovable(False)
        self.setHighlightSections(False)
        self.setMinimumSectionSize(24)
        for i, column in enumerate(columns):
            self.resizeSection(i, self._width(column.chars))
            if column.stretch and column is not columns[-1]:
                self.setStretchLastSection(False)
                self.setSectionResizeMode(i, QHeaderView.Stretch)

    def set_char(self, char: float) -> None:
        """Let every column show as many characters as before, in another font."""
        widths = [(self.sectionSize(i) - 2 * PAD) / self._char for i in range(len(self._columns))]
        self._char = char
        for i, chars in enumerate(widths):
            self.resizeSection(i, round(chars * char) + 2 * PAD)

    def make_room(self, name: str, chars: int) -> None:
        """Widen the column of this name where so many characters do not fit."""
        for i, column in enumerate(self._columns):
            if column.name == name and self.sectionSize(i) < self._width(chars):
                self.resizeSection(i, self._width(chars))

    def make_room_for(self, number: int) -> None:
        """Have the numbers of rows fit, once for each digit more, since users may make them narrower."""
        digits = len(str(number))
        if digits > self._digits:
            self._digits = digits
            for column in self._columns:
                if column.numbered:
                    self.make_room(column.name, digits)

    def fill(self, room: int) -> int:
        """Give the last column what the others leave of ``room``, or the least that it needs.

        Gives how many pixels there are too few.
        """
        last = len(self._columns) - 1
        others = sum(self.sectionSize(i) for i in range(last))
        least = self._width(min(LEAST, self._columns[last].chars))
        over = max(0, others + least - room)
        if self.stretchLastSection() == bool(over):
            self.setStretchLastSection(not over)
        if over and self.sectionSize(last) != least:
            self.resizeSection(last, least)
        return over

    def _width(self, chars: int) -> int:
        return ceil(chars * self._char) + 2 * PAD
