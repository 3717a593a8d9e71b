"""The time that a client of HTTP/1 has for its next step."""

from __future__ import annotations

from typing import Any, cast

from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel

from app.services.tap.tap import Tap

LINGER = 2.0
"""Seconds in which the rest of a refused request is read and dropped. Closing with unread bytes would send
a reset, and the client would lose the response that says what was wrong."""


class TimedChannel(HTTPChannel):
    """HTTP/1 with one timer: ``timeoutConnection`` is called when the client's time is over.

    Attributes:
        tap: what records the connection.
    """

    transport: Any
    site: Any
    callLater: Any
    _marked = 0  # bytes that had come when the client was given its time
    _until: float | None = None  # when the client's time is over; None while it waits for us
    _timer: Any = None

    @property
    def tap(self) -> Tap:
        return cast(Tap, self.transport)

    def connectionMade(self) -> None:
        self._seconds = self.site.reactor.seconds
        self._idle: float | None = self.site.limits["idle_seconds"] or None
        super().connectionMade()

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        self._until = None
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        super().connectionLost(reason)

    def _allow(self, seconds: float | None) -> None:
        """Give the client ``seconds`` for its next step; None while it waits for us.

        The pending timer is not moved: that would cost more, with each request, than to let the
        timer fire early and start it again.
        """
        if seconds is None:
            self._until = None
            return
        self._marked = self.transport.received
        self._until = self._seconds() + seconds
        if self._timer is None:
            self._timer = self.callLater(seconds, self._on_timer)
        elif seconds == LINGER:
            self._timer.reset(seconds)

    def _on_timer(self) -> None:
        self._timer = None
        if self._until is not None:
            left = self._until - self._seconds()
            if left > 0:
                self._timer = self.callLater(left, self._on_timer)
            else:
                self.timeoutConnection()

    def _given(self) -> int | None:
        """Bytes that were passed to the kernel so far; None if the transport does not tell."""
        unsent = self.tap.unsent()
        return None if unsent is None else self.tap.sent - unsent
