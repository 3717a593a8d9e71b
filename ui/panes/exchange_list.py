"""The model of the HTTP pane: exchanges, oldest first or sorted by a column, read by pages."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from time import perf_counter
from typing import cast

from PyQt5.QtCore import QObject, QTimer, pyqtSignal

from app.capture.filters.language import Filter
from app.capture.reading import exchange_rows
from app.capture.reading.exchange_rows import ExchangeRow
from app.capture.reading.reader import Reader, Scan
from app.capture.reading.store import Store
from app.events import Row
from ui.panes.event_list import PAGE, EventList

MAX_SORTED = 50_000
"""Exchanges that can be sorted by what is in them: reading that takes about a second, in which no page is read."""

REST, SHARE = 300, 5
"""The least milliseconds between two sortings, and the same as a multiple of how long the last one took."""

MAX_KNOWN = 4_000
"""Rows that are kept while the list is sorted again."""

BY_AGE = "time"


class ExchangeList(EventList):
    """Exchanges by the ids of their requests.

    A response changes the row of its request; with a filter, it may insert a row above others.

    Attributes:
        order, descending: the column that they are sorted by, and how.
        _ids: those that match, oldest first. ``_sorted``: the same in the order that is shown, as far as they
            were there when the list was last sorted; None while they are shown by age.
        _known: rows that were read, which are shown until they are read again after a sorting.

    Signals:
        inserted: rows were inserted above others, or any row may have another index.
        unsortable: there are too many; carries how many. The list shows the oldest first again.
    """

    inserted = pyqtSignal()
    unsortable = pyqtSignal(int)

    def __init__(self, reader: Reader, base: Filter, parent: QObject | None = None) -> None:
        self.order, self.descending = BY_AGE, False
        self._sorted: array[int] | None = None
        self._places: dict[int, int] = {}
        self._asking: object = None
        super().__init__(reader, base, parent)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.timeout.connect(self._go_on)
        self._wanted = False
        self._known: dict[int, Row] = {}

    def sort(self, order: str, *, descending: bool) -> None:
        """Sort by one of ``exchange_rows.ORDERS``."""
        self.order, self.descending = order, descending
        self._pause.stop()
        self._asking = None
        self._show(None)
        if order != BY_AGE:
            self._ask()

    @property
    def scanning(self) -> bool:
        return super().scanning or self._asking is not None

    @property
    def _reversed(self) -> bool:
        return self.order == BY_AGE and self.descending

    def _none(self, first: int) -> array[int]:
        return array("q")

    def _cancel(self) -> None:
        self._asking = None
        super()._cancel()

    def _restart(self) -> None:
        self._pause.stop()
        self._sorted = None if self.order == BY_AGE else array("q")
        self._places, self._known = {}, {}
        super()._restart()

    # -- the capture moves on

    def _look(self, first: int, last: int) -> Scan:
        return self._reader.scan(self.where, first, last, self._on_found, exchange_rows.matches)

    def _on_found(self, ids: array[int], upto: int, complete: bool) -> None:
        # Up to here everything was looked at before: what is found there now has got its response since.
        split = bisect_right(ids, self._upto)
        self._insert([id for id in ids[:split] if id not in self])
        super()._on_found(ids[split:], upto, complete)
        if self._reversed and ids:
            self.inserted.emit()
        if complete:
            self._sort_again()

    def __contains__(self, id: int) -> bool:
        index = bisect_left(self._ids, id)
        return index < len(self._ids) and self._ids[index] == id

    def _insert(self, late: list[int]) -> None:
        late = [id for id in late if id >= self._floor]
        if not late:
            return
        assert isinstance(self._ids, array)
        at = bisect_left(self._ids, late[0])
        for id in late:
            self._ids.insert(bisect_left(self._ids, id), id)
        if self._sorted is not None:
            return
        for number in [number for number in self._pages if number >= at // PAGE]:
            del self._pages[number]
        self._asked = set()  # pages that are being read were asked for by their old indexes
        self._stale.clear()
        self.inserted.emit()
        self.appended.emit(len(late))

    def _grow(self, ids: range | array[int], more: int) -> None:
        if self._sorted is None:
            super()._grow(ids, more)

    def _drop_gone(self) -> None:
        before = len(self._ids)
        super()._drop_gone()
        if len(self._ids) < before:
            self._sort_again()

    # -- sorting

    def activate(self, active: bool) -> None:
        super().activate(active)
        self._sort_again()

    def _go_on(self) -> None:
        if self._wanted:
            self._sort_again()

    def _sort_again(self) -> None:
        if self._asking is not None or self._pause.isActive():
            self._wanted = True
        elif self.order != BY_AGE and self.active:
            self._ask()

    def _ask(self) -> None:
        self._wanted = False
        assert isinstance(self._ids, array)
        ids, order, descending = array("q", self._ids), self.order, self.descending
        if len(ids) > MAX_SORTED:
            self.order, self.descending = BY_AGE, False
            self._show(None)
            self.unsortable.emit(len(ids))
            return
        asking = self._asking = object()

        def read(store: Store) -> tuple[array[int], float] | None:
            began = perf_counter()
            return exchange_rows.in_order(store, ids, order, descending=descending), perf_counter() - began

        def done(found: tuple[array[int], float] | None) -> None:
            if asking is not self._asking:
                return  # the filter or the order has changed meanwhile
            self._asking = None
            if found is not None:
                self._pause.start(max(REST, round(found[1] * 1000 * SHARE)))
                self._show(found[0])
            self.loaded.emit()

        nothing: tuple[array[int], float] | None = None
        self._reader.read(read, nothing, done)

    def _show(self, ids: array[int] | None) -> None:
        self._sorted = ids
        self._places = {} if ids is None else {id: place for place, id in enumerate(ids)}
        self._forget_pages()
        self.inserted.emit()
        self.appended.emit(0)
        self.loaded.emit()

    # -- rows

    def __len__(self) -> int:
        return len(self._ids if self._sorted is None else self._sorted)

    def index_of(self, id: int) -> int:
        if self._sorted is not None:
            return self._places.get(id, len(self._sorted))
        if self._reversed:
            return len(self) - 1 - super().index_of(id) if id in self else len(self)
        return super().index_of(id)

    def id_at(self, index: int) -> int:
        if self._sorted is not None:
            return self._sorted[index]
        return self._ids[len(self) - 1 - index if self._reversed else index]

    def ids(self, first: int, last: int) -> array[int]:
        return array("q", (self.id_at(index) for index in range(first, min(last + 1, len(self)))))

    def _page(self, number: int) -> array[int]:
        found = self._ids if self._sorted is None else self._sorted
        return array("q", found[number * PAGE : (number + 1) * PAGE])

    def row(self, index: int) -> Row | None:
        if not 0 <= index < len(self):
            return None
        # By age, the pages are those of the oldest first, which stay as they are when more is added.
        row = super().row(len(self) - 1 - index if self._reversed else index)
        return row or (self._known.get(self._sorted[index]) if self._sorted is not None else None)

    def read(self, ids: array[int], done: Callable[[list[Row]], object]) -> None:
        nothing: list[Row] = []

        def read(store: Store) -> list[Row]:
            found = {row.id: row for row in exchange_rows.rows(store, ids)}
            return [found[id] for id in ids if id in found]

        self._reader.read(read, nothing, done)

    def _keep(self, number: int, ids: array[int], rows: list[Row]) -> None:
        super()._keep(number, ids, rows)
        if self._sorted is not None:
            if len(self._known) > MAX_KNOWN:
                self._known = {}
            self._known.update((row.id, row) for row in rows)
        if any(_row(row).answer is None and not _row(row).over for row in rows):
            self._holed.add(number)

    def shown_at(self, index: int) -> int:
        row = self.row(index)
        return self.id_at(index) if row is None else _row(row).answer or row.id


def _row(row: Row) -> ExchangeRow:
    return cast(ExchangeRow, row)
