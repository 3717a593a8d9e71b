"""What clients that open no WebSocket are told."""

from __future__ import annotations

import socket
import ssl

import pytest
import pytest_twisted
from twisted.internet.threads import deferToThread

from tests.app.services.helpers import Desk, Peer, Tape, address
from tests.app.services.websocket_frames import OPENING, ended
from tests.helpers import until

PLAIN = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
UPGRADE = b"This port speaks WebSocket, version 13: use ws:// or wss://.\n"


async def refused(desk: Desk, tape: Tape, request: bytes) -> tuple[bytes, dict[bytes, bytes], bytes]:
    """Status line, fields and body of the answer to what opens no WebSocket."""
    peer = Peer(await desk.start("websocket"))
    await peer.send(request)
    head, _, body = (await peer.end()).partition(b"\r\n\r\n")
    await ended(tape)
    first, *lines = head.split(b"\r\n")
    fields = dict(line.split(b": ", 1) for line in lines)
    assert int(fields[b"Content-Length"]) == len(body)
    assert fields[b"Content-Type"] == b"text/plain; charset=utf-8"
    return first, fields, body


@pytest.mark.parametrize(
    "request_",
    [
        PLAIN,
        OPENING.replace(b"Version: 13", b"Version: 8") + b"\r\n",
        OPENING.replace(b"Version: 13", b"Version: 99") + b"\r\n",
        OPENING.replace(b"Version: 13", b"Version: x") + b"\r\n",
        OPENING.replace(b"Upgrade: websocket", b"Upgrade: h2c") + b"\r\n",
    ],
    ids=["plain", "draft", "future", "no number", "h2c"],
)
@pytest_twisted.ensureDeferred
async def test_what_asks_for_something_else_is_told_to_upgrade(request_: bytes, desk: Desk, tape: Tape) -> None:
    first, fields, body = await refused(desk, tape, request_)
    assert (first, body) == (b"HTTP/1.1 426 Upgrade Required", UPGRADE)
    assert fields[b"Upgrade"] == b"websocket"
    assert fields[b"Connection"] == b"Upgrade, close"
    assert fields[b"Sec-WebSocket-Version"] == b"13"


@pytest_twisted.ensureDeferred
async def test_another_method_is_told_the_one_there_is(desk: Desk, tape: Tape) -> None:
    first, fields, body = await refused(desk, tape, PLAIN.replace(b"GET", b"POST"))
    assert first == b"HTTP/1.1 405 Method Not Allowed"
    assert fields[b"Allow"] == b"GET"
    assert body == b'HTTP method "POST" not allowed.\n'


@pytest.mark.parametrize(
    ("request_", "first", "words"),
    [
        (PLAIN.replace(b"Host: localhost\r\n", b""), b"HTTP/1.1 400 Bad Request", b"Host header missing"),
        (OPENING.replace(b"dGhl", b"") + b"\r\n", b"HTTP/1.1 400 Bad Request", b"Sec-WebSocket-Key"),
        (PLAIN.replace(b"/1.1", b"/1.0"), b"HTTP/1.1 505 HTTP Version Not Supported", b"Unsupported"),
        ((OPENING + b"\r\n").replace(b"\r\n", b"\n"), b"HTTP/1.1 400 Bad Request", b"a line ends with LF alone"),
        (b"hello\n", b"HTTP/1.1 400 Bad Request", b"a line ends with LF alone"),
        (
            OPENING.replace(b"Sec-WebSocket-Version: 13\r\n", b"") + b"\r\n",
            b"HTTP/1.1 400 Bad Request",
            b"no Sec-WebSocket-Version, which must be 13",
        ),
        (b"nonsense\r\n\r\n", b"HTTP/1.1 400 Bad Request", b"Bad HTTP request status line"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_is_wrong_is_said_as_text(
    request_: bytes, first: bytes, words: bytes, desk: Desk, tape: Tape
) -> None:
    found, _, body = await refused(desk, tape, request_)
    assert found == first
    assert words in body


@pytest_twisted.ensureDeferred
async def test_tls_on_a_plain_port_is_said_and_closed_at_once(desk: Desk, tape: Tape) -> None:
    service = await desk.start("websocket")

    def shake() -> None:
        context = ssl.create_default_context()
        with socket.create_connection(address(service), 5) as plain, pytest.raises((ssl.SSLError, OSError)):
            context.wrap_socket(plain, server_hostname="me.example")

    done = deferToThread(shake)
    await until(lambda: tape.all("connection.closed"), 5)
    await done
    (failed,) = tape.all("tls.failed")
    assert failed.summary == "TLS on a plain WebSocket port: use ws://, or give the service TLS"
    assert failed.detail["sni"] == "me.example"
    assert failed.payload == tape.data("data.received")
    assert tape.all("connection.closed")[0].detail["reason"] == "TLS on a plain WebSocket port"
    assert not tape.data("data.sent")
