"""The echo responder."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.testing import StringTransport

from tests.app.responders.context import build


def test_tcp_sends_back_what_comes() -> None:
    protocol: Any = build("echo", "tcp", {}).buildProtocol(None)
    wire = StringTransport()
    protocol.makeConnection(wire)
    protocol.dataReceived(b"one\0")
    protocol.dataReceived(b"\xfftwo")
    assert wire.value() == b"one\0\xfftwo"


def test_tcp_closes_in_good_order_when_the_peer_has_sent_all() -> None:
    protocol: Any = build("echo", "tcp", {}).buildProtocol(None)
    wire = StringTransport()
    protocol.makeConnection(wire)
    assert IHalfCloseableProtocol.providedBy(protocol)
    protocol.readConnectionLost()
    assert wire.disconnecting


def test_udp_answers_each_sender() -> None:
    sent: list[Any] = []

    class Transport:
        def write(self, datagram: bytes, addr: Any) -> None:
            sent.append((datagram, addr))

    protocol: Any = build("echo", "udp", {})
    protocol.transport = Transport()
    for datagram, addr in ((b"one", ("127.0.0.1", 1)), (b"", ("127.0.0.1", 2))):
        protocol.datagramReceived(datagram, addr)
    assert sent == [(b"one", ("127.0.0.1", 1)), (b"", ("127.0.0.1", 2))]
