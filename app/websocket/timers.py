"""A replacement for autobahn's timers."""

from __future__ import annotations

from typing import Any


class Timers:
    """Timers for autobahn that fire at the exact time.

    autobahn's own round to whole seconds, so that half a second becomes none, and call what was
    cancelled if another timer of the same second is left.
    """

    def __init__(self, reactor: Any) -> None:
        self.call_later = reactor.callLater
