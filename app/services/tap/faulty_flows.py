"""The flows of a UDP port, where faults can act on their datagrams."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol, cast

from app.faults import RECEIVED, SENT
from app.faults.lane import EACH, Lane, Piece
from app.faults.live import Faults

MOST = 16 << 20
"""Bytes of datagrams, and ``EACH`` more for each, that may wait for faults on one port. Others are lost then."""

TELL = 1.0
"""Seconds for which lost datagrams are counted until the capture is told."""


class Owned(Protocol):
    """A flow as far as its faults need to know it."""

    number: int
    peer: str


class FaultyFlow:
    """What waits of one flow; a target of faults. Datagrams keep no order: each waits for itself.

    Attributes:
        incoming, outgoing: datagrams that wait.
    """

    protocol_name = "udp"

    def __init__(self, flows: FaultyFlows, number: int, host: str) -> None:
        faults = flows.faults
        self._flows, self._sizes = flows, {RECEIVED: 0, SENT: 0}
        self.incoming = Lane(faults.clock, partial(self._on_size, RECEIVED), loose=True, full=flows.full)
        self.outgoing = Lane(faults.clock, partial(self._on_size, SENT), loose=True, full=flows.full)
        self._course = faults.open(number, host, cast(Any, self))

    def pass_on(self, on: str, data: bytes, deliver: Callable[[bytes], None]) -> None:
        """Have a datagram pass, which ``deliver`` takes. It is lost if too much waits on the port already."""
        faults, course = self._flows.faults, self._course
        lane = self.incoming if on == RECEIVED else self.outgoing
        piece = Piece(data, deliver, whole=True)
        faults.strike(course, on, "", piece, lane)
        course.passed[on] += len(data)
        lane.put(piece)

    def _on_size(self, on: str, size: int) -> None:
        self._flows.waiting += size - self._sizes[on]
        self._sizes[on] = size

    def end(self) -> int:
        """The flow has ended: drop what waits. Returns the bytes that were to be sent."""
        self.incoming.close()
        unsent = self.outgoing.close()
        for on in self._sizes:
            self._on_size(on, 0)
        self._flows.faults.close(self._course)
        return unsent

    # -- target: a flow has no end, and its sender cannot be held back

    def thaw(self, fault: Any) -> None:
        """Does nothing: no datagram is left unread."""


class FaultyFlows:
    """The flows of one port.

    Attributes:
        waiting: bytes that wait, as ``MOST`` counts them.
    """

    def __init__(self, faults: Faults, tell: Callable[[str, int], None]) -> None:
        """``tell`` is given words and the number of datagrams that were lost because too many waited."""
        self.faults, self._tell = faults, tell
        self.waiting = 0
        self._lost = 0
        self._telling: Any = None

    def open(self, flow: Owned) -> FaultyFlow:
        return FaultyFlow(self, flow.number, flow.peer.rpartition(":")[0].strip("[]"))

    def full(self, size: int) -> bool:
        """Whether too much waits already for a datagram of so many bytes, or a copy of one; it is lost then."""
        if self.waiting + size + EACH <= MOST:
            return False
        self._lost += 1
        if self._telling is None:
            self._telling = self.faults.clock.callLater(TELL, self._tell_lost)
        return True

    def _tell_lost(self) -> None:
        self._telling = None
        count, self._lost = self._lost, 0
        self._tell(f"{count:,} datagrams were lost: {MOST >> 20} MiB of others wait for faults already", count)

    def stop(self) -> None:
        """The port is closed."""
        if self._telling is not None:
            self._telling.cancel()
            self._tell_lost()
