"""``duplicate``: a datagram or message comes twice. ``reorder``: others overtake it."""

from __future__ import annotations

from app.faults import RECEIVED, SENT, FaultKind
from app.faults.hits import Hit
from app.faults.kinds.delay import DAY_MS
from app.faults.lane import Piece
from app.options import Option

_ANY = 1 << 62
"""More than can overtake one: only the time says when it passes."""


def _duplicate(hit: Hit) -> str:
    wait, gap = hit.options["ms"], hit.options["gap"]
    if not (wait or gap):
        hit.piece.copies += 1
        return "twice"
    piece, lane = hit.piece, hit.lane

    def put_copy() -> None:
        copy = Piece(piece.data, piece.deliver, whole=True)
        copy.due[hit.fault], copy.gap = hit.clock.seconds() + (wait or DAY_MS) / 1000, gap or _ANY
        lane.put(copy)

    piece.then.append(put_copy)
    after = [f"{wait:.0f} ms later"] if wait else []
    after += [f"when {gap:,} have passed"] if gap else []
    return f"again {' or '.join(after)}"


def _reorder(hit: Hit) -> str:
    wait, gap = hit.options["ms"], hit.options["gap"]
    hit.piece.due[hit.fault], hit.piece.gap = hit.now + wait / 1000, gap
    return f"held back until {gap:,} have passed, {wait:.0f} ms at most"


_FITS = ("udp", "websocket"), (SENT, RECEIVED)

KINDS = (
    FaultKind(
        "duplicate", "Sends a datagram or a message twice", _duplicate, *_FITS,
        (
            Option("ms", float, 0.0, "Delay of the second one", "ms", 0.0, DAY_MS),
            Option("gap", int, 0, "Number of others between the two; the earlier of this and ms counts", "", 0,
                10_000),
        ),
        at_zero="at once",
    ),
    FaultKind(
        "reorder", "Sends a datagram or a message after some that follow it", _reorder, *_FITS,
        (
            Option("ms", float, 1_000.0, "Longest time to wait for them", "ms", 1.0, DAY_MS),
            Option("gap", int, 1, "Number of those that pass first", "", 1, 10_000),
        ),
    ),
)  # fmt: skip
