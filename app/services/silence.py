"""Closes connections that have been silent for too long."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IReactorTime

from app.limits import IDLE_SECONDS
from app.services.interfaces import Watched

LOOKS = 8
"""How often connections are looked at in the time for which they may be silent."""


class Silence:
    """Closes the connections of one port that are silent for ``seconds``, or up to a quarter longer; 0: never.

    A timer compares the byte counts that the connections keep anyway, so nothing is done for each byte.
    While ``held()`` is true the peers are not read from, and the time does not count.
    """

    def __init__(self, clock: IReactorTime, seconds: float, held: Callable[[], bool]) -> None:
        self._clock, self._seconds, self._held = clock, seconds, held
        self._seen: dict[Watched, tuple[Any, float, bool]] = {}
        self._looking: Any = None

    def change(self, seconds: float) -> None:
        """Watch for ``seconds`` of silence from now on. Connections that were opened while it was 0 stay unwatched."""
        self._seconds = seconds
        if not seconds:
            self._seen.clear()
            if self._looking is not None:
                self._looking.cancel()
                self._looking = None

    def opened(self, connection: Watched) -> None:
        """Watch ``connection`` from now on."""
        if self._seconds:
            self._seen[connection] = (None, 0.0, False)
            if self._looking is None:
                self._looking = self._clock.callLater(self._seconds / LOOKS, self._look)

    def closed(self, connection: Watched) -> None:
        """``connection`` has closed."""
        self._seen.pop(connection, None)
        if self._looking is not None and not self._seen:
            self._looking.cancel()
            self._looking = None

    def _look(self) -> None:
        self._looking = self._clock.callLater(self._seconds / LOOKS, self._look)
        now, held = self._clock.seconds(), self._held()
        for connection, (before, since, ending) in list(self._seen.items()):
            moved = (connection.received, connection.sent, connection.unsent())
            # While the capture holds all peers back, they are not the ones who are silent.
            if not ending and (held or moved != before):
                self._seen[connection] = (moved, now, False)
            elif now - since >= self._seconds:
                self._seen[connection] = (moved, now, True)
                self._end(connection, ending)

    def _end(self, connection: Watched, ending: bool) -> None:
        if ending:
            connection.abort()  # it had the same time again to close in good order
            return
        connection.record_limit(IDLE_SECONDS.reached(self._seconds))
        connection.finish("closed by us: it was silent")
