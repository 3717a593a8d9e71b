"""Sends characters without end (RFC 864): a stream on TCP; on UDP, one datagram for each datagram received."""

from __future__ import annotations

import random
from typing import Any

from twisted.internet.interfaces import IProtocolFactory, IPushProducer
from twisted.internet.protocol import DatagramProtocol, Protocol, ServerFactory
from zope.interface import implementer

from app.responders import Context, Options, Responder

_PRINTABLE = bytes(range(0x20, 0x7F))
LINES = b"".join((_PRINTABLE * 2)[start : start + 72] + b"\r\n" for start in range(len(_PRINTABLE)))
"""One period of the pattern: 95 lines of 72 characters, each starting one character further than the line before."""

MAX_DATAGRAM = 512
"""Bytes of a datagram (RFC 864)."""

INTERVAL = 0.001
"""Seconds between two writes to a peer that reads them: about 50 MB/s, which leaves time for other connections."""

PRIVILEGED = 1024
"""Datagrams from ports below this number are not answered: they belong to servers. A forged source
address could make two servers send to each other for ever, or flood one. (``app.services.answering``
guards all responders, and lets other privileged ports be: clients of some protocols send from them.)"""


@implementer(IPushProducer)
class Chargen(Protocol):
    """Writes ``LINES`` eight times per interval, while the peer reads and the capture keeps up."""

    transport: Any
    _timer: Any = None

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor

    def connectionMade(self) -> None:
        self.resumeProducing()
        self.transport.registerProducer(self, True)

    def dataReceived(self, data: bytes) -> None:
        """Discard the data, as RFC 864 says."""

    def connectionLost(self, reason: Any = None) -> None:
        self.pauseProducing()

    def resumeProducing(self) -> None:
        if self._timer is None:
            self._timer = self._reactor.callLater(INTERVAL, self._produce)

    def pauseProducing(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def stopProducing(self) -> None:
        self.pauseProducing()

    def _produce(self) -> None:
        self._timer = None
        self.resumeProducing()  # before the write, which may pause this producer
        self.transport.write(LINES * 8)


class DatagramChargen(DatagramProtocol):
    """Answers each datagram with 0 to 512 characters, except one from a privileged port."""

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        if addr[1] >= PRIVILEGED:
            self.transport.write(LINES[: random.randint(0, MAX_DATAGRAM)], addr)  # type: ignore[union-attr]


def _tcp(options: Options, context: Context) -> IProtocolFactory:
    class Factory(ServerFactory):
        def buildProtocol(self, addr: Any) -> Chargen:
            return Chargen(context.reactor)

    return Factory()


def _udp(options: Options, context: Context) -> DatagramProtocol:
    return DatagramChargen()


RESPONDER = Responder("chargen", "Sends characters without end (RFC 864)", {"tcp": _tcp, "udp": _udp})
