"""What can be set of WebSocket services: compression, pings, origins, sizes; and clients that do not read."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator

import pytest
import pytest_twisted
from autobahn.twisted.websocket import WebSocketServerProtocol
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import InvalidStatus

from app.services.websocket import port as websocket
from app.services.websocket.handshake import matches
from tests.app.services.helpers import Desk, Peer, Tape, turn
from tests.app.services.websocket_frames import (
    BINARY,
    CLOSE,
    FINAL,
    OPENING,
    PING,
    PONG,
    TEXT,
    Raw,
    ended,
    frame,
    messages,
    talk,
)
from tests.helpers import until

COMPRESSED = FINAL | 0x40
OFFER = b"Sec-WebSocket-Extensions: permessage-deflate\r\n"


@pytest.fixture(autouse=True)
def _gone(desk: Desk) -> Iterator[None]:
    """Nobody waits for a closing handshake of clients that know none."""
    yield
    for peer in Peer.made:
        peer.reset()


def deflated(data: bytes) -> bytes:
    """``data`` as permessage-deflate carries it (RFC 7692 section 7.2.1)."""
    packer = zlib.compressobj(1, zlib.DEFLATED, -12)
    return (packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]


async def converse(client: ClientConnection) -> tuple[list[str], list[str | bytes]]:
    said = []
    for message in ("a" * 50_000, b"\0\xff" * 20_000, "", "a" * 50_000):
        await client.send(message)
        said.append(await client.recv())
    return [extension.name for extension in client.protocol.extensions], said


@pytest.mark.parametrize("ours", [True, False])
@pytest.mark.parametrize("theirs", ["deflate", None])
@pytest_twisted.ensureDeferred
async def test_messages_are_recorded_as_they_were_before_compression(
    ours: bool, theirs: str | None, desk: Desk, tape: Tape
) -> None:
    service = await desk.start("websocket", options={"compression": ours})
    extensions, said = await talk(service, converse, compression=theirs)
    assert extensions == (["permessage-deflate"] if ours and theirs else [])
    assert said == ["a" * 50_000, b"\0\xff" * 20_000, "", "a" * 50_000]
    await ended(tape)
    wanted = [("text", b"a" * 50_000), ("binary", b"\0\xff" * 20_000), ("text", b""), ("text", b"a" * 50_000)]
    assert messages(tape) == [(way, kind, data) for kind, data in wanted for way in ("received", "sent")]
    assert (len(tape.data("data.received")) < 5_000) is bool(ours and theirs)
    assert (len(tape.data("data.sent")) < 5_000) is bool(ours and theirs)
    assert bool(tape.all("ws.opened")[0].detail["extensions"]) is bool(ours and theirs)


@pytest.mark.parametrize(
    ("offer", "answer"),
    [
        (b"permessage-deflate", b"permessage-deflate"),
        (b"permessage-deflate; client_max_window_bits", b"permessage-deflate; client_max_window_bits=12"),
        (b"permessage-deflate; server_max_window_bits=10", b"permessage-deflate; server_max_window_bits=10"),
        (
            b"x-unknown, permessage-deflate; server_no_context_takeover",
            b"permessage-deflate; server_no_context_takeover",
        ),
        (b"x-unknown", None),
    ],
)
@pytest_twisted.ensureDeferred
async def test_an_offer_to_compress_is_answered_by_what_it_allows(
    offer: bytes, answer: bytes | None, desk: Desk, tape: Tape
) -> None:
    peer = Raw(await desk.start("websocket"))
    await peer.open(b"Sec-WebSocket-Extensions: " + offer + b"\r\n")
    head = tape.data("data.sent")
    assert (b"Sec-WebSocket-Extensions: " + answer + b"\r\n" in head) if answer else b"Extensions" not in head
    peer.say(frame(TEXT, deflated(b"x" * 100), first=COMPRESSED) if answer else frame(TEXT, b"x" * 100))
    await until(lambda: messages(tape)[-1:] == [("sent", "text", b"x" * 100)])


@pytest.mark.parametrize("pieces", [1, 5])
@pytest_twisted.ensureDeferred
async def test_a_message_that_swells_beyond_the_limit_ends_in_1009(pieces: int, desk: Desk, tape: Tape) -> None:
    peer = Raw(await desk.start("websocket", limits={"message_bytes": 100_000}))
    await peer.open(OFFER)
    bomb = deflated(bytes(64 << 20))
    assert len(bomb) < 400_000
    size = -(-len(bomb) // pieces) if pieces > 1 else 90_000
    parts = [bomb[i : i + size] for i in range(0, len(bomb), size)][: max(pieces, 1)]
    for i, part in enumerate(parts):
        first = (0x40 if not i else 0) | (FINAL if i == len(parts) - 1 else 0)
        peer.push(frame(BINARY if not i else 0, part, first=first))
    assert (await peer.closed())[0] == 1009
    (limit,) = tape.all("limit.reached")
    assert limit.detail == {"limit": "message_bytes", "value": 100_000}
    assert not messages(tape)
    peer.reset()
    await ended(tape)


@pytest_twisted.ensureDeferred
async def test_a_frame_over_the_limit_is_told_of_once(desk: Desk, tape: Tape) -> None:
    peer = Raw(await desk.start("websocket", limits={"message_bytes": 100}))
    await peer.open()
    peer.say(frame(BINARY, bytes(100)))
    await until(lambda: messages(tape))
    peer.say(frame(BINARY, bytes(101)) * 3)
    assert (await peer.closed())[0] == 1009
    assert [e.detail for e in tape.all("limit.reached")] == [{"limit": "message_bytes", "value": 100}]
    peer.reset()
    await ended(tape)


@pytest_twisted.ensureDeferred
async def test_the_limit_is_for_what_clients_send(desk: Desk, tape: Tape) -> None:
    service = await desk.start("websocket", limits={"message_bytes": 100})
    peer = Raw(service)
    await peer.open()
    (connection,) = service.connections.values()
    connection.send(bytes(1000))
    await peer.expect(1000)
    peer.say(frame(BINARY, bytes(101)))
    await until(lambda: tape.all("limit.reached"))


@pytest_twisted.ensureDeferred
async def test_what_would_take_long_to_compress_is_sent_as_it_is(desk: Desk, tape: Tape) -> None:
    long = bytes((1 << 20) + 1)

    async def script(client: ClientConnection) -> list[str | bytes]:
        said = []
        for message in (long, long[1:]):
            await client.send(message)
            said.append(await client.recv())
        return said

    assert await talk(await desk.start("websocket"), script, max_size=None) == [long, long[1:]]
    assert 1 << 20 < len(tape.data("data.sent")) < (1 << 20) + 10_000


@pytest_twisted.ensureDeferred
async def test_a_head_that_is_whole_but_too_large_is_refused(desk: Desk, tape: Tape) -> None:
    service = await desk.start("websocket", limits={"field_bytes": 1000})
    small, large = Raw(service), Raw(service)
    await small.open(b"X: " + bytes(500) + b"\r\n")
    large.push(OPENING + b"X: " + b"x" * 1000 + b"\r\n\r\n")
    assert (await large.end()).startswith(b"HTTP/1.1 431 ")
    assert [e.detail for e in tape.all("limit.reached")] == [{"limit": "field_bytes", "value": 1000}]


# -- pings


@pytest_twisted.ensureDeferred
async def test_pings_a_client_that_answers_and_leaves_it_alone(desk: Desk, tape: Tape) -> None:
    service = await desk.start("websocket", limits={"ping_seconds": 0.05, "ping_timeout": 5.0})
    peer = Raw(service)
    await peer.open()
    answered = 0
    while answered < 4:
        await until(lambda: len(peer.frames()) > answered)  # noqa: B023
        first, payload = peer.frames()[answered]
        assert first == FINAL | PING
        peer.say(frame(PONG, payload))
        answered += 1
    await until(lambda: len([m for m in messages(tape) if m[1] == "pong"]) == 4)
    pings = [payload for _, kind, payload in messages(tape) if kind == "ping"]
    assert pings[:4] == [payload for _, kind, payload in messages(tape) if kind == "pong"]
    assert not tape.all("limit.reached")


@pytest_twisted.ensureDeferred
async def test_a_client_that_answers_no_ping_is_closed(desk: Desk, tape: Tape) -> None:
    service = await desk.start("websocket", limits={"ping_seconds": 0.05, "ping_timeout": 0.1})
    quiet = Raw(service)
    await quiet.open()
    code, reason = await quiet.closed()
    assert (code, reason) == (1011, b"no pong came in time")
    assert [e.detail for e in tape.all("limit.reached")] == [{"limit": "ping_timeout", "value": 0.1}]
    assert await quiet.end()  # it never answers the close frame either
    await ended(tape)


@pytest_twisted.ensureDeferred
async def test_data_counts_for_a_pong(desk: Desk, tape: Tape) -> None:
    service = await desk.start("websocket", limits={"ping_seconds": 0.05, "ping_timeout": 2.0})
    peer = Raw(service)
    await peer.open()

    def pings() -> int:
        return len([m for m in messages(tape) if m[1] == "ping"])

    def alive() -> bool:
        peer.say(frame(TEXT, b"here"))
        peer.pull()
        return pings() > 45

    await until(alive)
    assert not tape.all("limit.reached", "connection.closed")


@pytest_twisted.ensureDeferred
async def test_two_services_keep_their_own_time(desk: Desk, tape: Tape) -> None:
    eager = await desk.start("websocket", limits={"ping_seconds": 0.05})
    calm = await desk.start("websocket", limits={"ping_seconds": 0.0})
    first, second = Raw(eager), Raw(calm)
    await first.open()
    await second.open()
    await until(lambda: first.frames())
    await calm.stop()
    first.say(frame(PONG, first.frames()[0][1]))
    await until(lambda: len(first.frames()) >= 2)
    assert [code for code, _ in second.frames()] == [FINAL | CLOSE]


# -- origins


@pytest.mark.parametrize(
    ("origin", "pattern", "fits"),
    [
        ("https://example.com", "https://example.com", True),
        ("https://EXAMPLE.com", "https://example.com/", True),
        ("http://example.com", "https://example.com", False),
        ("https://example.com:444", "https://example.com", False),
        ("http://localhost:8080", "http://localhost:*", True),
        ("https://a.example.com", "https://*.example.com", True),
        ("https://example.com.evil.org", "https://*.example.com", False),
        ("https://aXexample.com", "https://a.example.com", False),
        ("https://evil.org/.example.com", "https://*.example.com", False),
        ("null", "https://*", False),
        ("null", "null", True),
        ("null", "*", True),
        ("chrome-extension://abc", "*", True),
    ],
)
def test_an_origin_fits_a_pattern_as_a_whole(origin: str, pattern: str, fits: bool) -> None:
    assert matches(origin, pattern) is fits


@pytest.mark.parametrize("origin", ["https://evil.org", "null", "file://"])
@pytest_twisted.ensureDeferred
async def test_web_pages_of_other_origins_are_refused(origin: str, desk: Desk, tape: Tape) -> None:
    service = await desk.start("websocket", options={"origins": ["https://good.example"]})

    async def script(client: ClientConnection) -> bool:
        return True

    with pytest.raises(InvalidStatus) as refused:
        await talk(service, script, origin=origin)
    assert refused.value.response.status_code == 403
    (limit,) = tape.all("limit.reached")
    assert limit.detail == {"limit": "origins", "value": ["https://good.example"]}
    assert limit.summary == f"refused: a web page of {origin}"
    assert await talk(service, script, origin="https://good.example")
    assert await talk(service, script)


# -- those that do not read


class Pours(WebSocketServerProtocol):
    """Sends far more than it was sent."""

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        for _ in range(int(payload)):
            self.sendMessage(os.urandom(1 << 20), True)


@pytest.mark.parametrize("compression", [True, False])
@pytest_twisted.ensureDeferred
async def test_a_client_that_does_not_read_is_closed_before_it_costs_much(
    compression: bool, desk: Desk, tape: Tape, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "UNREAD", 4 << 20)
    service = await desk.start(
        "websocket", make=lambda: Pours, limits={"message_bytes": 2 << 20}, options={"compression": compression}
    )
    peer = Raw(service)
    await peer.open(OFFER)
    (tap,) = service.connections.values()
    peer.push(frame(TEXT, b"50"))
    (limit,) = await until(lambda: tape.all("limit.reached"))
    assert limit.detail == {"limit": "unread_bytes", "value": 6 << 20}
    assert tap.unsent() < 8 << 20  # type: ignore[attr-defined]
    assert 6 <= len(tape.all("ws.message")) <= 12
    await ended(tape)
    assert not tape.all("failure")


@pytest_twisted.ensureDeferred
async def test_those_that_keep_the_service_from_its_memory_go_first(
    desk: Desk, tape: Tape, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "UNREAD_BY_ALL", 10 << 20)
    service = await desk.start("websocket", make=lambda: Pours)
    peers = [Raw(service) for _ in range(4)]
    for peer in peers:
        await peer.open()
        peer.push(frame(TEXT, b"8"))
    await until(lambda: len(tape.all("ws.closed")) >= 2)
    assert sum(tap.unsent() for tap in service.connections.values()) < 24 << 20  # type: ignore[attr-defined]
    assert {e.detail["limit"] for e in tape.all("limit.reached")} == {"unread_bytes"}


@pytest_twisted.ensureDeferred
async def test_a_client_that_reads_later_gets_all(desk: Desk, tape: Tape) -> None:
    peer = Raw(await desk.start("websocket"))
    await peer.open()
    sent = b"".join(frame(BINARY, struct.pack(">I", i) + bytes(1 << 20)) for i in range(12))
    view = memoryview(sent)
    while view:  # without a look at what comes back
        view = view[peer.push(view[: 1 << 18]) :]
        await turn()
    await until(lambda: len(peer.pull().got) >= 12 * ((1 << 20) + 4))
    assert not tape.all("limit.reached")
