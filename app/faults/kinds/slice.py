"""``slice``: what is sent leaves in small parts."""

from __future__ import annotations

from app.faults import BYTES, SENT, STREAMS, FaultKind
from app.faults.hits import Hit
from app.faults.kinds.delay import DAY_MS
from app.options import Option


def _act(hit: Hit) -> str:
    size: int
    vary: int
    size, vary, draws = hit.options["bytes"], hit.options["vary"], hit.draws

    def length() -> int:
        return max(1, size + (draws.below(2 * vary + 1) - vary if vary else 0))

    hit.piece.slices[hit.fault] = (length, hit.options["pause_ms"] / 1000)
    return f"in parts of {size:,} bytes" + (f" ± {vary:,}" if vary else "")


KIND = FaultKind(
    "slice",
    "Sends small parts, with pauses between them",
    _act,
    STREAMS,
    (SENT,),
    (
        Option("bytes", int, 64, "Size of a part", "bytes", 1, 1 << 24),
        Option("vary", int, 0, "How much the size may be larger or smaller", "bytes", 0, 1 << 24),
        Option("pause_ms", float, 10.0, "Pause between two parts", "ms", 0.0, DAY_MS),
    ),
    level=BYTES,
    steady=True,
)
