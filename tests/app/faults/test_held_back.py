"""Faults that hold bytes back: how much they keep, and what becomes of it. With real sockets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.protocol import Factory, Protocol

from app.faults import lane
from tests.app.services.helpers import Desk, Peer, Tape, turn
from tests.app.services.tls_peers import SecurePeer, at_home, trusting
from tests.helpers import until

READ = 1 << 16
"""Bytes that the reactor reads at once."""

GRACE = 0.3
"""Seconds that a service has for its end."""

HOLDING: tuple[dict[str, Any], ...] = (
    {"kind": "rate", "bytes_per_second": 1_000.0},
    {"kind": "stall", "ms": 60_000.0, "first": 1},
    {"kind": "delay", "ms": 60_000.0},
    {"kind": "slice", "bytes": 10, "pause_ms": 10_000.0, "on": "sent"},
)

HANGING: tuple[tuple[dict[str, Any], str], ...] = (({"kind": "hang"}, "sent"), ({"kind": "freeze"}, "received"))

BOTH = [(fault, on) for fault in HOLDING for on in ("received", "sent") if fault.get("on", on) == on]


def name(value: Any) -> str:
    return value["kind"] if isinstance(value, dict) else value


async def flood(peer: Peer) -> int:
    """Send until nothing more is taken; how much that was."""
    total, idle = 0, 0

    def push() -> bool:
        nonlocal total, idle
        sent = peer.push(bytes(1 << 20))
        total += sent
        idle = 0 if sent else idle + 1
        return idle > 40

    await until(push, 30)
    return total


@pytest.mark.parametrize(("fault", "on"), BOTH, ids=name)
@pytest_twisted.ensureDeferred
async def test_a_peer_that_floods_is_held_back_until_the_fault_is_lifted(
    desk: Desk, tape: Tape, fault: dict[str, Any], on: str
):
    service = await desk.start(faults=({**fault, "on": on},))
    peer = Peer(service, receive_buffer=1 << 16)
    total = await flood(peer)
    tap: Any = next(iter(service.connections.values()))
    assert tap.incoming.size + tap.outgoing.size <= lane.MOST + 4 * READ
    assert tap.received <= lane.MOST + 8 * READ
    service.faults.switch(service.faults.all[0], on=False)
    await until(lambda: len(peer.pull().got) == total, 30)
    assert peer.got == bytes(total)
    assert (tap.incoming.size, tap.outgoing.size) == (0, 0)


class Fountain(Protocol):
    """Writes as long as its transport takes it."""

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.registerProducer(self, True)
        self.flows, self.written = True, 0
        self.resumeProducing()

    def resumeProducing(self) -> None:
        self.flows = True
        while self.flows and self.connected:
            assert self.transport is not None
            self.transport.write(bytes(READ))

    def pauseProducing(self) -> None:
        self.flows = False

    def stopProducing(self) -> None:
        self.flows = False


class Spring(Protocol):
    """Writes when it is asked to."""

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.registerProducer(self, False)
        self.asked = 0

    def resumeProducing(self) -> None:
        assert self.transport is not None
        self.asked += 1
        self.transport.write(bytes(READ))
        if self.asked == 50:
            self.transport.unregisterProducer()

    def stopProducing(self) -> None: ...


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
@pytest_twisted.ensureDeferred
async def test_one_that_writes_when_it_is_asked_is_not_asked_while_a_fault_holds_much(
    desk: Desk, secure: bool, tmp_path: Any
):
    at_home(desk, tmp_path)
    service = await desk.start(
        make=lambda: Factory.forProtocol(Spring),
        faults=({"kind": "delay", "ms": 60_000.0},),
        tls={} if secure else None,
    )
    peer: Any = await SecurePeer(service, trusting(desk)).shake() if secure else Peer(service)
    await until(lambda: service.connections)
    tap: Any = next(iter(service.connections.values()))
    await until(lambda: tap.outgoing.size >= lane.MOST)
    for _ in range(20):
        await turn()
    assert tap.outgoing.size <= lane.MOST + 2 * READ
    service.faults.switch(service.faults.all[0], on=False)
    await until(lambda: len(peer.hear() if secure else peer.pull().got) == 50 * READ, 30)
    peer.reset()


@pytest.mark.parametrize("how", ["switched off", "taken away"])
@pytest.mark.parametrize("fault", HOLDING, ids=name)
@pytest_twisted.ensureDeferred
async def test_a_producer_is_held_back_too(desk: Desk, fault: dict[str, Any], how: str):
    service = await desk.start(make=lambda: Factory.forProtocol(Fountain), faults=({**fault, "on": "sent"},))
    peer = Peer(service)
    await until(lambda: service.connections)
    tap: Any = next(iter(service.connections.values()))
    await until(lambda: tap.outgoing.size > lane.MOST - READ and not tap.wrappedProtocol.flows)
    assert tap.outgoing.size <= lane.MOST + 2 * READ
    if how == "switched off":
        service.faults.switch(service.faults.all[0], on=False)
    else:
        assert service.apply(replace(service.config, faults=({"kind": "reset", "match": "never"},)))
    assert tap.unsent() <= 2 * lane.MOST + 2 * READ
    await peer.expect(50 * READ)
    assert tap.unsent() <= 2 * lane.MOST + 2 * READ
    peer.reset()


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
@pytest.mark.parametrize(("fault", "on"), [*BOTH, *HANGING], ids=name)
@pytest_twisted.ensureDeferred
async def test_a_service_stops_within_its_grace_and_leaves_nothing_behind(
    desk: Desk, tape: Tape, fault: dict[str, Any], on: str, secure: bool, tmp_path: Any
):
    """The fixtures would find a delayed call that is left."""
    at_home(desk, tmp_path)
    service = await desk.start(faults=({**fault, "on": on},), tls={} if secure else None)
    if secure:
        peer: Any = await SecurePeer(service, trusting(desk)).shake()
        await peer.say(bytes(100_000))
    else:
        peer = Peer(service)
        peer.push(bytes(100_000))
    await until(lambda: tape.all("fault.applied"))
    began = desk.reactor.seconds()
    await service.stop(GRACE)
    assert desk.reactor.seconds() - began < GRACE + 1
    assert not service.connections
    assert tape.kinds()[-2:] == ["connection.closed", "service.stopped"]
