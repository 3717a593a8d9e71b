"""The valve: bounds what is kept of answers for peers that do not read them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

KEPT_FOR_ONE, KEPT_FOR_ALL = 16 << 20, 64 << 20
"""Bytes of answers kept for one peer that does not read, and for all such peers of a port.

Not less: some clients write ten megabytes before they read. If the server stopped reading from such a
client earlier, both would wait for each other for ever.
"""

AT_MOST = 4 * KEPT_FOR_ALL
"""Bytes of answers kept for all peers of a port, whatever caused them. Above, connections are aborted."""


class Holder(Protocol):
    """Who keeps answers for one peer."""

    def unsent(self) -> int | None:
        """Bytes that wait; None where the transport does not tell."""

    def cut(self, total: int) -> None:
        """Abort the connection: answers of ``total`` bytes wait for all peers of the port."""


class Kept:
    """The unsent bytes of each connection of a port, as last measured, and their sum.

    Attributes:
        total: bytes.
    """

    def __init__(self) -> None:
        self.total = 0
        self._by_holder: dict[Any, int] = {}  # the one that has waited for the longest is the first

    def __len__(self) -> int:
        return len(self._by_holder)

    def put(self, holder: Any, unsent: int) -> int:
        """Set the unsent bytes of ``holder``. Returns the new sum."""
        self.total += unsent - self._by_holder.get(holder, 0)
        self._by_holder[holder] = unsent
        return self.total

    def drop(self, holder: Any) -> None:
        """Nothing of ``holder`` is unsent any more."""
        self.total -= self._by_holder.pop(holder, 0)

    def measure(self, holder: Holder) -> None:
        """Count what ``holder`` keeps now. Above ``AT_MOST``, cut holders until the others keep less.

        Those are cut that keep at least half of their share, of them first those that have waited for the longest.
        """
        if self.put(holder, holder.unsent() or 0) <= AT_MOST:
            return
        for other in list(self._by_holder):
            if hasattr(other, "cut"):
                self.put(other, other.unsent() or 0)  # its peer may have read meanwhile
        for other, unsent in list(self._by_holder.items()):
            if self.total <= AT_MOST:
                return
            if 2 * unsent * len(self) >= self.total and hasattr(other, "cut"):
                total = self.total
                self.drop(other)
                other.cut(total)


class Valve:
    """Told by a transport when its write buffer is full, and when it has drained.

    It is the transport's producer as long as the responder registers none of its own. Without it, a client
    that sends and never reads could make us keep its answers without bound.

    Attributes:
        full: whether the transport's buffer is full and has not drained yet.
    """

    def __init__(
        self, kept: Kept, unsent: Callable[[], int | None], hold: Callable[[], None], release: Callable[[], None]
    ) -> None:
        """``unsent`` returns the bytes that wait in the transport, None if it does not tell;
        ``hold`` and ``release`` stop and resume reading from the peer."""
        self._kept, self._unsent, self._hold, self._release = kept, unsent, hold, release
        self.full = False

    def pauseProducing(self) -> None:
        # The transport calls this again with each write until its buffer has drained.
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
        """The transport is gone; a valve has nothing to stop."""


class Paced:
    """A responder's own producer, which waits for its peer and for the capture, whichever is slower."""

    def __init__(
        self,
        producer: Any,
        streaming: bool,
        pressed: bool,
        measure: Callable[[], None] = lambda: None,
        drained: Callable[[], None] = lambda: None,
    ) -> None:
        """``streaming`` as for ``registerProducer``; ``pressed``: whether the capture is falling behind now.

        ``measure`` is called when more was written into a full transport, ``drained`` when all of it was sent."""
        self._producer, self._streaming = producer, streaming
        self._measure, self._drained = measure, drained
        self._pressed, self._full, self._owed = pressed, False, False
        if pressed and streaming:
            producer.pauseProducing()

    def pauseProducing(self) -> None:
        # Passed on each time: a transport calls this again while its buffer is full.
        self._full = True
        self.measure()
        if self._streaming:
            self._producer.pauseProducing()

    def measure(self) -> None:
        """More was written. A transport with TLS says only once that it is full."""
        if self._full:
            self._measure()

    def resumeProducing(self) -> None:
        self._full = False
        self._drained()
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
