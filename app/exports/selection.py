"""What of a capture is exported: which events an exporter is given, and what it has to know besides.

An exporter of events is given those that fit a filter. One of HTTP exchanges is given whole
connections, and told which of their exchanges fit: those that the HTTP pane would show.
"""

from __future__ import annotations

import json
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

from app import events
from app.capture.filters.language import EVERYTHING, Filter
from app.capture.filters.sql import among
from app.capture.reading import exchange_rows, losses
from app.capture.reading.losses import Lost
from app.capture.reading.store import CHUNK, Store
from app.events import Event
from app.exports.formats import Chosen, Exporter
from app.exports.part import WHOLE, Part

if TYPE_CHECKING:
    from app.http.exchange import Exchange

Look = Callable[[int], object]
"""Is told the last event looked at; raises to stop."""

_NOTES = (events.HTTP_REQUEST, events.HTTP_RESPONSE)
_SOCKET = (events.WS_OPENED, events.WS_MESSAGE, events.WS_CLOSED)
_OF_ONE = frozenset({*_NOTES, *events.RAW})
"""Kinds of event that are part of one exchange; others are about the connection."""

_MATCHES = "SELECT json_group_array(json_array(id, conn, kind)) FROM event WHERE id BETWEEN ? AND ? AND conn AND ({})"
_CONNS = "SELECT json_group_array(DISTINCT conn) FROM event WHERE id IN (SELECT value FROM json_each(?))"

MAX_TWINS = 100_000
"""Connections between two services of the program that are told apart."""

# Both ends of one connection that were open at the same time, and whether the first is the one that opened it.
_TWINS = f"""
SELECT json_group_array(json_array(a, b, ifnull((SELECT instr(detail, '"outgoing": true') FROM event
    WHERE id = first), 0)))
FROM (SELECT a.id AS a, b.id AS b, a.first AS first
    FROM connection a JOIN connection b ON b.peer = a.host AND b.host = a.peer AND a.id <> b.id
    WHERE a.opened <= ifnull(b.closed, a.opened) AND b.opened <= ifnull(a.closed, b.opened) LIMIT {MAX_TWINS})
"""  # noqa: S608
_KNOWS_FIRST = "SELECT count(*) FROM pragma_table_info('connection') WHERE name = 'first'"


@dataclass(slots=True)
class _Fitting:
    """Which exchanges fit."""

    ids: array[int] = field(default_factory=lambda: array("q"))
    by_conn: dict[int, array[int]] = field(default_factory=dict)
    conns: set[int] = field(default_factory=set)
    sockets: set[int] = field(default_factory=set)

    def __call__(self, exchange: Exchange) -> bool:
        conn, id = exchange.request.conn, exchange.request.id
        if conn is None:
            return False
        if exchange.request.kind == events.WS_OPENED and (conn in self.sockets or conn in self.by_conn):
            return True
        at = bisect_left(self.ids, id)
        if conn in self.conns or (at < len(self.ids) and self.ids[at] == id):
            return True
        several = self.by_conn.get(conn, ())
        at = bisect_left(several, exchange.first)
        return at < len(several) and several[at] <= exchange.last


class Selection:
    """One export: what is read, what the exporter is told, and what is missing.

    Attributes:
        lost: what the part lacks.
    """

    def __init__(self, store: Store, exporter: Exporter, part: Part = WHOLE, look: Look = lambda at: None) -> None:
        """Looks at the capture where it has to. Raises the errors of the store."""
        self._store, self._exporter, self._look = store, exporter, look
        self._range = store.range()
        self.lost: Lost = losses.lost(store, part.where)
        self._chosen = Chosen()
        self._where = part.where
        if exporter.exchanges and part.where != EVERYTHING:
            fitting = self._fitting(part)
            self._chosen = Chosen(wants=fitting)
            self._where = among("conn", sorted(self._conns(fitting)))
        if exporter.one_side:
            self._chosen = Chosen(twins=self._twins(part.where))
        if self._where != EVERYTHING and self.lost:
            told = among("id", self.lost.told)
            self._where = Filter(f"({self._where.sql}) OR {told.sql}", (*self._where.values, *told.values))

    def write(self, out: BinaryIO) -> int:
        """Write it all. Returns how many of the exporter's units there are in the file."""
        return self._exporter.write(self._events(), out, self._chosen)

    def _events(self) -> Iterator[Event]:
        first, last = self._range
        for start in range(first, last + 1, CHUNK):
            end = min(start + CHUNK - 1, last)
            ids, _ = self._store.matches(self._where, start, end)
            for event in self._store.these(ids.tolist()):
                self._look(event.id)
                yield event
            self._look(end)

    # -- whole exchanges

    def _fitting(self, part: Part) -> _Fitting:
        found = _Fitting()
        first, last = self._range
        where = part.where
        if part.exchanges is not None:
            where = Filter(f"({where.sql}) AND kind IN {_SOCKET}", where.values)
            start = first
            while start <= last:
                ids, upto = exchange_rows.matches(self._store, part.exchanges, start, last)
                found.ids.extend(ids)
                start = upto + 1
            found.ids = array("q", sorted(set(found.ids)))
        for start in range(first, last + 1, CHUNK):
            values = (start, min(start + CHUNK - 1, last), *where.values)
            matching = self._store.listed(_MATCHES.format(where.sql), values)
            # A capture may hold anything where a number belongs.
            for id, conn, kind in sorted(row for row in matching if type(row[1]) is int):
                if kind in _SOCKET:
                    found.sockets.add(conn)
                elif kind in _OF_ONE:
                    found.by_conn.setdefault(conn, array("q")).append(id)
                else:
                    found.conns.add(conn)
            self._look(first)
        return found

    def _conns(self, fitting: _Fitting) -> set[int]:
        """The connections that have to be read."""
        found = fitting.conns | fitting.sockets | fitting.by_conn.keys()
        for start in range(0, len(fitting.ids), CHUNK):
            some = json.dumps(fitting.ids[start : start + CHUNK].tolist())
            found.update(conn for conn in self._store.listed(_CONNS, (some,)) if type(conn) is int)
        return found

    # -- connections of which the capture has both ends

    def _twins(self, where: Filter) -> dict[int, int]:
        if not self._store.one(_KNOWS_FIRST)[0]:
            return {}  # a capture of an earlier build
        pairs = self._store.listed(_TWINS)
        ours = {one for one, _, outgoing in pairs if outgoing}
        # The end stays that did not open it; of datagrams, where neither says so, the one that came later.
        twins = {one: other for one, other, _ in pairs if other not in ours and (one in ours or one < other)}
        if where == EVERYTHING or not twins:
            return twins
        both = where & among("conn", set(twins.values()))
        sql = f"SELECT json_group_array(DISTINCT conn) FROM event WHERE {both.sql}"  # noqa: S608
        there = {conn for conn in self._store.listed(sql, both.values) if type(conn) is int}
        return {one: other for one, other in twins.items() if other in there}
