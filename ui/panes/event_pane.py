"""One pane: the log of one service, of all, or of failures, and what it says while it is empty."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from PyQt5.QtCore import QByteArray, QPoint, Qt, pyqtSignal
from PyQt5.QtGui import QShowEvent
from PyQt5.QtWidgets import QMenu, QPushButton, QVBoxLayout, QWidget

from app.capture.filters.completion import condition
from app.capture.filters.fields import FIELDS, Field
from app.capture.filters.language import EVERYTHING, Filter, parse
from app.capture.filters.sql import WITHOUT_CHECKS
from app.capture.reading.reader import Reader
from app.capture.recorder import Stored
from app.events import Row
from ui.looks.english import form_of
from ui.panes.columns import Column, Columns, as_text
from ui.panes.event_columns import COLUMNS
from ui.panes.event_list import EventList
from ui.panes.event_paint import character
from ui.panes.event_view import EventView
from ui.parts.labels import unmarked

MENU_CHARS = 40

COPY_ROWS = 50_000
"""Most rows that are copied; the clipboard cannot take many more."""


class EventPane(QWidget):
    """A log, with a bar that tells how many rows arrived below.

    The view is made when it is first asked for or shown, since most services of a large workspace are never looked at.

    Attributes:
        columns: the columns of the log.
        fields: the fields that its filter can name.
        without_checks: what is shown while checks are hidden.

    Signals:
        current_changed: the id of the current event, or 0.
        following_changed: whether the log follows the tail.
        letter_typed: what was typed in the log, where a filter begins.
        menu_wanted: a context menu, to be filled with actions, and its global position.
        copied: text for the clipboard, and what it is, in words.
        narrowed: a condition to add to the filter.
    """

    columns: Columns = COLUMNS
    fields: Mapping[str, Field] = FIELDS
    without_checks: Filter = WITHOUT_CHECKS

    current_changed = pyqtSignal(int)
    following_changed = pyqtSignal(bool)
    letter_typed = pyqtSignal(str)
    menu_wanted = pyqtSignal(QMenu, QPoint)
    copied = pyqtSignal(str, str)
    narrowed = pyqtSignal(str)

    def __init__(
        self, reader: Reader, base: Filter = EVERYTHING, empty: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._reader, self._empty = reader, empty
        self._typed, self._base = "", base
        self._hides_checks = self._hiding = False
        self._closed = False
        self._widths: tuple[QByteArray, float] | None = None
        self.events = self._list(reader, base)
        self._below = QPushButton(self)
        self._below.setObjectName("below")
        self._below.setToolTip(self.tr("Follow the tail again (Ctrl+T)"))
        self._below.setProperty("strip", True)
        self._below.setFocusPolicy(Qt.NoFocus)
        self._below.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._below)
        self._below.clicked.connect(lambda: self.view.set_following(True))
        self.events.reset.connect(self._say_empty)
        self.events.loaded.connect(self._say_empty)

    @cached_property
    def view(self) -> EventView:
        view = EventView(self.events, self, self.columns)
        layout = self.layout()
        assert isinstance(layout, QVBoxLayout)
        layout.insertWidget(layout.indexOf(self._below), view)
        self.setFocusProxy(view)
        view.following_changed.connect(self._on_following)
        view.following_changed.connect(self.following_changed)
        view.current_changed.connect(self.current_changed)
        view.menu_wanted.connect(self._on_menu)
        view.row_menu_wanted.connect(self._on_row_menu)
        view.letter_typed.connect(self.letter_typed)
        if self._widths is not None:
            view.restore_columns(*self._widths)
        view.set_placeholder(self._words())
        return view

    def _is_made(self) -> bool:
        return "view" in self.__dict__

    def showEvent(self, event: QShowEvent) -> None:
        if not self._is_made():
            self.view.show()
        super().showEvent(event)

    def restore_columns(self, state: QByteArray) -> None:
        """Take the widths of the columns that the header's ``saveState`` has returned."""
        if self._is_made():
            self.view.restore_columns(state)
        else:
            self._widths = state, character()

    def _list(self, reader: Reader, base: Filter) -> EventList:
        return EventList(reader, base, self)

    def set_empty(self, text: str) -> None:
        """The text to show while there is no event."""
        self._empty = text
        self._say_empty()

    def set_filter(self, typed: str) -> None:
        """Show only rows that match ``typed``. Raises FilterError."""
        where = parse(typed, self.fields)
        self._typed = typed.strip()
        self._take_base()
        self.events.set_filter(where)
        self._say_empty()

    def hide_checks(self, hidden: bool) -> None:
        """Leave out what passes for checks and what they find, unless the filter names watches."""
        self._hides_checks = hidden
        self._take_base()

    def _take_base(self) -> None:
        hiding = self._hides_checks and "watch" not in self._typed
        if hiding != self._hiding:
            self._hiding = hiding
            self.events.set_base(self._base & self.without_checks if hiding else self._base)

    def set_reader(self, reader: Reader) -> None:
        self._reader = reader
        self.events.set_reader(reader)

    def on_stored(self, stored: Stored) -> None:
        self.events.on_stored(stored)

    def let_go(self) -> None:
        """Ignore all further answers of the reader: the pane is about to be deleted."""
        self._closed = True
        self.events.close()

    def copy_rows(self) -> None:
        """Put the selected rows on the clipboard, as soon as they are read."""
        low, high = self.view.selection()
        if high < low:
            return
        ids = self.events.ids(low, min(high, low + COPY_ROWS - 1))

        def done(rows: list[Row]) -> None:
            if not self._closed:
                pairs = zip(rows, [None, *rows], strict=False)
                text = "\n".join(as_text(row, above, self.columns) for row, above in pairs)
                self.copied.emit(text, self._copied_words(len(rows), high - low + 1))

        self.events.read(ids, done)

    def _copied_words(self, count: int, selected: int) -> str:
        if count < selected:
            words = self.tr("Copied {count:,} of {all:,} row(s)", "", form_of(selected))
            return words.format(count=count, all=selected)
        return self.tr("Copied %n row(s)", "", count)

    def _on_menu(self, at: QPoint) -> None:
        menu = QMenu(self)
        row, column = self.view.cell_at(at)
        for exclude, text in ((False, self.tr("Only {cell}")), (True, self.tr("Not {cell}"))):
            self._add_condition(menu, text, row, column, exclude=exclude)
        if not menu.isEmpty():
            menu.addSeparator()
        self.menu_wanted.emit(menu, at)

    def _on_row_menu(self, at: QPoint) -> None:
        """Offer what any cell of the current row offers: a key was pressed, which points at none."""
        menu, row = QMenu(self), self.events.row(self.view.current)
        for exclude, title in ((False, self.tr("&Only this")), (True, self.tr("&Not this"))):
            cells = menu.addMenu(title)
            for column in self.columns:
                self._add_condition(cells, "{cell}", row, column, exclude=exclude)
            cells.menuAction().setVisible(not cells.isEmpty())
        menu.addSeparator()
        self.menu_wanted.emit(menu, at)

    def _add_condition(self, menu: QMenu, text: str, row: Row | None, column: Column, *, exclude: bool) -> None:
        """Add an action that narrows the filter by one cell, if there is something in it to filter by."""
        value = column.value(row) if row is not None else None
        if value is None:
            return
        shown = str(value) if len(str(value)) <= MENU_CHARS else f"{str(value)[:MENU_CHARS]}…"
        cell = f"{column.title.lower() or self.tr('what')} {shown}"
        asked = condition(column.field, value, exclude=exclude)
        menu.addAction(unmarked(text.format(cell=cell))).triggered.connect(lambda _=False: self.narrowed.emit(asked))

    def _on_following(self, following: bool) -> None:
        below = self.view.below
        self._below.setVisible(not following and below > 0)
        self._below.setText(self.tr("↓ {below:,} new below").format(below=below))

    def _say_empty(self) -> None:
        if self._is_made():
            self.view.set_placeholder(self._words())

    def _words(self) -> str:
        """What is said while there is no row."""
        if self.events.scanning:
            return self.tr("Searching…")
        if self.events.filtered:
            text = self.tr("Nothing matches “{typed}”.\nPress Esc in the filter to show everything again.")
            return text.format(typed=self._typed)
        if self.events.span is not None:
            return self.tr("Nothing happened at this time.\nThe × above the log shows all times again.")
        if self.events.cleared:
            return self.tr("Cleared. New events appear here;\nthe capture still has all earlier ones.")
        return self._empty
