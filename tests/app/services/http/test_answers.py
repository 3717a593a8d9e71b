"""How answers of HTTP leave: in how many pieces, when, with which note, and when a responder fails."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.utils import getProcessOutputAndValue
from twisted.python.failure import Failure
from twisted.web.resource import EncodingResourceWrapper, Resource
from twisted.web.server import NOT_DONE_YET, GzipEncoderFactory

from app.services.http import http1_ending
from app.status import Stopped
from tests.app.services.helpers import Desk, Peer, Tape, address
from tests.helpers import until

LAST = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


class Answering(Resource):
    """Renders with a function of the test, and keeps the requests."""

    isLeaf = True

    def __init__(self, answer: Callable[[Any], Any]) -> None:
        super().__init__()
        self.answer = answer
        self.requests: list[Any] = []

    def render(self, request: Any) -> Any:
        self.requests.append(request)
        return self.answer(request)


def later(request: Any) -> int:
    request.notifyFinish().addErrback(lambda _: None)
    return NOT_DONE_YET


async def answering(desk: Desk, answer: Callable[[Any], Any]) -> tuple[Any, Answering]:
    resource = Answering(answer)
    return await desk.start("http", make=lambda: resource), resource


async def pieces(desk: Desk, tape: Tape, answer: Callable[[Any], Any], request: bytes = LAST) -> list[bytes]:
    """The single writes of which an answer consists; what the client got is the same."""
    service, _ = await answering(desk, answer)
    peer = Peer(service)
    peer.push(request)
    got = await peer.end()
    await until(lambda: tape.all("connection.closed"))
    assert tape.data("data.sent") == got
    return [e.payload or b"" for e in tape.all("data.sent")]


def fields(tape: Tape) -> dict[str, str]:
    """The fields in the note of the only response."""
    (note,) = tape.all("http.response")
    return dict(note.detail["fields"])


def unchunked(body: bytes) -> bytes:
    """A body without the frames of its chunks."""
    found = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        found += body[: int(size, 16)]
        body = body[int(size, 16) + 2 :]
    return found


async def curl(desk: Desk, service: Any, *args: str, path: str = "/") -> bytes:
    """What curl prints; it may not complain."""
    host, port = address(service)
    url = f"http://{host}:{port}{path}"
    out, err, code = await getProcessOutputAndValue(
        "/usr/bin/env", ["curl", "-sS", "--path-as-is", *args, url], reactor=desk.reactor
    )
    assert (err, code) == (b"", 0)
    return bytes(out)


# -- pieces


@pytest.mark.parametrize("size", [1, 13, 3_000_000])
@pytest_twisted.ensureDeferred
async def test_head_and_body_are_one_write(size: int, desk: Desk, tape: Tape) -> None:
    (piece,) = await pieces(desk, tape, lambda _: b"x" * size)
    head, _, body = piece.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert body == b"x" * size
    assert fields(tape)["Content-Length"] == str(size)
    assert tape.all("http.response")[0].size == size


@pytest.mark.parametrize(
    ("code", "method", "length"),
    [(200, b"HEAD", "5"), (200, b"GET", "0"), (204, b"GET", None), (304, b"GET", None), (204, b"GET", "0")],
)
@pytest_twisted.ensureDeferred
async def test_an_answer_without_a_body_is_its_head(
    code: int, method: bytes, length: str | None, desk: Desk, tape: Tape
) -> None:
    def answer(request: Any) -> bytes:
        request.setResponseCode(code)
        return b"" if length == "0" else b"Hello"

    (piece,) = await pieces(desk, tape, answer, LAST.replace(b"GET", method))
    assert piece.startswith(b"HTTP/1.1 %d " % code)
    assert piece.endswith(b"\r\n\r\n")
    assert piece.count(b"\r\n\r\n") == 1
    (note,) = tape.all("http.response")
    assert (note.detail["status"], note.detail["body"], note.size) == (code, 0, 0)
    assert fields(tape).get("Content-Length") == (None if code == 204 else length)
    assert (b"Content-Length" in piece) == ("Content-Length" in fields(tape))


@pytest_twisted.ensureDeferred
async def test_each_part_of_a_stream_leaves_at_once(desk: Desk, tape: Tape) -> None:
    service, resource = await answering(desk, later)
    peer = Peer(service)
    peer.push(LAST)
    await until(lambda: resource.requests)
    (request,) = resource.requests
    request.setHeader(b"Content-Type", b"text/event-stream")
    request.write(b"")
    head = await peer.expect(b"Transfer-Encoding: chunked\r\n")
    assert head.endswith(b"\r\n\r\n")
    for i in range(3):
        request.write(b"data: %d\n\n" % i)
        await peer.expect(b"9\r\ndata: %d\n\n\r\n" % i)
    assert not tape.all("http.response")
    request.finish()
    got = await peer.end()
    assert got.endswith(b"0\r\n\r\n")
    assert [len(e.payload or b"") for e in tape.all("data.sent")] == [len(head), 14, 14, 14, 5]
    (note,) = tape.all("http.response")
    assert note.size == note.detail["body"] == 27
    assert fields(tape)["Content-Type"] == "text/event-stream"


@pytest_twisted.ensureDeferred
async def test_the_first_part_of_a_stream_leaves_with_the_head(desk: Desk, tape: Tape) -> None:
    def answer(request: Any) -> int:
        request.write(b"first")
        request.write(b"second")
        request.finish()
        return NOT_DONE_YET

    first, *others = await pieces(desk, tape, answer)
    assert first.endswith(b"\r\n\r\n5\r\nfirst\r\n")
    assert others == [b"6\r\nsecond\r\n", b"0\r\n\r\n"]


@pytest_twisted.ensureDeferred
async def test_an_answer_that_only_ends_is_recorded_with_all_its_fields(desk: Desk, tape: Tape) -> None:
    def answer(request: Any) -> int:
        request.addCookie(b"a", b"b")
        request.setETag(b'"e"')
        request.finish()
        return NOT_DONE_YET

    head, end = await pieces(desk, tape, answer)
    assert end == b"0\r\n\r\n"
    on_wire = [line.split(": ", 1) for line in head.decode().strip().split("\r\n")[1:]]
    (note,) = tape.all("http.response")
    assert note.detail["fields"] == on_wire
    assert {"Server", "Date", "Content-Type", "Transfer-Encoding", "Set-Cookie", "ETag"} <= set(fields(tape))
    assert tape.kinds()[-3:] == ["data.sent", "http.response", "connection.closed"]


@pytest_twisted.ensureDeferred
async def test_an_encoded_answer_is_recorded_with_what_left(desk: Desk, tape: Tape) -> None:
    plain = Answering(lambda _: b"Hello, World!" * 1000)
    peer = Peer(await desk.start("http", make=lambda: EncodingResourceWrapper(plain, [GzipEncoderFactory()])))
    peer.push(LAST.replace(b"Host", b"Accept-Encoding: gzip\r\nHost"))
    head, _, body = (await peer.end()).partition(b"\r\n\r\n")
    assert b"Content-Encoding: gzip" in head
    coded = unchunked(body)
    assert gzip.decompress(coded) == b"Hello, World!" * 1000
    assert tape.all("http.response")[0].size == len(coded)


class Counting:
    """Writes numbers; one more each time it is resumed."""

    def __init__(self, request: Any, count: int) -> None:
        self.request, self.left, self.paused = request, count, 0

    def resumeProducing(self) -> None:
        while self.left:
            self.left -= 1
            self.request.write(b"%d." % self.left + b"x" * 100_000)
            if self.paused:
                return
        self.request.unregisterProducer()
        self.request.finish()

    def pauseProducing(self) -> None:
        self.paused += 1

    def stopProducing(self) -> None:
        """Nothing to stop."""


@pytest.mark.parametrize("streaming", [True, False])
@pytest_twisted.ensureDeferred
async def test_a_producer_may_come_before_the_first_write(streaming: bool, desk: Desk, tape: Tape) -> None:
    made: list[Counting] = []

    def answer(request: Any) -> int:
        made.append(producer := Counting(request, 30))
        if not streaming:
            producer.paused = 1  # one write for each time it is asked
        request.registerProducer(producer, streaming)
        if streaming:
            producer.resumeProducing()
        return NOT_DONE_YET

    all_pieces = await pieces(desk, tape, answer)
    assert len(all_pieces) == 31
    assert b"29.x" in all_pieces[0]
    assert tape.all("http.response")[0].size == sum(100_000 + len(f"{i}.") for i in range(30))
    assert made[0].paused


@pytest_twisted.ensureDeferred
async def test_notes_hold_whatever_characters_come(desk: Desk, tape: Tape) -> None:
    def answer(request: Any) -> bytes:
        request.setResponseCode(299, b'"\\\xe9')
        request.setHeader(b"X-Odd", b'\xff"\\\x01')
        return b"x"

    request = b'G\'T /%22"\\ HTTP/1.1\r\nHost: x\r\nX-Odd: \xe9"\\\x7f\x01\r\nConnection: close\r\n\r\n'
    await pieces(desk, tape, answer, request)
    (asked,), (answered,) = tape.all("http.request"), tape.all("http.response")
    assert asked.detail == {
        "method": "G'T",
        "target": '/%22"\\\\',
        "version": "HTTP/1.1",
        "fields": [["Host", "x"], ["X-Odd", '\xe9"\\\x7f\x01'], ["Connection", "close"]],
        "body": 0,
    }
    assert asked.summary == "G'T /%22\"\\\\"
    assert answered.detail["reason"] == '"\\\xe9'
    assert fields(tape)["X-Odd"] == '\xff"\\\x01'


# -- failures


@pytest_twisted.ensureDeferred
async def test_a_first_write_of_text_is_answered_with_500(desk: Desk, tape: Tape, logged_failures: Any) -> None:
    (piece,) = await pieces(desk, tape, lambda request: request.write("text"))
    assert piece.startswith(b"HTTP/1.1 500 ")
    (failure,) = tape.all("failure")
    assert failure.summary.startswith("TypeError: Data must be bytes")
    logged_failures(TypeError)


@pytest_twisted.ensureDeferred
async def test_raising_after_the_answer_is_complete_leaves_the_connection(desk: Desk, tape: Tape) -> None:
    def answer(request: Any) -> bytes:
        if request.method == b"GET":
            return b"fine"
        request.write(b"whole")
        request.finish()
        raise ValueError("too late")

    service, _ = await answering(desk, answer)
    peer = Peer(service)
    request = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody"
    peer.push(request)
    await peer.expect(b"0\r\n\r\n")
    peer.push(LAST)
    assert (await peer.end()).endswith(b"fine")
    (failure,) = tape.all("failure")
    assert failure.summary.startswith("ValueError: too late")
    assert failure.payload == request
    assert [e.detail["status"] for e in tape.all("http.response")] == [200, 200]


@pytest_twisted.ensureDeferred
async def test_failing_after_the_client_left_is_recorded_once(desk: Desk, tape: Tape) -> None:
    service, resource = await answering(desk, later)
    peer = Peer(service)
    peer.push(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody")
    await until(lambda: resource.requests)
    peer.reset()
    await until(lambda: tape.all("connection.closed"))
    (request,) = resource.requests
    request.write(b"into the void")
    reason = Failure(ValueError("late"))
    request.processingFailed(reason)
    request.processingFailed(reason)
    (failure,) = tape.all("failure")
    assert failure.payload == b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody"
    assert failure.conn == tape.all("connection.opened")[0].conn
    assert not tape.all("http.response", "data.sent")


@pytest_twisted.ensureDeferred
async def test_others_go_on_while_one_answer_fails(desk: Desk, tape: Tape, logged_failures: Any) -> None:
    def answer(request: Any) -> Any:
        if request.path == b"/fail":
            raise ValueError("in render")
        return later(request) if request.path == b"/later" else b"fine"

    service, resource = await answering(desk, answer)
    waiting, failing = Peer(service), Peer(service)
    waiting.push(LAST.replace(b"/ ", b"/later "))
    await until(lambda: resource.requests)
    failing.push(b"GET /fail HTTP/1.1\r\nHost: x\r\n\r\nGET /next HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    answers = await failing.end()
    assert answers.startswith(b"HTTP/1.1 500 ")
    assert answers.endswith(b"fine")
    resource.requests[0].write(b"at last")
    resource.requests[0].finish()
    assert b"at last" in await waiting.end()
    assert len(tape.all("failure")) == len(logged_failures(ValueError)) == 1


# -- the service's end


@pytest_twisted.ensureDeferred
async def test_stop_closes_kept_connections(desk: Desk, tape: Tape, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http1_ending, "DRAIN", 0.1)  # one of them is being answered, and never will be
    service, resource = await answering(desk, lambda r: later(r) if r.path == b"/later" else b"fine")
    kept, silent, half, waiting = (Peer(service) for _ in range(4))
    kept.push(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await kept.expect(b"fine")
    half.push(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nha")
    waiting.push(b"GET /later HTTP/1.1\r\nHost: x\r\n\r\n")
    await until(lambda: len(resource.requests) == 2 and service.bytes_so_far()[0] > 80)
    await service.stop(20)
    assert service.status == Stopped()
    assert not service.connections
    for peer in (kept, silent, half, waiting):
        await peer.end()
        assert peer.ended == "closed"
    assert {e.summary for e in tape.all("connection.closed")} == {"closed by us"}


# -- curl


@pytest_twisted.ensureDeferred
async def test_curl_says_hello(desk: Desk, tape: Tape) -> None:
    service = await desk.start("http", "inspector")
    assert await curl(desk, service, path="/hello") == b"Hello, World!"
    assert await curl(desk, service, "-0", path="/hello") == b"Hello, World!"
    assert (await curl(desk, service, "-I", path="/hello")).endswith(b"\r\n\r\n")
    assert len(tape.all("data.sent")) == 3


@pytest_twisted.ensureDeferred
async def test_curl_uses_one_connection_for_two_requests(desk: Desk) -> None:
    service = await desk.start("http", "inspector")
    host, port = address(service)
    twice = await curl(desk, service, f"http://{host}:{port}/hello", path="/hello")
    assert twice == b"Hello, World!" * 2
    assert service.opened == 1


@pytest.mark.parametrize(
    "more", [(), ("-H", "Transfer-Encoding: chunked"), ("-H", "Expect: 100-continue"), ("-X", "brew"), ("-0",)]
)
@pytest_twisted.ensureDeferred
async def test_curl_is_told_what_it_sent(more: tuple[str, ...], desk: Desk, tape: Tape) -> None:
    service = await desk.start("http", "inspector")
    path = "/a/../b;p?q=%C3%A9&q=+#"
    described = json.loads(await curl(desk, service, "-d", "text", "-H", "x-oDD: 1", *more, path=path))
    assert described["target"] == path.removesuffix("#")
    assert described["method"] == ("brew" if "brew" in more else "POST")
    assert described["version"] == ("HTTP/1.0" if "-0" in more else "HTTP/1.1")
    assert described["body"] == "text"
    assert ["x-oDD", "1"] in described["fields"]
    assert tape.all("http.request")[0].detail["fields"] == described["fields"]


@pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/form-data; boundary=x", ';;="\xff', "\x80"])
@pytest_twisted.ensureDeferred
async def test_a_broken_form_is_described_too(kind: str, desk: Desk) -> None:
    peer = Peer(await desk.start("http", "inspector"))
    head = f"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: {kind}\r\nContent-Length: 4\r\n\r\n"
    peer.push(head.encode("latin-1") + b"body")
    _, _, body = (await peer.end()).partition(b"\r\n\r\n")
    assert json.loads(body)["body"] == "body"


@pytest_twisted.ensureDeferred
async def test_other_responders_get_forms_as_arguments(desk: Desk, tape: Tape) -> None:
    service, resource = await answering(desk, lambda _: b"ok")
    assert await curl(desk, service, "-d", "a=1&a=2") == b"ok"
    assert await curl(desk, service, "-F", "b=3") == b"ok"
    assert [r.args for r in resource.requests] == [{b"a": [b"1", b"2"]}, {b"b": [b"3"]}]
