"""Trying again after longer and longer waits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IDelayedCall

Policy = Callable[[int], float]
"""Seconds to wait after so many attempts that have failed."""


class Again:
    """Calls ``attempt`` again, each time that it has failed, until it is stopped.

    Attributes:
        failures: how many attempts have failed in a row; set to 0 by whoever has got through.
    """

    def __init__(self, clock: Any, policy: Policy, attempt: Callable[[], object]) -> None:
        self._clock, self._policy, self._attempt = clock, policy, attempt
        self._later: IDelayedCall | None = None
        self.failures = 0

    def wait(self) -> float:
        """An attempt has failed: make another one later. Returns after how many seconds."""
        self.stop()
        self.failures += 1
        seconds = self._policy(self.failures)
        self._later = self._clock.callLater(seconds, self._on_time)
        return seconds

    def _on_time(self) -> None:
        self._later = None
        self._attempt()

    def stop(self) -> bool:
        """Wait no more. Returns whether it was waited."""
        waiting, self._later = self._later, None
        if waiting is None or not waiting.active():
            return False
        waiting.cancel()
        return True
