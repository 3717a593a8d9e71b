"""The valve: bounds what is kept of answers for peers that do not read them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

KEPT_FOR_ONE, KEPT_FOR_ALL = 16 << 20, 64 << 20
"""Bytes of answers kept for one peer that does not read, and for all such peers of a port.

Not less: many a client writes its ten megabytes in one go and reads only then, and would wait
for ever for a server that waits for it.
"""


class Kept:
    """What each connection of a port keeps unsent, from the last time it was asked, and the sum.

    Attributes:
        total: bytes.
    """

    def __init__(self) -> None:
        self.total = 0
        self._by_valve: dict[Valve, int] = {}

    def __len__(self) -> int:
        return len(self._by_valve)

    def put(self, valve: Valve, unsent: int) -> int:
        """Note what is kept behind ``valve`` now. Returns the new sum."""
        self.total += unsent - self._by_valve.get(valve, 0)
        self._by_valve[valve] = unsent
        return self.total

    def drop(self, valve: Valve) -> None:
        """Nothing is kept behind ``valve`` any more."""
        self.total -= self._by_valve.pop(valve, 0)


class Valve:
    """Told by a transport when its write buffer is full, and when it has drained.

    Stands in as the transport's producer while the responder registers none of its own, so
    that a client which sends and never reads cannot make us hold its answers for ever.

    Attributes:
        full: whether the transport's buffer is full and has not drained yet.
    """

    def __init__(
        self, kept: Kept, unsent: Callable[[], int | None], hold: Callable[[], None], release: Callable[[], None]
    ) -> None:
        """``unsent`` gives the bytes that wait in the transport, None where it hides them;
        ``hold`` and ``release`` have the peer not read from, and read again."""
        self._kept, self._unsent, self._hold, self._release = kept, unsent, hold, release
        self.full = False

    def pauseProducing(self) -> None:
        # The transport asks again with each write until it has drained.
        self.full = True
        unsent = self._unsent()
        if unsent is None or self._kept.put(self, unsent) > KEPT_FOR_ALL or unsent > KEPT_FOR_ONE:
            self._hold()

    def resumeProducing(self) -> None:
        self.full = False
        self.drained()
        self._release()

    def drained(self) -> None:
        """Everything was sent, or never will be."""
        self._kept.drop(self)

    def stopProducing(self) -> None:
        """The transport is gone; there is nothing of ours to stop."""


class Paced:
    """A responder's own producer, which waits for its peer and for the capture, whichever is slower."""

    def __init__(self, producer: Any, streaming: bool, pressed: bool) -> None:
        """``streaming`` as for ``registerProducer``; ``pressed``: whether the capture is behind already."""
        self._producer, self._streaming = producer, streaming
        self._pressed, self._full, self._owed = pressed, False, False
        if pressed and streaming:
            producer.pauseProducing()

    def pauseProducing(self) -> None:
        # Each time: a transport asks again while it is full.
        self._full = True
        self._producer.pauseProducing()

    def resumeProducing(self) -> None:
        self._full = False
        if not self._pressed:
            self._producer.resumeProducing()
        elif not self._streaming:
            self._owed = True

    def on_pressure(self, pressed: bool) -> None:
        """The capture is falling behind, or has caught up."""
        self._pressed = pressed
        if pressed and self._streaming:
            self._producer.pauseProducing()
        elif not pressed and (self._owed or (self._streaming and not self._full)):
            self._owed = False
            self._producer.resumeProducing()

    def stopProducing(self) -> None:
        self._producer.stopProducing()
