"""The valve: bounds what is kept of answers for peers that do not read them."""

from __future__ import annotations

from collections.abc import Callable

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
    """

    def __init__(
        self, kept: Kept, unsent: Callable[[], int | None], hold: Callable[[], None], release: Callable[[], None]
    ) -> None:
        """``unsent`` gives the bytes that wait in the transport, None where it hides them;
        ``hold`` and ``release`` have the peer not read from, and read again."""
        self._kept, self._unsent, self._hold, self._release = kept, unsent, hold, release

    def pauseProducing(self) -> None:
        # The transport asks again with each write until it has drained.
        unsent = self._unsent()
        if unsent is None or self._kept.put(self, unsent) > KEPT_FOR_ALL or unsent > KEPT_FOR_ONE:
            self._hold()

    def resumeProducing(self) -> None:
        self.drained()
        self._release()

    def drained(self) -> None:
        """Everything was sent, or never will be."""
        self._kept.drop(self)

    def stopProducing(self) -> None:
        """The transport is gone; there is nothing of ours to stop."""
