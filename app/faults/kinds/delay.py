"""``delay``: what passes comes later, in its order."""

from __future__ import annotations

from app.faults import RECEIVED, SENT, FaultKind
from app.faults.draws import DISTRIBUTIONS
from app.faults.hits import Hit
from app.options import Option

DAY_MS = 86_400_000.0


def _act(hit: Hit) -> str:
    options = hit.options
    spread = hit.draws.spread(options["distribution"]) if options["jitter_ms"] else 0.0
    kept = options["correlation"]
    if kept:
        last = hit.course.last.get(hit.fault)
        if last is not None:
            spread = kept * last + (1 - kept * kept) ** 0.5 * spread
        hit.course.last[hit.fault] = spread
    milliseconds = max(0.0, options["ms"] + spread * options["jitter_ms"])
    hit.delay(milliseconds)
    return f"{milliseconds:.0f} ms late"


KIND = FaultKind(
    "delay",
    "Delays each message; the order within a TCP connection stays",
    _act,
    ("tcp", "udp", "http", "websocket"),
    (SENT, RECEIVED),
    (
        Option("ms", float, 100.0, "Delay", "ms", 0.0, DAY_MS),
        Option("jitter_ms", float, 0.0, "Variation of the delay: half its range, or its standard deviation", "ms", 0.0,
            DAY_MS),
        Option("distribution", str, "uniform", "Distribution of the delays", choices=DISTRIBUTIONS),
        Option("correlation", float, 0.0, "How similar one delay is to the one before, from 0 to 1", "", 0.0, 1.0),
    ),
    steady=True,
)  # fmt: skip
