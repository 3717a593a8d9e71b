"""``rate``: what passes in a second is limited."""

from __future__ import annotations

from app.faults import BYTES, RECEIVED, SENT, STREAMS, FaultKind
from app.faults.hits import Hit
from app.faults.lane import Meter
from app.options import Option


def _act(hit: Hit) -> str:
    rate, burst = hit.options["bytes_per_second"], hit.options["burst_bytes"]
    key = (hit.fault, hit.fault.on)
    meter = hit.course.meters.get(key)
    if meter is None:
        meter = hit.course.meters[key] = Meter(rate, burst, hit.now)
    hit.piece.meters[hit.fault] = meter
    return f"{rate:,.0f} bytes a second"


KIND = FaultKind(
    "rate",
    "Limits the bytes that pass in a second",
    _act,
    STREAMS,
    (SENT, RECEIVED),
    (
        Option("bytes_per_second", float, 10_000.0, "Bytes that pass in a second", "bytes/s", 1.0, 1e10),
        Option("burst_bytes", int, 0, "Bytes that may pass at once after a pause", "bytes", 0, 1 << 30),
    ),
    level=BYTES,
    steady=True,
)
