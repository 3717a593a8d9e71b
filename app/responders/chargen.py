"""Sends characters for ever (RFC 864): a stream on TCP, a datagram of them for each one that comes on UDP."""

from __future__ import annotations

import random
from typing import Any

from twisted.internet.interfaces import IProtocolFactory, IPushProducer
from twisted.internet.protocol import DatagramProtocol, Protocol, ServerFactory
from zope.interface import implementer

from app.responders import Context, Options, Responder

_PRINTABLE = bytes(range(0x20, 0x7F))
LINES = b"".join((_PRINTABLE * 2)[start : start + 72] + b"\r\n" for start in range(len(_PRINTABLE)))
"""The pattern, until it comes round: 95 lines of 72 characters, each begun with the next one."""

LONGEST = 512
"""Bytes of a datagram (RFC 864)."""

EVERY = 0.001
"""Seconds between two writes to a peer who takes them: about 50 MB/s, and room for others."""

PRIVILEGED = 1024
"""Ports below are those of servers: to answer a datagram that claims to come from one could have
two servers send to each other for ever, or flood it."""


@implementer(IPushProducer)
class Chargen(Protocol):
    """Some rounds of ``LINES`` at a time, while the peer and the capture take them."""

    transport: Any
    _next: Any = None

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor

    def connectionMade(self) -> None:
        self.resumeProducing()
        self.transport.registerProducer(self, True)

    def dataReceived(self, data: bytes) -> None:
        """Thrown away, as RFC 864 says."""

    def connectionLost(self, reason: Any = None) -> None:
        self.pauseProducing()

    def resumeProducing(self) -> None:
        if self._next is None:
            self._next = self._reactor.callLater(EVERY, self._produce)

    def pauseProducing(self) -> None:
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def stopProducing(self) -> None:
        self.pauseProducing()

    def _produce(self) -> None:
        self._next = None
        self.resumeProducing()  # first: the write may pause us
        self.transport.write(LINES * 8)


class DatagramChargen(DatagramProtocol):
    """Answers with 0 to 512 characters; never a datagram from a server's port."""

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        if addr[1] >= PRIVILEGED and addr[1] != self.transport.getHost().port:  # type: ignore[union-attr]
            self.transport.write(LINES[: random.randint(0, LONGEST)], addr)  # type: ignore[union-attr]


def _tcp(options: Options, context: Context) -> IProtocolFactory:
    class Factory(ServerFactory):
        def buildProtocol(self, addr: Any) -> Chargen:
            return Chargen(context.reactor)

    return Factory()


def _udp(options: Options, context: Context) -> DatagramProtocol:
    return DatagramChargen()


RESPONDER = Responder("chargen", "Sends characters for ever (RFC 864)", {"tcp": _tcp, "udp": _udp})
