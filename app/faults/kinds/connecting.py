"""``connect-delay``: a connection is handled late. ``refuse``: it is not."""

from __future__ import annotations

from collections.abc import Iterator

from app.faults import CLOSED, CONNECT, STREAMS, UNACCEPTED, FaultKind
from app.faults.hits import Hit
from app.faults.kinds.delay import DAY_MS
from app.options import Mistake, Option, Options

RESET = "reset"

SHORTEST = 0.1
"""Seconds from one time that a port is shut to the next, at the least."""


def _delay(hit: Hit) -> str:
    milliseconds = hit.options["ms"]
    hit.piece.due[hit.fault] = hit.now + milliseconds / 1000
    return f"handled {milliseconds:.0f} ms late"


def _refuse(hit: Hit) -> str:
    # Also one that came before the port was closed, and where the port is not ours to close.
    hit.target.reset()
    return "refused by a reset"


def _shuts(options: Options, protocol: str) -> str:
    how: str = options["how"]
    return CLOSED if protocol == "udp" else "" if how == RESET else how


def _check(values: Options, protocol: str, on: str) -> Iterator[Mistake]:
    if not _shuts({"how": CLOSED} | dict(values), protocol):
        return
    for name, neutral in (("probability", 1.0), ("first", 0), ("nth", 0), ("every", 0), ("peer", [])):
        if values[name] != neutral:
            where = "where the port is closed" if protocol == "udp" or values["how"] == CLOSED else "in the queue"
            yield Mistake(name, f"has no effect {where}: connections are not told apart there")
    if 0 < values["period_seconds"] < SHORTEST:
        yield Mistake("period_seconds", f"must be at least {SHORTEST:g} s: the port is closed and opened each time")


KINDS = (
    FaultKind(
        "connect-delay",
        "Accepts a connection, and handles nothing on it for a time",
        _delay,
        STREAMS,
        (CONNECT,),
        (Option("ms", float, 1_000.0, "Duration", "ms", 0.0, DAY_MS),),
    ),
    FaultKind(
        "refuse",
        "Refuses connections; on UDP, the port is unreachable",
        _refuse,
        (*STREAMS, "udp"),
        (CONNECT,),
        (
            Option("how", str, CLOSED,
                "Close the port, reset each connection at once, or leave it in the system's queue",
                choices=(CLOSED, RESET, UNACCEPTED), protocols=STREAMS),
        ),
        ends=True,
        check=_check,
        shuts=_shuts,
    ),
)  # fmt: skip
