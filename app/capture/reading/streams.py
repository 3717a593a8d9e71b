"""Follows one connection as the capture grows: as bytes, HTTP exchanges, or WebSocket messages.

A stream is read once, in steps, and only its end is kept: the memory that it takes does not depend
on how long the connection is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app import events
from app.capture.reading import values as read
from app.capture.reading.pieces import Parser, Piece, of_event
from app.capture.reading.store import CHUNK, Mark, Store

BYTES, EXCHANGES, MESSAGES = "bytes", "exchanges", "messages"
"""The forms of a stream."""

LIMIT, MAX_PIECES = 2 << 20, 20_000
"""Bytes and pieces at a stream's end that are kept."""

STEP_BYTES = 4 << 20
"""Bytes that are parsed for exchanges in one step."""

_RECEIVED = events.RAW & events.INBOUND
_SENT = events.RAW & events.OUTBOUND
_OF_EXCHANGES = frozenset(
    {
        events.CONNECTION_OPENED, events.CONNECTION_CLOSED, events.DATA_RECEIVED, events.DATA_SENT,
        events.HTTP_REQUEST, events.HTTP_RESPONSE, events.TLS_OPENED, events.WS_OPENED,
    }
)  # fmt: skip
_KINDS = {
    BYTES: events.RAW,
    EXCHANGES: _OF_EXCHANGES,
    MESSAGES: frozenset({events.WS_OPENED, events.WS_MESSAGE, events.WS_CLOSED}),
}


@dataclass(frozen=True, slots=True)
class About:
    """What a connection is.

    Attributes:
        first: where reading begins: the event in which it was opened, or the oldest that there is.
        form: the form in which it is best read; ``forms``: all that make sense.
        tls: whether it used TLS.
    """

    conn: int
    service: str
    peer: str
    host: str
    first: int
    form: str
    forms: tuple[str, ...]
    tls: bool


@dataclass(frozen=True, slots=True)
class News:
    """What one step of reading has found.

    Attributes:
        pieces: those that follow the pieces of the step before.
        skipped: bytes before ``pieces`` that were left out because of the limit: received, sent.
        complete: whether the end of the capture, or of the connection, is reached.
        ended: whether the connection was closed.
        received, sent: bytes so far.
    """

    pieces: tuple[Piece, ...] = ()
    skipped: tuple[int, int] = (0, 0)
    complete: bool = False
    ended: bool = False
    received: int = 0
    sent: int = 0


def about(store: Store, conn: int, *, live: bool = False) -> About | None:
    """What a connection is, or None where the capture has no such connection.

    ``live``: ``conn`` is its number in the program that runs, not that in the capture.
    """
    if live:
        conn += store.one("SELECT CAST(ifnull((SELECT value FROM meta WHERE key = 'offset'), 0) AS INTEGER)")[0]
    columns = store.one("SELECT group_concat(name) FROM pragma_table_info('connection')")[0].split(",")
    first, tls = ("c.first" if "first" in columns else "NULL"), ("c.tls" if "tls" in columns else "NULL")
    found = store.one(
        f"SELECT s.name, s.protocol, c.peer, c.host, {first}, {tls},"  # noqa: S608 - both are ours
        " EXISTS (SELECT 1 FROM stored WHERE conn = c.id AND kind IN (10, 11))"
        " FROM connection c LEFT JOIN service s ON s.id = c.service WHERE c.id = ?",
        (conn,),
    )
    if found is None:
        return None
    *names, opened, secured, has_http = found
    service, protocol, peer, host = (read.words(name) or "" for name in names)
    oldest, newest = store.range()
    start = max(oldest, read.number(opened) or 0)
    kinds = {kind for _, kind, _ in store.marks(conn, start, min(newest, start + CHUNK - 1))}
    forms = [BYTES]
    if has_http:
        forms.insert(0, EXCHANGES)
    if protocol == "websocket" or events.WS_OPENED in kinds:
        forms.insert(0, MESSAGES)
    is_tls = bool(secured) and secured != "failed"
    return About(conn, service, peer, host, start, forms[0], tuple(forms), is_tls)


class Stream:
    """A connection in one of its forms.

    ``read`` gives what the capture has of it since the last call; call it from one thread only.
    """

    def __init__(self, conn: int, first: int, form: str = BYTES, limit: int = LIMIT) -> None:
        self._conn, self._at, self._form, self._limit = conn, first, form, limit
        self._received = self._sent = 0
        self._ended = False
        self._tail: deque[Mark] = deque()
        self._tail_size = 0
        self._skipped = [0, 0]
        self._parser = Parser() if form == EXCHANGES else None

    def read(self, store: Store) -> News:
        """Read one step on. Raises the errors of the store, and can be called again afterwards."""
        newest = store.range()[1]
        end = min(newest, self._at + CHUNK - 1)
        marks = store.marks(self._conn, self._at, end) if self._at <= end and not self._ended else []
        if self._parser is not None:
            return self._parse(store, marks, end, newest)
        self._keep(marks)
        self._at = max(self._at, end + 1)
        if not (complete := self._at > newest or self._ended):
            return self._news((), (0, 0), complete)
        # Only the payloads that will be shown are read.
        pieces = tuple(map(of_event, store.these([id for id, _, _ in self._tail])))
        skipped = self._skipped[0], self._skipped[1]
        self._skipped, self._tail_size = [0, 0], 0
        self._tail.clear()
        return self._news(pieces, skipped, complete)

    def _news(self, pieces: tuple[Piece, ...], skipped: tuple[int, int], complete: bool) -> News:
        return News(pieces, skipped, complete, self._ended, self._received, self._sent)

    def _count(self, mark: Mark) -> None:
        _, kind, size = mark
        if kind in events.RAW:
            if kind in _RECEIVED:
                self._received += size or 0
            else:
                self._sent += size or 0
        elif kind == events.CONNECTION_CLOSED:
            self._ended = True

    def _keep(self, marks: list[Mark]) -> None:
        for mark in marks:
            self._count(mark)
            if mark[1] in _KINDS[self._form]:
                self._tail.append(mark)
                self._tail_size += mark[2] or 0
        while len(self._tail) > 1 and (self._tail_size > self._limit or len(self._tail) > MAX_PIECES):
            _, kind, size = self._tail.popleft()
            self._tail_size -= size or 0
            self._skipped[kind in _SENT] += size or 0

    def _parse(self, store: Store, marks: list[Mark], end: int, newest: int) -> News:
        assert self._parser is not None
        wanted: list[Mark] = []
        size = 0
        for mark in marks:
            size += mark[2] or 0 if mark[1] in events.RAW else 0
            if size > STEP_BYTES and wanted:
                end = wanted[-1][0]
                break
            wanted.append(mark)
        # All is read before anything is parsed, so that a failed read can be tried again.
        read = list(store.these([id for id, kind, _ in wanted if kind in _OF_EXCHANGES]))
        for mark in wanted:
            self._count(mark)
        self._at = max(self._at, end + 1)
        pieces = deque(piece for event in read for piece in self._parser.take(event))
        size, skipped = sum(piece.size for piece in pieces), [0, 0]
        while len(pieces) > 1 and size > self._limit:
            gone = pieces.popleft()
            size -= gone.size
            skipped[gone.received is False] += gone.size
        return self._news(tuple(pieces), (skipped[0], skipped[1]), self._at > newest or self._ended)


def save(
    capture: Path, about: About, received: bool, out: Any, going_on: Callable[[int], bool] = lambda _: True
) -> int:
    """Write all bytes of one direction to the binary file ``out``; returns how many.

    Blocks. ``going_on`` is called from time to time with the number of bytes written so far;
    when it returns False, saving stops.
    """
    store = Store(capture)
    wanted = _RECEIVED if received else _SENT
    written = 0
    try:
        newest = store.range()[1]
        for start in range(about.first, newest + 1, CHUNK):
            marks = store.marks(about.conn, start, min(newest, start + CHUNK - 1))
            for event in store.these([id for id, kind, _ in marks if kind in wanted]):
                data = event.payload or b""
                out.write(data)
                written += len(data)
                if not going_on(written):
                    return written
            if any(kind == events.CONNECTION_CLOSED for _, kind, _ in marks) or not going_on(written):
                break
    finally:
        store.close()
    return written
