"""The messages of one connection, handled one after the other."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from twisted.internet.defer import Deferred

from app.limits import Reached

MAX_MESSAGES, MAX_BYTES = 64, 1 << 20
"""Messages and bytes that may wait; above either, the peer is not read from."""


class MessageQueue:
    """Handles messages in order, each when the one before is done; pauses the peer while many wait.

    Attributes:
        work: handles one message; it must not raise.
    """

    def __init__(
        self,
        work: Callable[[Any], Awaitable[None]],
        pause: Callable[[], None],
        resume: Callable[[], None],
        waiting: Callable[[int], Reached | None] = lambda size: None,
    ) -> None:
        """``waiting`` is told how many bytes are kept, and returns the limit if there is no room for them."""
        self.work, self._pause, self._resume, self._tell = work, pause, resume, waiting
        self._waiting: deque[Any] = deque()
        self._bytes = self._handled = 0  # of those that wait, and of the one that is handled
        self._paused = self._busy = False
        self._running: Deferred[None] | None = None
        self._at_end: Callable[[], None] | None = None

    def put(self, message: Any) -> Reached | None:
        """Handle ``message`` when the messages before it are done.

        Returns a limit if there is no room for what waits: the connection is to be closed.
        """
        self._waiting.append(message)
        self._bytes += len(message)
        if not self._busy:
            running = Deferred.fromCoroutine(self._run())
            self._running = None if running.called else running
        if not self._paused and self.full:
            self._paused = True
            self._pause()
        return self._tell(self._bytes + self._handled) if self._busy else None

    async def _run(self) -> None:
        self._busy = True
        while self._waiting:
            message = self._waiting.popleft()
            self._handled = len(message)
            self._bytes -= self._handled
            if self._paused and len(self._waiting) <= MAX_MESSAGES // 2 and self._bytes <= MAX_BYTES // 2:
                self._paused = False
                self._resume()
            await self.work(message)
            self._handled = 0
            self._tell(self._bytes)
        self._busy, self._running = False, None
        end, self._at_end = self._at_end, None
        if end is not None:
            end()

    @property
    def full(self) -> bool:
        """Whether more messages or bytes wait than may."""
        return len(self._waiting) > MAX_MESSAGES or self._bytes > MAX_BYTES

    def finish(self, then: Callable[[], None]) -> None:
        """Call ``then`` when every message that was put is done."""
        if not self._busy:
            then()
        else:
            self._at_end = then

    def stop(self) -> None:
        """Drop the messages that wait, and cancel the one being handled: the connection is lost."""
        self._waiting.clear()
        self._at_end = None
        running, self._running = self._running, None
        if running is not None:
            running.cancel()
