"""``close``, ``reset``, ``half-close``: the connection ends in the place of a message. ``slow-close``: it ends late."""

from __future__ import annotations

from collections.abc import Callable

from app.faults import RECEIVED, SENT, STREAMS, FaultKind
from app.faults.hits import Hit
from app.faults.kinds.delay import DAY_MS
from app.faults.targets import Target
from app.options import Option

AFTER = Option("after_ms", float, 0.0, "Time to wait before", "ms", 0.0, DAY_MS)


def _ending(name: str, help: str, words: str, end: Callable[[Target], None]) -> FaultKind:
    def act(hit: Hit) -> str:
        wait = hit.options["after_ms"]
        hit.later(wait, lambda: end(hit.target))
        return f"{words} after {wait:.0f} ms" if wait else words

    return FaultKind(name, help, act, STREAMS, (SENT, RECEIVED), (AFTER,), ends=True, at_once=True)


def _act_slowly(hit: Hit) -> str:
    wait = hit.options["after_ms"]
    hit.target.close_slowly(wait / 1000, hit.fault)
    return f"its end will be {wait:.0f} ms late"


KINDS = (
    _ending("close", "Closes the connection (FIN) in the place of a message", "closed",
        lambda target: target.close()),
    _ending("reset", "Resets the connection (RST), in the place of a message", "reset", lambda target: target.reset()),
    _ending("half-close", "Closes our side in the place of a message, and goes on reading", "our side closed",
        lambda target: target.half_close()),
    FaultKind(
        "slow-close", "Closes the connection later", _act_slowly, STREAMS, (SENT, RECEIVED),
        (Option("after_ms", float, 1_000.0, "Delay", "ms", 0.0, DAY_MS),),
    ),
)  # fmt: skip
