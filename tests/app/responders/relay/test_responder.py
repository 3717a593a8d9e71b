"""app.responders.relay.responder on TCP, and the options of all protocols."""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket

import pytest
import pytest_twisted
from twisted.internet.protocol import Protocol, ServerFactory
from twisted.internet.utils import getProcessOutput

from app.options import problems
from app.responders import find
from app.responders.relay.responder import RESPONDER
from app.services.service import Service
from tests.app.services.helpers import Desk, Peer, Tape, address, closed, turn
from tests.helpers import closed_port, until


def at(service: Service) -> str:
    host, port = address(service)
    return f"{host}:{port}"


async def relayed(desk: Desk, responder: str = "echo", **more: object) -> Service:
    """A relay to a service that answers with ``responder``."""
    upstream = await desk.start("tcp", responder)
    return await desk.start("tcp", "relay", options={"upstream": at(upstream), **more})


def free_ports(count: int) -> list[int]:
    """``count`` different ports that are free now."""
    with contextlib.ExitStack() as held:
        probes = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [probe.getsockname()[1] for probe in probes]


def said(tape: Tape) -> list[str]:
    """The lines of the log, but for those that say which upstream serves a connection."""
    return [event.summary for event in tape.all("log") if "through" not in event.detail]


@pytest.mark.parametrize("upstream", ["", "nowhere", "host:", ":80", "host:0", "host:70000", "a b:80", "http://h:80"])
def test_what_is_no_upstream_is_said_as_it_is_typed(upstream: str):
    [(key, text)] = problems(RESPONDER.options_for("tcp"), {"upstream": upstream})
    assert key == "upstream"
    assert "Write host:port" in text


@pytest.mark.parametrize(
    ("protocol", "upstream"),
    [("tcp", "[::1]:80"), ("udp", "localhost:53"), ("http", "https://h.example/a?"), ("websocket", "wss://h:1/x")],
)
def test_what_is_an_upstream(protocol: str, upstream: str):
    assert not list(problems(RESPONDER.options_for(protocol), {"upstream": upstream}))


@pytest.mark.parametrize("upstream", ["", "h:80", "ftp://h", "http://", "http://u:p@h", "http://h:0", "http://h/ x"])
def test_what_is_no_url(upstream: str):
    [(_, text)] = problems(RESPONDER.options_for("http"), {"upstream": upstream})
    assert "Write http://" in text


@pytest.mark.parametrize(
    ("protocol", "form"),
    [("tcp", "host:port, as in 127.0.0.1:9000"), ("http", "http://host:port"), ("websocket", "ws://host:port")],
)
def test_a_missing_upstream_is_said_in_words(protocol: str, form: str):
    [(_, missing)] = problems(RESPONDER.options_for(protocol), {})
    [(_, empty)] = problems(RESPONDER.options_for(protocol), {"upstream": " "})
    assert missing.startswith(f"is missing: it must say where to relay to. Write {form}")
    assert empty.startswith(f"must say where to relay to. Write {form}")


def test_upstream_must_be_given():
    assert [key for key, _ in problems(RESPONDER.options_for("udp"), {})] == ["upstream"]
    assert find("relay") is RESPONDER


@pytest_twisted.ensureDeferred
async def test_bytes_pass_both_ways_and_both_halves_are_captured(desk: Desk, tape: Tape):
    service = await relayed(desk)
    peer = Peer(service)
    await peer.send(b"hello")
    await peer.expect(b"hello")
    upstream, relay = desk.services[0].number, service.number
    opened = [e for e in tape.all("connection.opened") if e.service == relay]
    client, outgoing = opened
    assert outgoing.detail["outgoing"] is True
    assert "outgoing" not in client.detail
    for half in (client, outgoing):
        assert tape.data("data.received", half.conn) == tape.data("data.sent", half.conn) == b"hello"
    logs = {e.conn: e.detail for e in tape.all("log") if e.service == relay}
    served = {"upstream": at(desk.services[0]), "through": outgoing.detail["host"]}
    assert logs[outgoing.conn] == {"client": peer.name, **served}
    assert logs[client.conn] == served
    assert [e.detail["peer"] for e in tape.all("connection.opened") if e.service == upstream] == [
        outgoing.detail["host"]
    ]


@pytest_twisted.ensureDeferred
async def test_half_close_passes_both_ways(desk: Desk, tape: Tape):
    ended = []

    class Answers(Protocol):
        """Answers after the client has half-closed, and closes."""

        got = b""

        def dataReceived(self, data: bytes) -> None:
            self.got += data

        def connectionLost(self, reason: object = None) -> None:
            ended.append(self.got)

        def readConnectionLost(self) -> None:
            self.transport.write(b"you sent %d" % len(self.got))  # type: ignore[union-attr]
            self.transport.loseConnection()  # type: ignore[union-attr]

        def writeConnectionLost(self) -> None:
            pass

    from twisted.internet.interfaces import IHalfCloseableProtocol
    from zope.interface import classImplements

    classImplements(Answers, IHalfCloseableProtocol)
    upstream = desk.reactor.listenTCP(0, ServerFactory.forProtocol(Answers), interface="127.0.0.1")
    try:
        service = await desk.start("tcp", "relay", options={"upstream": f"127.0.0.1:{upstream.getHost().port}"})
        peer = Peer(service)
        await peer.send(b"x" * 300_000)
        peer.finish_sending()
        assert await peer.end() == b"you sent 300000"
        await until(lambda: not service.connections)
        assert {e.detail["reason"] for e in tape.all("connection.closed")} <= {"closed by the peer", "closed by us"}
    finally:
        await upstream.stopListening()


@pytest_twisted.ensureDeferred
async def test_a_clients_reset_is_passed_on(desk: Desk, tape: Tape):
    service = await relayed(desk)
    peer = Peer(service)
    await peer.send(b"hello")
    await peer.expect(b"hello")
    peer.reset()
    await closed(tape, 3)
    upstream = desk.services[0].number
    [reason] = [e.detail["reason"] for e in tape.all("connection.closed") if e.service == upstream]
    assert reason == "reset by the peer"


@pytest_twisted.ensureDeferred
async def test_an_upstreams_reset_is_passed_on(desk: Desk):
    service = await relayed(desk)
    peer = Peer(service)
    await peer.send(b"hello")
    await peer.expect(b"hello")
    for connection in list(desk.services[0].connections.values()):
        connection.abort()
    await until(lambda: peer.pull().ended)
    assert peer.ended == "reset"


@pytest_twisted.ensureDeferred
async def test_an_upstream_that_refuses_is_said_in_words(desk: Desk, tape: Tape):
    with closed_port() as port:
        service = await desk.start("tcp", "relay", options={"upstream": f"127.0.0.1:{port}"})
        peer = Peer(service)
        await until(lambda: peer.pull().ended)
    assert said(tape) == [f"127.0.0.1:{port} refused the connection. Start the server there, or correct its address."]


@pytest_twisted.ensureDeferred
async def test_an_upstream_that_is_unknown_is_said_in_words(desk: Desk, tape: Tape):
    service = await desk.start("tcp", "relay", options={"upstream": "no-such-host.invalid:80"})
    peer = Peer(service)
    await until(lambda: peer.pull().ended)
    assert said(tape) == ["No address is known for no-such-host.invalid:80. Check the spelling of its name."]


@pytest_twisted.ensureDeferred
async def test_an_upstream_that_does_not_answer_is_given_up(desk: Desk, tape: Tape):
    full = socket.socket()
    full.bind(("127.0.0.1", 0))
    full.listen(0)
    name = "{}:{}".format(*full.getsockname())
    waiting = []
    for _ in range(3):  # the kernel answers no more of them
        waiting.append(socket.socket())
        waiting[-1].setblocking(False)
        waiting[-1].connect_ex(full.getsockname())
    try:
        service = await desk.start("tcp", "relay", options={"upstream": name, "connect_seconds": 0.1})
        peer = Peer(service)
        await until(lambda: peer.pull().ended)
        assert said(tape) == [f"{name} did not answer within 0.1 s. Check that it can be reached from here."]
    finally:
        for one in (*waiting, full):
            one.close()


@pytest_twisted.ensureDeferred
async def test_a_relay_to_itself_ends(desk: Desk, tape: Tape):
    [port] = free_ports(1)
    service = await desk.start("tcp", "relay", port=port, options={"upstream": f"localhost:{port}"})
    peer = Peer(service)
    peer.push(b"round and round")
    await until(lambda: peer.pull().ended)
    peer.close()
    await until(lambda: not service.connections)
    assert f"localhost:{port} leads back to this relay. Set another server as upstream." in said(tape)
    assert len(tape.all("connection.opened")) < 10


@pytest_twisted.ensureDeferred
async def test_a_client_that_leaves_before_the_upstream_answers(desk: Desk, tape: Tape):
    service = await relayed(desk)
    peer = Peer(service)
    peer.reset()
    await until(lambda: tape.all("connection.closed") and not service.connections)


@pytest_twisted.ensureDeferred
async def test_a_slow_reader_holds_the_sender_back(desk: Desk):
    service = await relayed(desk, "chargen")
    peer = Peer(service, receive_buffer=4096)
    await until(lambda: len(service.connections) == 2)
    upstream = desk.services[0]
    before, same = -1, 0
    while same < 30:
        now = upstream.bytes_so_far()[1]
        same, before = (same + 1 if now == before else 0), now
        await turn()
    taps = [*service.connections.values(), *upstream.connections.values()]
    assert all((tap.unsent() or 0) < 400_000 for tap in taps)  # type: ignore[attr-defined]
    peer.close()


@pytest_twisted.ensureDeferred
async def test_ten_megabytes_are_unchanged_with_tls_to_the_upstream(desk: Desk):
    upstream = await desk.start("tcp", "echo", tls={})
    service = await desk.start("tcp", "relay", options={"upstream": at(upstream), "tls": True, "verify": False})
    data = os.urandom(10_000_000)
    peer = Peer(service)
    await peer.send(data)
    assert hashlib.sha256(await peer.expect(len(data))).digest() == hashlib.sha256(data).digest()
    peer.close()
    await until(lambda: not upstream.connections)


@pytest_twisted.ensureDeferred
async def test_a_certificate_that_is_not_trusted_is_refused(desk: Desk, tape: Tape):
    upstream = await desk.start("tcp", "echo", tls={"certificate": "auto"})
    desk.surroundings = type(desk.surroundings)(data=desk.surroundings.data / "elsewhere")
    service = await desk.start("tcp", "relay", options={"upstream": at(upstream), "tls": True})
    peer = Peer(service)
    peer.push(b"secret")
    await until(lambda: peer.pull().ended)
    [why] = [text for text in said(tape) if "trusted" in text]
    assert why.startswith(f"{at(upstream)} is not trusted: the server's certificate (")
    assert why.endswith(
        "by an authority that we trust. Have this system trust its authority, or set the option verify to false."
    )
    assert not tape.data("data.received", None) or b"secret" not in b"".join(
        e.payload or b"" for e in tape.all("data.received") if e.service == upstream.number
    )


@pytest_twisted.ensureDeferred
async def test_socat_gets_back_what_it_sends(desk: Desk):
    service = await relayed(desk)
    name = at(service)
    found = await getProcessOutput(
        "/bin/sh", ["-c", f"printf 'ping' | socat -t5 - TCP:{name}"], env=os.environ, reactor=desk.reactor
    )
    assert found == b"ping"
