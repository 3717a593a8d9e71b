"""``malformed``: an answer that breaks a rule of HTTP."""

from __future__ import annotations

from typing import cast

from app.faults import SENT, FaultKind
from app.faults.hits import Hit
from app.faults.targets import ExchangeTarget
from app.options import Option

HOW = (
    "content-length-shorter", "content-length-longer", "two-content-lengths", "chunk-size", "last-chunk",
    "content-encoding", "content-type", "slow-head", "interim-flood",
)  # fmt: skip


def _act(hit: Hit) -> str:
    return cast(ExchangeTarget, hit.target).malform(hit.piece, hit.fault, hit.options["how"])


KIND = FaultKind(
    "malformed",
    "Answers in a way that breaks a rule of HTTP",
    _act,
    ("http",),
    (SENT,),
    (
        Option(
            "how", str, HOW[0],
            "A wrong Content-Length or two of them, a chunk size that is not a number, no last chunk (on HTTP/2 no "
            "END_STREAM), a wrong Content-Encoding or Content-Type, the head byte by byte (HTTP/1 alone), or a flood "
            "of interim answers", choices=HOW,
        ),
    ),
)  # fmt: skip
