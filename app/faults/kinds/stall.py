"""``stall``: for a time nothing passes, then all does; what the loss of a packet looks like on TCP."""

from __future__ import annotations

from app.faults import BYTES, RECEIVED, SENT, STREAMS, FaultKind
from app.faults.hits import Hit
from app.faults.kinds.delay import DAY_MS
from app.options import Option


def _act(hit: Hit) -> str:
    milliseconds = hit.options["ms"]
    hit.delay(milliseconds)
    return f"nothing passes for {milliseconds:.0f} ms"


KIND = FaultKind(
    "stall",
    "Holds everything back for a time, then passes it on",
    _act,
    STREAMS,
    (SENT, RECEIVED),
    (Option("ms", float, 1_000.0, "Duration", "ms", 0.0, DAY_MS),),
    level=BYTES,
    at_once=True,
)
