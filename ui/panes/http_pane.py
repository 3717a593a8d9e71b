"""The HTTP pane: exchanges, one a row, with the request, its response and how long that took."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from typing import cast

from PyQt5.QtCore import pyqtSignal

from app.capture.filters.language import EVERYTHING, Filter
from app.capture.reading import exchange_rows
from app.capture.reading.exchange_rows import EXCHANGE_FIELDS, ExchangeRow
from app.capture.reading.reader import Reader, Scan
from app.events import Row
from ui.looks.theme import Theme
from ui.looks.times import clock
from ui.panes.columns import Column
from ui.panes.event_list import PAGE, EventList
from ui.panes.event_pane import EventPane

NO_EXCHANGE = (
    "No HTTP exchange yet.\n\n"
    "Start an HTTP service and send it a request:\n"
    "each request becomes a row here, with its answer."
)

WAITING, NONE = "waiting", "none"
"""Shown in place of a status: the response has not come yet; the connection was closed without one."""


def _row(row: Row) -> ExchangeRow:
    return cast(ExchangeRow, row)


def _status(row: Row) -> str:
    exchange = _row(row)
    if exchange.answer is None:
        return NONE if exchange.over else WAITING
    return "" if exchange.status is None else str(exchange.status)


def _status_color(row: Row, theme: Theme) -> str | None:
    exchange = _row(row)
    if exchange.status is None:
        return theme.bad if exchange.answer is None and exchange.over else theme.dim
    if exchange.status >= 400:
        return theme.bad if exchange.status >= 500 else theme.warning
    return theme.good if 200 <= exchange.status < 300 else theme.dim


def duration(seconds: float | None) -> str:
    """``0.8 ms``, ``120 ms``, ``4.2 s``; empty where it is not known."""
    if seconds is None:
        return ""
    if seconds < 0.0995:
        return f"{seconds * 1000:.1f} ms"
    return f"{seconds * 1000:.0f} ms" if seconds < 0.9995 else f"{seconds:.1f} s"


COLUMNS = (
    Column("time", "Time", "When the request was read", 16, lambda row, _: clock(row.time), quiet=True),
    Column(
        "service", "Service", "The service that was asked", 16, lambda row, _: row.service,
        field="service", value=lambda row: row.service or None,
    ),
    Column(
        "method", "Method", "What was to be done", 8, lambda row, _: _row(row).method,
        field="http.method", value=lambda row: _row(row).method or None,
    ),
    Column(
        "target", "Target", "Path and query, as they were sent", 40,
        lambda row, _: _row(row).target or row.summary, stretch=True,
        field="http.target", value=lambda row: _row(row).target or None,
    ),
    Column(
        "status", "Status", "Of the answer, while there is one", 8, lambda row, _: _status(row), color=_status_color,
        field="http.status", value=lambda row: _row(row).status,
    ),
    Column("type", "Type", "Media type of the answer", 20, lambda row, _: _row(row).type, quiet=True),
    Column(
        "size", "Size", "Bytes of the answer's body", 9, lambda row, _: "" if row.size is None else f"{row.size:,}",
        right=True, field="size", value=lambda row: row.size,
    ),
    Column(
        "duration", "Duration", "From the request's first byte to the answer's last", 9,
        lambda row, _: duration(_row(row).seconds), right=True, quiet=True,
    ),
)  # fmt: skip


class ExchangeList(EventList):
    """Exchanges by the ids of their requests, oldest first.

    A response changes the row of its request; with a filter, it may insert a row above others.

    Signals:
        inserted: rows were inserted above others.
    """

    inserted = pyqtSignal()

    def _none(self, first: int) -> array[int]:
        return array("q")

    def _look(self, first: int, last: int) -> Scan:
        return self._reader.scan(self.where, first, last, self._on_found, exchange_rows.matches)

    def _on_found(self, ids: array[int], upto: int, complete: bool) -> None:
        # Up to here everything was looked at before: what is found there now has got its response since.
        split = bisect_right(ids, self._upto)
        self._insert([id for id in ids[:split] if id not in self])
        super()._on_found(ids[split:], upto, complete)

    def __contains__(self, id: int) -> bool:
        index = self.index_of(id)
        return index < len(self._ids) and self._ids[index] == id

    def _insert(self, late: list[int]) -> None:
        late = [id for id in late if id >= self._floor]
        if not late:
            return
        assert isinstance(self._ids, array)
        at = bisect_left(self._ids, late[0])
        for id in late:
            self._ids.insert(bisect_left(self._ids, id), id)
        for number in [number for number in self._pages if number >= at // PAGE]:
            del self._pages[number]
        self._asked = set()  # pages that are being read were asked for by their old indexes
        self._stale.clear()
        self.inserted.emit()
        self.appended.emit(len(late))

    def read(self, ids: array[int], done: Callable[[list[Row]], object]) -> None:
        nothing: list[Row] = []
        self._reader.read(lambda store: [*exchange_rows.rows(store, ids)], nothing, done)

    def _keep(self, number: int, ids: array[int], rows: list[Row]) -> None:
        super()._keep(number, ids, rows)
        if any(_row(row).answer is None and not _row(row).over for row in rows):
            self._holed.add(number)

    def shown_at(self, index: int) -> int:
        row = self.row(index)
        return self._ids[index] if row is None else _row(row).answer or row.id


class HTTPPane(EventPane):
    """All exchanges of all services."""

    columns = COLUMNS
    fields = EXCHANGE_FIELDS

    def __init__(self, reader: Reader) -> None:
        super().__init__(reader, EVERYTHING, NO_EXCHANGE)
        self._shown = 0
        self.view.setAccessibleName("HTTP exchanges")
        self.current_changed.connect(self._on_shown)
        self.events.loaded.connect(self._show_answer)

    def _list(self, reader: Reader, base: Filter) -> EventList:
        exchanges = ExchangeList(reader, base, self)
        exchanges.inserted.connect(lambda: self.view.keep_current())
        return exchanges

    def _on_shown(self, id: int) -> None:
        self._shown = id

    def _show_answer(self) -> None:
        """Show the response of the current row, which had none when it became current."""
        if self.view.current >= 0:
            shown = self.events.shown_at(self.view.current)
            if shown > self._shown:  # a response has a higher id than its request
                self.current_changed.emit(shown)
