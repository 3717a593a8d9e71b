"""Many requests in one segment: answered as fast as the client and the capture take the answers, and no faster."""

from __future__ import annotations

from typing import Any

import pytest_twisted

from tests.app.services.helpers import Desk, Peer, Tape, turn
from tests.helpers import until

MB = 1 << 20
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def mock(desk: Desk, size: int, **more: Any) -> Any:
    return await desk.start("http", "mock", options={"rules": [{"body": "x" * size}]}, **more)


async def count_answers(peer: Peer, body: int, count: int) -> None:
    """Read ``count`` answers, keeping none."""
    answers = got = 0
    while answers < count:
        await turn()
        peer.pull()
        assert not peer.ended
        answers += bytes(peer.got).count(b"HTTP/1.1 200 OK\r\n")
        got += len(peer.got)
        del peer.got[: -len(b"HTTP/1.1 200 OK\r\n") + 1]
        got -= len(peer.got)
    await until(lambda: got + len(peer.pull().got) >= body * count)


@pytest_twisted.ensureDeferred
async def test_a2_a_thousand_requests_at_once_wait_for_the_client(desk: Desk, tape: Tape) -> None:
    service = await mock(desk, 10 * MB)
    peer = Peer(service, receive_buffer=4096)
    peer.push(GET * 1000)
    await until(lambda: tape.all("http.request"))
    for _ in range(50):
        await turn()
    (tap,) = service.connections.values()
    assert tap.unsent() < 11 * MB
    assert len(tape.all("http.request")) == 1


@pytest_twisted.ensureDeferred
async def test_a2_they_wait_for_the_capture(desk: Desk, tape: Tape) -> None:
    service = await mock(desk, MB)
    tape.stuck = True
    peer = Peer(service)
    await peer.send(GET * 1000)
    while not desk.recorder.pressed:
        await turn()
        peer.pull()
        del peer.got[:]
    for _ in range(50):
        await turn()
        peer.pull()
        del peer.got[:]
    assert desk.recorder._on_way.bytes < 40 * MB
    assert len(tape.all("http.request")) < 60
    tape.unstick()


@pytest_twisted.ensureDeferred
async def test_a2_all_are_answered_in_the_end(desk: Desk, tape: Tape) -> None:
    service = await mock(desk, MB // 4)
    peer = Peer(service)
    peer.push(GET * 300)
    await count_answers(peer, MB // 4, 300)
    assert len(tape.all("http.response")) == 300


@pytest_twisted.ensureDeferred
async def test_a2_also_to_who_has_finished_sending(desk: Desk, tape: Tape) -> None:
    service = await mock(desk, MB // 4)
    peer = Peer(service)
    peer.push(GET * 100)
    peer.finish_sending()
    assert (await peer.end(30)).count(b"HTTP/1.1 200 OK\r\n") == 100
