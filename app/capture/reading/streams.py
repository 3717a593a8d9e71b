"""One connection as a conversation, read on as the capture grows: bytes, HTTP exchanges, or messages.

Reading goes through the capture once, in steps, and keeps no more than its end: how long a
connection is makes no difference to the memory that this takes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import events
from app.capture.reading.store import CHUNK, Mark, Store
from app.events import Event

if TYPE_CHECKING:
    from app.http.exchanges import Body, Exchange, Exchanges

BYTES, EXCHANGES, MESSAGES = "bytes", "exchanges", "messages"
"""The forms of a stream."""

LIMIT, MAX_PIECES = 2 << 20, 20_000
"""Bytes and pieces at a stream's end that are kept."""

UNREAD = "(what could not be read)"
"""In the place of a request line."""

STEP_BYTES = 4 << 20
"""Bytes that are parsed for exchanges in one step."""

_RECEIVED = (events.DATA_RECEIVED, events.DATAGRAM_RECEIVED)
_DATAGRAMS = (events.DATAGRAM_RECEIVED, events.DATAGRAM_SENT)
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
        form: in which it is best read; ``forms``: all that make sense.
        tls: whether it was secured.
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
class Piece:
    """One thing that passed.

    Attributes:
        time: ns since 1970.
        received: None for a remark.
        title: what it is, in one line; empty for bytes that continue those before.
        head: lines before the data, of an HTTP message its fields.
        data: codings undone; ``left``: bytes of it that are not here.
    """

    time: int
    received: bool | None
    title: str = ""
    head: str = ""
    data: bytes = b""
    left: int = 0

    @property
    def size(self) -> int:
        return len(self.title) + len(self.head) + len(self.data)


@dataclass(frozen=True, slots=True)
class News:
    """What one step has found.

    Attributes:
        pieces: that follow those found before.
        skipped: bytes before ``pieces`` that were left out, since there were too many; received and sent.
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
    """None where the capture has no such connection. ``live``: by the number that it has in this run."""
    if live:
        conn += store.one("SELECT ifnull((SELECT value FROM meta WHERE key = 'offset'), 0)")[0]
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
    service, protocol, peer, host, opened, secured, has_http = found
    oldest, newest = store.range()
    start = max(oldest, opened or 0)
    kinds = {kind for _, kind, _ in store.marks(conn, start, min(newest, start + CHUNK - 1))}
    forms = [BYTES]
    if has_http:
        forms.insert(0, EXCHANGES)
    if protocol == "websocket" or events.WS_OPENED in kinds:
        forms.insert(0, MESSAGES)
    is_tls = bool(secured) and secured != "failed"
    return About(conn, service or "", peer or "", host or "", start, forms[0], tuple(forms), is_tls)


class Stream:
    """A connection in one of its forms. ``read`` gives what came since, and belongs to one thread."""

    def __init__(self, conn: int, first: int, form: str = BYTES, limit: int = LIMIT) -> None:
        self._conn, self._at, self._form, self._limit = conn, first, form, limit
        self._received = self._sent = 0
        self._ended = False
        self._tail: deque[Mark] = deque()
        self._tail_size = 0
        self._skipped = [0, 0]
        self._parser = _exchanges() if form == EXCHANGES else None

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
        # Only what will be shown is read at all.
        pieces = tuple(map(_piece, store.these([id for id, _, _ in self._tail])))
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
            self._skipped[kind in (events.DATA_SENT, events.DATAGRAM_SENT)] += size or 0

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
        # Read before anything is parsed: what cannot be read now is read again.
        read = list(store.these([id for id, kind, _ in wanted if kind in _OF_EXCHANGES]))
        for mark in wanted:
            self._count(mark)
        self._at = max(self._at, end + 1)
        pieces = deque(piece for event in read for exchange in self._parser.take(event) for piece in of(exchange))
        size, skipped = sum(piece.size for piece in pieces), [0, 0]
        while len(pieces) > 1 and size > self._limit:
            gone = pieces.popleft()
            size -= gone.size
            skipped[gone.received is False] += gone.size
        return self._news(tuple(pieces), (skipped[0], skipped[1]), self._at > newest or self._ended)


# -- pieces


def _piece(event: Event) -> Piece:
    data, kind = event.payload or b"", event.kind
    if kind == events.WS_MESSAGE:
        direction, opcode = event.detail.get("direction"), str(event.detail.get("opcode", "message"))
        return Piece(event.time, direction == "received", opcode, "", data)
    if kind in (events.WS_OPENED, events.WS_CLOSED):
        word = "opened" if kind == events.WS_OPENED else "closed"
        return Piece(event.time, None, f"{word}  {event.summary}")
    title = "datagram" if kind in _DATAGRAMS else ""
    return Piece(event.time, kind in _RECEIVED, title, "", data)


def of(exchange: Exchange) -> Iterator[Piece]:
    """Request and response of an exchange."""
    request, response = exchange.request, exchange.response
    if request.kind != events.HTTP_REQUEST:
        yield Piece(request.time, None, request.summary)
        return
    outgoing, detail = bool(request.detail.get("outgoing")), request.detail
    line = f"{detail.get('method', '')} {detail.get('target', '')} {detail.get('version', '')}".strip()
    yield _message(request, line or UNREAD, exchange.request_body, received=not outgoing)
    if response is None:
        yield Piece(request.time, None, "no answer")
        return
    detail = response.detail
    line = f"{detail.get('status', '')} {detail.get('reason') or detail.get('refused') or ''}".strip()
    yield _message(response, line, exchange.response_body, received=outgoing)


def _message(event: Event, line: str, body: Body | None, *, received: bool) -> Piece:
    from app.http.contents import of_body

    fields = event.detail.get("fields") or []
    head = "\n".join(f"{name}: {value}" for name, value in fields)
    if body is None:
        return Piece(event.time, received, line, head, b"", event.size or 0)
    content = of_body(body, fields)
    return Piece(event.time, received, line, head, content.data, max(0, body.size - len(body.data)))


def _exchanges() -> Exchanges:
    from app.http.exchanges import Exchanges  # it needs h11, which a start does not

    return Exchanges()


# -- all of it


def save(
    capture: Path, about: About, received: bool, out: Any, going_on: Callable[[int], bool] = lambda _: True
) -> int:
    """Write all bytes of one side, as they passed, to a binary file; returns how many.

    Blocks. ``going_on`` is told now and then how many were written; when it returns False, it stops.
    """
    store = Store(capture)
    wanted = _RECEIVED if received else (events.DATA_SENT, events.DATAGRAM_SENT)
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
