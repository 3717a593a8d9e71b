"""``corrupt``: bytes of a message are wrong. ``garbage``: there is noise in the place of it."""

from __future__ import annotations

from app.faults import RECEIVED, SENT, STREAMS, FaultKind
from app.faults.draws import Draws
from app.faults.hits import Hit
from app.options import Option

BIT, BYTE, ZERO, TRUNCATE, INSERT = "bit", "byte", "zero", "truncate", "insert"

MOST = 10_000
"""Mistakes in one message."""


def corrupted(data: bytes, how: str, count: int, draws: Draws) -> bytes:
    """``data`` with ``count`` mistakes; as it is, if it is empty."""
    if not data:
        return data
    if how == TRUNCATE:
        return data[: max(0, len(data) - count)]
    if how == INSERT:
        return _inserted(data, min(count, MOST), draws)
    changed = bytearray(data)
    for _ in range(min(count, MOST)):
        place = draws.below(len(changed))
        if how == BIT:
            changed[place] ^= 1 << draws.below(8)
        elif how == BYTE:
            changed[place] ^= 1 + draws.below(255)
        else:
            changed[place] = 0
    return bytes(changed)


def _inserted(data: bytes, count: int, draws: Draws) -> bytes:
    """In one pass: each byte would move all that is behind it."""
    parts: list[bytes] = []
    at = 0
    for place in sorted(draws.below(len(data) + 1) for _ in range(count)):
        parts += (data[at:place], draws.noise(1))
        at = place
    return b"".join((*parts, data[at:]))


def _corrupt(hit: Hit) -> str:
    how, count = hit.options["how"], hit.options["count"]
    before = hit.piece.data
    if not before:
        return ""
    hit.piece.data = corrupted(before, how, count, hit.draws)
    one, many = _WORDS[how]
    done = min(count, len(before)) if how == TRUNCATE else count
    return one if done == 1 else many.format(done)


_WORDS = {
    BIT: ("one bit turned over", "{:,} bits turned over"),
    BYTE: ("one byte changed", "{:,} bytes changed"),
    ZERO: ("one byte set to 0", "{:,} bytes set to 0"),
    TRUNCATE: ("one byte short", "{:,} bytes short"),
    INSERT: ("one byte too many", "{:,} bytes too many"),
}


def _garbage(hit: Hit) -> str:
    size = hit.options["bytes"]
    hit.target.garble(hit.piece, hit.draws.noise(size))
    return f"{size:,} bytes of noise, then closed"


KINDS = (
    FaultKind(
        "corrupt",
        "Changes bytes of a message",
        _corrupt,
        (*STREAMS, "udp"),
        (SENT, RECEIVED),
        (
            Option("how", str, BIT,
            "Flip bits, change bytes, set bytes to 0, leave out the last bytes, or insert bytes",
                choices=(BIT, BYTE, ZERO, TRUNCATE, INSERT)),
            Option("count", int, 1, "Number of bits or bytes", "", 1, MOST),
        ),
    ),
    FaultKind(
        "garbage",
        "Sends random bytes instead of a message, then closes; on HTTP after a correct status line",
        _garbage,
        STREAMS,
        (SENT,),
        (Option("bytes", int, 1_024, "Number of bytes of noise", "bytes", 1, 1 << 24),),
        ends=True,
    ),
)  # fmt: skip
