"""The exchange that an ``http.request`` or ``http.response`` event is part of, with both bodies.

The bodies are only in the raw data events of the connection, which can be any number. They are
read from the nearest place before the HTTP event at which a message certainly begins, and within
a bound.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from app import events
from app.capture.reading.store import CHUNK, Mark, Store
from app.capture.reading.values import words
from app.events import Event
from app.http.body import Body
from app.http.contents import Content, of_body
from app.http.exchange import Exchange
from app.http.frames import FramedBodies
from app.http.pairing import Exchanges

KEPT = 4 << 20
"""Bytes of a body that are kept."""

WHOLE = 256 << 20
"""Bytes of a body that are kept to be saved; they are all in memory."""

MAX_EVENTS, MAX_BYTES = 5_000, 32 << 20
"""Events of the connection, and raw bytes in them, that are read before the HTTP event and after it."""

MAX_CHUNKS = 8
"""Chunks of the capture (about a million events) that are searched for these events in each direction."""

MAX_STARTS = 4
"""Places from which parsing is tried, besides the beginning of the connection."""

_KINDS = (events.HTTP_REQUEST, events.HTTP_RESPONSE)
_RAW = (events.DATA_RECEIVED, events.DATA_SENT)
_SWAPPED: dict[int, int] = {events.DATA_RECEIVED: events.DATA_SENT, events.DATA_SENT: events.DATA_RECEIVED}


@dataclass(frozen=True, slots=True)
class Exchanged:
    """An exchange, as much of it as could be read.

    Attributes:
        request, response: their events; None where there is none, or none within the bound.
        asked, answered: the contents of request and response; None where they are not known.
        first_byte: when the first byte of the response passed, in ns since 1970; None if none did.
        raw_asked, raw_answered: the first and the last event of the bytes of request and response; None
            where they are not known.
        ended: why the connection ended, if it did before there was a response.
    """

    request: Event | None = None
    response: Event | None = None
    asked: Content | None = None
    answered: Content | None = None
    first_byte: int | None = None
    raw_asked: tuple[int, int] | None = None
    raw_answered: tuple[int, int] | None = None
    ended: str = ""


def exchange_at(store: Store, id: int, kept: int = KEPT) -> Exchanged | None:
    """The exchange of an event ``http.request`` or ``http.response``; None for every other."""
    event = store.event(id)
    if event is None or event.conn is None or event.kind not in _KINDS:
        return None
    marks = _around(store, event.conn, event.id)
    if "stream" in event.detail:
        return _ended(store, _of_stream(store, marks, event, kept))
    found = None if "refused" in event.detail else _found(store, marks, event, kept)
    if found is None:
        request, response = _both(store, event)
        return _ended(store, _with_bytes(Exchanged(request, response), marks))
    request, response = found.request, found.response
    if response is None:
        _, response = _both(store, request)  # it may be too far away for its body
    exchanged = Exchanged(
        request,
        response,
        _content(found.request_body, request),
        _content(found.response_body, response),
        _first_byte(store, marks, request),
    )
    return _ended(store, _with_bytes(exchanged, marks))


def raw_request(store: Store, id: int, kept: int = KEPT) -> tuple[Event | None, Body | None]:
    """The event of the request of an exchange, and its body as it was sent: with its content codings.

    None for each that is not known.
    """
    event = store.event(id)
    if event is None or event.conn is None or event.kind not in _KINDS:
        return None, None
    marks = _around(store, event.conn, event.id)
    if "stream" in event.detail:
        request, _ = _pair(store, marks, event)
        return request, _bodies(store, marks, event, kept)[0]
    found = None if "refused" in event.detail else _found(store, marks, event, kept)
    if found is None:
        return (event if event.kind == events.HTTP_REQUEST else None), None
    return found.request, found.request_body


def whole_content(path: Path, id: int) -> Content | None:
    """The content of a request or response in the capture at ``path``, of up to ``WHOLE`` bytes."""
    store = Store(path)
    try:
        found = exchange_at(store, id, WHOLE)
    finally:
        store.close()
    if found is None:
        return None
    return found.asked if found.request is not None and found.request.id == id else found.answered


def _found(store: Store, marks: list[Mark], event: Event, kept: int) -> Exchange | None:
    several = (_read(store, marks[start:], event, kept) for start in _starts(store, marks, event))
    return next(filter(None, several), None)


def _content(body: Body | None, event: Event | None) -> Content | None:
    if body is None:
        return None
    return of_body(body, event.detail.get("fields", []) if event is not None else [])


def _around(store: Store, conn: int, id: int) -> list[Mark]:
    """The events near event ``id`` on its connection, with it, oldest first."""
    oldest, newest = store.range()
    before = _bounded(_chunks_back(store, conn, id, oldest), events.CONNECTION_OPENED)
    after = _bounded(_chunks_on(store, conn, id + 1, newest), events.CONNECTION_CLOSED)
    return [*reversed(before), *after]


def _chunks_back(store: Store, conn: int, last: int, oldest: int) -> Iterator[Mark]:
    for end in islice(range(last, oldest - 1, -CHUNK), MAX_CHUNKS):
        yield from reversed(store.marks(conn, max(end - CHUNK + 1, oldest), end))


def _chunks_on(store: Store, conn: int, first: int, newest: int) -> Iterator[Mark]:
    for start in islice(range(first, newest + 1, CHUNK), MAX_CHUNKS):
        yield from store.marks(conn, start, min(start + CHUNK - 1, newest))


def _bounded(marks: Iterator[Mark], end: int) -> list[Mark]:
    """Marks up to that of kind ``end``, or to the bound."""
    found: list[Mark] = []
    size = 0
    for mark in islice(marks, MAX_EVENTS):
        size += mark[2] or 0 if mark[1] in _RAW else 0
        if size > MAX_BYTES:
            break
        found.append(mark)
        if mark[1] == end:
            break
    return found


def _starts(store: Store, marks: list[Mark], event: Event) -> Iterator[int]:
    """Indexes from which a request can be read, the nearest before ``event`` first.

    After a response the next bytes are those of a new request, unless the client pipelines
    requests: then the next bytes are not the head of the next ``http.request`` event.
    """
    at = next(index for index, mark in enumerate(marks) if mark[0] == event.id)
    if event.kind == events.HTTP_RESPONSE:
        at = next((i for i in range(at - 1, -1, -1) if marks[i][1] == events.HTTP_REQUEST), at)
    after = (i for i in range(at, 0, -1) if marks[i - 1][1] == events.HTTP_RESPONSE)
    yield from islice((i for i in after if _begins(store, marks, i)), MAX_STARTS)
    if marks[0][1] == events.CONNECTION_OPENED or _begins(store, marks, 0):
        yield 0


def _begins(store: Store, marks: list[Mark], index: int) -> bool:
    """Whether the first bytes that follow are the head of the first request that follows."""
    raw = next((id for id, kind, _ in marks[index:] if kind in _RAW), 0)
    asked = next((id for id, kind, _ in marks[index:] if kind == events.HTTP_REQUEST), 0)
    data, request = store.event(raw), store.event(asked)
    if data is None or request is None or not data.payload:
        return False
    line = f"{request.detail.get('method')} {request.detail.get('target')} "
    return data.payload.startswith(line.encode("utf-8", "replace"))


def _read(store: Store, marks: list[Mark], wanted: Event, kept: int) -> Exchange | None:
    exchanges = Exchanges(kept)
    last = max(wanted.id, _end(marks, wanted))
    for event in _as_server(store.these([id for id, _, _ in marks if id <= last])):
        for exchange in exchanges.take(event):
            if _is_of(exchange, wanted):
                return exchange
    return next((exchange for exchange in exchanges.rest() if _is_of(exchange, wanted)), None)


def _end(marks: list[Mark], wanted: Event) -> int:
    """The id of the exchange's last event: the ``http.response``, which follows the response's last byte."""
    if wanted.kind == events.HTTP_RESPONSE:
        return wanted.id
    return next((id for id, kind, _ in marks if id > wanted.id and kind == events.HTTP_RESPONSE), marks[-1][0])


def _as_server(several: Iterator[Event]) -> Iterator[Event]:
    """Events as the other side would record them, where we opened the connection.

    On such a connection a request is recorded before its bytes, not after them.
    """
    outgoing, held = False, None
    for event in several:
        if event.kind == events.CONNECTION_OPENED:
            continue  # its ``outgoing`` would have the parser swap the sides once more
        if event.kind == events.HTTP_REQUEST and event.detail.get("outgoing"):
            outgoing, held = True, event
            continue
        if outgoing and event.kind in _SWAPPED:
            event = replace(event, kind=_SWAPPED[event.kind])
            if held is not None and event.kind == events.DATA_SENT:
                yield held
                held = None
        yield event
    if held is not None:
        yield held


def _is_of(exchange: Exchange, wanted: Event) -> bool:
    return wanted.id in (exchange.request.id, exchange.response.id if exchange.response else None)


def _of_stream(store: Store, marks: list[Mark], event: Event, kept: int) -> Exchanged:
    """The exchange of HTTP/2."""
    request, response = _pair(store, marks, event)
    asked, answered = _bodies(store, marks, event, kept)
    return Exchanged(request, response, _content(asked, request), _content(answered, response))


def _pair(store: Store, marks: list[Mark], event: Event) -> tuple[Event | None, Event | None]:
    """Request and response of the stream of HTTP/2 that ``event`` is of."""
    stream, other = event.detail["stream"], None
    for id, kind, _ in marks:
        if kind in _KINDS and kind != event.kind:
            candidate = store.event(id)
            if candidate is not None and candidate.detail.get("stream") == stream:
                other = candidate
                break
    return (event, other) if event.kind == events.HTTP_REQUEST else (other, event)


def _bodies(store: Store, marks: list[Mark], event: Event, kept: int) -> tuple[Body | None, Body | None]:
    """Both bodies of a stream of HTTP/2; None for what is not known, as where its connection began too far away.

    Frames follow each other without a mark: where one begins is only known from all before it.
    """
    stream = event.detail["stream"]
    if not isinstance(stream, int) or marks[0][1] != events.CONNECTION_OPENED:
        return None, None
    received, sent = FramedBodies(kept, only=stream), FramedBodies(kept, only=stream)
    for one in store.these([id for id, kind, _ in marks if kind in _RAW]):
        (received if one.kind == events.DATA_RECEIVED else sent).feed(one.payload or b"")
        if received.is_over(stream) and sent.is_over(stream):
            break
    return received.known(stream), sent.known(stream)


def _both(store: Store, event: Event) -> tuple[Event | None, Event | None]:
    """Request and response of HTTP/1, of which ``event`` is one: on its connection they come in turns."""
    asks = event.kind == events.HTTP_REQUEST
    if "refused" in event.detail:
        return None, event
    later = "id > ? ORDER BY id" if asks else "id < ? ORDER BY id DESC"
    near = store.one(
        f"SELECT id FROM stored WHERE conn = ? AND kind IN {_KINDS} AND {later} LIMIT 1",  # noqa: S608 - all ours
        (event.conn, event.id),
    )
    other = store.event(near[0]) if near is not None else None
    if other is not None and (other.kind == event.kind or "refused" in other.detail):
        other = None
    return (event, other) if asks else (other, event)


def _ended(store: Store, found: Exchanged) -> Exchanged:
    """``found`` with why its connection ended, if nothing was answered."""
    if found.response is not None or found.request is None:
        return found
    end = store.one("SELECT reason FROM connection WHERE id = ? AND closed IS NOT NULL", (found.request.conn,))
    return found if end is None else replace(found, ended=words(end[0]) or "closed")


def _with_bytes(found: Exchanged, marks: list[Mark]) -> Exchanged:
    """``found`` with the events of its bytes, as far as they are among ``marks``."""
    request, response = found.request, found.response
    if request is None or not marks:
        return found
    last = response.id if response is not None else marks[-1][0]
    of_answer = events.DATA_RECEIVED if request.detail.get("outgoing") else events.DATA_SENT
    of_request = _SWAPPED[of_answer]
    answers = [id for id, kind, _ in marks if kind == of_answer and request.id < id <= last]
    if request.detail.get("outgoing"):  # noted before its bytes
        end = answers[0] if answers else last
        asks = [id for id, kind, _ in marks if kind == of_request and request.id < id <= end]
    else:
        before = max((id for id, kind, _ in marks if kind in _KINDS and id < request.id), default=0)
        ids = [id for id, kind, _ in marks if kind == of_request and id < request.id]
        asks = [id for id in ids if id > before] or ids[
            -1:
        ]  # of requests sent at once, all came before the first answer
    return replace(found, raw_asked=_ends(asks), raw_answered=_ends(answers))


def _ends(ids: list[int]) -> tuple[int, int] | None:
    return (ids[0], ids[-1]) if ids else None


def _first_byte(store: Store, marks: list[Mark], request: Event) -> int | None:
    kind = events.DATA_RECEIVED if request.detail.get("outgoing") else events.DATA_SENT
    id = next((id for id, found, _ in marks if found == kind and id > request.id), 0)
    event = store.event(id) if id else None
    return event.time if event is not None else None
