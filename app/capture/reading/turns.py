"""What came on a connection and what was sent in answer, as far as the order of both can tell.

A turn is what one side sends until the other one does, and what that one sends until the first goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from app import events
from app.capture.reading.store import CHUNK, Store
from app.capture.reading.values import words
from app.events import Event

MAX_EVENTS, MAX_BYTES = 100, 1 << 20
"""Events of each half, and bytes in them."""

MAX_LOOK = 1_000
"""Events of the connection that are looked at in each direction."""

_FIRST_WINDOW, _LARGEST = 2_048, 4 * CHUNK
"""Events of the capture among which those of the connection are looked for: at first, and at the most."""

_STREAM = (events.DATA_RECEIVED, events.DATA_SENT)
_DATAGRAMS = (events.DATAGRAM_RECEIVED, events.DATAGRAM_SENT)
_MESSAGES = (events.WS_MESSAGE,)
KINDS = frozenset({*_STREAM, *_DATAGRAMS, *_MESSAGES})
"""Kinds of events that are part of a turn."""

_CONTROL = ("ping", "pong")


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn.

    Attributes:
        asked: what the side that made the connection sent, oldest first; empty where the other began.
        answered: what came back.
        outgoing: whether we made the connection, so that ``asked`` was sent by us.
        cut: whether there is more of it than was read.
        ended: why the connection ended, if it did.
    """

    asked: tuple[Event, ...] = ()
    answered: tuple[Event, ...] = ()
    outgoing: bool = False
    cut: bool = False
    ended: str = ""


def turn_at(store: Store, id: int) -> Turn | None:
    """The turn of an event of raw data or of a WebSocket's message; None for any other."""
    event = store.event(id)
    if event is None or event.conn is None or event.kind not in KINDS or _is_control(event):
        return None
    outgoing, ended = _about(store, event.conn)
    oldest, newest = store.range()
    kinds = next(kinds for kinds in (_STREAM, _DATAGRAMS, _MESSAGES) if event.kind in kinds)
    halves = _Halves(outgoing)
    asks = halves.asks(event)
    halves.add(event)
    before, after = _before(store, event, kinds, oldest), _after(store, event, kinds, newest)
    if asks:
        halves.take(before, asks=True)
        halves.take(after, asks=True, then=False)
    else:
        halves.take(before, asks=False, then=True)
        halves.take(after, asks=False)
    return Turn(*halves.found(), outgoing=outgoing, cut=halves.cut, ended=ended)


def is_received(event: Event) -> bool:
    """Whether the event is of bytes or of a message that came."""
    if event.kind == events.WS_MESSAGE:
        return event.detail.get("direction") == "received"
    return event.kind in events.INBOUND


class _Halves:
    """Gathers both halves, each within the bounds."""

    def __init__(self, outgoing: bool) -> None:
        self._outgoing, self.cut = outgoing, False
        self._of: dict[bool, list[Event]] = {True: [], False: []}
        self._sizes = {True: 0, False: 0}

    def asks(self, event: Event) -> bool:
        return is_received(event) is not self._outgoing

    def add(self, event: Event) -> bool:
        """Add an event; False if there is no room for it."""
        half, size = self.asks(event), len(event.payload or b"")
        if self._of[half] and (len(self._of[half]) >= MAX_EVENTS or self._sizes[half] + size > MAX_BYTES):
            self.cut = True
            return False
        self._of[half].append(event)
        self._sizes[half] += size
        return True

    def take(self, several: Iterable[Event], *, asks: bool, then: bool | None = None) -> None:
        """Add events of the half ``asks``, and after them those of ``then``, up to the first of another."""
        now = asks
        for event in several:
            half = self.asks(event)
            if half is not now:
                if half is not then or now is then:
                    return
                now = half
            if not self.add(event):
                return

    def found(self) -> tuple[tuple[Event, ...], tuple[Event, ...]]:
        asked, answered = (tuple(sorted(self._of[half], key=lambda event: event.id)) for half in (True, False))
        return asked, answered


def _about(store: Store, conn: int) -> tuple[bool, str]:
    """Whether we made the connection, and why it ended."""
    columns = store.one("SELECT group_concat(name) FROM pragma_table_info('connection')")[0].split(",")
    first = "first" if "first" in columns else "NULL"
    sql = f"SELECT {first}, closed, reason FROM connection WHERE id = ?"  # noqa: S608 - it is ours
    opened, closed, reason = store.one(sql, (conn,)) or (None, None, None)
    event = store.event(opened) if isinstance(opened, int) else None
    outgoing = event is not None and event.conn == conn and event.detail.get("outgoing") is True
    return outgoing, (words(reason) or "closed") if closed is not None else ""


def _windows() -> Iterator[int]:
    """Sizes of windows, each larger than the one before; their sum is bounded."""
    size, sum = _FIRST_WINDOW, 0
    while sum < _LARGEST:
        yield size
        sum, size = sum + size, min(size * 8, CHUNK)


def _before(store: Store, event: Event, kinds: tuple[int, ...], oldest: int) -> Iterator[Event]:
    """Events of the connection before ``event``, the newest first."""
    assert event.conn is not None
    looked, last = 0, event.id - 1
    for size in _windows():
        if last < oldest or looked >= MAX_LOOK:
            return
        first = max(oldest, last - size + 1)
        marks = [mark for mark in store.marks(event.conn, first, last) if mark[1] in kinds]
        looked += len(marks)
        yield from _read(store, [mark[0] for mark in reversed(marks)][:MAX_LOOK])
        last = first - 1


def _after(store: Store, event: Event, kinds: tuple[int, ...], newest: int) -> Iterator[Event]:
    """Events of the connection after ``event``, oldest first."""
    assert event.conn is not None
    looked, first = 0, event.id + 1
    for size in _windows():
        if first > newest or looked >= MAX_LOOK:
            return
        last = min(newest, first + size - 1)
        marks = [mark for mark in store.marks(event.conn, first, last) if mark[1] in kinds]
        looked += len(marks)
        yield from _read(store, [mark[0] for mark in marks][:MAX_LOOK])
        first = last + 1


def _read(store: Store, ids: list[int]) -> Iterator[Event]:
    """These events in this order, read a few at a time."""
    left = iter(ids)
    while some := list(islice(left, 16)):
        found = {event.id: event for event in store.these(some)}
        yield from (found[id] for id in some if id in found and not _is_control(found[id]))


def _is_control(event: Event) -> bool:
    """Whether it is a ping or a pong, which are in no turn."""
    return event.kind == events.WS_MESSAGE and event.detail.get("opcode") in _CONTROL
