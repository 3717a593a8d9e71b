"""How the Tap holds peers back: full write buffers, a slow capture, the responder."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_twisted

from app.services.tap import valve as valve_module
from tests.app.services.helpers import Desk, Peer, Tape, closed, turn
from tests.helpers import until

BLOCK = bytes(range(256)) * 256


async def fill(peer: Peer, tap: Any) -> tuple[int, int]:
    """Send to an echo and read nothing, until it takes no more: bytes sent, and the most it kept."""
    pushed = most = quiet = 0
    while quiet < 20:
        count = peer.push(BLOCK[pushed % len(BLOCK) :])
        pushed += count
        quiet = 0 if count else quiet + 1
        await turn()
        most = max(most, tap.unsent())
    return pushed, most


@pytest_twisted.ensureDeferred
async def test_a_client_that_never_reads_is_read_from_up_to_a_bound(
    desk: Desk, tape: Tape, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(valve_module, "KEPT_FOR_ONE", 2_000_000)
    service = await desk.start()
    peer = Peer(service, receive_buffer=4096)
    await until(lambda: service.connections)
    (tap,) = service.connections.values()
    wire = tap._wire  # type: ignore[attr-defined]
    pushed, most = await fill(peer, tap)
    assert wire not in desk.reactor.getReaders()
    assert wire in desk.reactor.getWriters()
    assert 2_000_000 < most <= 2_000_000 + 2 * wire.bufferSize
    await peer.expect(pushed)
    assert bytes(peer.got) == (BLOCK * (pushed // len(BLOCK) + 1))[:pushed]
    await until(lambda: wire in desk.reactor.getReaders())
    assert not tap.factory.kept  # type: ignore[attr-defined]
    peer.close()
    assert (await closed(tape)).detail["sent"] == pushed


@pytest_twisted.ensureDeferred
async def test_those_that_never_read_share_a_bound(desk: Desk, tape: Tape, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(valve_module, "KEPT_FOR_ONE", 2_000_000)
    monkeypatch.setattr(valve_module, "KEPT_FOR_ALL", 4_000_000)
    service = await desk.start()
    kept = []
    for count in range(1, 9):
        peer = Peer(service, receive_buffer=4096)
        await until(lambda count=count: len(service.connections) == count)
        tap: Any = list(service.connections.values())[-1]
        kept.append((await fill(peer, tap))[1])
        assert kept[-1] <= 2_000_000 + 2 * tap._wire.bufferSize
    assert sum(kept) <= 4_000_000 + len(kept) * 2 * tap._wire.bufferSize
    for peer in Peer.made:
        peer.reset()
    await closed(tape, 8)
    assert (len(tap.factory.kept), tap.factory.kept.total) == (0, 0)


@pytest_twisted.ensureDeferred
async def test_http_clients_that_never_read_share_a_bound_and_the_oldest_is_cut(
    desk: Desk, tape: Tape, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(valve_module, "AT_MOST", 20_000_000)
    service = await desk.start("http", "mock", options={"rules": [{"body": "x" * 8_000_000}]})
    peers = []
    for count in range(1, 7):
        peers.append(Peer(service, receive_buffer=4096))
        await peers[-1].send(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        await until(lambda count=count: len(tape.all("http.response")) == count)
        await turn()
        assert sum(tap.unsent() or 0 for tap in service.connections.values()) < 20_000_000
    events = tape.all("limit.reached")
    assert {e.detail["limit"] for e in events} == {"unread_bytes"}
    # How many depends on what the kernel's buffers take of each answer.
    assert [e.conn for e in events] in ([1, 2], [1, 2, 3], [1, 2, 3, 4])
    got = await peers[-1].end()
    assert got.count(b"x") >= 8_000_000
    kept = next(iter(service.connections.values())).factory.kept  # type: ignore[attr-defined]
    for peer in peers[:-1]:
        peer.close()
    await until(lambda: not kept.total)


@pytest_twisted.ensureDeferred
async def test_a_peer_is_paused_while_the_capture_falls_behind(desk: Desk, tape: Tape) -> None:
    service = await desk.start()
    peer = Peer(service)
    await until(lambda: service.connections)
    (tap,) = service.connections.values()
    tape.stuck = True
    block = bytes(1 << 20)
    while not desk.recorder.pressed:
        peer.push(block)
        peer.pull()
        await turn()
    wire = tap._wire  # type: ignore[attr-defined]
    assert wire not in desk.reactor.getReaders()
    late = Peer(service)
    late.push(b"late")
    await until(lambda: len(service.connections) == 2)
    assert service.received == 0
    assert [c.received for c in service.connections.values()][1] == 0
    tape.unstick()
    assert not desk.recorder.pressed
    assert wire in desk.reactor.getReaders()
    await late.expect(b"late")
    peer.reset()
    late.close()
    await closed(tape, 2)


@pytest_twisted.ensureDeferred
async def test_who_holds_a_peer_is_kept_apart(desk: Desk) -> None:
    service = await desk.start()
    peer = Peer(service)
    await until(lambda: service.connections)
    (tap,) = service.connections.values()
    wire = tap._wire  # type: ignore[attr-defined]
    tap.pauseProducing()  # type: ignore[attr-defined]
    tap.on_pressure(True)
    tap.on_pressure(False)
    assert wire not in desk.reactor.getReaders()
    tap.on_pressure(True)
    tap.resumeProducing()  # type: ignore[attr-defined]
    assert wire not in desk.reactor.getReaders()
    tap.on_pressure(False)
    assert wire in desk.reactor.getReaders()
    peer.close()


@pytest_twisted.ensureDeferred
async def test_what_is_written_after_the_end_does_not_leave_behind_what_waited(desk: Desk, tape: Tape) -> None:
    service = await desk.start()
    peer = Peer(service)
    await until(lambda: service.connections)
    (tap,) = service.connections.values()
    tape.stuck = True
    desk.recorder.record(1, payload=bytes(40 << 20))
    tap.send(b"waits")  # type: ignore[attr-defined]
    tap.finish("closed by us")
    tap.send(b"too late")  # type: ignore[attr-defined]
    tape.unstick()
    assert await peer.end() == b"waits"
    assert tape.data("data.sent") == b"waits"
