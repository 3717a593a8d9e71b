"""When a service that has failed is tried again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

FAILED, ALWAYS, NEVER = "failed", "always", "never"


class Restart:
    """The tries of one service since it was last up or stopped, and the wait for the next one.

    Attributes:
        attempt: the number of the next try, from 1; 0 while none is to come.
        seconds: how long it is waited for.
    """

    def __init__(self, clock: Any, again: Callable[[], None]) -> None:
        """``again`` is called when the wait is over."""
        self._clock, self._again = clock, again
        self._timer: Any = None
        self.attempt = 0
        self.seconds = 0.0

    def wait(self, terms: Mapping[str, Any] | None, *, stopped: bool = False) -> bool:
        """Wait for the next try. False where none is wanted, or no more.

        Args:
            terms: the section ``restart``, with its defaults; None: no try is wanted.
            stopped: the service did not fail, but was stopped by something other than the user.
        """
        wanted = terms is not None and terms["when"] in ((ALWAYS,) if stopped else (FAILED, ALWAYS))
        if terms is None or not wanted or (terms["attempts"] and self.attempt >= terms["attempts"]):
            self.forget()
            return False
        seconds = self.seconds * terms["factor"] if self.attempt else terms["delay_seconds"]
        self.attempt, self.seconds = self.attempt + 1, min(seconds, terms["max_seconds"])
        self._timer = self._clock.callLater(self.seconds, self._on_time)
        return True

    @property
    def seconds_left(self) -> float:
        """Until the next try."""
        return max(0.0, self._timer.getTime() - self._clock.seconds()) if self._timer is not None else 0.0

    def cut_short(self) -> None:
        """Wait no longer. The next wait is as long as if this one had been waited out."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def forget(self) -> None:
        """Wait no longer, and count anew."""
        self.cut_short()
        self.attempt, self.seconds = 0, 0.0

    def _on_time(self) -> None:
        self._timer = None
        self._again()
