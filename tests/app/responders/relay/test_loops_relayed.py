"""app.responders.relay.responder, where relays of one program pass on to each other."""

from __future__ import annotations

import socket
from typing import Any

import pytest
import pytest_twisted

from app.responders.relay import loops, stream
from app.services.surroundings import Surroundings
from tests.app.responders.relay.test_responder import at, free_ports, relayed, said
from tests.app.services.helpers import Desk, Peer, Tape, address, turn
from tests.helpers import until

SCHEMES = {"tcp": "", "udp": "", "http": "http://", "websocket": "ws://"}

ASKS = {
    "tcp": b"round and round",
    "http": b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "websocket": b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
}
"""Data that makes a relay of that protocol connect to its upstream."""


async def ring(desk: Desk, *protocols: str, programs: bool = False) -> list[Any]:
    """Relays in a ring: the upstream of each is the next one, that of the last is the first.

    ``programs``: they know no more of each other than relays of different programs do.
    """
    ports = free_ports(len(protocols))
    services = []
    for i, protocol in enumerate(protocols):
        if programs:
            desk.surroundings = Surroundings()
        options = {"upstream": f"{SCHEMES[protocol]}127.0.0.1:{ports[(i + 1) % len(ports)]}"}
        services.append(await desk.start(protocol, "relay", port=ports[i], options=options))
    return services


def refusals(tape: Tape) -> list[str]:
    end = "leads back to this relay. Set another server as upstream."
    return [text for text in said(tape) if text.endswith(end) and "failed" not in text]


@pytest.mark.parametrize(
    "protocols",
    [
        ("tcp",),
        ("tcp", "tcp"),
        ("tcp", "tcp", "tcp", "tcp", "tcp"),
        ("http", "http"),
        ("http", "http", "http"),
        ("websocket", "websocket"),
        ("http", "tcp"),
        ("tcp", "http"),
        ("websocket", "tcp"),
        ("tcp", "websocket", "tcp"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_one_round_is_the_last(desk: Desk, tape: Tape, protocols: tuple[str, ...]) -> None:
    services = await ring(desk, *protocols)
    peer = Peer(services[0])
    await peer.send(ASKS[next((p for p in protocols if p != "tcp"), "tcp")])
    answer = await peer.end()
    await until(lambda: not any(service.connections for service in services[1:]) or b"HTTP" in answer)
    assert len(tape.all("connection.opened")) == 2 * len(protocols) + 1
    if "http" in protocols:
        refused_by = protocols[0] if "tcp" in protocols else "http"  # who finds it is the first one
        assert (b"508 Loop Detected" if refused_by == "http" else b"502 Bad Gateway") in answer
        assert b"leads back to this relay" in answer or refusals(tape)
    else:
        assert len(refusals(tape)) == 1


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("protocol", ["http", "websocket"])
@pytest_twisted.ensureDeferred
async def test_a8_a_ring_through_other_programs_is_found(desk: Desk, tape: Tape, protocol: str, count: int) -> None:
    services = await ring(desk, *[protocol] * count, programs=True)
    peer = Peer(services[0])
    await peer.send(ASKS[protocol])
    answer = await peer.end()
    if protocol == "http":
        assert b"leads back to this relay. Set another server as upstream." in answer
    assert b" 508 " in answer.partition(b"\r\n")[0]
    assert len(tape.all("connection.opened")) == 2 * count + 1
    assert len(refusals(tape)) >= 1


@pytest_twisted.ensureDeferred
async def test_a8_streams_that_go_round_through_other_programs_end_when_the_client_leaves(
    desk: Desk, tape: Tape, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "MAX_UNANSWERED", 30)
    services = await ring(desk, "tcp", "tcp", programs=True)
    peer = Peer(services[0])
    await peer.send(ASKS["tcp"])
    words = (
        "connections to {} have no answer: further ones are refused. Check that the upstream does not lead back here."
    )
    await until(lambda: "30 " + words.format(at(services[1])) in said(tape))
    assert not peer.pull().got
    peer.close()
    await until(lambda: not any(service.connections for service in services))
    assert len(tape.all("connection.opened")) == 4 * 30 + 1


@pytest_twisted.ensureDeferred
async def test_a_ring_of_kept_connections_is_refused_with_each_request(desk: Desk, tape: Tape) -> None:
    """The connections between the relays were made for other clients, of other relays in the ring."""
    services = await ring(desk, "http", "tcp", "http", "tcp")
    for service in (services[0], services[2], services[1], services[3], services[2], services[0]):
        peer = Peer(service)
        await peer.send(ASKS["http"])
        answer = await peer.end()
        assert answer.startswith((b"HTTP/1.1 502", b"HTTP/1.1 508"))
        assert b"leads back to this relay" in answer or refusals(tape)
    assert len(tape.all("http.request")) < 30


@pytest.mark.parametrize("protocol", ["tcp", "http", "websocket"])
@pytest_twisted.ensureDeferred
async def test_clients_that_leave_at_once_do_not_start_an_endless_round(desk: Desk, tape: Tape, protocol: str) -> None:
    services = await ring(desk, protocol, protocol, protocol)
    for _ in range(20):
        peer = Peer(services[0])
        await peer.send(ASKS[protocol])
        for _ in range(3):
            await turn()
        peer.reset()
    count = quiet = 0
    while quiet < 50:
        await turn()
        before, count = count, len(tape.all("connection.opened"))
        assert count <= 20 * 7
        # Addresses are looked up in threads.
        quiet = 0 if count > before or desk.reactor.getThreadPool().working else quiet + 1
    assert count >= 20


@pytest_twisted.ensureDeferred
async def test_datagrams_go_round_once_and_it_is_said_for_each_flow(desk: Desk, tape: Tape) -> None:
    first, second = await ring(desk, "udp", "udp")
    one, two = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    with one, two:
        for sender in (one, two, one, one):
            sender.sendto(b"round and round", address(first))
            await turn()
        await until(lambda: len(tape.all("datagram.received")) >= 12)
        for _ in range(20):
            await turn()
    assert len(tape.all("datagram.received")) == 4 * 3
    assert said(tape) == [f"{at(second)} leads back to this relay. Set another server as upstream."] * 2


@pytest_twisted.ensureDeferred
async def test_a_chain_of_relays_is_no_ring(desk: Desk, tape: Tape) -> None:
    service = await relayed(desk)
    for _ in range(3):
        service = await desk.start("tcp", "relay", options={"upstream": at(service)})
    peer = Peer(service)
    await peer.send(b"hello")
    await peer.expect(b"hello")
    assert not refusals(tape)


@pytest_twisted.ensureDeferred
async def test_what_has_closed_is_forgotten(desk: Desk, tape: Tape, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "MAX_CLOSED", 0)
    service = await relayed(desk)
    peer = Peer(service)
    await peer.send(b"x")
    await peer.expect(b"x")
    known = desk.surroundings.loops
    assert len(known._open) == 1
    peer.close()
    await until(lambda: not service.connections)
    assert not known._open
    assert not known._closed
