"""app.responders.relay: upstreams whose head never ends, and clients that leave before the answer."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_twisted
from twisted.internet.protocol import Protocol, ServerFactory

from app.services.http import http1_ending
from tests.app.responders.relay.test_http_relayed import relay
from tests.app.services.helpers import Desk, Peer, Tape, closed
from tests.helpers import until

MOST = 8 << 20
"""Bytes that the upstream sends, unless the connection ends before."""


class Endless:
    """An upstream that begins an answer, and sends the same again and again.

    Attributes:
        sent: bytes that it could write so far.
        ended: whether its connection has ended.
    """

    def __init__(self, desk: Desk, begin: bytes, again: bytes = b"") -> None:
        upstream = self
        self.sent, self.ended, self.asked = 0, False, b""

        class Answering(Protocol):
            transport: Any

            def dataReceived(self, data: bytes) -> None:
                upstream.asked += data
                if upstream.asked and not upstream.sent:
                    self.transport.registerProducer(self, True)
                    self.transport.write(begin)
                    upstream.sent += 1
                    self.resumeProducing()

            def pauseProducing(self) -> None:
                self.paused = True

            def resumeProducing(self) -> None:
                self.paused = not again
                while not self.paused and upstream.sent < MOST:
                    self.transport.write(again * (60_000 // len(again)))
                    upstream.sent += 60_000

            def stopProducing(self) -> None: ...

            def connectionLost(self, reason: Any = None) -> None:
                upstream.ended = True

        self.port = desk.reactor.listenTCP(0, ServerFactory.forProtocol(Answering), interface="127.0.0.1")
        self.address = f"127.0.0.1:{self.port.getHost().port}"

    async def __aenter__(self) -> Endless:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.port.stopListening()


LONG, MANY = "the head of its answer is longer than 65,536 bytes", "its answer has more than 200 headers"

HEADS = {
    "fields": (b"HTTP/1.1 200 OK\r\n", b"X: yyyy\r\n", MANY),
    "long fields": (b"HTTP/1.1 200 OK\r\n", b"X: %s\r\n" % (b"y" * 1000), LONG),
    "interim answers": (b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", LONG),
    "a folded field": (b"HTTP/1.1 200 OK\r\nX: y\r\n", b" y\r\n", LONG),
    "a status line": (b"HTTP/1.1 200 ", b"y", "a line in the head of its answer is longer than 65,536 bytes"),
}


@pytest.mark.parametrize("body", [b"", b"Content-Length: 1000000\r\n"], ids=["GET", "while a body is uploaded"])
@pytest.mark.parametrize("kind", HEADS)
@pytest_twisted.ensureDeferred
async def test_a6_a_head_without_end_is_refused(kind: str, body: bytes, desk: Desk, tape: Tape) -> None:
    begin, again, words = HEADS[kind]
    async with Endless(desk, begin, again) as upstream:
        peer = Peer(await relay(desk, f"http://{upstream.address}"))
        peer.push((b"PUT" if body else b"GET") + b" / HTTP/1.1\r\nHost: localhost\r\n" + body + b"\r\n")
        got = await peer.expect(b" failed: ")
        assert got.startswith(b"HTTP/1.1 103 " if kind == "interim answers" else b"HTTP/1.1 502 ")
        assert got.count(b"HTTP/1.1 502 ") == 1
        assert words.encode() in await peer.expect(b".\n")
        await until(lambda: upstream.ended)
        assert upstream.sent < MOST
    assert not tape.all("failure")


@pytest.mark.parametrize("again", [b"X: y\r\n", b"1;" + b"x" * 998], ids=["trailers", "a chunk's extension"])
@pytest_twisted.ensureDeferred
async def test_a6_a_chunked_body_is_bounded_too(again: bytes, desk: Desk, tape: Tape) -> None:
    begin = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + (b"0\r\n" if again[:1] == b"X" else b"")
    async with Endless(desk, begin, again) as upstream:
        peer = Peer(await relay(desk, f"http://{upstream.address}"))
        peer.push(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await peer.end()
        await until(lambda: upstream.ended)
        assert upstream.sent < MOST
    assert not tape.all("failure")


@pytest_twisted.ensureDeferred
async def test_a6_who_leaves_before_the_answer_ends_the_request_upstream(
    desk: Desk, tape: Tape, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http1_ending, "LOOK_AFTER", 0.1)
    async with Endless(desk, b"HTTP/1.1 200 OK\r\nX: ") as upstream:
        peer = Peer(await relay(desk, f"http://{upstream.address}"))
        peer.push(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await until(lambda: upstream.asked)
        peer.close()  # the relay sees no more than an end, as of a client that has only finished sending
        await until(lambda: upstream.ended)
        await closed(tape, 2)
    assert not tape.all("failure", "limit.reached")


@pytest_twisted.ensureDeferred
async def test_a6_who_only_finishes_sending_gets_the_answer_however_late(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http1_ending, "LOOK_AFTER", 0.4)
    rules = [{"body": "at last", "delay": 0.9}]
    upstream = await desk.start("http", "mock", options={"rules": rules})
    where = ":".join(map(str, upstream.status.host.rsplit(":", 1)))  # type: ignore[union-attr]
    peer = Peer(await relay(desk, f"http://{where}"))
    peer.push(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    peer.finish_sending()
    got = await peer.end()
    assert got.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 ")
    assert got.endswith(b"at last")


@pytest.mark.parametrize("again", [b"X: yyyy\r\n", b"y"], ids=["fields", "a line"])
@pytest_twisted.ensureDeferred
async def test_a6_the_answer_to_a_websocket_handshake_is_bounded(again: bytes, desk: Desk, tape: Tape) -> None:
    async with Endless(desk, b"HTTP/1.1 101 Switching Protocols\r\nX: ", again) as upstream:
        service = await desk.start("websocket", "relay", options={"upstream": f"ws://{upstream.address}"})
        peer = Peer(service)
        peer.push(
            b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        got = await peer.end()
        assert got.startswith(b"HTTP/1.1 502 ")
        assert b"it sent more than " in got
        await until(lambda: upstream.ended)
        assert upstream.sent < MOST
    assert not tape.all("failure")
