"""``hang``: nothing passes any more, and the connection stays open. ``freeze``: nothing is read."""

from __future__ import annotations

from app.faults import BYTES, RECEIVED, SENT, STREAMS, FaultKind
from app.faults.hits import Hit
from app.faults.kinds.delay import DAY_MS
from app.options import Option

_FOR_EVER = 10_000 * DAY_MS
"""Until it is lifted."""


def _hang(hit: Hit) -> str:
    milliseconds = hit.options["ms"]
    hit.piece.withhold()
    hit.lane.swallow(hit.fault)
    if milliseconds:
        hit.lane.lift_at(hit.now + milliseconds / 1000, hit.fault)
    return f"nothing passes for {milliseconds:.0f} ms, and is lost" if milliseconds else "nothing passes any more"


def _freeze(hit: Hit) -> str:
    # What was read together with what is behind it waits with it: nothing of it is to be seen.
    hit.delay(_FOR_EVER)
    hit.target.freeze(hit.fault)
    return "nothing is read any more"


KINDS = (
    FaultKind(
        "hang",
        "Discards what is received, or what is sent, from the message on; the connection stays open",
        _hang,
        (*STREAMS, "udp"),
        (SENT, RECEIVED),
        (Option("ms", float, 0.0, "Duration; 0: until the fault is switched off", "ms", 0.0, DAY_MS),),
        at_once=True,
    ),
    FaultKind(
        "freeze",
        "Accepts the connection, and reads nothing more from the message on",
        _freeze,
        STREAMS,
        (RECEIVED,),
        level=BYTES,
        at_once=True,
    ),
)
