"""Sends back what comes."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IHalfCloseableProtocol, IProtocolFactory
from twisted.internet.protocol import DatagramProtocol, Protocol, ServerFactory
from zope.interface import implementer

from app.responders import Context, Options, Responder


@implementer(IHalfCloseableProtocol)
class Echo(Protocol):
    def dataReceived(self, data: bytes) -> None:
        self.transport.write(data)  # type: ignore[union-attr]

    def readConnectionLost(self) -> None:
        """The peer has sent all: it still gets what it has not read yet."""
        self.transport.loseConnection()  # type: ignore[union-attr]

    def writeConnectionLost(self) -> None:
        """We never close only our side."""


class DatagramEcho(DatagramProtocol):
    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        self.transport.write(datagram, addr)  # type: ignore[union-attr]


def _tcp(options: Options, context: Context) -> IProtocolFactory:
    return ServerFactory.forProtocol(Echo)


def _udp(options: Options, context: Context) -> DatagramProtocol:
    return DatagramEcho()


def _websocket(options: Options, context: Context) -> Any:
    from autobahn.twisted.websocket import WebSocketServerProtocol

    class WebSocketEcho(WebSocketServerProtocol):
        def onMessage(self, payload: bytes, isBinary: bool) -> None:
            self.sendMessage(payload, isBinary)

    return WebSocketEcho


RESPONDER = Responder("echo", "Sends back what comes", {"tcp": _tcp, "udp": _udp, "websocket": _websocket})
