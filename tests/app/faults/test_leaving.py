"""Clients that leave while a fault holds their connection: noticed, so that no descriptor is kept for them."""

from __future__ import annotations

import socket
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.threads import deferToThread

from app.services.tap import lookout
from tests.app.faults.http_desk import turns
from tests.app.faults.http_peers import HTTPS1, connected
from tests.app.services.helpers import Desk, Peer, Tape, address
from tests.helpers import until

HELD: list[dict[str, Any]] = [
    {"kind": "hang", "on": "received"},
    {"kind": "hang", "on": "sent"},
    {"kind": "freeze"},
    {"kind": "stall", "ms": 3_600_000.0, "on": "received"},
    {"kind": "stall", "ms": 3_600_000.0, "on": "sent"},
    {"kind": "delay", "ms": 3_600_000.0},
]


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with the figures of the module, but sooner."""
    monkeypatch.setattr(lookout, "LOOK", 0.05)
    keep_alive = tuple((name, 2 if name == "TCP_KEEPCNT" else 1) for name, _ in lookout._KEEP_ALIVE)
    monkeypatch.setattr(lookout, "_KEEP_ALIVE", keep_alive)


@pytest_twisted.ensureDeferred
async def test_one_that_has_finished_sending_is_held_and_noticed_when_it_is_reset(desk: Desk, tape: Tape):
    services = [await desk.start(faults=(table,)) for table in HELD]
    peers = [Peer(service) for service in services]
    for peer in peers:
        peer.push(b"hello")
    await until(lambda: len(tape.all("fault.applied")) == len(HELD))
    for peer in peers:
        peer.socket.shutdown(socket.SHUT_WR)
    await turns(0.2)
    for service, peer, table in zip(services, peers, HELD, strict=True):
        assert (peer.pull().ended, len(service.connections)) == ("", 1), table
        peer.reset()
    await until(lambda: not any(service.connections for service in services))
    assert {e.summary.partition(",")[0] for e in tape.all("connection.closed")} == {"reset by the peer"}


@pytest_twisted.ensureDeferred
async def test_one_that_has_closed_is_noticed_as_soon_as_its_system_has_forgotten_it(desk: Desk):
    services = [await desk.start(faults=(table,)) for table in HELD]
    peers = [[Peer(service) for _ in range(3)] for service in services]
    for first, *others in peers:
        first.push(b"hello")
        first.socket.shutdown(socket.SHUT_WR)
        for peer in others:
            # Seconds for which the system knows a socket that was closed: else a minute.
            peer.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_LINGER2, 1)
            peer.push(b"hello")
            peer.socket.close()
    await until(lambda: all(len(service.connections) == 1 for service in services))
    for first, *_ in peers:
        assert first.pull().ended == ""  # it may still wait for an answer
        first.reset()


@pytest.mark.parametrize("protocol", ["http", "websocket"])
@pytest_twisted.ensureDeferred
async def test_one_that_is_frozen_is_noticed_on_any_protocol(desk: Desk, tape: Tape, protocol: str):
    service = await desk.start(protocol, "inspector" if protocol == "http" else "echo", faults=({"kind": "freeze"},))
    peer = Peer(service)
    peer.push(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await until(lambda: tape.all("fault.applied"))
    peer.reset()
    await until(lambda: not service.connections)


@pytest_twisted.ensureDeferred
async def test_with_tls_the_end_of_tcp_is_the_end(desk: Desk, home: None):
    service = await desk.start(faults=({"kind": "hang"},), tls={})

    def come_and_go() -> None:
        for _ in range(5):
            peer = connected(address(service), HTTPS1)
            peer.sendall(b"hello")
            peer.close()

    await deferToThread(come_and_go)
    await until(lambda: not service.connections)


@pytest_twisted.ensureDeferred
async def test_the_idle_time_ends_those_that_hang(desk: Desk, tape: Tape):
    service = await desk.start(faults=({"kind": "hang", "on": "received"},), limits={"idle_seconds": 0.3})
    peer = Peer(service)
    peer.push(b"hello")
    await peer.end()
    assert "limit.reached" in tape.kinds()
    assert not service.connections
