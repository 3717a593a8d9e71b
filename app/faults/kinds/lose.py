"""``lose``: a datagram or message never arrives."""

from __future__ import annotations

from collections.abc import Iterator

from app.faults import RECEIVED, SENT, FaultKind
from app.faults.draws import Draws
from app.faults.hits import Course, Hit, LiveFault
from app.faults.kinds.delay import DAY_MS
from app.options import Mistake, Option, Options


def _act(hit: Hit) -> str:
    burst, last = hit.options["burst_ms"], hit.course.last
    if burst and hit.now >= last.get(hit.fault, 0.0):
        last[hit.fault] = hit.now + burst / 1000
    hit.piece.withhold()
    return "lost"


def _chance(fault: LiveFault, course: Course, draws: Draws, now: float, holds: bool) -> bool:
    """Losses that come together. ``course.last`` has when the burst ends, or whether the last one was lost."""
    share, kept, last = fault.when.values["probability"], fault.options["correlation"], course.last.get(fault, 0.0)
    if fault.options["burst_ms"] and now < last:
        return True
    # A chain of two states: its share of losses is that without a correlation, which is that of two neighbours.
    lost: bool = holds and draws.uniform() < share * (1 - kept) + (kept if last else 0.0)
    if kept and holds:
        course.last[fault] = float(lost)
    return lost


def _check(values: Options, protocol: str, on: str) -> Iterator[Mistake]:
    if values["correlation"] and values["burst_ms"]:
        yield Mistake("burst_ms", "does not go with correlation: each says which losses come together")
    elif values["correlation"] and values["probability"] in (0.0, 1.0):
        yield Mistake("correlation", "needs a probability between 0 and 1")


KIND = FaultKind(
    "lose",
    "Loses a datagram or a message",
    _act,
    ("udp", "websocket"),
    (SENT, RECEIVED),
    (
        Option("correlation", float, 0.0,
            "How much one loss depends on the one before, from 0 to 1; the share of losses stays", "", 0.0, 1.0),
        Option("burst_ms", float, 0.0, "After a loss, everything is lost for this time", "ms", 0.0, DAY_MS),
    ),
    ends=True,
    check=_check,
    chance=_chance,
)  # fmt: skip
