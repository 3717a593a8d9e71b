"""app.responders.chargen."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from app.responders.chargen import INTERVAL, LINES
from tests.app.responders.context import BareContext, build


class DatagramTransport:
    def __init__(self) -> None:
        self.sent: list[tuple[bytes, Any]] = []

    def write(self, datagram: bytes, addr: Any) -> None:
        self.sent.append((datagram, addr))

    def getHost(self) -> IPv4Address:
        return IPv4Address("UDP", "127.0.0.1", 9019)


def test_lines_have_72_characters_and_begin_each_with_the_next_one():
    lines = LINES.split(b"\r\n")[:-1]
    assert {len(line) for line in lines} == {72}
    assert lines[0].startswith(b' !"#$')
    assert [line[0] for line in lines] == list(range(0x20, 0x7F))
    assert all(later[:71] == earlier[1:] for earlier, later in zip(lines, lines[1:] + lines[:1], strict=True))


def test_a_stream_goes_on_where_it_was_until_the_peer_is_gone():
    clock, transport = Clock(), StringTransport()
    protocol = build("chargen", "tcp", context=BareContext(clock)).buildProtocol(None)
    protocol.makeConnection(transport)
    clock.advance(INTERVAL)
    protocol.dataReceived(b"who cares")
    clock.advance(INTERVAL)
    assert transport.value() == LINES * (len(transport.value()) // len(LINES))
    transport.producer.pauseProducing()
    transport.clear()
    clock.advance(INTERVAL)
    assert transport.value() == b""
    transport.producer.resumeProducing()
    transport.producer.resumeProducing()
    clock.advance(INTERVAL)
    assert transport.value()
    protocol.connectionLost()
    assert not clock.getDelayedCalls()


@pytest.mark.parametrize("port", [1024, 50000])
def test_a_datagram_is_answered_by_one(port: int):
    protocol = build("chargen", "udp")
    protocol.transport = transport = DatagramTransport()
    for _ in range(100):
        protocol.datagramReceived(b"", ("127.0.0.1", port))
    assert len(transport.sent) == 100
    assert all(LINES.startswith(sent) and len(sent) <= 512 for sent, _ in transport.sent)


@pytest.mark.parametrize("port", [7, 19, 1023])
def test_what_comes_from_a_servers_port_is_not_answered(port: int):
    protocol = build("chargen", "udp")
    protocol.transport = transport = DatagramTransport()
    protocol.datagramReceived(b"", ("127.0.0.1", port))
    assert transport.sent == []
