"""The recorder: numbers connections, gathers all events, and sends them in batches to the writer process."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from time import time_ns
from typing import Any, Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from app import events
from app.capture import lost_events
from app.capture.counters import Counters
from app.capture.lost_events import Loss, Losses
from app.capture.on_way import OnWay, Sent
from app.capture.pause import KEPT, Pause
from app.capture.sampling import Sampler
from app.capture.writing.arena import Arena
from app.capture.writing.batch import FIELDS, SAME, SAME_BUT_ONE, Batch, Frame, Services
from app.capture.writing.mending import mended
from app.failures import record as failures
from app.failures.fingerprint import fingerprint
from app.limits import Reached
from app.signal import Signal
from app.text import escapes as text

INTERVAL = 0.05
"""Seconds from the first event of a batch until the batch leaves for the writer, unless ``gather`` says otherwise."""

GATHERED = 0.02
"""Likewise, of events of an outpost: that has gathered them already."""

BATCH_BYTES = 1 << 20
"""Bytes of payload and detail with which a batch leaves before ``INTERVAL`` has passed."""

LARGE = 4096
"""Bytes from which a payload is sent to the writer without copying it into the batch. If the next payload is the
same object, as when data is passed on, it is sent and stored once. Smaller ones are cheaper to copy."""

PAUSE_ABOVE, RESUME_BELOW, LOSE_ABOVE = 32 << 20, 8 << 20, 64 << 20
"""Bytes sent to the writer and not yet stored. Above the first, peers are paused; below the second, resumed.
Above the third, what cannot be held back is lost, and counted: datagrams, and everything while the file cannot be
written, because then nobody is paused."""

CEILING = 1 << 30
"""Bytes sent to the writer and not yet stored above which anything is lost. Peers that are paused cannot
reach it: only code of a responder that goes on writing by itself."""


Fields = tuple[int, int, int, int, int | None, bytes | None, str | None, str | None]
"""Of one event: time, kind, service, conn, size, payload, summary, detail."""


class Sink(Protocol):
    """Where batches go: the link to the writer process."""

    def send(self, parts: Sequence[bytes]) -> None:
        """Send one frame, given as parts in order."""


@dataclass(frozen=True, slots=True)
class Stored:
    """The content of the capture: ids of its oldest and newest event, and its size in bytes."""

    first: int = 1
    last: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why nothing can be stored, and since when (ns since 1970).

    ``passing``: whether it is likely to be over in seconds; peers are held back so long.
    """

    text: str
    since: int
    passing: bool = False


class Recorder:
    """Numbers connections, gathers events into batches, and keeps each batch until it is stored.

    At all times, events seen = stored + lost + not taken during pauses + pending or on the way to the writer.

    Attributes:
        pause_now: the pause that is under way; None while events are stored.
        not_taken: events that were not stored because the capture was paused.
        failures: the number of failures recorded.
        losses: what is not in the capture, and why. Events ``events.lost`` count as seen, too.
        run: token of this run of the program; with it and a batch's number, a restarted writer knows
            what is already in the file.
        stored_changed: emits ``Stored`` after each batch that reached the file.
        trouble_changed: emits ``Trouble``, or None when events are stored again.
        pause_changed: emits when the capture is paused or goes on.
        pressure: emits True when peers are to be paused, False when they may go on.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self.run = secrets.token_hex(8)
        self.range = Stored()
        self.stored = 0
        self.losses = Losses()
        self.failures = 0
        self.not_taken = 0
        self.pause_now: Pause | None = None
        self.trouble: Trouble | None = None
        self.pressed = False
        self.stored_changed: Signal[Stored] = Signal()
        self.trouble_changed: Signal[Trouble | None] = Signal()
        self.pause_changed: Signal[None] = Signal()
        self.pressure: Signal[bool] = Signal()
        self._pending: list[Any] = []
        self._extend = self._pending.extend
        self._pending_bytes = 0
        self._large: list[bytes] = []
        self._shared = 0
        self._arena: Arena | None = None
        self._last: bytes | None = None
        self._last_but_one: bytes | None = None
        self._timer: IDelayedCall | None = None
        self._interval = INTERVAL
        self._sequence = 0
        self._flushed = 0
        self._on_way = OnWay()
        self._services: Services = []
        self._services_sent = 0
        self._counters: dict[int, Counters] = {0: Counters()}
        self._connections = 0
        self._sink: Sink | None = None
        self._elsewhere = 0
        self._progress: dict[tuple[str, str], tuple[int, int]] = {}
        self._foreign: list[Any] = []
        self._sampler = Sampler()
        self._began = time_ns()

    @property
    def seen(self) -> int:
        """Events recorded since the start."""
        return self._flushed + self.not_taken + len(self._pending) // FIELDS

    @property
    def lost(self) -> int:
        """Events that happened and are not in the capture."""
        return self.losses.total

    @property
    def connected(self) -> bool:
        """Whether a writer takes batches."""
        return self._sink is not None

    @property
    def idle(self) -> bool:
        """Whether nothing is on its way to the file."""
        return not self._pending and not self._on_way

    def share(self, arena: Arena | None) -> None:
        """Put large payloads into ``arena`` from now on, from which the writer reads them.

        None: use no arena any more; no batch may be on its way then.
        """
        self._arena = self._on_way.arena = arena

    def add_service(self, name: str, protocol: str, outpost: str = "") -> int:
        """The number under which the events of this service are recorded, or of this one of an outpost."""
        entry = (name, protocol, outpost) if outpost else (name, protocol)
        if entry not in self._services:
            self._services.append(entry)
        return self._services.index(entry) + 1

    @property
    def connections(self) -> int:
        """The number of the newest connection; 0 before the first."""
        return self._connections

    def counters(self, service: int) -> Counters:
        """What is counted of the service with this number; of 0: of what is of none."""
        found = self._counters.get(service)
        if found is None:
            found = self._counters[service] = Counters()
        return found

    def counted(self) -> dict[str, Counters]:
        """The counters of services by their names, in the order in which they came; of what is of none by ""."""
        named: dict[str, Counters] = {}
        for number, counters in self._counters.items():
            name = self._services[number - 1][0] if number else ""
            before = named.get(name)
            named[name] = counters if before is None else before + counters
        return named

    def add_connection(self) -> int:
        """A new connection's number, from 1."""
        self._connections += 1
        return self._connections

    def record(
        self,
        kind: int,
        service: int = 0,
        conn: int = 0,
        payload: bytes | None = None,
        summary: str | None = None,
        detail: str | None = None,
        size: int | None = None,
        time: int = 0,
    ) -> None:
        """Record one event, now, or as of ``time`` (ns since 1970), where another process has seen it.

        ``service`` and ``conn`` are numbers of this recorder, or 0; ``detail`` is a JSON
        object; ``size`` defaults to the payload's length. During a pause, most kinds are only counted.
        """
        if self.pause_now is not None and kind not in KEPT:
            self._pass_over()
            return
        if summary is not None and not summary.isprintable():
            summary = text.one_line(summary)
        written: Any = payload
        if payload is not None:
            length = len(payload)
            if length >= LARGE:
                if payload is self._last:
                    written, size, length = SAME, length if size is None else size, 0
                elif payload is self._last_but_one:
                    written, size, length = SAME_BUT_ONE, length if size is None else size, 0
                elif self._arena is not None and (place := self._arena.put(payload)) is not None:
                    self._shared += length
                    written = place, length
                else:
                    self._large.append(payload)
                    written = length
            if length or not payload:
                self._pending_bytes += length
                self._last, self._last_but_one = payload, self._last
        self._extend((time or time_ns(), kind, service, conn, size, written, summary, detail))
        if self._timer is None:
            self._timer = self._clock.callLater(self._interval, self._tick)
        if detail is not None:
            self._pending_bytes += len(detail)
        if self._pending_bytes > BATCH_BYTES:
            self.flush()

    def record_elsewhere(
        self, outpost: str, capture: str, clock: int, stored: Iterable[tuple[int, Fields | None]]
    ) -> None:
        """Record events of an outpost, in the order of their ids in its capture, which come with them.

        ``capture`` is the identity of that, ``clock`` by how many ns the outpost's clock is ahead of ours. With the
        events, their batch says up to which id the outpost was read: both are stored, or neither. None stands for an
        event that is not to be stored.
        """
        self._last = self._last_but_one = None
        try:
            for id, fields in stored:
                self._progress[outpost, capture] = id, clock
                if fields is not None:
                    self._extend(fields)
                    self._pending_bytes += len(fields[5] or b"") + len(fields[7] or "")
                if self._pending_bytes > BATCH_BYTES:
                    self.flush()
        finally:
            if self._timer is None and self._pending:
                self._timer = self._clock.callLater(GATHERED, self._tick)

    def resume_elsewhere(self, outpost: str, capture: str, clock: int, last: int) -> None:
        """Have a new capture know up to which id an outpost was read; with the next events it is stored."""
        self._progress.setdefault((outpost, capture), (last, clock))

    def add_connection_elsewhere(
        self, outpost: str, capture: str, theirs: int, service: int, peer: str | None, host: str | None, opened: int
    ) -> int:
        """A new connection's number, as ``add_connection``: of one that has the number ``theirs`` at an outpost."""
        number = self.add_connection()
        self._foreign.append((outpost, capture, theirs, number, service, peer, host, opened))
        return number

    def record_limit(self, reached: Reached, service: int = 0, conn: int = 0) -> None:
        """Record that a limit was reached: the only way to an event ``limit.reached``, but for the writer's own."""
        self.record(events.LIMIT_REACHED, service, conn, summary=reached.text, detail=reached.detail())

    def record_failure(
        self,
        error: BaseException,
        service: int = 0,
        conn: int = 0,
        payload: bytes | None = None,
        traceback: Any = None,
    ) -> None:
        """Record an exception with the bytes that caused it, unless this exception was recorded before."""
        if not failures.claim(error):
            return
        self.failures += 1
        self.counters(service).failures += 1
        record = failures.record(error, traceback)
        detail = {"group": fingerprint(record), **record.as_json()}
        self.record(events.FAILURE, service, conn, payload, record.summary, json.dumps(detail))

    def resolve(self, group: str, summary: str, *, reopened: bool = False) -> None:
        """Record that a group of failures is resolved, or reopened.

        ``group`` is its fingerprint, ``summary`` describes it in one line.
        """
        detail: dict[str, Any] = {"group": group}
        words = "resolved"
        if reopened:
            detail["reopened"], words = True, "reopened"
        self.record(events.FAILURE_RESOLVED, summary=f"{words}: {summary}", detail=json.dumps(detail))

    def note(self, event: int, text: str, colour: str = "") -> None:
        """Record the user's note on an event of the capture. It replaces an earlier one; an empty note removes it.

        ``colour`` is one of ``app.events.COLOURS`` or empty.
        """
        detail = json.dumps({"event": event, "text": text, "colour": colour})
        words = text or (f"coloured {colour}" if colour else "removed")
        self.record(events.NOTE, summary=f"on event {event}: {words}", detail=detail)

    def record_datagram(self, kind: int, service: int, conn: int, payload: bytes, detail: str | None = None) -> None:
        """Record a datagram. Nobody can hold datagrams back: when too much is on its way, it is lost and counted."""
        if self._on_way.bytes > LOSE_ABOVE and self.pause_now is None:
            self._flushed += 1
            self._lose(1, lost_events.FELL_BEHIND)
        else:
            self.record(kind, service, conn, payload, None, detail)

    # -- pauses

    @property
    def paused(self) -> bool:
        """Whether what passes is not stored, because the user wants it so."""
        return self.pause_now is not None

    def pause(self) -> None:
        """Store nothing of what passes until ``resume``. Peers are not held back."""
        if self.pause_now is None:
            self.record(events.CAPTURE_PAUSED, summary="the capture is paused")
            self.pause_now = Pause(time_ns())
            self.pause_changed.emit(None)

    def resume(self) -> None:
        """Store events again, after one that says how many were not stored."""
        pause, self.pause_now = self.pause_now, None
        if pause is not None:
            summary, detail = pause.recorded(time_ns())
            self.record(events.CAPTURE_RESUMED, summary=summary, detail=detail)
            self.pause_changed.emit(None)

    def _pass_over(self) -> None:
        assert self.pause_now is not None
        self.pause_now.count += 1
        self.not_taken += 1
        if self._timer is None:  # the figures go on
            self._timer = self._clock.callLater(self._interval, self._tick)

    def lost_before(self, count: int) -> None:
        """Count ``count`` events as seen and lost that never reached us, such as datagrams that the kernel dropped."""
        self._flushed += count
        self._lose(count, lost_events.KERNEL)

    def _lose(self, count: int, why: str, since: int | None = None) -> None:
        """Count events that will not be in the capture; an event tells of them as soon as it can be stored."""
        now = time_ns()
        self.losses.count(count, now if since is None else since, now, why)
        self._tell_soon()

    def _tell_losses(self) -> tuple[Loss, ...]:
        """Add events about what was lost to the pending ones."""
        told = self.losses.take()
        for loss in told:
            summary, detail = loss.recorded()
            self._extend((time_ns(), events.LOST, 0, 0, None, None, summary, detail))
        return told

    def _can_tell(self) -> bool:
        return self._sink is not None and self._on_way.bytes <= PAUSE_ABOVE

    def _tell_soon(self) -> None:
        """Have what was lost told, also when nothing else is recorded."""
        if self.losses and self._timer is None and self._can_tell():
            self._timer = self._clock.callLater(self._interval, self._tick)

    def gather(self, seconds: float) -> None:
        """Have a batch leave so long after its first event from now on: what a batch costs, it costs for any number of
        events, and who reads them may be content to have them later."""
        self._interval = seconds
        if self._timer is not None and self._timer.getTime() > self._clock.seconds() + seconds:
            self._timer.reset(seconds)

    def flush(self) -> None:
        """Send what is pending to the writer now, or count it lost."""
        losing = self._on_way.bytes > (CEILING if self.trouble is None or self.trouble.passing else LOSE_ABOVE)
        # Told once it is over, not with every batch while it lasts.
        told = self._tell_losses() if self.losses and self._can_tell() else ()
        if not self._pending:
            return
        count = len(self._pending) // FIELDS
        self._sequence += 1
        self._flushed += count
        self._pending_bytes = 0
        large, self._large = self._large, []
        shared, self._shared = self._shared, 0
        mark = self._arena.mark if self._arena is not None and shared else None
        self._last = self._last_but_one = None
        since = self._pending[0]
        if losing:
            self._lose(count, lost_events.NOT_SENT if self.trouble is None else self.trouble.text, since)
            self._pending.clear()
            if mark is not None:  # its part of the arena is released with the next batch that is not lost
                self._on_way.keep_mark(mark)
            self.stored_changed.emit(self.range)
            return
        services = None
        if len(self._services) > self._services_sent:
            services = self._services
            self._services_sent = len(services)
        batch: Batch = self._sequence, services, self._pending
        sample = self._sampler.take()
        if self._progress:
            progress = [(*key, *value) for key, value in self._progress.items()]
            batch = (*batch[:3], sample, (progress, self._foreign))
            self._progress, self._foreign = {}, []
        elif sample is not None:
            batch = (*batch[:3], sample)
        try:
            frame = Frame.of(batch, large, shared=bool(shared))
        except ValueError:  # a value of a class that marshal does not know
            frame = Frame.of((*batch[:2], mended(self._pending), *batch[3:]), large, shared=bool(shared))
        self._pending.clear()
        self._on_way.add(Sent(self._sequence, count, frame, shared, mark, since, told))
        self._send(frame)
        self._press()

    def _tick(self) -> None:
        if self._timer is not None:
            self._sampler.late(self._clock.seconds() - self._timer.getTime())
        self._timer = None
        self.flush()
        if self.pause_now is not None:
            self.stored_changed.emit(self.range)

    def _send(self, frame: Frame) -> None:
        if self._sink is not None:
            self._sink.send(frame.parts())

    def _press(self) -> None:
        bound = RESUME_BELOW if self.pressed else PAUSE_ABOVE
        pressed = self._on_way.bytes > bound and (self.trouble is None or self.trouble.passing)
        if pressed != self.pressed:
            self.pressed = pressed
            self.pressure.emit(pressed)

    # -- messages of the writer

    def on_opened(
        self, sink: Sink, sequence: int, stored: Stored, *, events: int | None = None, newest: int = 0,
        elsewhere: int = 0, again: bool = False,
    ) -> None:  # fmt: skip
        """The writer has opened the file, which holds all batches of this run up to ``sequence``.

        ``events``: how many events these are, and ``newest``: the time of the newest, or 0. ``again``: whether the
        file was open before. Where more were stored in it then, the others are lost, unless they are in a file that
        was rescued: ``elsewhere`` says how many more are.
        """
        fresh, self._sink = self._sink is None, sink
        self.stored += self._on_way.drop_until(sequence)
        if events is not None and again:
            self._elsewhere += elsewhere
            if (missing := self.stored - self._elsewhere - events) > 0:
                self.stored -= missing
                self._lose(missing, lost_events.TAKEN, newest or self._began)
        elif events is not None:
            self._elsewhere, self._began = self.stored - events, time_ns()
        self._set_trouble(None)
        if fresh:
            # Only for a new process: a writer that has opened another file still has all batches in its pipe.
            self._send_again()
        self.range = stored
        self._press()
        self._tell_soon()
        self.stored_changed.emit(stored)

    def _send_again(self) -> None:
        if not self._on_way:
            self._services_sent = 0
            return
        # A writer that replaces a dead one does not know the services yet.
        self._on_way.name_services(self._services)
        for sent in self._on_way:
            self._send(sent.frame)

    def on_stored(self, sequence: int, stored: Stored, *, rejected: str = "") -> None:
        """All batches up to ``sequence`` are in the file, except ``sequence`` itself if it was ``rejected``,
        for the reason given there."""
        self.stored += self._on_way.drop_until(sequence - 1 if rejected else sequence)
        if rejected and self._on_way.is_next(sequence):
            self._lose_sent(rejected)
        self._set_trouble(None)
        self.range = stored
        self._press()
        self._tell_soon()
        self.stored_changed.emit(stored)

    def on_trouble(self, text: str, *, passing: bool = False) -> None:
        """Nothing can be stored at present; ``text`` says why.

        ``passing``: peers are to be held back, since it will soon be over.
        """
        since = self.trouble.since if self.trouble else time_ns()
        self._set_trouble(Trouble(text, since, passing))
        self._press()

    def hold(self) -> None:
        """Send what is pending to this writer; later batches wait for the next one, which has another file."""
        self.flush()
        self._sink = None

    def on_writer_gone(self) -> None:
        """The writer process has ended; batches are kept for the next one."""
        self._sink = None

    def abandon(self) -> None:
        """Count all batches that are not stored as lost: no writer will be started again."""
        self.flush()
        while self._on_way:
            self._lose_sent(lost_events.ENDED)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._press()
        self.stored_changed.emit(self.range)

    def _lose_sent(self, why: str) -> None:
        """Count the oldest batch on its way as lost, and tell again what it was to tell."""
        sent = self._on_way.drop()
        self.losses.put_back(sent.losses)
        self._lose(sent.count, why, sent.since)

    def _set_trouble(self, trouble: Trouble | None) -> None:
        if trouble != self.trouble:
            self.trouble = trouble
            self.trouble_changed.emit(trouble)
