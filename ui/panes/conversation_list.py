"""The model of the conversations pane: all connections, sorted again as the capture grows, read by pages."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from time import perf_counter
from typing import cast

from PyQt5.QtCore import QObject, QTimer, pyqtSignal

from app.capture.filters.language import EVERYTHING, Filter
from app.capture.reading import conversations
from app.capture.reading.conversations import Conversation
from app.capture.reading.reader import Reader
from app.capture.reading.store import Store
from app.events import Row
from ui.panes.event_list import PAGE, EventList, Span

MAX_ROWS = 4_000
"""Rows in the cache; those that were read first are dropped first."""

REST, SHARE = 300, 5
"""The least milliseconds between two messages sortings, and the same as a multiple of how long the last one took."""


class ConversationList(EventList):
    """The numbers of connections, in the order of a column.

    Attributes:
        order, descending: the column that they are sorted by, and how.
        _rows: the rows that were read, by number; each is shown until it is read again.
        _fresh: numbers whose rows were asked for since the list was last sorted.

    Signals:
        resorted: any row may have another index.
    """

    resorted = pyqtSignal()

    def __init__(self, reader: Reader, run: str, parent: QObject | None = None) -> None:
        """``run`` is the recorder's."""
        self.order, self.descending = "conn", False
        self._run = run
        self._rows: dict[int, Conversation] = {}
        self._fresh: set[int] = set()
        self._asking: object = None
        self._wanted = False
        super().__init__(reader, EVERYTHING, parent)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.timeout.connect(self._go_on)

    def sort(self, order: str, *, descending: bool) -> None:
        """Sort by one of ``conversations.ORDERS``."""
        self.order, self.descending = order, descending
        self._restart()

    @property
    def scanning(self) -> bool:
        return self._asking is not None

    @property
    def where(self) -> Filter:
        since = Filter("first >= ?", (self._floor,)) if self.cleared else EVERYTHING
        return since & super().where

    def during(self, span: Span) -> Filter:
        """A connection was open at this time, or at a part of it."""
        first, last = span
        return Filter("time <= ? AND (closed IS NULL OR closed >= ?)", (last, first))

    def _none(self, first: int) -> array[int]:
        return array("q")

    def _cancel(self) -> None:
        self._asking = None
        self._wanted = False
        super()._cancel()

    def _restart(self) -> None:
        self._pause.stop()
        super()._restart()

    def _forget_pages(self) -> None:
        self._rows = {}
        self._fresh = set()

    # -- the capture moves on

    def _catch_up(self) -> None:
        if self._asking is not None or self._pause.isActive():
            self._wanted = True
        elif self._range.last:
            self._ask()

    def _go_on(self) -> None:
        if self._wanted and self.active:
            self._ask()

    def _ask(self) -> None:
        self._wanted = False
        asking = self._asking = object()
        where, order, descending = self.where, self.order, self.descending

        def read(store: Store) -> tuple[array[int], float] | None:
            began = perf_counter()
            return conversations.ids(store, where, order, descending=descending), perf_counter() - began

        def done(found: tuple[array[int], float] | None) -> None:
            if asking is not self._asking:
                return  # the filter or the order has changed meanwhile
            self._asking = None
            if found is None:
                self.loaded.emit()  # the capture cannot be read now; asked for again when it has grown
                return
            self._pause.start(max(REST, round(found[1] * 1000 * SHARE)))
            self._take(found[0])

        nothing: tuple[array[int], float] | None = None
        self._reader.read(read, nothing, done)

    def _take(self, ids: array[int]) -> None:
        more = len(ids) - len(self._ids)
        self._ids = ids
        self._fresh = set()
        self.resorted.emit()
        by_age = self.order in ("conn", "opened") and not self.descending
        self.appended.emit(more if by_age and more > 0 else 0)
        self.loaded.emit()

    # -- rows

    def index_of(self, id: int) -> int:
        assert isinstance(self._ids, array)
        try:
            return self._ids.index(id)
        except ValueError:
            return len(self._ids)

    def shown_at(self, index: int) -> int:
        """The id of the event that closed the connection, or else of the one that opened it."""
        row = self._rows.get(self._ids[index])
        return (row.last or row.first or 0) if row else 0

    def row(self, index: int) -> Row | None:
        if not 0 <= index < len(self._ids):
            return None
        id = self._ids[index]
        if id not in self._fresh:
            self._fetch(index // PAGE)
        return self._rows.get(id)

    def _fetch(self, number: int) -> None:
        kept, wanted = self._rows, self.ids(number * PAGE, number * PAGE + PAGE - 1)
        self._fresh.update(wanted)

        def done(rows: list[Row]) -> None:
            if kept is not self._rows:
                return  # the list was restarted while these were being read
            for row in rows:
                kept.pop(row.id, None)
                kept[row.id] = cast(Conversation, row)
            for id in list(kept)[: max(0, len(kept) - MAX_ROWS)]:
                del kept[id]
                self._fresh.discard(id)
            self.loaded.emit()

        self.read(wanted, done)

    def read(self, ids: array[int], done: Callable[[list[Row]], object]) -> None:
        nothing: list[Row] = []
        self._reader.read(lambda store: [*conversations.rows(store, ids, self._run)], nothing, done)
