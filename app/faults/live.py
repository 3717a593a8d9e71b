"""The faults of one service while it runs: what they hit, how often, and their switches."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from app import faults
from app.faults.draws import Draws
from app.faults.lane import Lane, Meter, Piece, mark
from app.faults.tables import named
from app.faults.targets import Target
from app.faults.when import Candidate, When
from app.options import Options, with_defaults
from app.signal import Signal
from app.text.framing import Framer

Record = Callable[[int, str, str, bytes | None], None]
"""Records an event ``fault.applied``: the connection's number, summary, detail as JSON, payload."""

Failed = Callable[[int, BaseException, bytes | None], None]
"""Records what a kind has raised: the connection's number, the exception, the bytes that were hit."""


def _raise(conn: int, error: BaseException, payload: bytes | None) -> None:
    raise error


@dataclass(slots=True, eq=False)
class LiveFault:
    """One fault, with its switch and its counts.

    Attributes:
        name: its own, or that of its kind, with a number if several of the kind have none.
        kind: what it does.
        on: its side.
        level: what it acts on.
        options: its own, with their defaults.
        table: as the workspace has it.
        seed: of its draws.
        enabled: whether it acts.
        once: how many of the next candidates it hits whatever its conditions say.
        only: the number of the connection that it acts on; 0: all.
        hits: so far.
        kept: what its kind keeps from hit to hit.
    """

    name: str
    kind: faults.FaultKind
    on: str
    level: str
    options: dict[str, Any]
    table: Options
    seed: int
    when: When
    enabled: bool = True
    once: int = 0
    only: int = 0
    hits: int = 0
    lifting: Any = None
    kept: dict[Any, Any] = field(default_factory=dict)

    @property
    def steady(self) -> bool:
        """Whether only its first hit on a connection and the total are events."""
        return self.kind.steady and self.when.unconditional


@dataclass(slots=True, eq=False)
class Course:
    """What faults know of one connection.

    Attributes:
        number: the connection's, in the recorder.
        ordinal: among those of its service, from 1.
        peer: its address, without the port.
        opened: the clock's time.
        target: what can be done to it.
        passed: bytes by side.
        counted: candidates by side and level.
        totals: hits and bytes of each steady fault, by side.
        meters: the rate of each fault, by side.
        last: for each fault with a correlation, what the next draw depends on.
        within: what has lanes of its own above those of the connection: HTTP's exchanges now, WebSocket's messages.
        messages: the target where all messages of the connection are, if it has such.
    """

    number: int
    ordinal: int
    peer: str
    opened: float
    target: Target
    passed: dict[str, int] = field(default_factory=lambda: {faults.RECEIVED: 0, faults.SENT: 0})
    counted: dict[tuple[str, str], int] = field(default_factory=dict)
    totals: dict[LiveFault, list[int]] = field(default_factory=dict)
    meters: dict[tuple[LiveFault, str], Meter] = field(default_factory=dict)
    last: dict[LiveFault, float] = field(default_factory=dict)
    within: dict[Target, None] = field(default_factory=dict)
    messages: Target | None = None


@dataclass(slots=True, eq=False)
class Hit:
    """One fault and what it has hit; what a kind's ``act`` is given.

    Attributes:
        fault: the fault, which is also the key of what it has a lane or target wait for.
        piece: what was hit. A fault may change its data, withhold it, delay it.
        lane: where the piece is to pass next.
        target: the connection, flow or exchange.
        candidate: what was looked at.
        draws: figures for this hit alone.
        course: what is known of the connection.
        now: the clock's time in seconds.
    """

    fault: LiveFault
    piece: Piece
    lane: Lane
    target: Target
    candidate: Candidate
    draws: Draws
    course: Course
    now: float
    clock: Any
    record: Record

    @property
    def options(self) -> Mapping[str, Any]:
        """The kind's own options, with their defaults."""
        return self.fault.options

    def delay(self, milliseconds: float) -> None:
        """Have the piece pass so many milliseconds from now, and what comes after it no earlier."""
        if milliseconds > 0:
            self.piece.due[self.fault] = self.now + milliseconds / 1000

    def later(self, milliseconds: float, call: Callable[[], None]) -> None:
        """Withhold the piece, and call ``call`` so many milliseconds later, in the order of the lane."""
        self.piece.withhold()
        if milliseconds:
            self.delay(milliseconds)
            self.piece.until = self.fault
        self.piece.then.append(call)

    def tell(self, words: str, payload: bytes | None = None) -> None:
        """Record another event of this hit, later than the first."""
        self.record(self.course.number, f"{self.fault.name}: {words}", _detail(self, words), payload)


class Faults:
    """The faults of one service.

    Attributes:
        seed: of all draws whose fault has none of its own.
        changed: emits this object when a fault was switched, added or taken away, or has hit.
        protocol: of the service.
        framer: what makes a framer for each connection, where the service has a framing.
        all: every fault, in the order of the workspace; those set by hand are the last.
        started: the clock's time when the service started.
        counted: hits so far, by kind; these go on when a fault is changed or removed.
    """

    def __init__(
        self, clock: Any, record: Record, failed: Failed = _raise, counted: Counter[str] | None = None
    ) -> None:
        self.clock, self._record, self._failed = clock, record, failed
        self.counted: Counter[str] = Counter() if counted is None else counted
        self.protocol = "tcp"
        self.framer: Callable[[], Framer] | None = None
        self.seed = 0
        self.changed: Signal[Faults] = Signal()
        self.all: list[LiveFault] = []
        self.started: float = clock.seconds()
        self._ordinal = 0
        self._courses: dict[int, Course] = {}
        self._acting: dict[tuple[str, str], list[LiveFault]] = {}

    def __bool__(self) -> bool:
        """Whether there are any, acting or not."""
        return bool(self.all)

    def configure(self, tables: Sequence[Options]) -> None:
        """Take the tables ``[[service.fault]]``, which are valid. A fault that is the same keeps its counts."""
        before = {fault.name: fault for fault in self.all if not fault.only}
        by_hand = [fault for fault in self.all if fault.only]
        found, lifted = [], []
        for name, table in named(tables):
            fault = before.pop(name, None)
            made = live_fault(name, table, self.seed)
            if made is None:
                continue  # of a plugin that is not there
            if fault is not None and (fault.table, fault.kind) == (made.table, made.kind):
                found.append(fault)
                continue
            if fault is not None:
                made.hits, made.once = fault.hits, fault.once
                if fault.table.get("enabled", True) == table.get("enabled", True):
                    made.enabled = fault.enabled
                if made.enabled and fault.lifting is not None:
                    left = fault.lifting.getTime() - self.clock.seconds()
                    made.lifting = self.clock.callLater(max(0.0, left), self._on_ttl, made)
                lifted.append(fault)
            found.append(made)
        self.all = found + by_hand
        for fault in (*lifted, *before.values()):
            self._lift(fault)
        self._changed()

    def begin(self, seed: int) -> None:
        """The service starts: count from the beginning."""
        self.seed, self.started, self._ordinal = seed, self.clock.seconds(), 0
        for fault in self.all:
            fault.seed = fault.when.values["seed"] or seed
            fault.when.again()
            fault.kept.clear()

    def end(self) -> None:
        """The service has stopped."""
        for fault in self.all:
            self._disarm(fault)
        self.all = [fault for fault in self.all if not fault.only]
        self._acting.clear()

    def _changed(self) -> None:
        """Which faults act may be others now."""
        self._acting.clear()
        self.changed.emit(self)

    # -- switches

    def find(self, name: str) -> LiveFault | None:
        return next((fault for fault in self.all if fault.name == name), None)

    def switch(self, fault: LiveFault, *, on: bool) -> None:
        """Have ``fault`` act or not. What it holds passes when it acts no longer."""
        if fault.enabled == on:
            return
        fault.enabled = on
        self._disarm(fault)
        if on:
            fault.when.again()
            if seconds := fault.when.values["ttl_seconds"]:
                fault.lifting = self.clock.callLater(seconds, self._on_ttl, fault)
        else:
            self._lift(fault)
        self._changed()

    def _on_ttl(self, fault: LiveFault) -> None:
        fault.lifting = None
        self.switch(fault, on=False)

    def once_now(self, fault: LiveFault) -> None:
        """Have ``fault`` hit the next candidate, whatever its conditions and its switch say."""
        fault.once += 1
        self._changed()

    def strike_connection(self, number: int, table: Options) -> LiveFault | None:
        """Have a fault act on the open connection ``number`` alone, from now on. None if there is none.

        What needs no message acts at once.
        """
        course = self._courses.get(number)
        if course is None:
            return None
        kind = faults.find(table["kind"])
        fault = live_fault(f"{table['kind']} by hand", table, self.seed)
        if kind is None or fault is None:
            return None
        fault.only = number
        self.all.append(fault)
        if kind.at_once:
            target = course.messages if course.messages and fault.level == faults.MESSAGES else course.target
            lane = target.incoming if fault.on == faults.RECEIVED else target.outgoing
            piece = mark()
            self._hit(fault, course, Candidate(fault.on, peer=course.peer), piece, lane, target)
            fault.enabled = False
            lane.put(piece)
        self._changed()
        return fault

    def lift_connection(self, number: int) -> bool:
        """Take away what was set on the connection ``number`` by hand; what it held passes. Whether there was any."""
        gone = [fault for fault in self.all if fault.only == number]
        self.all = [fault for fault in self.all if fault not in gone]
        for fault in gone:
            self._lift(fault)
        if gone:
            self._changed()
        return bool(gone)

    def _disarm(self, fault: LiveFault) -> None:
        lifting, fault.lifting = fault.lifting, None
        if lifting is not None:
            lifting.cancel()

    def _lift(self, fault: LiveFault) -> None:
        """Have pass what ``fault`` holds, which acts no longer: neither on what is written meanwhile."""
        self._acting.clear()
        self._disarm(fault)
        for course in list(self._courses.values()):
            course.meters = {key: meter for key, meter in course.meters.items() if key[0] is not fault}
            course.last.pop(fault, None)
            # Now: else an open connection would keep a total of every fault that was ever edited.
            self._tell_total(course, fault)
            for target in (course.target, *course.within):
                for lane in (target.incoming, target.outgoing):
                    lane.lift(fault)
                target.thaw(fault)

    # -- the port

    def shutting(self) -> tuple[LiveFault | None, str, float | None]:
        """Which fault shuts the port now and how, and the seconds until that may change; None: never by itself."""
        now = self.clock.seconds() - self.started
        acting: list[tuple[bool, int, LiveFault, str]] = []
        waits: list[float] = []
        for fault in self.all:
            how = fault.kind.shuts(fault.options, self.protocol) if fault.enabled and fault.kind.shuts else ""
            if not how:
                continue
            if fault.when.in_time(now):
                acting.append((how != faults.CLOSED, len(acting), fault, how))
            wait = fault.when.until_change(now)
            if wait is not None:
                waits.append(wait)
        wait = min(waits, default=None)
        if not acting:
            return None, "", wait
        _, _, first, how = min(acting)
        return first, how, wait

    def tell_port(self, fault: LiveFault, words: str) -> None:
        """Record what ``fault`` did to the port."""
        detail = {
            "fault": fault.name, "kind": fault.kind.name, "on": fault.on, "message": fault.hits, "seed": fault.seed,
            "words": words,
        }  # fmt: skip
        self._record(0, f"{fault.name}: {words}", json.dumps(detail), None)
        self._changed()

    # -- connections

    def open(self, number: int, peer: str, target: Target) -> Course:
        """A connection was made, with this number in the recorder, from the address ``peer``."""
        self._ordinal += 1
        course = self._courses[number] = Course(number, self._ordinal, peer, self.clock.seconds(), target)
        return course

    def close(self, course: Course) -> None:
        """The connection is gone: tell what steady faults did to it."""
        self._courses.pop(course.number, None)
        for fault in list(course.totals):
            self._tell_total(course, fault)
        for fault in self.all:
            fault.when.forget(course.ordinal)
        gone = [fault for fault in self.all if fault.only == course.number]
        if gone:
            self.all = [fault for fault in self.all if fault not in gone]
            self._changed()

    def _tell_total(self, course: Course, fault: LiveFault) -> None:
        """Record what a steady fault did to a connection, if it did anything."""
        count, size = course.totals.pop(fault, (0, 0))
        if not count:
            return
        words = _total(count, "message")
        if size:  # of a request or an answer, of its body
            words = f"{words}, {_total(size, 'byte')} in all"
        detail = {
            "fault": fault.name, "kind": fault.kind.name, "on": fault.on, "message": count, "seed": fault.seed,
            "words": words, "total": count,
        }  # fmt: skip
        self._record(course.number, f"{fault.name}: {words}", json.dumps(detail), None)

    # -- hits

    def look_at(self, on: str) -> bool:
        """Whether any fault may hit a message on the side ``on`` now."""
        return bool(self._that_act((on, faults.MESSAGES)) or self._that_act((on, faults.STREAMS_OF_HTTP2)))

    def strike(
        self,
        course: Course,
        on: str,
        level: str,
        piece: Piece,
        lane: Lane,
        target: Target | None = None,
        *,
        path: str = "",
        method: str = "",
        seen: bytes | None = None,
    ) -> bool:
        """Let each fault act on a candidate that it hits, before ``piece`` is put into ``lane``. Whether any did.

        ``target`` is that of the course, if it is None. On a protocol whose reads and writes are its messages,
        ``level`` is "". ``seen``: what conditions look at, if that is not the bytes of the piece.
        """
        key = (on, level)
        ordinal = course.counted[key] = course.counted.get(key, 0) + 1
        acting = self._that_act(key)
        if not acting:
            return False
        now = self.clock.seconds()
        candidate = Candidate(
            on, piece.data if seen is None else seen, course.peer, course.ordinal, ordinal,
            course.passed.get(on, 0), now - course.opened, path, method,
        )  # fmt: skip
        # All are decided before any acts: what one counts must not depend on what another does.
        number = course.number
        hitting = [
            fault
            for fault in acting
            if fault.only in (0, number) and (self._is_hit(fault, course, candidate, now) or fault.once)
        ]
        any_hit = ended = False
        for fault in hitting:
            if ended and (fault.kind.ends or piece.gone):
                continue  # nothing is left for it
            asked = fault.once > 0
            if asked:
                fault.once -= 1
                self._acting.clear()
            if self._hit(fault, course, candidate, piece, lane, course.target if target is None else target):
                any_hit = True
                ended = ended or fault.kind.ends
            else:
                fault.once += asked
        return any_hit

    def spares(self, course: Course, on: str, level: str) -> bool:
        """Whether nothing acts on candidates such as the next one, which is counted then: ``strike`` need not be asked.

        Most traffic of a service with faults is such.
        """
        key = (on, level)
        if self._that_act(key):
            return False
        course.counted[key] = course.counted.get(key, 0) + 1
        return True

    def _that_act(self, key: tuple[str, str]) -> list[LiveFault]:
        """The faults that act on a side and level, first those that end what they hit."""
        acting = self._acting.get(key)
        if acting is None:
            on, level = key
            levels = (level,) if level else (faults.BYTES, faults.MESSAGES)
            acting = [f for f in self.all if f.on == on and f.level in levels and (f.enabled or f.once)]
            acting.sort(key=lambda fault: not fault.kind.ends)
            self._acting[key] = acting
        return acting

    def _is_hit(self, fault: LiveFault, course: Course, candidate: Candidate, now: float) -> bool:
        holds = fault.when.holds(candidate, now - self.started)
        if fault.kind.chance is not None:
            return fault.kind.chance(fault, course, self._draws(fault, candidate, "?"), now, holds)
        if not holds:
            return False
        share = fault.when.values["probability"]
        return bool(share >= 1.0) or self._draws(fault, candidate, "?").uniform() < share

    def _draws(self, fault: LiveFault, candidate: Candidate, purpose: str = "") -> Draws:
        return Draws(fault.seed, fault.name, candidate.connection, candidate.on + purpose, candidate.ordinal)

    def _hit(
        self, fault: LiveFault, course: Course, candidate: Candidate, piece: Piece, lane: Lane, target: Target
    ) -> bool:
        before = piece.data
        draws = self._draws(fault, candidate)
        now = self.clock.seconds()
        hit = Hit(fault, piece, lane, target, candidate, draws, course, now, self.clock, self._record)
        waiting = len(piece.then)
        try:
            words = fault.kind.act(hit)
            if not isinstance(piece.data, bytes):
                raise TypeError(f"the data of a message must be bytes, not {type(piece.data).__name__}")
        except (Exception, SystemExit) as e:  # of a plugin: the connection goes on without the fault
            piece.data = before
            self._failed(course.number, e, before or None)
            return False
        if not words:
            return False
        if len(piece.then) > waiting:
            piece.then[waiting:] = [partial(self._call, course.number, call) for call in piece.then[waiting:]]
        fault.hits += 1
        self.counted[fault.kind.name] += 1
        if fault.steady:
            totals = course.totals.setdefault(fault, [0, 0])
            totals[0] += 1
            totals[1] += len(before)
            if totals[0] > 1:
                return True
        # What ends an exchange need not touch the piece: the target cuts it as it leaves.
        changed = piece.gone or piece.data is not before or fault.kind.ends
        self._record(
            course.number, f"{fault.name}: {words}", _detail(hit, words), before if changed and before else None
        )
        self.changed.emit(self)
        return True

    def _call(self, number: int, call: Callable[[], None]) -> None:
        try:
            call()
        except (Exception, SystemExit) as e:
            self._failed(number, e, None)


def _total(count: int, what: str) -> str:
    return f"1 {what}" if count == 1 else f"{count:,} {what}s"


def _detail(hit: Hit, words: str) -> str:
    fault = hit.fault
    detail = {
        "fault": fault.name, "kind": fault.kind.name, "on": fault.on, "message": hit.candidate.ordinal,
        "seed": fault.seed, "words": words,
    }  # fmt: skip
    stream = getattr(hit.target, "stream", None)  # of an ``ExchangeTarget``
    return json.dumps(detail if stream is None else detail | {"stream": stream})


def live_fault(name: str, table: Options, seed: int) -> LiveFault | None:
    """A fault from its table, which is valid; None if its kind is not there."""
    kind = faults.find(table["kind"])
    if kind is None or kind.missing is not None:
        return None
    own = {option.name for option in kind.options}
    options = with_defaults(kind.options, {key: value for key, value in table.items() if key in own})
    given = {key: value for key, value in table.items() if key not in own}
    when = When.of(given)
    level = kind.level_of(options) if kind.level_of is not None else kind.level
    return LiveFault(
        name, kind, table.get("on", kind.sides[0]), level, options, table, when.values["seed"] or seed, when,
        when.values["enabled"],
    )  # fmt: skip
