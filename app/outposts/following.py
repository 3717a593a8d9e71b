"""One outpost, as a console has it: read into our capture, and steered. Connected again each time that it is lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from time import time_ns
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, fail
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from app import events
from app.capture.reading.outposts import Read, connections
from app.capture.reading.reader import Reader
from app.capture.reading.stored import Stored
from app.capture.recorder import Recorder
from app.errors import PostError
from app.outposts import protocol as p
from app.outposts import sound, versions
from app.outposts.arriving import PROTOCOL, Arriving, FalseError, unread
from app.outposts.errors import FalseOutpostError, ItselfError, LostError
from app.outposts.pace import REST, Turns
from app.outposts.told import Told
from app.outposts.ways.carrier import Carrier, Connected, Lost, Way
from app.signal import Signal

READ_BYTES = 1 << 20
"""Bytes of events that are asked for at once, which is what an outpost has on its way to us."""

HELLOS = 3
"""So often the outpost's clock is asked for. What took the shortest time counts: it can be wrong by half of that."""

SLICE = 500
"""Events that are taken in one turn of the reactor."""

MOST_PAYLOAD = 64 << 20
"""Bytes of a payload that are fetched. The rest of a longer one stays at the outpost."""

MOST_CAPTURES = 1_000
"""Captures that one outpost may have had, which are told apart."""

AGAIN = 1.0
"""Seconds until an outpost is asked again that has no capture yet."""


class Following:
    """Reads one outpost.

    Attributes:
        name: what we call it; its events are of services ``name/service``.
        carrier: the way to it.
        outpost: who answered last; None before anybody has.
        told: what it has told of its services.
        behind: events that it has and we have not.
        clock: by how many ns its clock is ahead of ours.
        is_ours: whether a capture with this identity is our own, which cannot be read into itself.
        problem: what is wrong with it, in words; empty while it is read.
        changed: emits this object when one of these, or the way to it, has changed.
    """

    def __init__(
        self, reactor: Any, recorder: Recorder, name: str, carrier: Carrier, asks_as: str, turns: Turns, *,
        history: bool = True,
    ) -> None:  # fmt: skip
        """``asks_as``: who asks, as the events of the outpost will say. ``turns``: when it may read. ``history``:
        whether what it had captured before it was ever read is read, too."""
        self._reactor, self._recorder, self._asks_as, self._history = reactor, recorder, asks_as, history
        self._turns, self._rested = turns, 0.0
        self.name, self.carrier = name, carrier
        self.outpost: p.Outpost | None = None
        self.told = Told(reactor, self.ask, lambda: self.changed.emit(self))
        self.behind = self.clock = 0
        self.problem = ""
        self.changed: Signal[Following] = Signal()
        self.is_ours: Callable[[str], bool] = lambda capture: False
        self._known: dict[str, tuple[int, int]] = {}
        self._reader: Reader | None = None
        self._arriving: Arriving | None = None
        self._working: Deferred[None] | None = None
        self._waiting: Deferred[None] | None = None
        self._was_connected = False
        self._number = recorder.add_service(name, PROTOCOL, name)
        self._unhook = (
            carrier.changed.connect(self._on_way),
            carrier.hinted.connect(lambda _: self._on_hint()),
            recorder.pressure.connect(lambda _: self._go_on()),
            recorder.pause_changed.connect(lambda _: self._go_on()),
        )

    def open(self, reader: Reader, progress: list[Read]) -> None:
        """Connect, and read. ``progress``: how far it was read before, into the capture that ``reader`` reads."""
        self._reader = reader
        self._known = {read.capture: (read.last, read.clock) for read in progress if read.name == self.name}
        self.carrier.open()

    def progress(self) -> list[Read]:
        """How far each of its captures was read, in the order in which it had them."""
        return [Read(self.name, capture, last, clock) for capture, (last, clock) in self._known.items()]

    async def close(self) -> None:
        """Read no more. What was read stays."""
        for disconnect in self._unhook:
            disconnect()
        self._end_work()
        await self.carrier.close()

    @property
    def services(self) -> tuple[p.Service, ...]:
        """Its services, as it has told last."""
        return self.told.services

    def ask(self, request: p.Request) -> Deferred[Any]:
        """As ``Carrier.ask``; fails with OlderOutpostError, too. What it changes is seen in ``services`` soon."""
        to = self.outpost
        try:
            asking = self.carrier.ask(versions.fitted(request, to, self.name))
        except PostError:
            return fail()
        return asking.addErrback(self._explained, request, to)

    def _explained(self, failure: Failure, request: p.Request, to: p.Outpost | None) -> Failure:
        if isinstance(failure.value, PostError):
            return Failure(versions.explained(failure.value, request, to, self.name))
        return failure

    def allows(self, request: type[p.Request]) -> bool:
        """Whether the outpost does what ``request`` asks for."""
        given = self.outpost.allow if self.outpost else "read"
        return p.LEVELS.index(request.level) <= p.LEVELS.index(given)

    def on_new_capture(self) -> None:
        """Another capture of ours has begun, and goes on where the one before ended."""
        for capture, (last, clock) in self._known.items():
            self._recorder.resume_elsewhere(self.name, capture, clock, last)
        if self._arriving is not None:
            self._arriving.forget_connections()

    # -- the way to it

    def _on_way(self, way: Way) -> None:
        self.told.stop()
        if isinstance(way, Connected):
            self._end_work()
            self._working = Deferred.fromCoroutine(self._work())
        else:
            if isinstance(way, Lost):
                self.problem = way.reason
                self._tell_lost(way.reason)
            self._end_work()
        self.changed.emit(self)

    def _on_hint(self) -> None:
        if isinstance(self.carrier.way, Connected) and self.outpost is not None:
            self.told.refresh()

    def _end_work(self) -> None:
        working, self._working = self._working, None
        self._waiting = None
        if working is not None:
            working.cancel()
        self.told.stop()

    def _tell_lost(self, reason: str) -> None:
        if self._was_connected:
            self._was_connected = False
            detail = {"outpost": self.name, "target": self.carrier.target, "reason": reason}
            self._record(events.OUTPOST_LOST, f"{self.name} is lost: {reason}", detail)

    def _record(self, kind: int, words: str, detail: dict[str, Any]) -> None:
        self._recorder.record(kind, self._number, summary=words, detail=json.dumps(detail))

    # -- reading

    async def _work(self) -> None:
        """From a new connection to its end."""
        try:
            await self._greet()
            self.told.refresh()
            while True:
                await self._read()
        except (CancelledError, LostError):
            pass
        except FalseError as e:
            self._cut(FalseOutpostError(target=self.carrier.target, reason=e))
        except PostError as e:
            self._cut(e)
        except Exception as e:
            self._recorder.record_failure(e, self._number)
            self._cut(FalseOutpostError(target=self.carrier.target, reason=f"{type(e).__name__}: {e}"))

    def _cut(self, error: PostError) -> None:
        self._working = None
        self.carrier.drop(str(error))

    async def _greet(self) -> None:
        best = None
        for _ in range(HELLOS):  # the first one finds both busy
            before = time_ns()
            found: p.Outpost = await self.carrier.ask(p.Hello(p.VERSION, self._asks_as))
            after = time_ns()
            if best is None or after - before < best[0]:
                best = after - before, found.time - (before + after) // 2
        assert best is not None
        versions.check(found, self.carrier.target)
        self.outpost, self.problem = found, ""
        self.clock = max(-sound.MAX_TIME, min(best[1], sound.MAX_TIME))
        self._was_connected = True
        program = sound.name(found.program)
        detail = {
            "outpost": self.name, "target": self.carrier.target, "program": program, "allow": found.allow,
            "clock": self.clock / 1e9,
        }  # fmt: skip
        self._record(events.OUTPOST_CONNECTED, f"{self.name} at {self.carrier.target}: {program}", detail)
        if found.capture and not self._history and not self._known:
            self._known[sound.name(found.capture)] = found.last, self.clock
        if self._arriving is not None:
            self._arriving.clock = self.clock
        self.changed.emit(self)

    async def _turn_to(self, capture: str, left: str, *, complete: bool) -> None:
        """Read this capture of the outpost from now on, from where we were in it.

        ``left``: the one that was read until now, if one was, ``complete``: whether to its end.
        """
        if self.is_ours(capture):
            raise ItselfError(name=self.name)
        if capture not in self._known:
            if len(self._known) >= MOST_CAPTURES:
                raise FalseError(f"it has had more than {MOST_CAPTURES:,} captures")
            if left and not complete:
                await self._ready()  # during a pause it would not be stored
                words, detail = unread(self.name, self._known[left][0])
                self._record(events.OUTPOST_GAP, words, detail)
            self._known[capture] = 0, self.clock
        last = self._known[capture][0]
        found: dict[int, int] = await self._stored_connections(capture) if last else {}
        self._arriving = Arriving(self._recorder, self.name, capture, last, self.clock, found)

    def _so_far(self) -> tuple[str, int]:
        """The capture of the outpost that is read, or was by an earlier run, and up to which id; else "" and 0."""
        capture = self._arriving.capture if self._arriving else next(reversed(self._known), "")
        return capture, self._known.get(capture, (0, 0))[0]

    def _stored_connections(self, capture: str) -> Deferred[dict[int, int]]:
        done: Deferred[dict[int, int]] = Deferred()
        nothing: dict[int, int] = {}
        assert self._reader is not None
        self._reader.read(
            lambda store: connections(store, self.name, capture), nothing,
            lambda found: None if done.called else done.callback(found),
        )  # fmt: skip
        return done

    async def _read(self) -> None:
        """Ask once, and take what is answered."""
        if (rest := max(self._turns.take(), self._rested - self._reactor.seconds())) > 0:
            await deferLater(self._reactor, rest)
        await self._ready()
        capture, after = self._so_far()
        found: p.Events = await self.carrier.ask(p.Read(after, capture, READ_BYTES))
        theirs = sound.name(found.capture)
        if not theirs:
            await deferLater(self._reactor, AGAIN)
            return
        if self._arriving is None or theirs != capture:
            await self._turn_to(theirs, capture, complete=found.complete)
            if capture not in ("", theirs):
                return  # these are none of what was asked for
        arriving = self._arriving
        assert arriving is not None
        whole: list[Stored] = []
        size = 0
        for at, event in enumerate(found.events, 1):
            whole.append(await self._whole(event, found.capture))
            size += len(whole[-1].payload or b"")
            if at < len(found.events) and len(whole) < SLICE and size < p.MAX_READ:
                continue
            await self._ready()
            arriving.take(whole)
            self._known[arriving.capture] = arriving.last, self.clock
            if at < len(found.events):
                whole, size = [], 0
                await deferLater(self._reactor, 0)
        behind = max(0, found.last - arriving.last)
        if not behind:
            self._rested = self._reactor.seconds() + REST
        if behind != self.behind:
            self.behind = behind
            self.changed.emit(self)

    async def _whole(self, event: Stored, capture: str) -> Stored:
        """``event`` of a capture of the outpost, with its payload, which may have been left out."""
        if not event.left_out or event.outpost:
            return event
        payload = bytearray()
        most = min(event.left_out, MOST_PAYLOAD)
        while len(payload) < most:
            part: p.Part = await self.ask(
                p.Payload(event.id, len(payload), min(p.MAX_READ, most - len(payload)), capture)
            )
            if not part.data:
                break  # it was dropped meanwhile
            payload += part.data[: most - len(payload)]
        return Stored(
            event.id, event.time, event.kind, event.service, event.protocol, event.conn, event.peer, event.host,
            event.size, event.summary, event.detail, bytes(payload),
        )  # fmt: skip

    async def _ready(self) -> None:
        """Wait while our capture is behind, or paused: meanwhile the outpost keeps what it has."""
        while self._recorder.pressed or self._recorder.paused:
            self._waiting = Deferred()
            await self._waiting

    def _go_on(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.called:
            waiting.callback(None)
