"""What happened and is not in the capture: counted by reason, until an event ``events.lost`` tells of it."""

from __future__ import annotations

import json
from dataclasses import dataclass

from app import events

FELL_BEHIND = "the capture could not be written as fast as datagrams came"
NOT_SENT = "so much was waiting to be stored that memory would have run out"
KERNEL = "the system's receive buffer was full"
TAKEN = "what the capture held of them was removed or damaged"
ENDED = "the program ended before they were stored"
OTHERWISE = "other reasons"
"""Why events are lost; a writer's trouble and what rejects a batch are reasons, too, in their own words."""

MAX_REASONS = 20
"""Reasons that are counted apart."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Events that happened and are not in the capture: how many, when (ns since 1970), and why."""

    count: int
    since: int
    until: int
    why: str

    def recorded(self) -> tuple[str, str]:
        """Summary and detail of the event ``events.lost``."""
        lost = "1 event was" if self.count == 1 else f"{self.count:,} events were"
        since, until = events.rfc3339(self.since), events.rfc3339(self.until)
        detail = {"count": self.count, "from": since, "until": until, "why": self.why}
        return f"{lost} lost: {self.why}", json.dumps(detail)


class Losses:
    """Counts lost events. One whose ``events.lost`` was itself lost is told of again.

    Attributes:
        total: events lost so far.
        because: the same by reason.
        told: how many events ``events.lost`` were made.
    """

    def __init__(self) -> None:
        self.total = self.told = 0
        self.because: dict[str, int] = {}
        self._untold: dict[str, Loss] = {}

    def __bool__(self) -> bool:
        """Whether there are losses that no event tells of yet."""
        return bool(self._untold)

    def count(self, count: int, since: int, until: int, why: str) -> None:
        """Count ``count`` events that happened from ``since`` to ``until`` (ns since 1970)."""
        if why not in self.because and len(self.because) >= MAX_REASONS:
            why = OTHERWISE
        self.total += count
        self.because[why] = self.because.get(why, 0) + count
        self._merge(Loss(count, since, until, why))

    def take(self) -> tuple[Loss, ...]:
        """The losses that no event tells of yet; the caller records one for each."""
        taken = tuple(self._untold.values())
        self._untold.clear()
        self.told += len(taken)
        return taken

    def put_back(self, losses: tuple[Loss, ...]) -> None:
        """Losses that were taken, and whose events were lost as well."""
        for loss in losses:
            self._merge(loss)

    def _merge(self, loss: Loss) -> None:
        known = self._untold.get(loss.why, loss)
        since, until = min(known.since, loss.since), max(known.until, loss.until)
        count = loss.count if known is loss else known.count + loss.count
        self._untold[loss.why] = Loss(count, since, until, loss.why)
