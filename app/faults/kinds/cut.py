"""``cut``: a message ends in the middle, and its connection with it."""

from __future__ import annotations

from collections.abc import Iterator

from app.faults import SENT, STREAMS, FaultKind
from app.faults.hits import Hit
from app.options import Mistake, Option, Options

CLOSE, RESET = "close", "reset"


def _act(hit: Hit) -> str:
    how = hit.options["then"]
    size, whole = hit.options["bytes"], hit.options["part"]
    words = f"cut after {whole:.0%} of it" if whole else f"cut after {size:,} bytes"

    def told(data: bytes, passed: int) -> None:
        hit.tell(f"{passed:,} of {len(data):,} bytes left, then {how}", data)

    hit.target.cut(hit.piece, hit.lane, size, whole, reset=how == RESET, told=told)
    return f"{words}, then {how}"


def _check(options: Options, protocol: str, on: str) -> Iterator[Mistake]:
    if options["bytes"] and options["part"]:
        yield Mistake("part", "and bytes cannot be set together: leave one of them out")


KIND = FaultKind(
    "cut",
    "Sends only the beginning of a message, then closes",
    _act,
    STREAMS,
    (SENT,),
    (
        Option("bytes", int, 0, "Bytes of the message that are sent; on HTTP, of its body", "bytes", 0, 1 << 40),
        Option(
            "part",
            float,
            0.0,
            "Part of the message that is sent, from 0 to 1; 0: as many bytes as the option bytes says",
            "",
            0.0,
            1.0,
        ),
        Option("then", str, CLOSE, "How the connection ends", choices=(CLOSE, RESET)),
    ),
    ends=True,
    check=_check,
    figure="after {}",
    at_zero="before the first byte",
)
