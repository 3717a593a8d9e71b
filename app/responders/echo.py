"""Sends back all it receives."""

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
        """The peer will send no more: close, after what it has not read yet is sent."""
        self.transport.loseConnection()  # type: ignore[union-attr]

    def writeConnectionLost(self) -> None:
        """Never called: this protocol does not half-close."""


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


RESPONDER = Responder(
    "echo", "Sends back whatever it receives (RFC 862)", {"tcp": _tcp, "udp": _udp, "websocket": _websocket}
)
