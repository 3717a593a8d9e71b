"""The model of a pane: the ids of the events that it shows, and a small cache of their rows."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable

from PyQt5.QtCore import QObject, pyqtSignal

from app.capture.filters.language import EVERYTHING, Filter
from app.capture.reading.reader import Reader, Scan
from app.capture.recorder import Stored
from app.events import Row

PAGE = 128
"""Rows that are read at once."""

MAX_PAGES = 48
"""Pages in the cache; the least recently shown is dropped first."""


Span = tuple[int, int]
"""A time: the first and the last nanosecond, since 1970."""

_Ids = range | array  # type: ignore[type-arg]


class EventList(QObject):
    """The events that match a filter, growing with the capture.

    Where everything matches, the ids are a range, since they have no gaps; otherwise they take
    eight bytes for each match. The reader's thread reads rows by pages; until a page is read, its
    rows are None.

    Attributes:
        active: whether the list follows the capture.

    Signals:
        reset: all rows were replaced.
        appended: rows were added at the end; carries how many.
        dropped: the oldest rows were removed, because of the capture's size limit; carries how many.
        loaded: rows that were None can be asked for again.
    """

    reset = pyqtSignal()
    appended = pyqtSignal(int)
    dropped = pyqtSignal(int)
    loaded = pyqtSignal()

    def __init__(self, reader: Reader, base: Filter = EVERYTHING, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._reader, self._base = reader, base
        self._typed = EVERYTHING
        self._span: Span | None = None
        self._floor = 1
        self._range = Stored()
        self._ids: _Ids = self._none(1)
        self._upto = 0
        self._scan: Scan | None = None
        self._pages: OrderedDict[int, list[Row | None]] = OrderedDict()
        self._asked: set[int] = set()
        self._stale: set[int] = set()
        self._holed: set[int] = set()
        self.active = False

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def filtered(self) -> bool:
        """Whether a filter was typed, which may hide some of the rows."""
        return self._typed != EVERYTHING

    @property
    def scanning(self) -> bool:
        return self._scan is not None

    @property
    def where(self) -> Filter:
        return self._base & (EVERYTHING if self._span is None else self.during(self._span)) & self._typed

    def during(self, span: Span) -> Filter:
        """The condition that something was at this time."""
        return Filter("time BETWEEN ? AND ?", span)

    @property
    def span(self) -> Span | None:
        """The time of what is shown; None: any."""
        return self._span

    # -- what to show

    def set_filter(self, typed: Filter) -> None:
        """Show only the events of the pane that match ``typed``, too; the list begins anew."""
        if typed != self._typed:
            self._typed = typed
            self._restart()

    def set_span(self, span: Span | None) -> None:
        """Show only what was at this time; None: at any. The list begins anew."""
        if span != self._span:
            self._span = span
            self._restart()

    @property
    def base(self) -> Filter:
        """The condition without what was typed."""
        return self._base

    def set_base(self, base: Filter) -> None:
        """Show the events that match ``base``; the list begins anew."""
        if base != self._base:
            self._base = base
            self._restart()

    def refresh(self) -> None:
        """Read the rows again: the user has written or removed a note."""
        if "FROM note" in self.where.sql:
            self._restart()
        else:
            self._stale |= set(self._pages)
            self.loaded.emit()

    def set_reader(self, reader: Reader) -> None:
        """Show another capture."""
        self._reader = reader
        self._floor, self._range = 1, Stored()
        self._restart()

    def clear(self) -> None:
        """Show only events that are recorded from now on. The capture keeps all."""
        self._floor = self._range.last + 1
        self._restart()

    def show_all(self) -> None:
        """Undo ``clear``."""
        self._floor = 1
        self._restart()

    @property
    def cleared(self) -> bool:
        return self._floor > 1

    def close(self) -> None:
        """Ignore all further answers of the reader: the pane is about to be deleted."""
        self.active = False
        self._cancel()

    def _cancel(self) -> None:
        if self._scan is not None:
            self._scan.cancel()
            self._scan = None
        self._forget_pages()

    def _restart(self) -> None:
        self._cancel()
        first = max(self._floor, self._range.first)
        self._upto = first - 1
        self._ids = self._none(first)
        self.reset.emit()
        self._catch_up()

    def _none(self, first: int) -> _Ids:
        return range(first, first) if self.where == EVERYTHING else array("q")

    # -- the capture moves on

    def on_stored(self, stored: Stored) -> None:
        """The capture now holds ``stored``."""
        self._range = stored
        if self.active:
            self._catch_up()
            self._retry()

    def activate(self, active: bool) -> None:
        """Follow the capture, or stop while the pane is not in view."""
        self.active = active
        if active:
            self._catch_up()

    def _catch_up(self) -> None:
        self._drop_gone()
        if self._upto >= self._range.last:
            return
        if isinstance(self._ids, range):
            more = self._range.last - self._upto
            self._upto = self._range.last
            self._grow(range(self._ids.start, self._range.last + 1), more)
        elif self._scan is None:
            self._scan = self._look(self._upto + 1, self._range.last)

    def _look(self, first: int, last: int) -> Scan:
        return self._reader.scan(self.where, first, last, self._on_found)

    def _on_found(self, ids: array[int], upto: int, complete: bool) -> None:
        # A scan that ends where it began could not read the capture: wait until the capture has grown.
        moved, self._upto = upto > self._upto, upto
        if complete:
            self._scan = None
        if ids:
            assert isinstance(self._ids, array)
            self._ids.extend(ids)
            self._grow(self._ids, len(ids))
        if complete and moved and self.active:
            self._catch_up()
        if complete:
            self.loaded.emit()

    def _grow(self, ids: _Ids, more: int) -> None:
        self._ids = ids
        # The last page may have been read, or asked for, when it was not full.
        last = (len(ids) - more) // PAGE
        if last in self._pages or last in self._asked:
            self._stale.add(last)
        self.appended.emit(more)

    def _drop_gone(self) -> None:
        first = max(self._range.first, self._floor)
        if isinstance(self._ids, range):
            gone = max(0, min(first, self._ids.stop) - self._ids.start)
            # All rows may be gone, and events after them that this list has never had.
            start = max(first, self._ids.start)
            self._ids = range(start, max(start, self._ids.stop))
        else:
            assert isinstance(self._ids, array)
            gone = bisect_left(self._ids, first)
            if gone:
                del self._ids[:gone]
        self._upto = max(self._upto, first - 1)
        if gone:
            self._forget_pages()
            self.dropped.emit(gone)

    # -- rows

    def index_of(self, id: int) -> int:
        """The index of the event with this id, or the one that it would have."""
        if isinstance(self._ids, range):
            return max(0, min(len(self._ids), id - self._ids.start))
        return bisect_left(self._ids, id)

    def id_at(self, index: int) -> int:
        return self._ids[index]

    def shown_at(self, index: int) -> int:
        """The id of the event that is shown in the detail pane for a row."""
        return self._ids[index]

    def ids(self, first: int, last: int) -> array[int]:
        """Ids of the rows from index ``first`` to ``last``, both included."""
        return array("q", self._ids[first : last + 1])

    def row(self, index: int) -> Row | None:
        """The row, or None while its page is being read."""
        number, offset = divmod(index, PAGE)
        page = self._pages.get(number)
        if (page is None or number in self._stale) and number not in self._asked:
            self._fetch(number)
        if page is None or offset >= len(page):
            return None
        self._pages.move_to_end(number)
        return page[offset]

    def _page(self, number: int) -> array[int]:
        """Ids of a page in the cache."""
        return self.ids(number * PAGE, number * PAGE + PAGE - 1)

    def _fetch(self, number: int) -> None:
        ids = self._page(number)
        asked = self._asked
        asked.add(number)
        self._stale.discard(number)

        def done(rows: list[Row]) -> None:
            if asked is not self._asked:
                return  # the list was restarted while the page was being read
            asked.discard(number)
            self._keep(number, ids, rows)
            self.loaded.emit()

        self.read(ids, done)

    def read(self, ids: array[int], done: Callable[[list[Row]], object]) -> None:
        """Read the rows of these ids, and call ``done`` with them in order of id."""
        self._reader.rows(ids, done)

    def _keep(self, number: int, ids: array[int], rows: list[Row]) -> None:
        page: list[Row | None] = [*rows]
        if len(rows) < len(ids):
            # Some rows were dropped meanwhile, or cannot be read now: the others keep their places.
            found = {row.id: row for row in rows}
            page = [found.get(id) for id in ids]
            self._holed.add(number)
        self._pages[number] = page
        self._pages.move_to_end(number)
        while len(self._pages) > MAX_PAGES:
            self._pages.popitem(last=False)

    def _retry(self) -> None:
        """Ask again for the rows that could not be read, once the capture has grown: sooner would be without end."""
        if self._holed:
            self._stale |= self._holed
            self._holed = set()
            self.loaded.emit()

    def _forget_pages(self) -> None:
        self._pages.clear()
        self._asked = set()
        self._stale = set()
        self._holed = set()
