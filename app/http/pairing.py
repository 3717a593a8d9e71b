"""HTTP exchanges: each request with its response and both bodies, put together from events.

The events ``http.request`` and ``http.response`` hold request line, status and headers. The bodies are parsed out of
the connection's raw bytes: by h11, and where TLS agreed on HTTP/2, out of its frames.

A request that was refused before it was read has no event of its own. Its exchange has one made
of the bytes that came, as far as they can be read.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from app import events
from app.events import Event
from app.http.body import MAX_BODY
from app.http.connection import Connection
from app.http.exchange import Exchange

MAX_OPEN = 2_000
"""Connections followed at once; the one silent for the longest is given up."""

MAX_KEPT = 128 << 20
"""Bytes of bodies and messages that all connections keep together; above that, the one silent for the longest lets go
of its own."""


class Exchanges:
    """Takes events, oldest first, and gives exchanges when they are complete.

    ``max_body``: bytes of a body that are kept.
    """

    def __init__(self, max_body: int = MAX_BODY) -> None:
        self._max_body = max_body
        self._open: OrderedDict[int, Connection] = OrderedDict()
        self._latest = (0, 0)
        self._kept = 0

    def take(self, event: Event) -> Iterator[Exchange]:
        self._latest = (event.id, event.time)
        if event.conn is None:
            return
        connection = self._open.get(event.conn)
        if connection is None:
            if event.kind not in (events.CONNECTION_OPENED, *_KINDS):
                return
            connection = self._open[event.conn] = Connection(self._max_body)
        self._open.move_to_end(event.conn)
        if event.kind == events.CONNECTION_CLOSED:
            del self._open[event.conn]
            self._kept -= connection.kept
            connection.close()
            yield from connection.rest(event.id, event.time, str(event.detail.get("reason", "")))
            return
        yield from connection.take(event)
        self._kept += connection.count()
        if self._kept > MAX_KEPT:
            self._let_go()
        if len(self._open) > MAX_OPEN:
            _, oldest = self._open.popitem(last=False)
            self._kept -= oldest.kept
            yield from oldest.rest(*self._latest)

    def _let_go(self) -> None:
        for connection in self._open.values():
            if connection.kept:
                connection.let_go()
                self._kept += connection.count()
                if self._kept <= MAX_KEPT // 2:
                    return

    def rest(self) -> Iterator[Exchange]:
        """The exchanges that are not complete when the events end."""
        for connection in self._open.values():
            yield from connection.rest(*self._latest)
        self._open.clear()
        self._kept = 0


_KINDS = frozenset(
    {
        events.DATA_RECEIVED, events.DATA_SENT, events.HTTP_REQUEST, events.HTTP_RESPONSE, events.WS_OPENED,
        events.WS_MESSAGE, events.TLS_OPENED, events.FAULT_APPLIED,
    }
)  # fmt: skip
