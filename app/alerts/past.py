"""What became of alerts before the program was started, as the capture says that is gone on with."""

from __future__ import annotations

from dataclasses import dataclass

from app import events
from app.alerts.lanes import Outcome
from app.capture.reading import values
from app.capture.reading.store import Store
from app.capture.reading.told import told

MOST = 20_000
"""Events that are read of one part of a capture."""


@dataclass(frozen=True, slots=True)
class Found:
    """When each alert was raised last, in ns since 1970, and what became last of each action, as events name it."""

    raised: dict[str, int]
    outcomes: dict[tuple[str, str], Outcome]


def found(store: Store, first: int, last: int) -> Found:
    """What the events from ``first`` to ``last`` say of alerts."""
    raised: dict[str, int] = {}
    outcomes: dict[tuple[str, str], Outcome] = {}
    for time, kind, detail in told(store, events.ALERTS, first, last, MOST):
        name, action = detail.get("alert"), detail.get("action")
        if not isinstance(name, str):
            continue
        if kind == events.ALERT_RAISED:
            raised.setdefault(name, time)
        elif isinstance(action, str) and not detail.get("test"):
            done = kind == events.ALERT_SENT
            words = values.words(detail.get("words" if done else "reason")) or ""
            outcomes.setdefault((name, action), Outcome(done, words))  # nothing is tried again from then
    return Found(raised, outcomes)
