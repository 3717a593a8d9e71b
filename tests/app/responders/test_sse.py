"""The sse responder: with a clock in memory, and with curl."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_twisted
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.utils import getProcessOutputAndValue
from twisted.python.failure import Failure

from app.responders import find
from app.responders.sse import encode
from app.services.http import http1_ending, http2
from tests.app.responders.context import BareContext, build
from tests.app.services.helpers import Desk, Peer, Tape, address
from tests.helpers import until


class Request:
    """A request with the methods that the responder uses."""

    path = b"/events"

    def __init__(self, method: bytes = b"GET", last: bytes | None = None) -> None:
        self.method, self.last = method, last
        self.code, self.sent, self.finished = 200, b"", False
        self.headers: dict[bytes, bytes] = {}
        self.gone: Deferred[None] = Deferred()
        self.failures: list[Failure] = []
        self.producer: Any = None

    def getHeader(self, name: bytes) -> bytes | None:
        return self.last if name == b"Last-Event-ID" else None

    def setHeader(self, name: bytes, value: bytes) -> None:
        self.headers[name] = value

    def setResponseCode(self, code: int) -> None:
        self.code = code

    def notifyFinish(self) -> Deferred[None]:
        return self.gone

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        self.producer = producer

    def unregisterProducer(self) -> None:
        self.producer = None

    def processingFailed(self, reason: Failure) -> None:
        self.failures.append(reason)

    def write(self, data: bytes) -> None:
        self.sent += data

    def finish(self) -> None:
        self.finished = True
        self.gone.callback(None)


def parsed(stream: bytes) -> tuple[list[tuple[str, str, str]], int | None]:
    """Name, data and id of each event, and the reconnection time, by the rules of WHATWG HTML section 9.2.6."""
    events, retry, last = [], None, ""
    name, data = "", ""
    text = stream.decode("utf-8", "replace").removeprefix("\ufeff")
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")[:-1]:
        if not line:
            if data:
                events.append((name or "message", data.removesuffix("\n"), last))
            name, data = "", ""
        elif not line.startswith(":"):
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if field == "event":
                name = value
            elif field == "data":
                data += value + "\n"
            elif field == "id" and "\0" not in value:
                last = value
            elif field == "retry" and value.isdecimal():
                retry = int(value)
    return events, retry


def listen(clock: Clock, last: bytes | None = None, method: bytes = b"GET", **options: Any) -> Request:
    request = Request(method, last)
    build("sse", "http", options, BareContext(clock)).render(request)
    clock.advance(0)
    return request


def test_an_event_comes_at_once_and_then_in_its_time() -> None:
    clock = Clock()
    request = listen(clock, interval=2.0, retry=500, event="tick", data="n={{count}}\nfor {{path}}")
    clock.pump([1.0] * 4)
    events, retry = parsed(request.sent)
    assert events == [("tick", f"n={i}\nfor /events", str(i)) for i in (1, 2, 3)]
    assert retry == 500
    assert request.headers == {b"Content-Type": b"text/event-stream", b"Cache-Control": b"no-store"}


@pytest.mark.parametrize(
    ("last", "first"), [(None, "1"), (b"7", "8"), (b"", "1"), (b"x", "1"), (b"-3", "1"), (b"9" * 30, "1")]
)
def test_a_client_that_comes_back_goes_on(last: bytes | None, first: str) -> None:
    events, _ = parsed(listen(Clock(), last).sent)
    assert events[0] == ("message", first, first)


def test_the_stream_ends_after_its_count() -> None:
    clock = Clock()
    request = listen(clock, count=2)
    assert not request.finished
    clock.advance(1)
    assert request.finished
    assert len(parsed(request.sent)[0]) == 2
    assert not clock.getDelayedCalls()
    assert request.producer is None


def test_a_client_that_has_all_is_told_not_to_come_back() -> None:
    clock = Clock()
    request = listen(clock, b"2", count=2)
    assert (request.code, request.sent) == (204, b"")
    assert not clock.getDelayedCalls()


def test_long_silences_have_comments() -> None:
    clock = Clock()
    request = listen(clock, interval=40.0)
    clock.pump([1.0] * 41)
    assert request.sent == b":\n\nid: 1\ndata: 1\n\n:\n\n:\n\nid: 2\ndata: 2\n\n"


def test_a_client_that_leaves_stops_the_timer() -> None:
    clock = Clock()
    request = listen(clock)
    request.gone.errback(Failure(ConnectionLost()))
    assert not clock.getDelayedCalls()


def test_a_client_that_does_not_read_is_waited_for() -> None:
    clock = Clock()
    request = listen(clock)
    request.producer.pauseProducing()
    clock.pump([1.0] * 100)
    assert len(parsed(request.sent)[0]) == 1
    assert not clock.getDelayedCalls()
    request.producer.resumeProducing()
    clock.advance(0)
    clock.advance(1)
    assert [data for _, data, _ in parsed(request.sent)[0]] == ["1", "2", "3"]


def test_only_get_and_head_are_allowed() -> None:
    request = Request(b"POST")
    assert b"GET" in build("sse", "http").render(request)
    assert (request.code, request.headers[b"Allow"]) == (405, b"GET, HEAD")
    head = listen(Clock(), method=b"HEAD")
    assert (head.sent, head.finished) == (b"", True)


@given(st.binary(), st.integers(0), st.text("abc :", min_size=1))
def test_any_data_makes_one_event(data: bytes, number: int, name: str) -> None:
    text = data.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    (event,), _ = parsed(encode(number, b"x" + data, name.encode()))
    assert event == (name, "x" + text, str(number))


@pytest.mark.parametrize("data", ["{{nothing}}", "{{", "{{count"])
def test_a_template_that_cannot_work_is_refused(data: str) -> None:
    responder = find("sse")
    assert responder is not None
    (option,) = [o for o in responder.options if o.name == "data"]
    assert option.problem(data)


@pytest_twisted.ensureDeferred
async def test_curl_gets_a_stream(desk: Desk, tape: Tape) -> None:
    service = await desk.start("http", "sse", options={"interval": 0.01, "count": 5, "compression": True})
    host, port = address(service)
    for more in ((), ("--compressed",)):
        command = ["curl", "-sSN", *more, "-H", "Last-Event-ID: 2", f"http://{host}:{port}/"]
        out, err, code = await getProcessOutputAndValue("/usr/bin/env", command, reactor=desk.reactor)
        assert (err, code) == (b"", 0)
        assert [data for _, data, _ in parsed(out)[0]] == ["3", "4", "5"]


@pytest_twisted.ensureDeferred
async def test_listeners_end_with_the_service(desk: Desk, tape: Tape, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http1_ending, "DRAIN", 0.1)
    service = await desk.start("http", "sse", options={"interval": 60.0})
    peer, gone = Peer(service), Peer(service)
    for each in (peer, gone):
        each.push(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await each.expect(b"data: 1\n")
    gone.reset()
    await until(lambda: len(service.connections) == 1)
    await service.stop()
    await peer.end()
    assert peer.ended == "closed"


@pytest_twisted.ensureDeferred
async def test_a_stream_over_http2_ends_with_the_service(
    desk: Desk, tape: Tape, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http2, "DRAIN", 0.1)
    from app.services.surroundings import Surroundings

    desk.surroundings = Surroundings(tmp_path, tmp_path)
    service = await desk.start("http", "sse", options={"interval": 60.0}, tls={})
    host, port = address(service)
    command = ["curl", "-sSkN", "--http2", f"https://{host}:{port}/"]
    running = getProcessOutputAndValue("/usr/bin/env", command, reactor=desk.reactor)
    await until(lambda: tape.data("data.sent").count(b"data: 1\n"))
    await service.stop()
    assert {e.detail["reason"] for e in tape.all("connection.closed")} == {"closed by us"}
    out, _, _ = await running
    assert parsed(out)[0] == [("message", "1", "1")]
