"""A relay with several upstreams on real sockets, of each protocol."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.protocol import Protocol, ServerFactory
from twisted.web._newclient import RequestNotSent, ResponseFailed, ResponseNeverReceived

from app.responders.relay.pool import may_repeat
from tests.app.responders.relay.test_responder import at, said
from tests.app.responders.relay.test_udp_relayed import Sender
from tests.app.services.helpers import Desk, Peer, Tape, address
from tests.app.services.websocket_frames import OPENING
from tests.helpers import closed_port, until


def served(tape: Tape) -> list[str]:
    """The upstream of each client's connection, as it is recorded there."""
    clients = {e.conn for e in tape.all("connection.opened") if not e.detail.get("outgoing")}
    return [e.detail["upstream"] for e in tape.all("log") if "through" in e.detail and e.conn in clients]


@pytest_twisted.ensureDeferred
async def test_tcp_goes_on_to_the_next_one_and_says_which_one_serves(desk: Desk, tape: Tape):
    upstream = await desk.start("tcp", "echo")
    with closed_port() as closed:
        options = {"upstreams": [f"127.0.0.1:{closed}", at(upstream)], "retry_seconds": 60.0}
        relay = await desk.start("tcp", "relay", options=options)
        for word in b"one", b"two":
            peer = Peer(relay)
            await peer.send(word)
            await peer.expect(word)
            assert len(relay.clients()) == 1  # its connection to the upstream is no client
            peer.close()
        await until(lambda: not relay.connections)
    assert served(tape) == [at(upstream)] * 2
    assert len(said(tape)) == 1  # the second client was not sent to the one that is skipped
    [failed] = tape.all("upstream.failed")
    assert failed.detail["upstream"] == f"127.0.0.1:{closed}"
    assert [(member.open, member.served) for member in relay.upstreams()] == [(0, 0), (0, 2)]


@pytest_twisted.ensureDeferred
async def test_tcp_goes_on_where_the_tls_handshake_fails_before_a_byte_was_passed(desk: Desk, tape: Tape):
    plain, secure = await desk.start("tcp", "banner"), await desk.start("tcp", "echo", tls={})
    options = {"upstreams": [at(plain), at(secure)], "tls": True, "verify": False}
    relay = await desk.start("tcp", "relay", options=options)
    peer = Peer(relay)
    await peer.send(b"hello")
    await peer.expect(b"hello")
    assert served(tape) == [at(secure)]
    assert [e.detail["upstream"] for e in tape.all("upstream.failed")] == [at(plain)]
    assert b"hello" not in [event.payload for event in tape.all("data.received") if event.service == plain.number]


@pytest_twisted.ensureDeferred
async def test_tcp_closes_where_none_is_there_and_names_each(desk: Desk, tape: Tape):
    with closed_port() as one, closed_port() as two:
        relay = await desk.start("tcp", "relay", options={"upstreams": [f"127.0.0.1:{one}", f"127.0.0.1:{two}"]})
        assert await Peer(relay).end() == b""
    assert said(tape)[-1].startswith("None of the upstreams can be reached: ")
    assert all(f"127.0.0.1:{port} refused the connection" in said(tape)[-1] for port in (one, two))
    assert not any(member.open for member in relay.upstreams())


@pytest_twisted.ensureDeferred
async def test_udp_stays_with_its_upstream_and_goes_elsewhere_when_it_is_refused(desk: Desk, tape: Tape):
    with ExitStack() as stack:
        servers = []
        for _ in range(2):
            server = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            server.bind(("127.0.0.1", 0))
            server.setblocking(False)
            servers.append(server)
        upstreams = [f"127.0.0.1:{server.getsockname()[1]}" for server in servers]
        relay = await desk.start("udp", "relay", options={"upstreams": upstreams, "retry_seconds": 60.0})
        senders = [Sender(address(relay)) for _ in range(2)]
        for sender in senders:
            stack.callback(sender.socket.close)

        async def heard(server: socket.socket) -> bytes:
            def pull() -> bytes:
                try:
                    return server.recv(100)
                except BlockingIOError:
                    return b""

            return await until(pull)  # type: ignore[no-any-return]

        for word in b"a", b"b", b"c":
            for sender, server in zip(senders, servers, strict=True):
                sender.send(word)
                assert await heard(server) == word
        assert [member.open for member in relay.upstreams()] == [1, 1]
        servers[0].close()
        senders[0].send(b"lost")
        await until(lambda: tape.all("upstream.failed"))
        senders[0].send(b"again")
        assert await heard(servers[1]) == b"again"
        senders[1].send(b"still")
        assert await heard(servers[1]) == b"still"
        await relay.stop()
    assert served(tape) == [upstreams[0], upstreams[1], upstreams[1]]


@pytest_twisted.ensureDeferred
async def test_a_websocket_is_opened_with_the_next_one(desk: Desk, tape: Tape):
    upstream = await desk.start("websocket", "echo")
    with closed_port() as closed:
        upstreams = [f"ws://127.0.0.1:{closed}", f"ws://{at(upstream)}"]
        relay = await desk.start("websocket", "relay", options={"upstreams": upstreams})
        peer = Peer(relay)
        await peer.send(OPENING + b"\r\n")
        assert b" 101 " in await peer.expect(b"\r\n\r\n")
        assert [member.open for member in relay.upstreams()] == [0, 1]
        peer.close()
        await until(lambda: not relay.connections)
    assert served(tape) == upstreams[1:]
    assert [member.open for member in relay.upstreams()] == [0, 0]


@pytest_twisted.ensureDeferred
async def test_a_websocket_is_refused_in_words_where_none_is_there(desk: Desk):
    with closed_port() as one, closed_port() as two:
        upstreams = [f"ws://127.0.0.1:{one}", f"ws://127.0.0.1:{two}"]
        relay = await desk.start("websocket", "relay", options={"upstreams": upstreams})
        peer = Peer(relay)
        await peer.send(OPENING + b"\r\n")
        assert b"None of the upstreams can be reached" in await peer.end()
        assert peer.got.startswith(b"HTTP/1.1 502 ")


def request(method: bytes = b"GET", body: bytes = b"", *, last: bool = False) -> bytes:
    length = b"Content-Length: %d\r\n" % len(body) if body else b""
    close = b"Connection: close\r\n" if last else b""
    return b"%b /x HTTP/1.1\r\nHost: localhost\r\n%b%b\r\n%b" % (method, length, close, body)


@pytest_twisted.ensureDeferred
async def test_http_gives_each_request_to_the_next_one_and_says_which_one_answered(desk: Desk, tape: Tape):
    one, two = await desk.start("http", "inspector"), await desk.start("http", "inspector")
    with closed_port() as closed:
        upstreams = [f"http://{at(one)}", f"http://127.0.0.1:{closed}", f"http://{at(two)}"]
        relay = await desk.start("http", "relay", options={"upstreams": upstreams})
        peer = Peer(relay)
        for _ in range(3):
            await peer.send(request(b"POST", b"hello"))
        await peer.send(request(last=True))
        assert (await peer.end()).count(b"HTTP/1.1 200 ") == 4
    answers = [e.detail.get("upstream") for e in tape.all("http.response") if e.service == relay.number]
    assert answers == [upstreams[0], upstreams[2], upstreams[0], upstreams[2]]
    assert served(tape) == [upstreams[0], "several"]
    assert not any(member.open for member in relay.upstreams())


@pytest_twisted.ensureDeferred
async def test_http_answers_502_where_none_is_there(desk: Desk):
    with closed_port() as one, closed_port() as two:
        upstreams = [f"http://127.0.0.1:{one}", f"http://127.0.0.1:{two}/x"]
        relay = await desk.start("http", "relay", options={"upstreams": upstreams})
        peer = Peer(relay)
        await peer.send(request(last=True))
        got = await peer.end()
    assert got.startswith(b"HTTP/1.1 502 ")
    assert b"None of the upstreams can be reached" in got
    assert b"/x refused the connection" in got


class Closing(Protocol):
    """Answers one request of each connection; the next one it takes, and closes."""

    got: list[bytes]

    def connectionMade(self) -> None:
        self.count = 0

    def dataReceived(self, data: bytes) -> None:
        self.got.append(data)
        self.count += 1
        assert self.transport is not None
        if self.count == 1:
            self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        else:
            self.transport.loseConnection()


@pytest.mark.parametrize(
    ("method", "body", "status", "asked"),
    [(b"GET", b"", b"200", 3), (b"DELETE", b"", b"200", 3), (b"POST", b"", b"502", 2), (b"PUT", b"x", b"502", 2)],
)
@pytest_twisted.ensureDeferred
async def test_only_a_request_that_may_be_repeated_is_sent_again_on_a_new_connection(
    desk: Desk, method: bytes, body: bytes, status: bytes, asked: int
):
    got: list[bytes] = []
    kind = type("Upstream", (Closing,), {"got": got})
    port = desk.reactor.listenTCP(0, ServerFactory.forProtocol(kind), interface="127.0.0.1")
    try:
        relay = await desk.start("http", "relay", options={"upstream": f"http://127.0.0.1:{port.getHost().port}"})
        peer = Peer(relay)
        await peer.send(request())
        await peer.expect(b"ok")
        await peer.send(request(method, body, last=True))
        assert b"HTTP/1.1 %b " % status in (await peer.end()).partition(b"ok")[2]
        assert len([data for data in got if b"HTTP/1.1" in data]) == asked
    finally:
        await port.stopListening()


class Leaving(Protocol):
    """Answers one request of each connection, and closes it as soon as the answer has left."""

    def dataReceived(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        self.transport.loseConnection()


@pytest_twisted.ensureDeferred
async def test_a_kept_connection_that_is_over_is_not_used_for_what_cannot_be_repeated(desk: Desk):
    port = desk.reactor.listenTCP(0, ServerFactory.forProtocol(Leaving), interface="127.0.0.1")
    try:
        relay = await desk.start("http", "relay", options={"upstream": f"http://127.0.0.1:{port.getHost().port}"})
        peer = Peer(relay)
        for number in range(1, 21):
            await peer.send(request(b"POST"))
            await until(lambda number=number: peer.pull().got.count(b"ok") == number)
        assert peer.got.count(b" 200 ") == 20
        peer.close()
    finally:
        await port.stopListening()


@pytest.mark.parametrize(
    ("error", "given", "repeated"),
    [
        (ResponseNeverReceived([]), {}, True),
        (RequestNotSent(), {}, True),
        (ResponseFailed([]), {}, False),  # a byte of an answer has come
        (ResponseNeverReceived([]), {"used": False}, False),
        (ResponseNeverReceived([]), {"body": True}, False),
        (ResponseNeverReceived([]), {"method": b"POST"}, False),
        (ResponseNeverReceived([]), {"method": b"PATCH"}, False),
        (ValueError(), {}, False),
    ],
)
def test_what_may_be_repeated(error: Exception, given: dict[str, Any], repeated: bool):
    facts: dict[str, Any] = {"method": b"GET", "used": True, "body": False} | given
    assert may_repeat(error, facts.pop("method"), **facts) is repeated


@pytest_twisted.ensureDeferred
async def test_a_client_that_is_cut_off_during_the_tls_handshake_is_given_to_nobody_else(desk: Desk, tape: Tape):
    silent = desk.reactor.listenTCP(0, ServerFactory.forProtocol(Protocol), interface="127.0.0.1")
    try:
        upstream = await desk.start("tcp", "echo", tls={})
        options = {"upstreams": [f"127.0.0.1:{silent.getHost().port}", at(upstream)], "tls": True, "verify": False}
        relay = await desk.start("tcp", "relay", options=options)
        Peer(relay)
        await until(lambda: len(relay.connections) == 2)
        members = relay.upstreams()
        for connection in list(relay.connections.values()):
            if connection.peer != f"127.0.0.1:{silent.getHost().port}":
                connection.abort()
        await until(lambda: not relay.connections)
        assert not upstream.opened
        assert [(member.open, member.served, member.reason) for member in members] == [(0, 0, "")] * 2
    finally:
        await silent.stopListening()


@pytest_twisted.ensureDeferred
async def test_the_seed_of_a_balance_at_random_is_told_so_that_a_run_can_be_repeated(desk: Desk, tape: Tape):
    upstreams = ["127.0.0.1:1", "127.0.0.1:2"]
    await desk.start("tcp", "relay", options={"upstreams": upstreams, "balance": "random"}, seed=7)
    await desk.start("tcp", "relay", options={"upstreams": upstreams}, seed=7)
    assert [event.detail.get("seed") for event in tape.all("service.started")] == [7, None]
