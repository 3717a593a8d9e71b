"""How often events are read and stored that outposts have: so that one event comes at once, and many come together.

An answer costs the outpost, the router and the console about as much as two hundred events do, and so does a batch that
is stored. A console therefore reads an outpost again after a rest, and all of them together so often and no more. While
nobody waits for its events, the outpost stores them in larger batches.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from twisted.internet.interfaces import IDelayedCall

from app.capture.recorder import INTERVAL, Recorder

READS = 50
"""Reads in a second of one console, of all its outposts together."""

REST = 0.04
"""Seconds from an answer that holds all there is until the next read."""

AWAITED = 0.025
"""Seconds for which an outpost gathers events while a console waits for one."""

BETWEEN = 0.2
"""Seconds for which it does so between two reads. The next read has what was gathered stored, so that it need not
wait."""

GONE = 2.0
"""Seconds without a read after which an outpost stores events as if nobody read it."""


class Turns:
    """The reads of a console, at a distance from each other."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._last = 0.0

    def take(self) -> float:
        """Take the next turn: the seconds until it comes."""
        now: float = self._reactor.seconds()
        self._last = max(now, self._last + 1 / READS)
        return self._last - now


class Gathering:
    """How long the recorder of an outpost gathers events, by what its consoles do."""

    def __init__(self, reactor: Any, recorder: Recorder) -> None:
        self._reactor, self._recorder = reactor, recorder
        self._waiting = 0
        self._gone: IDelayedCall | None = None
        self._closed = False

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """While a read has found nothing, and waits."""
        self._waiting += 1
        self._gather(AWAITED)
        self._recorder.flush()
        try:
            yield
        finally:
            self._waiting -= 1
            self.answered()

    def answered(self) -> None:
        """A read is answered; the next one comes soon."""
        if not self._waiting and not self._closed:
            self._gather(BETWEEN)
            self._gone = self._reactor.callLater(GONE, self._on_gone)

    def close(self) -> None:
        self._closed = True
        self._gather(INTERVAL)

    def _on_gone(self) -> None:
        self._gone = None
        self._gather(INTERVAL)

    def _gather(self, seconds: float) -> None:
        if self._gone is not None:
            self._gone.cancel()
            self._gone = None
        self._recorder.gather(seconds)
