"""What bounds a Tap whose faults hold bytes back: who waits then, and how its peer's end is noticed all the same."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from twisted.python.failure import Failure

from app.faults.lane import LEAST, MOST, Lane
from app.services.tap.holding import BY_RESPONDER
from app.services.tap.pacing import Pace
from app.services.tap.tap import Tap

BY_FAULT = 8
"""Who holds the peer back, beside those in ``holding``: a fault, which keeps enough of what it sent."""

BY_FREEZE = 16
"""A fault that reads no more."""

BY_LANE = 32
"""Answers that a fault holds back are more than ``MOST``."""

BY_LAYER = 64
"""The same of what waits in a layer above the connection, as messages do."""

# For the type checker the mixin is what it is mixed into.
_Base = Tap if TYPE_CHECKING else object


class Bounded(_Base):  # type: ignore[misc,valid-type]
    """The part of a Tap with faults that holds back whoever fills its lanes.

    Attributes:
        incoming, outgoing: what waits between wire and responder, and between responder and wire.
    """

    incoming: Lane
    outgoing: Lane
    _frozen_by: set[Any]
    _full: bool
    _pulled: Pace | None  # a producer that waits to be asked
    _read_to_end: bool

    def _on_incoming(self, size: int) -> None:
        if size > MOST:
            self.hold(BY_FAULT)
        elif size < LEAST and self._held & BY_FAULT:
            self.release(BY_FAULT)

    def _on_outgoing(self, size: int) -> None:
        if size > MOST and not self._full:
            self._full = True
            if self._paced is not None:
                self._paced.pauseProducing()
            else:
                self.hold(BY_LANE)
        elif size < LEAST and self._full:
            self._full = False
            self.factory.kept.drop(self)
            self.release(BY_LANE)
            # A transport that is full goes on by itself. Without asking it, all that a producer has would be in its
            # buffer before the lane is through.
            if self._paced is not None and not self._is_wire_full():
                self._paced.resumeProducing()
        elif self._full and self._paced is not None:
            self._paced.pauseProducing()  # the transport may have asked it to go on
        elif self._full:
            self.factory.kept.measure(self)

    def _is_wire_full(self) -> bool:
        return bool(getattr(self._tcp, "producerPaused", False))

    @property
    def _tcp(self) -> Any:
        """Twisted's transport of the socket, below TLS."""
        return self._wire.transport if self._secured else self._wire

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        if not streaming:
            # It would be asked for more as soon as the transport has nothing to send, whatever waits in a lane.
            producer = self._pulled = Pace(producer, self, streaming)
        super().registerProducer(producer, True)
        if self._pulled is not None:
            self._pulled.begin()

    def unregisterProducer(self) -> None:
        pulled, self._pulled = self._pulled, None
        if pulled is not None:
            pulled.end()
        super().unregisterProducer()

    @property
    def held(self) -> bool:
        """Whether the peer cannot be blamed for what has not come."""
        return super().held or len(self.incoming) > 0

    @property
    def socket(self) -> Any:
        return getattr(self._tcp, "socket", None)

    @property
    def deaf(self) -> bool:
        """Whether nobody reads; what has come and is not read yet is waited for, unless it never will be."""
        held = self._held & (BY_FAULT | BY_LANE | BY_LAYER)
        return self._read_to_end or bool(self._frozen_by) or bool(held and not self._unread())

    def _unread(self) -> int:
        return _queued(self._tcp, "FIONREAD")

    def gone(self, reason: Failure) -> None:
        self._tcp.connectionLost(reason)

    def hold(self, who: int) -> None:
        super().hold(who)
        if who & (BY_FAULT | BY_FREEZE | BY_LANE | BY_LAYER):
            self.factory.lookout.watch(self)
        # What a fault has kept is not given to a responder that wants no more.
        if who & BY_RESPONDER:
            self.incoming.blocked = True

    def release(self, who: int) -> None:
        super().release(who)
        if who & BY_RESPONDER and self.incoming.blocked:
            self.incoming.go_on()

    def _under_way(self) -> bool:
        """Whether something that was written has not reached the peer's kernel."""
        return bool(super().unsent() or _queued(self._tcp, "TIOCOUTQ"))


def _queued(wire: Any, what: str) -> int:
    """Bytes that the kernel has of a connection: ``TIOCOUTQ``, to be sent; ``FIONREAD``, to be read."""
    try:
        import termios
        from fcntl import ioctl

        return int.from_bytes(ioctl(wire.fileno(), getattr(termios, what), bytes(4)), sys.byteorder)
    except (ImportError, AttributeError, OSError, ValueError):
        return 0  # not Linux, or no socket
