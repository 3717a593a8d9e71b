"""The connections of a service, and which faults hit what passes there."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

from app import faults
from app.faults.draws import Draws
from app.faults.hits import Course, Failed, Hit, LiveFault, Record, detail_of
from app.faults.lane import Lane, Piece
from app.faults.targets import Target
from app.faults.when import Candidate
from app.signal import Signal


def _raise(conn: int, error: BaseException, payload: bytes | None) -> None:
    raise error


class Strikes:
    """Asks each fault about each candidate, and has those act that hit it.

    Attributes:
        seed: of all draws whose fault has none of its own.
        changed: emits this object when a fault was switched, added or taken away, or has hit.
        all: every fault, in the order of the workspace; those set by hand are the last.
        started: the clock's time when the service started.
        counted: hits so far, by kind; these go on when a fault is changed or removed.
    """

    def __init__(self, clock: Any, record: Record, failed: Failed = _raise) -> None:
        self.clock, self._record, self._failed = clock, record, failed
        self.counted: Counter[str] = Counter()
        self.seed = 0
        self.changed: Signal[Any] = Signal()
        self.all: list[LiveFault] = []
        self.started: float = clock.seconds()
        self._ordinal = 0
        self._courses: dict[int, Course] = {}
        self._acting: dict[tuple[str, str], list[LiveFault]] = {}

    def __bool__(self) -> bool:
        """Whether there are any, acting or not."""
        return bool(self.all)

    def _changed(self) -> None:
        """Which faults act may be others now."""
        self._acting.clear()
        self.changed.emit(self)

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
        return Draws(fault.seed, fault.identity, candidate.connection, candidate.on + purpose, candidate.ordinal)

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
            course.number, f"{fault.name}: {words}", detail_of(hit, words), before if changed and before else None
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
