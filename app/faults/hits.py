"""A fault of a service that runs, what it knows of a connection, and what it has hit."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app import faults
from app.faults.draws import Draws
from app.faults.lane import Lane, Meter, Piece
from app.faults.targets import Target
from app.faults.when import Candidate, When
from app.options import Options, with_defaults

Record = Callable[[int, str, str, bytes | None], None]
"""Records an event ``fault.applied``: the connection's number, summary, detail as JSON, payload."""

Failed = Callable[[int, BaseException, bytes | None], None]
"""Records what a kind has raised: the connection's number, the exception, the bytes that were hit."""


@dataclass(slots=True, eq=False)
class LiveFault:
    """One fault, with its switch and its counts.

    Attributes:
        name: its own, or that of its kind, with a number if several of the kind have none.
        identity: what its draws depend on beside the seed; see ``app.faults.tables.identities``.
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
    identity: str
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

    @property
    def targets(self) -> tuple[Target, ...]:
        """The connection, and what is above it."""
        return (self.target, *self.within)


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
        self.record(self.course.number, f"{self.fault.name}: {words}", detail_of(self, words), payload)


def detail_of(hit: Hit, words: str) -> str:
    fault = hit.fault
    detail = {
        "fault": fault.name, "kind": fault.kind.name, "on": fault.on, "message": hit.candidate.ordinal,
        "seed": fault.seed, "words": words,
    }  # fmt: skip
    stream = getattr(hit.target, "stream", None)  # of an ``ExchangeTarget``
    return json.dumps(detail if stream is None else detail | {"stream": stream})


def live_fault(name: str, table: Options, seed: int, identity: str = "") -> LiveFault | None:
    """A fault from its table, which is valid; None if its kind is not there. Its ``identity`` is its name, if empty."""
    kind = faults.find(table["kind"])
    if kind is None or kind.missing is not None:
        return None
    own = {option.name for option in kind.options}
    options = with_defaults(kind.options, {key: value for key, value in table.items() if key in own})
    given = {key: value for key, value in table.items() if key not in own}
    when = When.of(given)
    level = kind.level_of(options) if kind.level_of is not None else kind.level
    return LiveFault(
        name, identity or name, kind, table.get("on", kind.sides[0]), level, options, table,
        when.values["seed"] or seed, when, when.values["enabled"],
    )  # fmt: skip
