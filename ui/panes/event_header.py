"""The header of a pane: the titles of the columns, and their widths."""

from __future__ import annotations

from math import ceil

from PyQt5.QtCore import QByteArray, QEvent, Qt, pyqtSignal
from PyQt5.QtGui import QFontMetrics, QStandardItemModel
from PyQt5.QtWidgets import QHeaderView, QWidget

from ui.looks.declared import in_words
from ui.panes.columns import Columns
from ui.panes.folding import left_out

PAD = 6

SORT_ARROW = 16
"""Pixels that the arrow of the sorted column takes."""

LEAST = 20
"""Characters of the last column that are shown in the narrowest window."""


class EventHeader(QHeaderView):
    """Widths are in pixels; ``char`` is the width of a character of the monospaced font.

    Where there is little room, columns are hidden, and keep their widths for when there is more.

    Signals:
        folded(): other columns are hidden than before.
    """

    folded = pyqtSignal()

    def __init__(self, columns: Columns, char: float, parent: QWidget) -> None:
        super().__init__(Qt.Horizontal, parent)
        self._columns, self._char, self._digits = columns, char, 0
        self._widths = [0] * len(columns)  # of hidden ones, too, for which Qt says 0
        self._room = 0
        model = QStandardItemModel(0, len(columns), self)
        for i, column in enumerate(columns):
            model.setHeaderData(i, Qt.Horizontal, in_words(column.title))
            model.setHeaderData(i, Qt.Horizontal, in_words(column.tip), Qt.ToolTipRole)
            model.setHeaderData(i, Qt.Horizontal, column.alignment, Qt.TextAlignmentRole)
        self.setModel(model)
        # The column that stretches; the last one if none does.
        self._stretched = next((i for i, column in enumerate(columns) if column.stretch), len(columns) - 1)
        self.setStretchLastSection(self._stretched == len(columns) - 1)
        self.setSectionsMovable(False)
        self.setHighlightSections(False)
        self.setMinimumSectionSize(24)
        self.sectionResized.connect(self._on_resized)
        for i, column in enumerate(columns):
            self._resize(i, self._width(column.chars))
        if self._stretched != len(columns) - 1:
            self.setSectionResizeMode(self._stretched, QHeaderView.Stretch)
        self.sortIndicatorChanged.connect(self.keep_titles)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.FontChange:
            self.keep_titles()

    def keep_titles(self, *_: object) -> None:
        """Widen each section that is narrower than its title: with larger letters, or an arrow beside it."""
        for section, width in enumerate(self._widths):
            self._keep_least(section, width)
        self._fold_again()

    def restore(self, state: QByteArray, char: float = 0) -> None:
        """Take the widths that ``saveState`` has returned, for characters as wide as ``char``; 0: as they are now."""
        self.restoreState(state)
        for section in range(len(self._columns)):
            self.setSectionHidden(section, False)
            self._widths[section] = self.sectionSize(section)
        if char and char != self._char:
            now, self._char = self._char, char
            self.set_char(now)
        self.keep_titles()

    def _resize(self, section: int, width: int) -> None:
        self._widths[section] = width
        self.resizeSection(section, width)

    def _on_resized(self, section: int, _: int, width: int) -> None:
        if width:  # else it is hidden
            self._widths[section] = width
            self._keep_least(section, width)

    def _keep_least(self, section: int, width: int) -> None:
        """Let no section become narrower than its title, or than its column declares."""
        if width < (least := self._least(section)):
            self._resize(section, least)

    def _least(self, section: int) -> int:
        column = self._columns[section]
        font = self.font()
        font.setBold(True)
        arrow = SORT_ARROW if self.isSortIndicatorShown() and self.sortIndicatorSection() == section else 0
        title = QFontMetrics(font).horizontalAdvance(in_words(column.title)) + 2 * PAD + arrow if column.title else 0
        return max(title, self._width(column.least) if column.least else 0)

    def set_char(self, char: float) -> None:
        """After a change of font: let every column show as many characters as before."""
        widths = [(width - 2 * PAD) / self._char for width in self._widths]
        self._char = char
        for i, chars in enumerate(widths):
            self._resize(i, round(chars * char) + 2 * PAD)
        self.keep_titles()

    def make_room(self, name: str, chars: int) -> None:
        """Widen the column of this name if so many characters do not fit."""
        for i, column in enumerate(self._columns):
            if column.name == name and self._widths[i] < self._width(chars):
                self._resize(i, self._width(chars))
                self._fold_again()

    def make_room_for(self, number: int) -> None:
        """Widen the columns of row numbers for one digit more; only once, since the user may narrow them again."""
        digits = len(str(number))
        if digits > self._digits:
            self._digits = digits
            for column in self._columns:
                if column.numbered:
                    self.make_room(column.name, digits)

    def fold(self, room: int) -> None:
        """Leave out the columns for which ``room`` does not do; the one that sorts the rows stays.

        Never while Qt tells that a section was resized: it is in the middle of a list that this would change.
        """
        self._room = room
        sorts = self.sortIndicatorSection() if self.isSortIndicatorShown() else -1
        yields = [0 if i == sorts else column.yields for i, column in enumerate(self._columns)]
        widths = [*self._widths]
        widths[self._stretched] = self._least_stretched()
        out = left_out(widths, yields, room)
        changed = [i for i in range(len(self._columns)) if self.isSectionHidden(i) != (i in out)]
        if not changed:
            return
        # Qt makes a section 0 wide before it is hidden. Who laid out the others then would give it the least width
        # that there is, and that would count as the user's.
        self.blockSignals(True)
        for i in changed:
            self.resizeSection(i, self._widths[i])  # what Qt shows again is as wide
            self.setSectionHidden(i, i in out)
        self.blockSignals(False)
        self.folded.emit()

    def _fold_again(self) -> None:
        if self._room:
            self.fold(self._room)

    def fill(self, room: int) -> int:
        """Give the column that stretches what the others leave of ``room``, or the least that it needs.

        Returns by how many pixels all that are not left out are wider than ``room``.
        """
        at = self._stretched
        others = sum(self.sectionSize(i) for i in range(len(self._columns)) if i != at)
        least = self._least_stretched()
        over = max(0, others + least - room)
        if at == len(self._columns) - 1:
            if self.stretchLastSection() == bool(over):
                self.setStretchLastSection(not over)
        else:
            mode = QHeaderView.Interactive if over else QHeaderView.Stretch
            if self.sectionResizeMode(at) != mode:
                self.setSectionResizeMode(at, mode)
        if over and self.sectionSize(at) != least:
            self.resizeSection(at, least)
        return over

    def _least_stretched(self) -> int:
        column = self._columns[self._stretched]
        return max(self._width(column.least or min(LEAST, column.chars)), self._least(self._stretched))

    def _width(self, chars: int) -> int:
        return ceil(chars * self._char) + 2 * PAD
