"""WebSocket services: what is no WebSocket, frames that break RFC 6455, responders that fail."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
import pytest_twisted
from autobahn.twisted.websocket import WebSocketServerProtocol
from autobahn.websocket.types import ConnectionDeny
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.app.services.helpers import Desk, Peer, Tape
from tests.app.services.websocket_frames import (
    BINARY,
    CLOSE,
    FINAL,
    OPENING,
    PING,
    TEXT,
    Raw,
    closing,
    ended,
    frame,
    talk,
)
from tests.helpers import until

# -- what is no WebSocket, and what is a broken one


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"426"),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"405"),
        (b"\x15\x03\x01\x02\x00 garbage\r\n\r\n", b"400"),
        (OPENING.replace(b"13", b"99") + b"\r\n", b"426"),
        (OPENING.replace(b"dGhl", b"") + b"\r\n", b"400"),
        (OPENING + b"X: " + bytes(64 << 10), b"431"),
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
        (frame(BINARY, length=(16 << 20) + 1), 1009),
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
    with suppress(OSError):  # after some of these it is closed at once
        peer.push(closing(code))
        peer.finish_sending()
    await peer.end()
    await ended(tape)
    (closed,) = tape.all("ws.closed")
    assert closed.detail["our_code"] == code
    assert tape.data("data.received", closed.conn).startswith(peer.wrote)
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
