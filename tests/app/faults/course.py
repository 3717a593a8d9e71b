"""Connections for faults to hit, without sockets."""

from __future__ import annotations

import json
from typing import Any

from twisted.internet.task import Clock

from app.faults import tables
from app.faults.hits import Course
from app.faults.lane import Lane, Piece
from app.faults.live import Faults


class Target:
    """A connection: what has passed, and how it ended.

    Attributes:
        got: what passed each way.
        ended: "" while it is open.
    """

    protocol_name = "tcp"

    def __init__(self, clock: Clock) -> None:
        self.incoming, self.outgoing = Lane(clock), Lane(clock)
        self.got: dict[str, list[bytes]] = {"received": [], "sent": []}
        self.ended = ""

    def close(self) -> None:
        self.ended = self.ended or "closed"

    def reset(self) -> None:
        self.ended = self.ended or "reset"

    def half_close(self) -> None:
        self.ended = self.ended or "half closed"

    def close_slowly(self, seconds: float, fault: Any = None) -> None: ...

    def cut(self, piece: Piece, lane: Lane, size: int, part: float, *, reset: bool, told: Any = None) -> None:
        piece.data = piece.data[:size]
        piece.then.append(self.reset if reset else self.close)

    def garble(self, piece: Piece, noise: bytes) -> None:
        piece.data = noise
        piece.then.append(self.close)

    def freeze(self, fault: Any) -> None: ...

    def thaw(self, fault: Any) -> None: ...


class Stage:
    """The faults of a service whose connections are all in memory.

    Attributes:
        hits: fault, connection and message of each ``fault.applied``, with its words.
        broken: the connections that a fault ends.
    """

    def __init__(self, clock: Clock, *table: dict[str, Any], seed: int = 7) -> None:
        assert not list(tables.problems(table, "tcp", tls=False))
        self.clock, self.hits = clock, set[tuple[str, int, int, str]]()
        self.broken: set[int] = set()
        self.faults = Faults(clock, self._record)
        self.faults.configure(table)
        self.faults.begin(seed)
        self._number = 0

    def _record(self, number: int, summary: str, detail: str, payload: bytes | None) -> None:
        told = json.loads(detail)
        if "total" not in told:
            self.hits.add((told["fault"], number, told["message"], told["words"]))
            if told["kind"] in ("close", "reset", "cut"):
                self.broken.add(number)

    def open(self, peer: str = "127.0.0.1") -> Course:
        self._number += 1
        return self.faults.open(self._number, peer, Target(self.clock))  # type: ignore[arg-type]

    def message(self, course: Course, data: bytes, on: str = "sent") -> None:
        target: Any = course.target
        lane = target.outgoing if on == "sent" else target.incoming
        piece = Piece(data, target.got[on].append)
        self.faults.strike(course, on, "", piece, lane)
        course.passed[on] += len(data)
        lane.put(piece)

    def close(self, course: Course) -> None:
        for lane in (course.target.incoming, course.target.outgoing):
            lane.close()
        self.faults.close(course)
