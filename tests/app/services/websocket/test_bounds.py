"""WebSocket services keep within bounds what a client sends and never finishes."""

from __future__ import annotations

import struct
from typing import Any

import pytest
import pytest_twisted
from autobahn.twisted.websocket import WebSocketServerProtocol
from twisted.internet.defer import Deferred

from tests.app.services.helpers import Desk, Peer, Tape, closed, turn
from tests.helpers import until

HANDSHAKE = (
    b"GET /chat HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
TEXT, BINARY = 0x81, 0x82


def frame(first: int, payload: bytes) -> bytes:
    """A frame as a client sends it, masked with zeros; ``first`` is its first byte."""
    return (
        struct.pack("!BBHI", first, 0xFE, len(payload), 0) + payload
        if len(payload) > 125
        else (struct.pack("!BBI", first, 0x80 | len(payload), 0) + payload)
    )


async def opened(desk: Desk, **more: Any) -> Peer:
    peer = Peer(await desk.start("websocket", **more))
    peer.push(HANDSHAKE)
    await peer.expect(b"\r\n\r\n")
    assert b" 101 " in peer.got
    del peer.got[:]
    return peer


def protocol(desk: Desk) -> Any:
    """The responder's protocol on the only connection there is."""
    (connection,) = desk.services[0].connections.values()
    return connection.wrappedProtocol  # type: ignore[attr-defined]


@pytest.mark.parametrize("head", [b"GET /" + b"x" * 200_000, b"A: b\r\n" * 30_000])
@pytest_twisted.ensureDeferred
async def test_a_head_without_end_is_refused(head: bytes, desk: Desk, tape: Tape) -> None:
    peer = Peer(await desk.start("websocket"))
    peer.push(head)
    await until(lambda: peer.pull().ended)
    await closed(tape)
    assert tape.data("data.sent").startswith(b"HTTP/1.1 431 ")
    assert not tape.all("failure", "ws.opened", "ws.closed")


@pytest_twisted.ensureDeferred
async def test_half_a_handshake_has_ten_seconds(desk: Desk, tape: Tape) -> None:
    peer = Peer(await desk.start("websocket"))
    peer.push(HANDSHAKE[:40])
    await until(lambda: tape.all("data.received"))
    assert protocol(desk).openHandshakeTimeout == 10
    timeout = protocol(desk).openHandshakeTimeoutCall
    protocol(desk).onOpenHandshakeTimeout()
    timeout.cancel()
    await until(lambda: peer.pull().ended)
    await closed(tape)
    assert peer.got.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert peer.got.endswith(b"\r\n\r\nthe client's part of the handshake was not done within 10 s.\n")
    (reached,) = tape.all("limit.reached")
    assert (reached.detail["limit"], reached.detail["value"]) == ("handshake_seconds", 10)


@pytest_twisted.ensureDeferred
async def test_a_responder_that_does_not_decide_has_them_too(desk: Desk, tape: Tape) -> None:
    class Waiting(WebSocketServerProtocol):  # type: ignore[misc]
        def onConnect(self, request: Any) -> Deferred[None]:
            return Deferred()

    peer = Peer(await desk.start("websocket", make=lambda: Waiting))
    peer.push(HANDSHAKE)
    await until(lambda: tape.all("data.received"))
    timeout = protocol(desk).openHandshakeTimeoutCall
    protocol(desk).onOpenHandshakeTimeout()
    timeout.cancel()
    assert (await peer.end()).startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    await closed(tape)


@pytest_twisted.ensureDeferred
async def test_frames_in_the_segment_of_the_handshake_are_not_lost(desk: Desk) -> None:
    peer = Peer(await desk.start("websocket"))
    peer.push(HANDSHAKE + frame(TEXT, b"early"))
    await peer.expect(b"\x81\x05early")


@pytest_twisted.ensureDeferred
async def test_fragments_are_limited_in_sum(desk: Desk, tape: Tape) -> None:
    peer = await opened(desk, limits={"message_bytes": 1000})
    peer.push(frame(0x02, b"x" * 600) + frame(0x80, b"x" * 600))
    assert struct.unpack("!H", (await peer.expect(4))[2:4])[0] == 1009
    peer.reset()
    await closed(tape)
    assert not tape.all("ws.message")


@pytest_twisted.ensureDeferred
async def test_a_flood_after_a_broken_frame_is_not_kept(desk: Desk, tape: Tape) -> None:
    peer = await opened(desk)
    peer.push(b"\x82\xff" + struct.pack("!Q", 1 << 62) + bytes(4))
    await peer.expect(4)
    flooded = protocol(desk)
    block = bytes(1 << 18)
    while not peer.pull().ended:
        try:
            peer.push(block)
        except OSError:
            break
        assert len(flooded.data) + sum(map(len, flooded.frame_data or ())) < 1 << 20
        await turn()
    await closed(tape)


@pytest_twisted.ensureDeferred
async def test_a_client_that_never_reads_is_held_back(desk: Desk, tape: Tape, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.services.tap.valve.KEPT_FOR_ONE", 1_000_000)
    service = await desk.start("websocket")
    peer = Peer(service, receive_buffer=4096)
    peer.push(HANDSHAKE)
    await peer.expect(b"\r\n\r\n")
    (tap,) = service.connections.values()
    message, rest = frame(BINARY, bytes(60_000)), b""
    while tap._wire in desk.reactor.getReaders():  # type: ignore[attr-defined]
        rest = rest or message
        rest = rest[peer.push(rest) :]
        await turn()
        assert tap.unsent() < 1_300_000  # type: ignore[attr-defined]
    peer.reset()
    await closed(tape)


@pytest_twisted.ensureDeferred
async def test_what_the_user_sends_before_the_handshake_is_recorded_as_not_sent(desk: Desk, tape: Tape) -> None:
    peer = Peer(service := await desk.start("websocket"))
    await until(lambda: service.connections)
    (connection,) = service.connections.values()
    connection.send(b"too early")
    peer.push(HANDSHAKE)
    await peer.expect(b"\r\n\r\n")
    assert b"too early" not in peer.got
    assert not tape.all("ws.message")
    assert [e.summary for e in tape.all("log")] == ["a message was not sent: the WebSocket is not open"]
