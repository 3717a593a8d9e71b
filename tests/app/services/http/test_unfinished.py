"""Requests and responses that never come to their end: memory, and what is recorded."""

from __future__ import annotations

import gc
import os
from typing import Any

import pytest
import pytest_twisted
from h2.events import InformationalResponseReceived
from twisted.internet.error import ConnectionDone
from twisted.internet.utils import getProcessOutput
from twisted.python.failure import Failure
from twisted.web.http_headers import Headers
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from app.services.budget import Budget
from app.services.http.request import RecordedRequest
from app.services.surroundings import Surroundings
from tests.app.services.h2_peer import H2Peer
from tests.app.services.helpers import Desk, Peer, Tape, closed, turn
from tests.helpers import until

MB = 1 << 20


def test_a12_a_budget_counts_what_all_hold() -> None:
    budget, one, two = Budget(100), object(), object()
    assert budget.put(one, 150) is None  # alone, it may be of any size
    assert (reached := budget.put(two, 1))
    assert reached.text == "more than 100 bytes of unfinished messages in the program"
    assert budget.total == 150
    budget.drop(one)
    budget.drop(one)
    assert budget.put(two, 60) is None
    assert budget.put(one, 41)
    assert budget.put(one, 40) is None
    assert budget.put(two, 50) is None  # less than before
    assert budget.total == 90


@pytest_twisted.ensureDeferred
async def test_a12_unfinished_bodies_share_a_budget_and_give_it_back(desk: Desk, tape: Tape) -> None:
    budget = Budget(20 * MB)
    desk.surroundings = Surroundings(budget=budget)
    services = [await desk.start("http", "inspector") for _ in range(2)]
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (16 * MB)
    peers = [Peer(service) for service in services * 3]
    for peer in peers[:2]:
        await peer.send(head + bytes(9 * MB))
    await until(lambda: budget.total == 18 * MB)
    await peers[2].send(head + bytes(3 * MB))
    got = await peers[2].end()
    assert got.startswith(b"HTTP/1.1 503 ")
    assert b"More than 20,971,520 bytes of unfinished messages in the program." in got
    (event,) = tape.all("limit.reached")
    assert event.detail == {"limit": "unfinished_bytes", "value": 20 * MB, "status": 503}
    peers[0].close()
    await until(lambda: budget.total == 9 * MB)
    await peers[1].send(bytes(7 * MB))
    assert await peers[1].expect(b"HTTP/1.1 200 ")
    await until(lambda: not budget.total)
    for peer in peers:
        peer.close()
    await until(lambda: not any(service.connections for service in services))
    gc.collect()
    assert not [o for o in gc.get_objects() if isinstance(o, RecordedRequest)]


class Streaming(Resource):
    """Sends the head and 1,000 bytes, and no more; keeps the request."""

    isLeaf = True

    def render(self, request: Any) -> Any:
        request.notifyFinish().addErrback(lambda _: None)
        request.setHeader(b"content-type", b"text/event-stream")
        request.setResponseCode(203)
        if request.path != b"/silent":
            request.write(b"x" * 1000)
        return NOT_DONE_YET


@pytest.mark.parametrize("tls", [None, {}], ids=["plain", "TLS"])
@pytest_twisted.ensureDeferred
async def test_a16_a_response_that_the_client_breaks_off_is_recorded(
    tls: Any, desk: Desk, tape: Tape, tmp_path: Any
) -> None:
    desk.surroundings = Surroundings(tmp_path, tmp_path)
    service = await desk.start("http", make=Streaming, tls=tls)
    if tls is None:
        peer = Peer(service)
        await peer.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await peer.expect(b"x" * 1000)
        peer.reset()
    else:
        host, _, port = service.status.host.rpartition(":")
        asked = ["-sk", "--http1.1", "-m", "0.5", f"https://{host}:{port}/"]
        await getProcessOutput("curl", asked, env=os.environ, reactor=desk.reactor, errortoo=True)
    await closed(tape)
    (event,) = tape.all("http.response")
    assert (event.detail["status"], event.detail["body"], event.size) == (203, 1000, 1000)
    assert event.detail["cut"] == "broken off by the client after 1,000 bytes"
    assert event.summary.endswith(", cut: broken off by the client after 1,000 bytes")


@pytest_twisted.ensureDeferred
async def test_a16_what_never_left_is_not_counted(desk: Desk, tape: Tape) -> None:
    class Large(Streaming):
        def render(self, request: Any) -> Any:
            super().render(request)
            request.write(bytes(20 * MB))
            return NOT_DONE_YET

    service = await desk.start("http", make=Large)
    peer = Peer(service, receive_buffer=4096)
    await peer.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await peer.expect(1)
    peer.reset()
    end = await closed(tape)
    (event,) = tape.all("http.response")
    assert 0 < event.detail["body"] < 16 * MB
    assert abs(20 * MB + 1000 - event.detail["body"] - end.detail["unsent"]) < 1000


@pytest_twisted.ensureDeferred
async def test_a16_a_head_that_never_left_is_no_response(desk: Desk, tape: Tape) -> None:
    peer = Peer(await desk.start("http", make=Streaming))
    await peer.send(b"GET /silent HTTP/1.1\r\nHost: x\r\n\r\n")
    await until(lambda: tape.all("http.request"))
    peer.reset()
    await closed(tape)
    assert not tape.all("http.response")


@pytest_twisted.ensureDeferred
async def test_a16_who_stops_the_service_is_not_the_client(desk: Desk, tape: Tape) -> None:
    service = await desk.start("http", make=Streaming)
    peer = Peer(service)
    await peer.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await peer.expect(b"x" * 1000)
    service.stop()
    await closed(tape)
    (event,) = tape.all("http.response")
    assert event.detail["cut"] == "broken off by us after 1,000 bytes"
    await turn()


@pytest.mark.parametrize("leaving", ["the stream", "the connection"])
def test_a16_http2_too(leaving: str, desk: Desk, tape: Tape) -> None:
    peer = H2Peer(desk, Streaming())
    stream = peer.ask()
    assert peer.statuses() == [203]
    if leaving == "the stream":
        peer.h2.reset_stream(stream)
        peer.flush()
    else:
        peer.tap.connectionLost(Failure(ConnectionDone()))
    (event,) = tape.all("http.response")
    assert event.detail["status"] == 203
    assert event.detail["cut"] == "broken off by the client after 1,000 bytes"
    assert event.detail["stream"] == stream


def test_a16_http2_cut_by_us(desk: Desk, tape: Tape) -> None:
    peer = H2Peer(desk, Streaming())
    peer.ask()
    (stream,) = peer.connection.streams.values()
    stream.abort()
    (event,) = tape.all("http.response")
    assert event.detail["cut"] == "broken off by us after 1,000 bytes"


def test_a12_bodies_of_http2_count_too(desk: Desk, tape: Tape) -> None:
    peer = H2Peer(desk, Streaming())
    budget = peer.connection.site.budget = Budget(100_000)
    one, two = (peer.ask(method="POST", end=False) for _ in range(2))
    peer.send(one, bytes(16_000))
    assert budget.total == 16_000
    for _ in range(3):
        peer.send(two, bytes(16_000))
        peer.send(one, bytes(16_000))
    assert peer.statuses() == [503]
    assert tape.all("limit.reached")[-1].detail["limit"] == "unfinished_bytes"
    peer.tap.connectionLost(Failure(ConnectionDone()))
    assert budget.total == 0


def test_c13_trailers_of_http2_are_told(desk: Desk, tape: Tape) -> None:
    peer = H2Peer(desk, Streaming())
    stream = peer.ask(method="POST", end=False)
    peer.send(stream, b"body")
    peer.h2.send_headers(stream, [("x-sum", "7")], end_stream=True)
    peer.flush()
    (told,) = tape.all("log")
    assert told.summary == "trailers of the request: x-sum: 7"
    assert told.detail == {"trailers": [["x-sum", "7"]], "stream": stream}
    assert tape.all("http.request")


def test_c13_early_hints_on_http2(desk: Desk) -> None:
    peer = H2Peer(desk, Streaming())
    stream = peer.ask(path="/silent")
    (made,) = peer.connection.streams.values()
    made.send_interim(103, Headers({b"Link": [b"</a>"]}))
    peer.flush()
    (event,) = peer.of(InformationalResponseReceived)
    assert (event.stream_id, dict(event.headers)[b"link"]) == (stream, b"</a>")


def test_a18_a_large_head_is_431_on_its_stream(desk: Desk, tape: Tape) -> None:
    peer = H2Peer(desk, Streaming())
    first = peer.ask(path="/silent")
    large = [(f"x-{i}", "y" * 10_000) for i in range(10)]
    peer.ask(*large)
    peer.ask(*[("x", "y")] * 600)
    assert peer.statuses() == [431, 431]
    (request,) = [stream.request for stream in peer.connection.streams.values()]
    request.write(b"fine")
    request.finish()
    peer.flush()
    assert peer.body(first) == b"fine"
    assert [e.detail["limit"] for e in tape.all("limit.reached")] == ["field_bytes", "fields"]
    assert [e.detail["status"] for e in tape.all("limit.reached")] == [431, 431]


def test_a18_a_head_beyond_all_measure_ends_the_connection(desk: Desk, tape: Tape) -> None:
    peer = H2Peer(desk, Streaming())
    peer.ask(("x", "y" * 4000), *[("x", "y" * 4000)] * 400)  # a few hundred bytes on the wire
    assert peer.h2.state_machine.state.name == "CLOSED"
    assert [e.detail["limit"] for e in tape.all("limit.reached")] == ["field_bytes"]


@pytest.mark.parametrize(
    ("sent", "known", "reason"),
    [
        (b"GET /400 HTTP/1.1\r\n\r\n", ["GET", "/400", "HTTP/1.1"], "Bad Request"),
        (b"PUT /505 HTTP/3.0\r\nHost: a\r\n\r\n", ["PUT", "/505", "HTTP/3.0"], "HTTP Version Not Supported"),
        (b"GET abc HTTP/1.1\r\nHost: a\r\n\r\n", ["GET", "abc", "HTTP/1.1"], "Bad Request"),
        (b"GET /414" + b"x" * 70_000, ["GET", "/414"], "URI Too Long"),
        (b"GET /400\n", ["GET", "/400"], "Bad Request"),
        (b"nonsense\r\n\r\n", [], "Bad Request"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_c1_c2_a_refusal_says_what_was_asked_and_its_reason_phrase(
    sent: bytes, known: list[str], reason: str, desk: Desk, tape: Tape
) -> None:
    peer = Peer(await desk.start("http", "inspector"))
    await peer.send(sent)
    line, _, _ = (await peer.end()).partition(b"\r\n")
    (event,) = tape.all("http.response")
    assert line.decode() == f"HTTP/1.1 {event.detail['status']} {event.detail['reason']}"
    assert event.detail["reason"] == reason
    found = [event.detail[key] for key in ("method", "target", "version") if key in event.detail]
    assert len(found) == len(known)
    assert all(map(str.startswith, found, known))
