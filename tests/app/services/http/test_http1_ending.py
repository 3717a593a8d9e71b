"""How connections of HTTP/1 end: clients that finish sending, services that stop, versions, tunnels."""

from __future__ import annotations

import ssl
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.threads import deferToThread
from twisted.internet.utils import getProcessOutputAndValue
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from app.services.http import http1_ending
from app.services.http.http1_ending import DRAIN, SILENCE
from app.services.surroundings import Surroundings
from tests.app.services.helpers import Desk, Peer, Tape, address, closed
from tests.app.services.http.test_body import Taking
from tests.app.services.http.test_bounds import Line
from tests.helpers import until

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


class Later(Resource):
    """Answers when the test says so; what was asked for ``/now`` at once."""

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[Any] = []
        self.left: list[Any] = []

    def render(self, request: Any) -> Any:
        if request.path == b"/now":
            return b"at once"
        request.notifyFinish().addErrback(self.left.append)
        self.requests.append(request)
        return NOT_DONE_YET


async def later(desk: Desk, **more: Any) -> tuple[Any, Later]:
    root = Later()
    return await desk.start("http", make=lambda: root, **more), root


def answer(request: Any, body: bytes = b"at last") -> None:
    request.write(body)
    request.finish()


# -- a client that finishes sending


@pytest_twisted.ensureDeferred
async def test_who_has_finished_sending_is_answered_and_closed(desk: Desk, tape: Tape) -> None:
    service, root = await later(desk)
    peer = Peer(service)
    peer.push(GET)
    peer.finish_sending()
    await until(lambda: root.requests)
    (tap,) = service.connections.values()
    await until(lambda: tap.wrappedProtocol._ended)
    answer(root.requests[0])
    assert b"at last" in await peer.end()
    assert peer.ended == "closed"
    assert (await closed(tape)).detail["reason"] == "closed by the peer"
    assert not tape.all("failure", "limit.reached")


@pytest_twisted.ensureDeferred
async def test_all_that_was_pipelined_is_answered_before_the_end(desk: Desk, tape: Tape) -> None:
    service, root = await later(desk)
    peer = Peer(service)
    peer.push(GET + GET.replace(b"/ ", b"/now ") * 100 + GET)
    peer.finish_sending()
    for number in (1, 2):
        await until(lambda number=number: len(root.requests) == number)
        answer(root.requests[-1])
    got = await peer.end()
    assert (got.count(b"at last"), got.count(b"at once")) == (2, 100)
    assert peer.ended == "closed"


@pytest.mark.parametrize("responder", ["static", "mock", "inspector"])
@pytest_twisted.ensureDeferred
async def test_responders_answer_who_has_finished_sending(responder: str, desk: Desk, tmp_path: Any) -> None:
    desk.surroundings = Surroundings(tmp_path, tmp_path)
    (tmp_path / "a").write_text("here it is")
    rules = [{"path": "/a", "body": "here it is", "delay": 0.1}]
    options: dict[str, Any] = {"static": {"root": str(tmp_path)}, "mock": {"rules": rules}}.get(responder, {})
    peer = Peer(await desk.start("http", responder, options=options))
    peer.push(b"GET /a HTTP/1.1\r\nHost: x\r\nX: here it is\r\n\r\n")
    peer.finish_sending()
    assert b"here it is" in await peer.end()


@pytest_twisted.ensureDeferred
async def test_over_tls_too(desk: Desk, tape: Tape, tmp_path: Any) -> None:
    desk.surroundings = Surroundings(tmp_path, tmp_path)
    rules = [{"body": "at last", "delay": 0.2}]
    service = await desk.start("http", "mock", options={"rules": rules}, tls={})

    def talk() -> bytes:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        with Peer(service).socket as wire:
            wire.settimeout(10)
            tls = context.wrap_bio(incoming, outgoing)

            def step(call: Any, *args: Any) -> Any:
                while True:
                    try:
                        return call(*args)
                    except ssl.SSLWantReadError:
                        wire.sendall(outgoing.read())
                        incoming.write(wire.recv(1 << 16))

            step(tls.do_handshake)
            tls.write(GET)
            with pytest.raises(ssl.SSLWantReadError):
                tls.unwrap()  # sends close_notify
            wire.sendall(outgoing.read())
            return bytes(step(tls.read, 1 << 16))

    assert (await deferToThread(talk)).endswith(b"at last")


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (b"GET / HT", "the client finished sending in the middle of a request's head"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf", "a body, after 4 of 9 bytes"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", "a body, after 4 bytes"),
        (GET.replace(b"/ ", b"/now ") + b"GET", "a request's head"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_who_finishes_in_the_middle_is_told_so(sent: bytes, words: str, desk: Desk, tape: Tape) -> None:
    service, _ = await later(desk)
    peer = Peer(service)
    peer.push(sent)
    peer.finish_sending()
    got = await peer.end()
    assert b"HTTP/1.1 400 Bad Request\r\n" in got
    assert words.encode() in got.replace(b"The", b"the")
    assert peer.ended == "closed"
    assert words in tape.all("http.response")[-1].detail["refused"]


@pytest_twisted.ensureDeferred
async def test_a_streamed_body_that_ends_early_is_lost(desk: Desk, tape: Tape) -> None:
    root = Taking()
    peer = Peer(await desk.start("http", make=lambda: root))
    peer.push(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf")
    peer.finish_sending()
    assert (await peer.end()).startswith(b"HTTP/1.1 400 ")
    await closed(tape)
    assert [why is not None for why in root.ends] == [True]


@pytest_twisted.ensureDeferred
async def test_who_asked_nothing_is_closed_at_once(desk: Desk, tape: Tape) -> None:
    service, _ = await later(desk)
    silent, kept = Peer(service), Peer(service)
    kept.push(GET.replace(b"/ ", b"/now "))
    await kept.expect(b"at once")
    for peer in (silent, kept):
        peer.finish_sending()
        await peer.end()
        assert peer.ended == "closed"
    await closed(tape, 2)
    assert {e.detail["reason"] for e in tape.all("connection.closed")} == {"closed by the peer"}


@pytest_twisted.ensureDeferred
async def test_a_stream_ends_when_its_listener_has_gone_altogether(desk: Desk, tape: Tape) -> None:
    service, root = await later(desk)
    peer = Peer(service)
    peer.push(GET)
    await until(lambda: root.requests)
    peer.close()

    def sent() -> bool:
        root.requests[0].write(b"event")
        return bool(root.left)

    await until(sent)
    assert (await closed(tape)).detail["reason"] == "closed by the peer"


@pytest.mark.parametrize("idle", [10.0, 0.0])
def test_who_may_have_gone_is_waited_for_only_while_something_is_sent(idle: float, desk: Desk, tape: Tape) -> None:
    line = Line(desk, Later(), idle_seconds=idle)
    line.tap.dataReceived(GET)
    line.tap.readConnectionLost()
    patience = idle or SILENCE
    for _ in range(5):
        line.root.requests[0].write(b"x")
        line.clock.advance(patience)
    assert not line.wire.aborted
    line.clock.advance(patience)
    assert line.wire.aborted
    (limit,) = tape.all("limit.reached")
    assert limit.summary == "nothing was sent for long to a client that has finished sending: closing"


@pytest.mark.parametrize("idle", [10.0, 0.0])
def test_who_has_finished_sending_and_does_not_read_is_aborted(idle: float, desk: Desk, tape: Tape) -> None:
    line = Line(desk, Later(), idle_seconds=idle)
    line.tap.dataReceived(GET)
    line.root.requests[0].write(bytes(1_000_000))
    line.wire.unsent = 1_000_000
    line.channel.pauseProducing()
    line.tap.readConnectionLost()
    patience = idle or SILENCE
    line.wire.unsent -= 100_000
    line.clock.advance(patience)
    assert not line.wire.aborted
    line.clock.advance(patience)
    assert line.wire.aborted


@pytest_twisted.ensureDeferred
async def test_what_hangs_ends_when_the_client_has_finished(desk: Desk, tape: Tape) -> None:
    service = await desk.start("http", "mock", options={"rules": [{"drop": "hang"}]})
    peer = Peer(service)
    peer.push(GET)
    await until(lambda: tape.all("http.request"))
    peer.finish_sending()
    assert await peer.end() == b""
    assert not tape.all("http.response")


# -- a service that stops


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers have more time to end than this machine could need."""
    monkeypatch.setattr(http1_ending, "DRAIN", 20.0)


@pytest.mark.usefixtures("patient")
@pytest_twisted.ensureDeferred
async def test_a_service_that_stops_lets_answers_end_and_says_close(desk: Desk, tape: Tape) -> None:
    service, root = await later(desk)
    waiting, idle = Peer(service), Peer(service)
    waiting.push(GET * 2)
    await until(lambda: root.requests and len(service.connections) == 2)
    stopping = service.stop(30)
    await idle.end()
    answer(root.requests[0])
    got = await waiting.end()
    assert b"Connection: close\r\n" in got
    assert got.count(b"at last") == 1
    assert waiting.ended == idle.ended == "closed"
    await stopping
    assert {e.summary for e in tape.all("connection.closed")} == {"closed by us"}
    assert len(tape.all("http.request")) == 1


@pytest.mark.usefixtures("patient")
@pytest_twisted.ensureDeferred
async def test_a_body_on_its_way_still_arrives_when_the_service_stops(desk: Desk, tape: Tape) -> None:
    service, _ = await later(desk)
    peer = Peer(service)
    peer.push(b"POST /now HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbo")
    await until(lambda: service.bytes_so_far()[0] > 50)
    (tap,) = service.connections.values()
    stopping = service.stop(30)
    await until(lambda: tap.wrappedProtocol._draining)
    peer.push(b"dy")
    got = await peer.end()
    assert b"Connection: close\r\n" in got
    assert got.endswith(b"at once")
    await stopping


def test_an_answer_without_an_end_is_closed_in_good_order(desk: Desk, tape: Tape) -> None:
    line = Line(desk, Later())
    line.tap.dataReceived(GET)
    assert line.channel.drain()
    line.clock.advance(DRAIN / 2)
    assert not line.wire.disconnecting
    line.clock.advance(DRAIN / 2)
    assert line.wire.disconnecting
    assert not line.wire.aborted


def test_there_is_nothing_to_wait_for_on_an_idle_connection(desk: Desk, tape: Tape) -> None:
    line = Line(desk, Later())
    assert not line.channel.drain()
    line.tap.dataReceived(GET)
    assert line.channel.drain()
    assert not line.channel.drain()  # a second time does not wait


# -- versions and connections


@pytest.mark.parametrize(
    ("fields", "answer", "kept"),
    [
        (b"Connection: keep-alive\r\n", b"Connection: keep-alive\r\n", True),
        (b"Connection: x, Keep-Alive\r\n", b"Connection: keep-alive\r\n", True),
        (b"", b"Connection: close\r\n", False),
        (b"Connection: keep-alive, close\r\n", b"Connection: close\r\n", False),
        (b"Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n", b"Connection: close\r\n", False),
    ],
)
def test_http_1_0_keeps_the_connection_when_asked(
    fields: bytes, answer: bytes, kept: bool, desk: Desk, tape: Tape
) -> None:
    line = Line(desk)
    line.tap.dataReceived(b"GET / HTTP/1.0\r\n" + fields + b"\r\n" + b"0\r\n\r\n" * (b"chunked" in fields))
    assert answer in line.wire.value()
    assert line.wire.disconnecting != kept
    line.clock.advance(100)


def test_http_1_0_keeps_no_connection_after_an_answer_of_unknown_length(desk: Desk, tape: Tape) -> None:
    line = Line(desk, Later())
    line.tap.dataReceived(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    answer(line.root.requests[0])
    assert b"Connection: close\r\n" in line.wire.value()
    assert line.wire.disconnecting


@pytest.mark.parametrize("value", [b"close, te", b"te,close", b"Close"])
def test_close_is_heard_wherever_it_stands(value: bytes, desk: Desk, tape: Tape) -> None:
    line = Line(desk)
    line.tap.dataReceived(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: " + value + b"\r\n\r\n")
    assert b"Connection: close\r\n" in line.wire.value()
    assert line.wire.disconnecting


def test_http_1_2_is_answered_as_1_1(desk: Desk, tape: Tape) -> None:
    line = Line(desk)
    line.tap.dataReceived(GET.replace(b"1.1", b"1.2"))
    assert line.wire.value().startswith(b"HTTP/1.1 200 OK\r\n")
    line.clock.advance(100)


def test_connect_is_answered_501_by_what_is_no_proxy(desk: Desk, tape: Tape) -> None:
    line = Line(desk)
    line.tap.dataReceived(b"CONNECT elsewhere.example:443 HTTP/1.1\r\nHost: elsewhere.example:443\r\n\r\n")
    assert line.wire.value().startswith(b"HTTP/1.1 501 Not Implemented\r\n")
    assert tape.all("http.request")[0].detail["method"] == "CONNECT"
    line.clock.advance(100)


@pytest_twisted.ensureDeferred
async def test_a_mock_may_answer_connect(desk: Desk) -> None:
    rules = [{"method": "CONNECT", "status": 407}]
    peer = Peer(await desk.start("http", "mock", options={"rules": rules}))
    peer.push(b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\nConnection: close\r\n\r\n")
    assert (await peer.end()).startswith(b"HTTP/1.1 407 Proxy Authentication Required\r\n")


# -- what is refused


@pytest_twisted.ensureDeferred
async def test_tls_on_a_plain_port_is_recorded_with_what_was_offered(desk: Desk, tape: Tape) -> None:
    host, port = address(await desk.start("http", "inspector"))
    command = [
        "curl",
        "-sSk",
        "--max-time",
        "60",
        "--connect-to",
        f"me.example:443:{host}:{port}",
        "https://me.example/",
    ]
    _, err, code = await getProcessOutputAndValue("/usr/bin/env", command, reactor=desk.reactor)
    assert code == 35, err  # and not 28, which would be the time
    (failed,) = tape.all("tls.failed")
    assert failed.summary.startswith("TLS on a plain HTTP port")
    assert failed.detail["sni"] == "me.example"
    assert (failed.payload or b"").startswith(b"\x16\x03")


def test_a_refusal_of_head_has_no_body(desk: Desk, tape: Tape) -> None:
    line = Line(desk)
    line.tap.dataReceived(b"HEAD / HTTP/1.1\r\n\r\n")
    assert line.wire.value().startswith(b"HTTP/1.1 400 ")
    assert line.wire.value().endswith(b"\r\n\r\n")


def test_a_refused_request_without_a_body_has_two_seconds_too(desk: Desk, tape: Tape) -> None:
    line = Line(desk)
    line.tap.dataReceived(b"GET / HTTP/1.1\r\n\r\n")
    line.clock.advance(2)
    assert line.wire.aborted


def test_a_status_that_twisted_does_not_know_has_its_words(desk: Desk, tape: Tape) -> None:
    line = Line(desk, Later())
    line.tap.dataReceived(GET)
    line.root.requests[0].setResponseCode(422)
    answer(line.root.requests[0])
    assert line.wire.value().startswith(b"HTTP/1.1 422 Unprocessable Content\r\n")
    assert tape.all("http.response")[0].summary.startswith("422 Unprocessable Content  ")
    line.clock.advance(100)
