"""WebSocket services against PyPI's client, and raw sockets for what no client would send."""

from __future__ import annotations

import asyncio
import os
import struct
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import pytest_twisted
from autobahn.twisted.websocket import WebSocketServerProtocol
from autobahn.websocket.types import ConnectionDeny
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from app.services import websocket
from app.services.service import Service
from app.status import Stopped
from tests.app.services.helpers import Desk, Peer, Tape, address
from tests.helpers import until

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
FINAL = 0x80

OPENING = (
    b"GET /chat?x=1 HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
)


def url(service: Service, target: str = "/") -> str:
    host, port = address(service)
    return f"ws://[{host}]:{port}{target}" if ":" in host else f"ws://{host}:{port}{target}"


def talk(service: Service, script: Callable[[ClientConnection], Awaitable[Any]], **more: Any) -> Deferred[Any]:
    """Run ``script`` on a connection of PyPI's ``websockets``, in a thread; its value."""

    async def run() -> Any:
        async with connect(url(service, more.pop("target", "/")), proxy=None, **more) as client:
            return await script(client)

    return deferToThread(lambda: asyncio.run(run()))


def frame(
    opcode: int, payload: bytes = b"", first: int = FINAL, masked: bool = True, length: int | None = None
) -> bytes:
    """One frame as a client sends it; ``length`` is what its head says where that is a lie."""
    size = len(payload) if length is None else length
    bit = 0x80 if masked else 0
    head = bytes([first | opcode])
    if size < 126:
        head += bytes([bit | size])
    elif size < 1 << 16:
        head += bytes([bit | 126]) + struct.pack(">H", size)
    else:
        head += bytes([bit | 127]) + struct.pack(">Q", size)
    mask = b"\x01\x02\x03\x04"
    if masked:
        head, payload = head + mask, bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
    return head + payload


def closing(code: int, reason: bytes = b"") -> bytes:
    return frame(CLOSE, struct.pack(">H", code) + reason)


class Raw(Peer):
    """A peer that writes frames of its own making. ``wrote`` is all that it sent."""

    def __init__(self, service: Service) -> None:
        super().__init__(service)
        self.wrote = b""

    def say(self, data: bytes) -> None:
        assert self.push(data) == len(data)
        self.wrote += data

    async def open(self, more: bytes = b"") -> None:
        self.say(OPENING + more + b"\r\n")
        await self.expect(b"\r\n\r\n")
        assert self.got.startswith(b"HTTP/1.1 101 ")
        del self.got[: self.got.index(b"\r\n\r\n") + 4]

    def frames(self) -> list[tuple[int, bytes]]:
        """First byte and payload of each frame so far."""
        found, data = [], bytes(self.pull().got)
        while len(data) >= 2:
            size, begin = data[1], 2
            if size == 126:
                size, begin = struct.unpack(">H", data[2:4])[0], 4
            assert size < 127, "a mask, or too long for these tests"
            if len(data) < begin + size:
                break
            found.append((data[0], data[begin : begin + size]))
            data = data[begin + size :]
        return found

    async def closed(self) -> tuple[int, bytes]:
        """Code and reason of the close frame that comes."""
        await until(lambda: FINAL | CLOSE in dict(self.frames()) or self.ended)
        payload = dict(self.frames())[FINAL | CLOSE]
        return struct.unpack(">H", payload[:2])[0], payload[2:]


async def ended(tape: Tape, count: int = 1) -> None:
    await until(lambda: len(tape.all("connection.closed")) >= count)


def messages(tape: Tape) -> list[tuple[str, str, bytes | None]]:
    return [(e.detail["direction"], e.detail["opcode"], e.payload) for e in tape.all("ws.message")]


# -- what a right client sees, and what is noted of it


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest_twisted.ensureDeferred
async def test_texts_and_bytes_are_echoed_and_noted(host: str, desk: Desk, tape: Tape) -> None:
    async def script(client: ClientConnection) -> list[str | bytes]:
        said = []
        for message in ("Grüße", b"\0\xff", "", b""):
            await client.send(message)
            said.append(await client.recv())
        return said

    service = await desk.start("websocket", host=host)
    assert await talk(service, script) == ["Grüße", b"\0\xff", "", b""]
    await ended(tape)
    sent = [("text", "Grüße".encode()), ("binary", b"\0\xff"), ("text", b""), ("binary", b"")]
    assert messages(tape) == [(d, kind, data) for kind, data in sent for d in ("received", "sent")]
    assert tape.all("ws.message")[0].summary == "← text  Grüße"
    assert tape.all("ws.message")[3].summary.startswith("→ binary  ")
    assert {e.conn for e in tape.all()[1:]} == {tape.all("connection.opened")[0].conn}


@pytest_twisted.ensureDeferred
async def test_the_notes_come_in_order_among_the_bytes(desk: Desk, tape: Tape) -> None:
    peer = Raw(await desk.start("websocket"))
    await peer.open()
    peer.say(frame(TEXT, b"hi"))
    await until(lambda: peer.frames())
    peer.say(closing(1000))
    assert await peer.closed() == (1000, b"")
    await peer.end()
    await ended(tape)
    assert tape.kinds()[1:] == [
        *("connection.opened", "data.received", "data.sent", "ws.opened"),
        *("data.received", "ws.message", "data.sent", "ws.message"),
        *("data.received", "data.sent", "ws.closed", "connection.closed"),
    ]


@pytest_twisted.ensureDeferred
async def test_a_megabyte_in_fragments_comes_back_whole(desk: Desk, tape: Tape) -> None:
    whole = os.urandom(1 << 20)

    async def script(client: ClientConnection) -> Any:
        await client.send(whole[i : i + 65_536] for i in range(0, len(whole), 65_536))
        return await client.recv()

    service = await desk.start("websocket")
    assert await talk(service, script, max_size=None) == whole
    assert messages(tape) == [("received", "binary", whole), ("sent", "binary", whole)]


@pytest_twisted.ensureDeferred
async def test_a_ping_between_fragments_is_answered_and_noted(desk: Desk, tape: Tape) -> None:
    peer = Raw(await desk.start("websocket"))
    await peer.open()
    peer.say(frame(TEXT, b"one ", first=0) + frame(PING, b"?") + frame(PONG, b"!") + frame(0, b"two"))
    await until(lambda: len(peer.frames()) == 2)
    assert peer.frames() == [(FINAL | PONG, b"?"), (FINAL | TEXT, b"one two")]
    assert [m for m in messages(tape) if m[0] == "received"] == [
        ("received", "ping", b"?"),
        ("received", "pong", b"!"),
        ("received", "text", b"one two"),
    ]
    peer.close()
    await ended(tape)


@pytest_twisted.ensureDeferred
async def test_a_frame_that_comes_byte_by_byte_is_one_message(desk: Desk, tape: Tape) -> None:
    service = await desk.start("websocket")
    peer = Raw(service)
    for i in range(len(OPENING + b"\r\n")):
        peer.say((OPENING + b"\r\n")[i : i + 1])
    await peer.open() if not await peer.expect(b"\r\n\r\n") else None
    del peer.got[:]
    (tap,) = service.connections.values()
    for byte in frame(TEXT, b"slow"):
        peer.say(bytes([byte]))
        await until(lambda: tap.received == len(peer.wrote))
    await until(lambda: peer.frames() == [(FINAL | TEXT, b"slow")])
    peer.close()
    await ended(tape)
    assert messages(tape)[0] == ("received", "text", b"slow")


@pytest.mark.parametrize(
    ("known", "offered", "chosen"),
    [([], ["b", "a"], "b"), (["a"], ["b", "a"], "a"), (["c"], ["b", "a"], None), (["a"], None, None)],
)
@pytest_twisted.ensureDeferred
async def test_a_subprotocol_is_chosen_of_those_offered(
    known: list[str], offered: list[str] | None, chosen: str | None, desk: Desk, tape: Tape
) -> None:
    async def script(client: ClientConnection) -> Any:
        return client.subprotocol

    service = await desk.start("websocket", options={"subprotocols": known})
    more: Any = {"subprotocols": offered} if offered else {}
    assert await talk(service, script, target="/chat?x=ä", origin="http://here", **more) == chosen
    (opened,) = tape.all("ws.opened")
    assert opened.detail["offered"] == (offered or [])
    assert opened.detail["subprotocol"] == chosen
    assert opened.detail["origin"] == "http://here"
    assert opened.detail["target"] == "/chat?x=%C3%A4"
    assert opened.summary == "/chat?x=%C3%A4" + (f"  subprotocol {chosen}" if chosen else "")
    assert "upgrade" in [name.lower() for name, _ in opened.detail["fields"]]


@pytest_twisted.ensureDeferred
async def test_the_clients_close_code_and_reason_come_back_and_are_noted(desk: Desk, tape: Tape) -> None:
    async def script(client: ClientConnection) -> Any:
        await client.close(4001, "tschüß")
        return client.close_code, client.close_reason

    assert await talk(await desk.start("websocket"), script) == (4001, "tschüß")
    await ended(tape)
    (closed,) = tape.all("ws.closed")
    assert closed.summary == "4001  tschüß"
    assert closed.detail["clean"] is True
    assert (closed.detail["their_code"], closed.detail["their_reason"]) == (4001, "tschüß")
    assert (closed.detail["our_code"], closed.detail["our_reason"]) == (4001, "tschüß")


@pytest_twisted.ensureDeferred
async def test_the_responders_close_code_and_reason_reach_the_client(desk: Desk, tape: Tape) -> None:
    class Closes(WebSocketServerProtocol):
        def onMessage(self, payload: bytes, isBinary: bool) -> None:
            self.sendClose(4002, payload.decode())

    async def script(client: ClientConnection) -> Any:
        await client.send("genug")
        with pytest.raises(ConnectionClosed):
            await client.recv()
        return client.close_code, client.close_reason

    assert await talk(await desk.start("websocket", make=lambda: Closes), script) == (4002, "genug")
    await ended(tape)
    (closed,) = tape.all("ws.closed")
    assert (closed.detail["our_code"], closed.detail["our_reason"], closed.detail["clean"]) == (4002, "genug", True)


@pytest_twisted.ensureDeferred
async def test_a_client_that_closes_without_a_code_is_noted(desk: Desk, tape: Tape) -> None:
    peer = Raw(await desk.start("websocket"))
    await peer.open()
    peer.say(frame(CLOSE))
    await peer.end()
    await ended(tape)
    (closed,) = tape.all("ws.closed")
    assert closed.detail["clean"] is True
    assert closed.detail["their_code"] in (None, 1005)


# -- the user's side, and the end


@pytest.mark.parametrize(("data", "said"), [("tippt ☺".encode(), "tippt ☺"), (b"\xff\0", b"\xff\0")])
@pytest_twisted.ensureDeferred
async def test_what_the_user_sends_is_a_message(data: bytes, said: str | bytes, desk: Desk, tape: Tape) -> None:
    async def script(client: ClientConnection) -> Any:
        return await client.recv()

    service = await desk.start("websocket")
    answer = talk(service, script)
    await until(lambda: tape.all("ws.opened"))
    (tap,) = service.connections.values()
    tap.send(data)
    assert await answer == said
    assert messages(tape) == [("sent", "text" if isinstance(said, str) else "binary", data)]


@pytest_twisted.ensureDeferred
async def test_stopping_says_1001_to_each_client(desk: Desk, tape: Tape) -> None:
    async def script(client: ClientConnection) -> Any:
        with pytest.raises(ConnectionClosed):
            await client.recv()
        return client.close_code, client.close_reason

    service = await desk.start("websocket")
    answers = [talk(service, script) for _ in range(3)]
    await until(lambda: len(tape.all("ws.opened")) == 3)
    await service.stop()
    assert [await answer for answer in answers] == [(1001, "the service is stopping")] * 3
    assert service.status == Stopped()
    assert service.connections == {}
    assert {e.detail["reason"] for e in tape.all("connection.closed")} == {"closed by us"}
    assert {e.detail["our_code"] for e in tape.all("ws.closed")} == {1001}


@pytest_twisted.ensureDeferred
async def test_stopping_does_not_wait_for_a_client_that_does_not_answer(desk: Desk, tape: Tape) -> None:
    service = await desk.start("websocket")
    silent, half = Raw(service), Raw(service)
    await silent.open()
    half.say(OPENING)
    await until(lambda: len(service.connections) == 2)
    stopped: list[None] = []
    service.stop().addCallback(stopped.append)
    assert await silent.closed() == (1001, b"the service is stopping")
    await until(lambda: stopped, 2.5)
    assert len(tape.all("connection.closed")) == 2
    for peer in (silent, half):
        await peer.end()


@pytest_twisted.ensureDeferred
async def test_a_client_that_vanishes_after_the_opening_leaves_nothing(desk: Desk, tape: Tape) -> None:
    service = await desk.start("websocket")
    for end in ("close", "reset"):
        peer = Raw(service)
        await peer.open()
        peer.say(frame(TEXT, b"half", length=100))
        getattr(peer, end)()
    await ended(tape, 2)
    assert [e.detail["clean"] for e in tape.all("ws.closed")] == [False, False]
    assert [e.summary[:4] for e in tape.all("ws.closed")] == ["1006", "1006"]
    assert not tape.all("ws.message", "failure")
    assert service.connections == {}


@pytest_twisted.ensureDeferred
async def test_a_client_that_vanishes_in_the_opening_has_no_websocket_notes(desk: Desk, tape: Tape) -> None:
    service = await desk.start("websocket")
    peer = Raw(service)
    peer.say(OPENING)
    await until(lambda: tape.all("data.received"))
    peer.close()
    await ended(tape)
    assert tape.kinds() == ["service.started", "connection.opened", "data.received", "connection.closed"]


# -- what is no WebSocket, and what is a broken one


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"426"),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"405"),
        (b"\x16\x03\x01\x02\x00 garbage\r\n\r\n", b"400"),
        (OPENING.replace(b"13", b"99") + b"\r\n", b"400"),
        (OPENING.replace(b"dGhl", b"") + b"\r\n", b"400"),
        (OPENING + b"X: " + bytes(websocket.MAX_HEAD), b"431"),
    ],
    ids=["get", "post", "garbage", "version", "key", "fields"],
)
@pytest_twisted.ensureDeferred
async def test_what_opens_no_websocket_is_refused(sent: bytes, status: bytes, desk: Desk, tape: Tape) -> None:
    peer = Peer(await desk.start("websocket"))
    await peer.send(sent)
    answer = await peer.end()
    await ended(tape)
    assert answer.split(b" ")[1] == status
    assert tape.data("data.received") == sent
    assert tape.data("data.sent") == answer
    assert not tape.all("failure", "ws.opened", "ws.closed")


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        (frame(TEXT, b"x", first=FINAL | 0x40), 1002),
        (frame(TEXT, b"x", first=FINAL | 0x10), 1002),
        (frame(3, b"x"), 1002),
        (frame(11, b"x"), 1002),
        (frame(TEXT, b"x", masked=False), 1002),
        (frame(PING, b"x", first=0), 1002),
        (frame(PING, bytes(126)), 1002),
        (frame(0, b"x"), 1002),
        (frame(TEXT, b"x", first=0) + frame(TEXT, b"y"), 1002),
        (frame(CLOSE, b"\x03"), 1002),
        (closing(1005), 1002),
        (closing(999), 1002),
        (closing(1004), 1002),
        (frame(TEXT, b"\xc3\x28"), 1007),
        (frame(TEXT, b"\xe2\x82"), 1007),
        (closing(1000, b"\xff"), 1007),
        (frame(BINARY, length=1 << 62), 1009),
        (frame(BINARY, length=websocket.MAX_MESSAGE + 1), 1009),
        (frame(BINARY, length=1 << 63), 1002),
    ],
    ids=[
        "rsv1", "rsv3", "opcode3", "opcode11", "unmasked", "fragmented ping", "long ping", "nothing to go on with",
        "text in text", "close of one byte", "close 1005", "close 999", "close 1004", "bad utf-8", "half utf-8",
        "bad reason", "2^62", "over the limit", "2^63",
    ],
)  # fmt: skip
@pytest_twisted.ensureDeferred
async def test_a_broken_frame_ends_in_its_close_code_and_is_captured(
    broken: bytes, code: int, desk: Desk, tape: Tape
) -> None:
    service = await desk.start("websocket")
    other, peer = Raw(service), Raw(service)
    await other.open()
    await peer.open()
    peer.say(broken)
    assert (await peer.closed())[0] == code
    if not peer.ended:
        peer.say(closing(code))
    await peer.end()
    await ended(tape)
    (closed,) = tape.all("ws.closed")
    assert closed.detail["our_code"] == code
    assert tape.data("data.received", closed.conn) == peer.wrote
    assert not tape.all("failure", "ws.message")
    other.say(frame(TEXT, b"on"))
    await until(lambda: other.frames() == [(FINAL | TEXT, b"on")])
    other.close()
    await ended(tape, 2)


# -- a responder that fails


class Fails(WebSocketServerProtocol):
    """Raises where the target says."""

    def onConnect(self, request: Any) -> None:
        if request.path == "/deny":
            raise ConnectionDeny(403, "not you")
        if request.path == "/connect":
            raise ValueError("in onConnect")

    def onOpen(self) -> None:
        if self.http_request_path == "/open":
            raise ValueError("in onOpen")

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        if payload == b"fail":
            raise ValueError("in onMessage")
        self.sendMessage(payload, isBinary)

    def onClose(self, wasClean: bool, code: int, reason: str) -> None:
        if self.http_request_path == "/close":
            raise ValueError("in onClose")


@pytest_twisted.ensureDeferred
async def test_a_failure_in_on_message_ends_in_1011_and_is_recorded_once_with_the_message(
    desk: Desk, tape: Tape, logged_failures: Any
) -> None:
    async def script(client: ClientConnection) -> Any:
        await client.send("fail")
        with pytest.raises(ConnectionClosed):
            await client.recv()
        return client.close_code, client.close_reason

    service = await desk.start("websocket", make=lambda: Fails)
    other = Raw(service)
    await other.open()
    assert await talk(service, script) == (1011, "the responder failed")
    await ended(tape)
    (failure,) = tape.all("failure")
    assert failure.summary.startswith("ValueError: in onMessage")
    assert failure.payload == b"fail"
    assert failure.conn == tape.all("connection.opened")[1].conn
    assert [e.detail["our_code"] for e in tape.all("ws.closed")] == [1011]
    other.say(frame(TEXT, b"on"))
    await until(lambda: other.frames() == [(FINAL | TEXT, b"on")])
    other.close()
    await ended(tape, 2)
    logged_failures(ValueError)


@pytest.mark.parametrize("hook", ["open", "close"])
@pytest_twisted.ensureDeferred
async def test_a_failure_in_another_hook_is_recorded_once(
    hook: str, desk: Desk, tape: Tape, logged_failures: Any
) -> None:
    async def script(client: ClientConnection) -> Any:
        if hook == "open":
            with pytest.raises(ConnectionClosed):
                await client.recv()
        await client.close()
        return client.close_code

    service = await desk.start("websocket", make=lambda: Fails)
    assert await talk(service, script, target=f"/{hook}") == (1011 if hook == "open" else 1000)
    await ended(tape)
    (failure,) = tape.all("failure")
    assert failure.summary.startswith(f"ValueError: in on{hook.title()}")
    assert len(tape.all("ws.closed")) == 1
    logged_failures(ValueError)


@pytest.mark.parametrize(("target", "status", "failures"), [("/connect", 500, 1), ("/deny", 403, 0)])
@pytest_twisted.ensureDeferred
async def test_a_responder_that_refuses_is_told_from_one_that_fails(
    target: str, status: int, failures: int, desk: Desk, tape: Tape, logged_failures: Any
) -> None:
    async def script(client: ClientConnection) -> None:
        """Never gets here."""

    service = await desk.start("websocket", make=lambda: Fails)
    with pytest.raises(InvalidStatus) as refused:
        await talk(service, script, target=target)
    assert refused.value.response.status_code == status
    await ended(tape)
    assert len(tape.all("failure")) == failures
    assert not tape.all("ws.opened")
    logged_failures(ValueError)
