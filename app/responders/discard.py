"""Discards all it receives and sends nothing (RFC 863)."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.protocol import DatagramProtocol, Protocol, ServerFactory

from app.responders import Context, Options, Responder


def _tcp(options: Options, context: Context) -> IProtocolFactory:
    return ServerFactory.forProtocol(Protocol)


def _udp(options: Options, context: Context) -> DatagramProtocol:
    return DatagramProtocol()


def _websocket(options: Options, context: Context) -> Any:
    from autobahn.twisted.websocket import WebSocketServerProtocol

    return WebSocketServerProtocol


RESPONDER = Responder(
    "discard", "Reads everything and answers nothing (RFC 863)", {"tcp": _tcp, "udp": _udp, "websocket": _websocket}
)
