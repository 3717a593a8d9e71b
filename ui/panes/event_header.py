"""The header of a pane: the titles of the columns, and their widths."""

from __future__ import annotations

from math import ceil

from PyQt5.QtCore import Qt
from PyQt5.QtGui import QStandardItemModel
from PyQt5.QtWidgets import QHeaderView, QWidget

from ui.panes.columns import Columns

PAD = 6

LEAST = 24
"""Characters of the last column that are shown in the narrowest window."""


class EventHeader(QHeaderView):
    """Widths are in pixels; ``char`` is the width of a character of the monospaced font."""

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
        """After a change of font: let every column show as many characters as before."""
        widths = [(self.sectionSize(i) - 2 * PAD) / self._char for i in range(len(self._columns))]
        self._char = char
        for i, chars in enumerate(widths):
            self.resizeSection(i, round(chars * char) + 2 * PAD)

    def make_room(self, name: str, chars: int) -> None:
        """Widen the column of this name if so many characters do not fit."""
        for i, column in enumerate(self._columns):
            if column.name == name and self.sectionSize(i) < self._width(chars):
                self.resizeSection(i, self._width(chars))

    def make_room_for(self, number: int) -> None:
        """Widen the columns of row numbers for one digit more; only once, since the user may narrow them again."""
        digits = len(str(number))
        if digits > self._digits:
            self._digits = digits
            for column in self._columns:
                if column.numbered:
                    self.make_room(column.name, digits)

    def fill(self, room: int) -> int:
        """Give the last column what the others leave of ``room``, or the least that it needs.

        Returns by how many pixels all columns are wider than ``room``.
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
