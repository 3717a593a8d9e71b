"""When autobahn does what it waits with."""

from __future__ import annotations

from typing import Any


class Timers:
    """autobahn's timers to the moment.

    Its own begin with a whole second, so that half a second is none at all, and call what was
    cancelled by another of the same second.
    """

    def __init__(self, reactor: Any) -> None:
        self.call_later = reactor.callLater
