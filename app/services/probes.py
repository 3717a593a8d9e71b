"""Finds peers that went away without a word: TCP asks a silent one whether it is there (RFC 9293 section 3.8.4).

Pings of WebSocket find the same, and also a peer whose system answers while its program hangs.
"""

from __future__ import annotations

import contextlib
import errno
import math
import socket
from dataclasses import dataclass
from typing import Any

from twisted.internet import error, tcp
from twisted.python.failure import Failure

from app.options import Options

TRIES = 3
"""How often a silent peer is asked. Systems take whole seconds between two."""

_GONE = (errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN)
"""How the system says that a peer no longer answers: the last three if a router, or the neighbourhood, knew it."""


@dataclass(frozen=True, slots=True)
class Probes:
    """When a peer is asked, and when it is given up.

    Attributes:
        after: seconds of silence until it is asked.
        within: seconds in which it must answer then, or take what was sent.
    """

    after: float
    within: float

    @classmethod
    def of(cls, limits: Options) -> Probes | None:
        """What the section ``limits`` of a service asks for; None for no probes."""
        after = limits.get("ping_seconds")
        return cls(after, limits["ping_timeout"]) if after else None

    def put(self, accepted: socket.socket) -> None:
        """Have the system ask, as far as it can. Raises OSError."""
        accepted.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        after, between = math.ceil(self.after), max(1, math.ceil(self.within / TRIES))
        options = {
            "TCP_KEEPIDLE": after,
            "TCP_KEEPALIVE": after,  # macOS
            "TCP_KEEPINTVL": between,
            "TCP_KEEPCNT": TRIES,
            # Linux: the same for a peer that does not take what was sent, which is not asked.
            "TCP_USER_TIMEOUT": round((self.after + self.within) * 1000),
        }
        for name, value in options.items():
            number = getattr(socket, name, None)
            if number is not None and not (name == "TCP_KEEPALIVE" and hasattr(socket, "TCP_KEEPIDLE")):
                accepted.setsockopt(socket.IPPROTO_TCP, number, value)


class _Told(socket.socket):
    """A socket that remembers the error with which it ended: Twisted tells none from another."""

    ended = 0

    def recv(self, *args: Any) -> bytes:
        try:
            return super().recv(*args)
        except OSError as e:
            self.ended = e.errno or 0
            raise

    def send(self, *args: Any) -> int:
        try:
            return super().send(*args)
        except OSError as e:
            self.ended = e.errno or 0
            raise


class ProbedServer(tcp.Server):
    """An accepted connection whose peer is asked. Its end says so where the peer did not answer."""

    def connectionLost(self, reason: Failure) -> None:
        if reason.check(error.ConnectionLost) and self._ended() in _GONE:
            reason = Failure(error.TCPTimedOutError())
        super().connectionLost(reason)

    def _ended(self) -> int:
        made: Any = self.socket
        with contextlib.suppress(OSError):
            return int(made.ended or made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
        return 0


def probed(accepted: socket.socket, probes: Probes) -> socket.socket:
    """The same connection as ``ProbedServer`` wants it."""
    told = _Told(fileno=accepted.detach())
    told.setblocking(False)
    with contextlib.suppress(OSError):  # the client may be gone already; its connection says so
        probes.put(told)
    return told
