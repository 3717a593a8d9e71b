"""A pause of the capture: what passes meanwhile is counted and not stored."""

from __future__ import annotations

import json
from dataclasses import dataclass

from app import events

KEPT = frozenset(
    {
        events.SERVICE_STARTED, events.SERVICE_STOPPED, events.SERVICE_FAILED, events.SERVICE_RESTARTING,
        events.CONNECTION_OPENED, events.CONNECTION_CLOSED, events.TLS_OPENED, events.TLS_FAILED,
        events.UPSTREAM_FAILED, events.UPSTREAM_RECOVERED, events.FAILURE, events.FAILURE_RESOLVED,
        events.LOOP_BLOCKED, events.GROWING, events.NOTE,
    }
)  # fmt: skip
"""Kinds that are stored during a pause, too. Without the ends of connections the capture would show them as open
for ever; failures and notes are what one would miss afterwards."""


@dataclass(slots=True)
class Pause:
    """One pause, since ``since`` (ns since 1970). ``count``: events that were not stored so far."""

    since: int
    count: int = 0

    def recorded(self, until: int) -> tuple[str, str]:
        """Summary and detail of the event ``capture.resumed``, for a pause that ended at ``until``."""
        what = "1 event was" if self.count == 1 else f"{self.count:,} events were"
        seconds = (until - self.since) / 1e9
        detail = {"count": self.count, "from": events.rfc3339(self.since), "until": events.rfc3339(until)}
        return f"{what} not stored during a pause of {seconds:,.1f} s", json.dumps(detail)
