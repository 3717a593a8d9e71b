"""Peers that have left while a fault kept us from noticing.

Who is not read from, or was read from to its end, is not noticed when it leaves: no reactor watches such a socket. And
one that has sent FIN may still wait for an answer, or be gone. Only what is sent to it tells: the keep-alive of TCP
carries no byte (RFC 9293 section 3.8.4), and a system answers it with RST for a socket that no program has any more.
Linux does so once the FIN is a minute old (``tcp_fin_timeout``).
"""

from __future__ import annotations

import select
import socket
from errno import ETIMEDOUT
from typing import Any, Protocol

from twisted.internet.error import ConnectionDone, ConnectionLost, TCPTimedOutError
from twisted.python.failure import Failure

LOOK = 2.0
"""Seconds from one look to the next."""

_KEEP_ALIVE = (("TCP_KEEPIDLE", 10), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 6))
"""Seconds until it is asked, and until it is asked again; how often, until it is given up."""

_LEFT = getattr(select, "POLLRDHUP", 0)
"""Linux alone has it; elsewhere POLLHUP may mean that the peer has finished sending, and nobody is looked for."""


class Deaf(Protocol):
    """A connection that may not notice the end of its peer."""

    @property
    def socket(self) -> socket.socket | None:
        """Its socket; None if it has none."""

    @property
    def deaf(self) -> bool:
        """Whether nobody reads from it now."""

    def gone(self, reason: Failure) -> None:
        """The peer is gone."""


class Lookout:
    """Looks after the connections of one port, as long as there are any that may not notice."""

    def __init__(self, clock: Any) -> None:
        self._clock = clock
        self._asked: dict[Deaf, bool] = {}  # with whether the system keeps asking
        self._timer: Any = None

    def watch(self, connection: Deaf) -> None:
        """Look after ``connection`` until ``forget``."""
        self._asked.setdefault(connection, False)
        if self._timer is None and _LEFT:
            self._timer = self._clock.callLater(LOOK, self._look)

    def forget(self, connection: Deaf) -> None:
        self._asked.pop(connection, None)
        if self._timer is not None and not self._asked:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = self._clock.callLater(LOOK, self._look)
        poll, watched = select.poll(), {}
        for connection in self._asked:
            found = connection.socket
            if found is not None and connection.deaf:
                watched[found.fileno()] = connection
                poll.register(found, _LEFT)
        for number, happened in poll.poll(0):
            connection = watched[number]
            if happened & (select.POLLERR | select.POLLHUP):
                connection.gone(Failure(_reason(connection.socket)))
            elif not self._asked[connection]:
                self._asked[connection] = True
                _ask(connection.socket)


def _reason(ended: socket.socket | None) -> Exception:
    number = ended.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) if ended is not None else 0
    return ConnectionDone() if not number else TCPTimedOutError() if number == ETIMEDOUT else ConnectionLost()


def _ask(half_closed: socket.socket | None) -> None:
    """Have the system ask the peer whether it is still there."""
    if half_closed is None:
        return
    for name, value in _KEEP_ALIVE:
        if hasattr(socket, name):
            half_closed.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    half_closed.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
