"""WebSocket services and a capture that falls behind, or a client that reads no faster: nothing is lost."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import pytest
import pytest_twisted

from tests.app.services.helpers import Desk, Peer, Tape, closed, turn
from tests.app.services.websocket.test_bounds import BINARY, HANDSHAKE, TEXT, frame, opened
from tests.helpers import until

MB = 1 << 20
DEFLATED = HANDSHAKE[:-2] + b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"


def deflated(payload: bytes) -> bytes:
    """A message that is compressed in itself, as one frame (RFC 7692 section 7.2.1)."""
    packer = zlib.compressobj(wbits=-12)
    data = packer.compress(payload) + packer.flush(zlib.Z_FULL_FLUSH)
    return frame(BINARY | 0x40, data.removesuffix(b"\x00\x00\xff\xff"))


async def opened_deflated(desk: Desk, responder: str = "echo", **more: Any) -> Peer:
    peer = Peer(await desk.start("websocket", responder, **more))
    peer.push(DEFLATED)
    await peer.expect(b"\r\n\r\n")
    assert b"permessage-deflate" in peer.got
    del peer.got[:]
    return peer


async def drain(peer: Peer, size: int) -> None:
    """Read ``size`` bytes, keeping none."""
    while size > 0:
        peer.pull()
        assert not peer.ended
        size -= len(peer.got)
        del peer.got[:]
        await turn()


@pytest_twisted.ensureDeferred
async def test_a2_one_read_of_many_compressed_messages_waits_for_the_capture(desk: Desk, tape: Tape) -> None:
    peer = await opened_deflated(desk)
    tape.stuck = True
    size, count = 8 * MB, 20
    data = deflated(bytes(size)) * count
    assert len(data) < 1 << 18
    await peer.send(data)
    await until(lambda: desk.recorder.pressed)
    for _ in range(20):
        await turn()
    # No more than the message in which the bound was passed, and its answer.
    assert desk.recorder._on_way.bytes < 32 * MB + 3 * size
    tape.unstick()
    await drain(peer, size * count)
    assert len(tape.all("ws.message")) == 2 * count
    assert len(tape.data("data.sent")) > size * count
    assert desk.recorder.lost == 0


@pytest_twisted.ensureDeferred
async def test_a17_a_client_that_reads_all_the_time_gets_every_answer(desk: Desk, tape: Tape) -> None:
    """20 × 4 MiB in one read: it was closed with 1008, as one that reads too slowly."""
    peer = await opened_deflated(desk)
    size, count = 4 * MB, 20
    await peer.send(deflated(bytes(size)) * count)
    await drain(peer, size * count)
    assert len(tape.all("ws.message")) == 2 * count
    assert tape.all("limit.reached") == tape.all("ws.closed") == []


@pytest_twisted.ensureDeferred
async def test_one_read_of_many_compressed_messages_waits_for_a_script(desk: Desk, tape: Tape) -> None:
    rules = [{"when": "message", "then": ["wait 3600"]}]
    peer = await opened_deflated(desk, "script", options={"rules": rules})
    await peer.send(deflated(bytes(8 * MB)) * 20)
    await until(lambda: tape.all("ws.message"))
    for _ in range(50):
        await turn()
    assert len(tape.all("ws.message")) <= 3
    peer.close()


@pytest_twisted.ensureDeferred
async def test_all_messages_of_one_read_come_once_the_script_goes_on(desk: Desk, tape: Tape) -> None:
    rules = [{"when": "message", "then": ["wait 0.01", "send ok"]}]
    peer = await opened_deflated(desk, "script", options={"rules": rules})
    await peer.send(deflated(bytes(MB)) * 30)
    await until(lambda: len(tape.all("ws.message")) == 60)


@pytest_twisted.ensureDeferred
async def test_a1_a_broadcast_waits_for_the_capture(desk: Desk, tape: Tape) -> None:
    count = 20
    speaker = await opened(desk, responder="broadcast")
    readers = [Peer(desk.services[0]) for _ in range(10)]
    for reader in readers:
        reader.push(HANDSHAKE)
        await reader.expect(b"\r\n\r\n")
        del reader.got[:]
    tape.stuck = True
    message = struct.pack("!BBQI", BINARY, 0xFF, MB, 0) + bytes(MB)
    rest = message * count
    while not desk.recorder.pressed:
        rest = rest[speaker.push(rest[:MB]) :]
        await turn()
    # Message and frame are stored once for all readers.
    assert desk.recorder._on_way.bytes < 48 * MB
    tape.unstick()
    await speaker.send(rest)
    for reader in readers:
        await drain(reader, count * (MB + 10))
    assert desk.recorder.lost == 0
    assert len(tape.all("ws.message")) == count + count * len(readers)


@pytest.mark.parametrize("close", [b"", frame(0x88, struct.pack("!H", 1000))])
@pytest_twisted.ensureDeferred
async def test_what_waited_for_the_capture_leaves_before_the_end(close: bytes, desk: Desk, tape: Tape) -> None:
    peer = await opened(desk)
    tape.stuck = True
    desk.recorder.record(1, payload=bytes(40 * MB))
    assert desk.recorder.pressed
    (tap,) = desk.services[0].connections.values()
    tap.send(b"waits")
    peer.push(close)
    if not close:
        tap.finish("closed by us")
    for _ in range(10):
        await turn()
    assert not peer.pull().got
    tape.unstick()
    await peer.expect(b"waits")
    peer.push(frame(0x88, struct.pack("!H", 1000)))
    await closed(tape)
    sent = tape.data("data.sent")
    assert sent.index(b"waits") < sent.index(b"\x88")


@pytest_twisted.ensureDeferred
async def test_what_came_before_the_service_stops_causes_no_more_answers(desk: Desk, tape: Tape) -> None:
    peer = await opened(desk, responder="rooms")
    (service,) = desk.services
    for _ in range(3):
        peer.push(frame(TEXT, b'{"type": "list"}'))
    await until(lambda: len(tape.all("ws.message")) == 6)
    (tap,) = service.connections.values()
    tap.finish("the service is stopping")
    tap.dataReceived(frame(TEXT, b'{"type": "list"}') * 3)  # type: ignore[attr-defined]
    assert len(tape.all("ws.message")) == 9
    assert not tape.all("failure")
    peer.close()
