"""Takes the events of one run of a program into the capture, and tells what they say of its ports and connections."""

from __future__ import annotations

import json
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from time import time_ns
from typing import Any, Protocol

from app import events
from app.capture.recorder import Recorder
from app.programs import wire
from app.services.protocols import PROTOCOLS

SLICE = 500
"""Events that are taken in one turn of the reactor."""

WAITING = 4
"""Frames that wait to be taken, above which no more are read."""

REMEMBERED = 10_000
"""Connections that are closed whose numbers are known still: a failure may follow."""

TAKEN = frozenset({
    events.SERVICE_STARTED, events.SERVICE_STOPPED, events.SERVICE_FAILED, events.CONNECTION_OPENED,
    events.CONNECTION_CLOSED, events.DATA_RECEIVED, events.DATA_SENT, events.DATAGRAM_RECEIVED, events.DATAGRAM_SENT,
    events.TLS_OPENED, events.TLS_FAILED, events.FAULT_APPLIED, events.LIMIT_REACHED, events.FAILURE,
    events.LOOP_BLOCKED, events.LOG, events.LOST,
})  # fmt: skip
"""Kinds of events that a program can have; others it has made up."""

_OPENED = json.dumps({
    "opened": "", "sequence": 0, "events": 0, "newest": 0, "elsewhere": 0, "first": 1, "last": 0, "bytes": 0
}).encode()  # fmt: skip
"""What a writer says once its file is open."""

_SIZED = frozenset({events.DATA_RECEIVED, events.DATA_SENT, events.DATAGRAM_RECEIVED, events.DATAGRAM_SENT})


class Shown(Protocol):
    """Who is told what the events say of ports. Numbers are the program's own, but for ``number``."""

    def on_port(self, theirs: int, name: str, protocol: str) -> int:
        """Something was recorded of a port: its number in the recorder."""

    def on_status(self, theirs: int, kind: int, detail: dict[str, Any]) -> None: ...

    def on_opened(self, theirs: int, number: int, conn: int, detail: dict[str, Any]) -> None: ...

    def on_closed(self, theirs: int, number: int) -> None: ...

    def on_bytes(self, theirs: int, number: int, kind: int, size: int) -> None: ...

    def on_fault(self, theirs: int, detail: dict[str, Any]) -> None: ...


class Heard(Protocol):
    """Who is told what they say of the program itself."""

    def on_words(self, kind: int, summary: str) -> None:
        """A failure, or a line of the host about the program."""

    def on_note(self, note: dict[str, Any]) -> None: ...

    def on_unseen(self) -> None:
        """It goes on, and nothing more will be told of it."""


class Intake:
    """Takes what comes through the pipe, as fast as the capture takes it.

    Args:
        number: the program's, under which its log and its own failures are recorded.
        answer: sends a line of JSON back.
        hold: stops reading from the pipe, or goes on.
        drained: called whenever nothing waits to be taken.
    """

    def __init__(
        self,
        clock: Any,
        recorder: Recorder,
        number: int,
        shown: Shown,
        heard: Heard,
        answer: Callable[[bytes], object],
        hold: Callable[[bool], object],
        drained: Callable[[], object],
    ) -> None:
        self._clock, self._recorder, self._number = clock, recorder, number
        self._shown, self._heard = shown, heard
        self._answer, self._hold, self._drained = answer, hold, drained
        self._reader = wire.Reader()
        self._frames: deque[tuple[wire.Frame, Iterator[wire.Item]]] = deque()
        self._services: list[tuple[str, str]] = []
        self._connections: OrderedDict[int, int] = OrderedDict()
        self._closed: deque[int] = deque()
        self._turn: Any = None
        self._held = self._ended = False
        self._began = time_ns()
        self._unhook = recorder.pressure.connect(lambda pressed: None if pressed else self._go_on())
        answer(_OPENED)

    @property
    def idle(self) -> bool:
        return not self._frames

    def feed(self, data: bytes) -> None:
        """Take what was read. Raises ``wire.BrokenFrameError``."""
        for frame in self._reader.feed(data):
            if frame.sequence == 0:
                self._heard.on_note(frame.note)
            else:
                self._frames.append((frame, frame.items()))
        self._set_held(len(self._frames) > WAITING)
        self._go_on()

    def close(self) -> None:
        """Take no more."""
        self._ended = True
        self._unhook()
        self._frames.clear()
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None

    def _set_held(self, held: bool) -> None:
        if held != self._held:
            self._held = held
            self._hold(held)

    def _go_on(self) -> None:
        if self._turn is None and self._frames and not self._ended and not self._recorder.pressed:
            self._turn = self._clock.callLater(0, self._take)

    def _take(self) -> None:
        self._turn = None
        left = SLICE
        while self._frames and left and not self._recorder.pressed:
            frame, items = self._frames[0]
            if frame.services is not None:
                self._services, frame.services = frame.services, None
            try:
                while left:
                    self._record(next(items))
                    left -= 1
            except (StopIteration, wire.BrokenFrameError):
                self._frames.popleft()
                self._answer(b'{"stored": %d, "first": 1, "last": 0, "bytes": 0}' % frame.sequence)
        self._set_held(len(self._frames) > WAITING)
        if self._frames:
            self._go_on()
        elif not self._ended:
            self._drained()

    # -- one event

    def _record(self, item: wire.Item) -> None:
        time, kind, service, conn, payload, summary, text, size = item
        if kind not in TAKEN:
            return
        time = min(max(time, self._began), time_ns())
        detail = _object(text)
        known = 0 < service <= len(self._services) and self._services[service - 1][1] in PROTOCOLS
        number = self._shown.on_port(service, *self._services[service - 1]) if known else self._number
        ours = self._connection(conn) if conn else 0
        if kind in _SIZED:
            if known:
                self._shown.on_bytes(service, ours, kind, len(payload or b"") if size is None else size)
        elif detail is None and events.KINDS[kind].always:
            return
        elif known:
            self._tell(kind, service, ours, conn, detail or {})
        recorder = self._recorder
        if kind in events.FAILURES:
            recorder.failures += 1
            recorder.counters(number).failures += 1
        if kind in events.FAILURES or kind == events.SERVICE_FAILED or (kind == events.LOG and detail is None):
            self._heard.on_words(kind, summary or "")
        recorder.record(kind, number, ours, payload, summary, None if detail is None else text, size, time)

    def _connection(self, theirs: int) -> int:
        number = self._connections.get(theirs)
        if number is None:
            number = self._connections[theirs] = self._recorder.add_connection()
        return number

    def _tell(self, kind: int, service: int, ours: int, conn: int, detail: dict[str, Any]) -> None:
        shown = self._shown
        if kind in (events.SERVICE_STARTED, events.SERVICE_STOPPED, events.SERVICE_FAILED):
            shown.on_status(service, kind, detail)
        elif kind == events.CONNECTION_OPENED:
            shown.on_opened(service, ours, conn, detail)
        elif kind == events.CONNECTION_CLOSED:
            shown.on_closed(service, ours)
            self._closed.append(conn)
            if len(self._closed) > REMEMBERED:
                self._connections.pop(self._closed.popleft(), None)
        elif kind == events.FAULT_APPLIED:
            shown.on_fault(service, detail)


def _object(text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
