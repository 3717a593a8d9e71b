"""HTTP services: what was received, what was answered, what was refused."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.internet.utils import getProcessOutputAndValue
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from app.services.http import port as http
from app.services.http.http1_timing import LINGER
from app.services.tap.factory import TapFactory
from tests.app.services.helpers import Desk, Peer, Tape, address, turn
from tests.helpers import until

GET = b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"


async def inspector(desk: Desk) -> Any:
    return await desk.start("http", "inspector")


async def ask(desk: Desk, request: bytes) -> tuple[bytes, bytes]:
    """Head and body of the answer to a request after which the connection closes."""
    peer = Peer(await inspector(desk))
    await peer.send(request)
    answer = await peer.end()
    assert peer.ended == "closed"
    head, _, body = answer.partition(b"\r\n\r\n")
    return head, body


# -- what was received


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/"),
        ("POST", "/a/b?c=d&c=e#f"),
        ("BREW", "*"),
        ("OPTIONS", "*"),
        ("M-SEARCH", "/" + "x" * 8000),
        ("PUT", "/%00%ff/../..//"),
        ("GET", "http://elsewhere.example/x"),
        ("get", "//no-host"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_any_method_and_target_is_described(method: str, target: str, desk: Desk, tape: Tape) -> None:
    request = f"{method} {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode("latin-1")
    head, body = await ask(desk, request)
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    described = json.loads(body)
    assert (described["method"], described["target"], described["version"]) == (method, target, "HTTP/1.1")
    assert described["peer"].startswith("127.0.0.1:")
    (note,) = tape.all("http.request")
    assert note.detail["method"] == method
    assert note.summary.startswith(method + " ")
    assert tape.data("data.received") == request


@pytest_twisted.ensureDeferred
async def test_fields_stay_in_order_and_case_and_are_not_merged(desk: Desk, tape: Tape) -> None:
    fields = [["Host", "x"], ["X-b", "1"], ["x-A", "2"], ["X-B", "3"], ["cOOkie", "a=b; c"], ["E", ""], ["F", "\xe9"]]
    lines = "".join(f"{name}:  {value} \r\n" for name, value in fields)
    request = f"GET / HTTP/1.1\r\n{lines}Connection: close\r\n\r\n".encode("latin-1")
    _, body = await ask(desk, request)
    assert json.loads(body)["fields"] == [*fields, ["Connection", "close"]]
    assert tape.all("http.request")[0].detail["fields"] == [*fields, ["Connection", "close"]]


@pytest_twisted.ensureDeferred
async def test_a_folded_field_is_one(desk: Desk) -> None:
    _, body = await ask(desk, b"GET / HTTP/1.1\r\nHost: x\r\nA: one\r\n  two\r\nConnection: close\r\n\r\n")
    assert json.loads(body)["fields"][1] == ["A", "one two"]


@pytest.mark.parametrize("body", [b"text \xc3\xa9", b"\xff\x00\xfe", b"", bytes(range(256)) * 4000])
@pytest.mark.parametrize("chunked", [False, True])
@pytest_twisted.ensureDeferred
async def test_the_body_comes_back_as_text_or_base64(chunked: bool, body: bytes, desk: Desk, tape: Tape) -> None:
    if chunked:
        parts = [body[i : i + 70_000] for i in range(0, len(body), 70_000)]
        coded = b"".join(b"%x;ext=1\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\nTrailer: x\r\n\r\n"
        frame = b"Transfer-Encoding: chunked\r\n"
    else:
        coded, frame = body, b"Content-Length: %d\r\n" % len(body)
    request = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + frame + b"\r\n" + coded
    _, answer = await ask(desk, request)
    described = json.loads(answer)
    text = described.get("body")
    assert (text.encode() if text is not None else b64decode(described["body_base64"])) == body
    assert tape.all("http.request")[0].size == len(body)
    assert tape.data("data.received") == request


@pytest_twisted.ensureDeferred
async def test_head_is_answered_without_a_body(desk: Desk, tape: Tape) -> None:
    head, body = await ask(desk, b"HEAD /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert b"Content-Length: 13" in head
    assert body == b""


@pytest_twisted.ensureDeferred
async def test_hello(desk: Desk, tape: Tape) -> None:
    head, body = await ask(desk, b"GET /hello?x HTTP/1.0\r\n\r\n")
    assert body == b"Hello, World!"
    (note,) = tape.all("http.response")
    assert (note.detail["status"], note.detail["reason"], note.detail["body"], note.size) == (200, "OK", 13, 13)
    assert ["Content-Length", "13"] in note.detail["fields"]
    assert note.summary.startswith("200 OK  ")
    assert 0 <= note.detail["seconds"] < 10
    kinds = tape.kinds()
    assert kinds[1:4] == ["connection.opened", "data.received", "http.request"]
    assert set(kinds[4:-2]) == {"data.sent"}
    assert kinds[-2:] == ["http.response", "connection.closed"]
    assert tape.data("data.sent") == head + b"\r\n\r\n" + body


@pytest_twisted.ensureDeferred
async def test_pipelined_requests_are_answered_in_order(desk: Desk, tape: Tape) -> None:
    peer = Peer(await inspector(desk))
    requests = [b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % i for i in range(50)]
    peer.push(b"".join(requests) + b"GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    answer = await peer.end()
    assert [answer.index(b'"/%d"' % i) for i in range(50)] == sorted(answer.index(b'"/%d"' % i) for i in range(50))
    assert [e.detail["target"] for e in tape.all("http.request")] == [*(f"/{i}" for i in range(50)), "/last"]
    assert len(tape.all("http.response")) == 51
    assert tape.data("data.sent") == answer


@pytest_twisted.ensureDeferred
async def test_a_connection_is_kept_and_a_request_may_come_in_bits(desk: Desk, tape: Tape) -> None:
    service = await inspector(desk)
    peer = Peer(service)
    for count in range(1, 4):
        for i in range(len(GET)):
            peer.push(GET[i : i + 1])
        await until(lambda count=count: peer.pull().got.count(b"Hello, World!") == count)
    assert len(service.connections) == 1
    peer.close()
    await until(lambda: tape.all("connection.closed"))
    assert len(tape.all("http.request")) == 3


@pytest_twisted.ensureDeferred
async def test_expect_continue_is_answered_before_the_body(desk: Desk) -> None:
    peer = Peer(await inspector(desk))
    peer.push(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n")
    assert await peer.expect(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    peer.push(b"body")
    assert b'"body": "body"' in await peer.end()


@pytest_twisted.ensureDeferred
async def test_a_long_answer_leaves_before_the_connection_closes(desk: Desk, tape: Tape) -> None:
    body = b"x" * 5_000_000
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body)
    _, answer = await ask(desk, head + body)
    assert json.loads(answer)["body"] == body.decode()
    assert tape.all("connection.closed")[0].detail["unsent"] == 0


@pytest_twisted.ensureDeferred
async def test_answers_curl(desk: Desk, tape: Tape) -> None:
    host, port = address(await inspector(desk))
    args = ["-sS", "-w", "%{http_code}", "-X", "PATCH", "-H", "X-Odd: a,b", "--data-binary", "@-"]
    args.append(f"http://{host}:{port}/a?b")
    out, err, code = await getProcessOutputAndValue(
        "/bin/sh", ["-c", 'printf data | curl "$@"', "sh", *args], reactor=desk.reactor
    )
    assert (err, code) == (b"", 0)
    described = json.loads(out[:-3])
    assert out.endswith(b"200")
    assert (described["method"], described["target"], described["body"]) == ("PATCH", "/a?b", "data")
    assert ["X-Odd", "a,b"] in described["fields"]


# -- what is refused


def refused(tape: Tape) -> Any:
    (note,) = [e for e in tape.all("http.response") if "refused" in e.detail]
    return note


MEGABYTE = b"".join(b"X-%05d: %s\r\n" % (i, b"v" * 90) for i in range(10_000))

START, POST = b"GET / HTTP/1.1\r\nHost: x\r\n", b"POST / HTTP/1.1\r\nHost: x\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"

BROKEN = {
    "a megabyte of fields": b"GET / HTTP/1.1\r\nHost: x\r\n" + MEGABYTE + b"\r\n",
    "one field of a megabyte": START + b"X: " + b"v" * 1_000_000 + b"\r\n\r\n",
    "a target of a megabyte": b"GET /" + b"v" * 1_000_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "600 fields": b"GET / HTTP/1.1\r\nHost: x\r\n" + b"a: b\r\n" * 600 + b"\r\n",
    "bad chunk size": CHUNKED + b"zz\r\nbody\r\n0\r\n\r\n",
    "negative chunk size": CHUNKED + b"-1\r\nbody\r\n0\r\n\r\n",
    "chunk without its end": CHUNKED + b"4\r\nbodyXX0\r\n\r\n",
    "two Content-Lengths": POST + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nbody1",
    "Content-Length and Transfer-Encoding": POST
    + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n",
    "Transfer-Encoding and Content-Length": POST
    + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n",
    "Transfer-Encoding identity": POST + b"Transfer-Encoding: identity\r\nContent-Length: 4\r\n\r\nbody",
    "Transfer-Encoding twice": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding in two parts": POST + b"Transfer-Encoding: x, chunked\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding with a vertical tab": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding folded": POST + b"Transfer-Encoding:\r\n x\r\n chunked\r\n\r\n0\r\n\r\n",
    "bare LF ends the head": START + b"X: a\n\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n",
    "chunk size with a prefix": CHUNKED + b"0x4\r\nbody\r\n0\r\n\r\n",
    "chunk size with a bare LF": CHUNKED + b"4\nbody\r\n0\r\n\r\n",
    "two Content-Lengths that agree": POST + b"Content-Length: 4\r\nContent-Length: 4\r\n\r\nbody",
    "Content-Length as a list": POST + b"Content-Length: 4, 4\r\n\r\nbody",
    "unknown Transfer-Encoding": POST + b"Transfer-Encoding: gzip\r\n\r\nbody",
    "signed Content-Length": POST + b"Content-Length: +4\r\n\r\nbody",
    "Content-Length of words": POST + b"Content-Length: four\r\n\r\nbody",
    "Content-Length of 2 to the power of 63": POST + b"Content-Length: 9223372036854775808\r\n\r\nbody",
    "Content-Length of 5000 digits": POST + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\nbody",
    "bare CR in a field": START + b"X: a\rb\r\n\r\n",
    "bare LF in a field": START + b"X: a\nb: c\r\n\r\n",
    "NUL in a field": START + b"X: a\0b\r\n\r\n",
    "space before the colon": START + b"X : a\r\n\r\n",
    "field without a colon": START + b"nothing\r\n\r\n",
    "field without a name": START + b": a\r\n\r\n",
    "no version": b"GET /\r\n\r\n",
    "version of another protocol": b"GET / SIP/2.0\r\n\r\n",
    "target that is not ASCII": b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    "words": b"hello there, server of mine\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "every byte": bytes(range(256)) * 300 + b"\r\n",
    "bare LFs": b"GET / HTTP/1.1\nHost: x\n\n",
    "chunks with bare LFs": CHUNKED + b"4\nbody\n0\n\n",
    "chunk extension": CHUNKED + b"4;\0\r\nbody\r\n0\r\n\r\n",
    "space in the target": b"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n",
    "control byte in the target": b"GET /\x80 HTTP/1.1\r\nHost: x\r\n\r\n",
    "method that is not a token": b"G@T / HTTP/1.1\r\nHost: x\r\n\r\n",
    "two empty lines": b"\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "continued line before the first": b"GET / HTTP/1.1\r\n a: b\r\nHost: x\r\n\r\n",
    "no Host": b"GET / HTTP/1.1\r\n\r\n",
    "two Hosts": START + b"Host: x\r\n\r\n",
    "two Hosts in HTTP/1.0": b"GET / HTTP/1.0\r\nHost: x\r\nHost: x\r\n\r\n",
    "Host with a path": b"GET / HTTP/1.1\r\nHost: x/y\r\n\r\n",
    "Host with a name": b"GET / HTTP/1.1\r\nHost: me@x\r\n\r\n",
    "Host with a port of words": b"GET / HTTP/1.1\r\nHost: x:http\r\n\r\n",
    "HTTP/2 without TLS": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/2.0": b"GET / HTTP/2.0\r\nHost: x\r\n\r\n",
    "HTTP/3.9": b"GET / HTTP/3.9\r\nHost: x\r\n\r\n",
}


TOO_LARGE = {
    "a megabyte of fields": (b"431 Request Header Fields Too Large", "more than 500 headers"),
    "one field of a megabyte": (b"431 Request Header Fields Too Large", "a head of more than 65,536 bytes"),
    "600 fields": (b"431 Request Header Fields Too Large", "more than 500 headers"),
    "a target of a megabyte": (b"414 URI Too Long", "a first line of more than 65,536 bytes"),
}

VERSIONS = {
    "HTTP/2 without TLS": (b"505 HTTP Version Not Supported", "http/2 without tls is not spoken here"),
    "HTTP/2.0": (b"505 HTTP Version Not Supported", "“http/2.0” is not spoken here: use http/1.1"),
    "HTTP/3.9": (b"505 HTTP Version Not Supported", "“http/3.9” is not spoken here: use http/1.1"),
}

WRONG = {
    "bad chunk size": "a chunk's size is not a hexadecimal number: “zz”",
    "negative chunk size": "a chunk's size is not a hexadecimal number: “-1”",
    "chunk without its end": "a chunk does not end where its size says: “xx0",
    "two Content-Lengths": "content-length is there twice",
    "Content-Length and Transfer-Encoding": "content-length beside transfer-encoding",
    "Transfer-Encoding and Content-Length": "content-length beside transfer-encoding",
    "Transfer-Encoding identity": "the transfer-encoding “identity” is not known: use chunked",
    "Transfer-Encoding twice": "transfer-encoding is there twice",
    "Transfer-Encoding in two parts": "the transfer-encoding “x, chunked” is not known",
    "Transfer-Encoding with a vertical tab": "the transfer-encoding “\\x0bchunked” is not known",
    "Transfer-Encoding folded": "the transfer-encoding “x chunked” is not known",
    "bare LF ends the head": "a bare lf in the header x",
    "chunk size with a prefix": "a chunk's size is not a hexadecimal number: “0x4”",
    "chunk size with a bare LF": "a line ends with lf alone, not with cr lf",
    "two Content-Lengths that agree": "content-length is there twice",
    "Content-Length as a list": "content-length is not one number: “4, 4”",
    "unknown Transfer-Encoding": "the transfer-encoding “gzip” is not known: use chunked",
    "signed Content-Length": "content-length is not one number: “+4”",
    "Content-Length of words": "content-length is not one number: “four”",
    "Content-Length of 2 to the power of 63": "content-length has more than 18 digits: “9223372036854775808”",
    "Content-Length of 5000 digits": f"content-length has more than 18 digits: “{'9' * 40}…”",
    "bare CR in a field": "a bare cr in the header x",
    "bare LF in a field": "a bare lf in the header x",
    "NUL in a field": "nul in the header x",
    "space before the colon": "the header name “x ” is not a token: no space may stand before the colon",
    "field without a colon": "a header line without a colon: “nothing”",
    "field without a name": "the header name nothing is not a token",
    "no version": "the first line has no http version: “get /”",
    "version of another protocol": "the first line does not end with an http version such as http/1.1: “sip/2.0”",
    "target that is not ASCII": "the target is empty or has other bytes than printable ascii",
    "words": "the first line does not end with an http version such as http/1.1: “mine”",
    "TLS": "tls on a plain http port",
    "every byte": "a line ends with lf alone",
    "bare LFs": "a line ends with lf alone",
    "chunks with bare LFs": "a line ends with lf alone",
    "chunk extension": "a chunk's extension has bytes that it may not have",
    "space in the target": "the target has a space, which must be %20: “/a b”",
    "control byte in the target": "the target is empty or has other bytes than printable ascii: “/\\x80”",
    "method that is not a token": "the method “g@t” is not a token",
    "two empty lines": "more than one empty line before the request",
    "continued line before the first": "a continued line may not be the first",
    "no Host": "no host, which http/1.1 asks for",
    "two Hosts": "host is there twice",
    "two Hosts in HTTP/1.0": "host is there twice",
    "Host with a path": "host is not a host: “x/y”",
    "Host with a name": "host is not a host: “me@x”",
    "Host with a port of words": "host is not a host: “x:http”",
}


@pytest.mark.parametrize("name", BROKEN)
@pytest_twisted.ensureDeferred
async def test_a_broken_request_is_refused_and_recorded(name: str, desk: Desk, tape: Tape) -> None:
    peer = Peer(await inspector(desk))
    await peer.send(BROKEN[name])
    got = await peer.end()
    assert peer.ended == "closed"
    head, _, body = got.partition(b"\r\n\r\n")
    status, words = {**TOO_LARGE, **VERSIONS}.get(name) or (b"400 Bad Request", WRONG[name])
    assert head.startswith(b"HTTP/1.1 " + status + b"\r\n")
    assert head.endswith(b"\r\nContent-Length: %d\r\nConnection: close" % len(body))
    assert words in body.decode().lower()
    await until(lambda: tape.all("connection.closed"))
    assert refused(tape).detail["status"] == int(status[:3])
    assert words in refused(tape).detail["refused"].lower()
    assert len(tape.all("limit.reached")) == (name in TOO_LARGE)
    assert not tape.all("http.request", "failure")
    assert tape.data("data.received") == BROKEN[name]
    assert tape.data("data.sent") == got


@pytest.mark.parametrize("chunked", [False, True])
@pytest_twisted.ensureDeferred
async def test_a_body_of_17_megabytes_gets_413(chunked: bool, desk: Desk, tape: Tape) -> None:
    size = 17 << 20
    peer = Peer(await inspector(desk))
    if chunked:
        peer.push(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % size)
    else:
        peer.push(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size)
    block = bytes(1 << 18)
    while not peer.pull().got:
        peer.push(block)
        await turn()
    assert (await peer.expect(b"\r\n\r\n")).startswith(b"HTTP/1.1 413 Content Too Large\r\n")
    await peer.send(block)  # a client that goes on is not reset at once
    await until(lambda: peer.pull().ended)
    peer.close()
    await until(lambda: tape.all("connection.closed"))
    assert refused(tape).detail["status"] == 413
    assert not tape.all("http.request")


@pytest_twisted.ensureDeferred
async def test_curl_is_told_413_instead_of_100(desk: Desk, tape: Tape) -> None:
    host, port = address(await inspector(desk))
    command = f"head -c 17825792 /dev/zero | curl -sS -w '%{{http_code}}' --data-binary @- http://{host}:{port}/"
    out, _, _ = await getProcessOutputAndValue("/bin/sh", ["-c", command], reactor=desk.reactor)
    assert out == b"A body of more than 16,777,216 bytes.\n413"


def in_memory(desk: Desk, clock: Clock, root: Any = None) -> tuple[Any, StringTransport]:
    """An HTTP connection on a ``StringTransport``."""
    factory = http.RecordedSite(root or Resource(), clock)
    factory.noisy = False
    tap: Any = TapFactory(factory, desk.service("http", "inspector")).buildProtocol(None)  # type: ignore[arg-type]
    wire = StringTransport()
    wire.abortConnection = wire.loseConnection  # type: ignore[method-assign]
    wire.loseWriteConnection = lambda: None  # type: ignore[attr-defined]
    tap.makeConnection(wire)
    return tap, wire


SLOW = {
    b"": "nothing received for 60 s: closing",
    b"GET / HT": "the request's head was not complete within 60 s",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf": "the request's body comes too slowly",
}


@pytest.mark.parametrize("sent", SLOW)
def test_a_request_that_never_comes_is_closed_after_a_minute(sent: bytes, desk: Desk, tape: Tape) -> None:
    clock = Clock()
    tap, wire = in_memory(desk, clock)
    if sent:
        tap.dataReceived(sent)
    clock.advance(59)
    assert not wire.disconnecting
    clock.advance(1)
    clock.advance(LINGER if sent else 0)
    assert wire.disconnecting
    (limit,) = tape.all("limit.reached")
    assert limit.summary == SLOW[sent]
    assert limit.detail == {"limit": "idle_seconds", "value": 60.0}
    assert wire.value().startswith(b"HTTP/1.1 408 Request Timeout\r\n") == bool(sent)


def test_a_refused_client_has_two_seconds_to_stop(desk: Desk, tape: Tape) -> None:
    clock = Clock()
    tap, wire = in_memory(desk, clock)
    tap.dataReceived(b"nonsense\r\n\r\n")
    for _ in range(3):
        clock.advance(0.5)
        tap.dataReceived(GET)
    assert not wire.disconnecting
    clock.advance(0.5)
    assert wire.disconnecting
    assert wire.value().count(b"HTTP/1.1") == 1
    assert not tape.all("http.request", "limit.reached")


# -- responders that fail


class Failing(Resource):
    isLeaf = True

    def render(self, request: Any) -> Any:
        if request.path == b"/begun":
            request.write(b"half an answer")
        if request.path == b"/fine":
            return b"fine"
        if request.path == b"/later":
            request.notifyFinish().addErrback(lambda _: None)
            return NOT_DONE_YET
        if request.path == b"/text":
            return "no bytes"
        raise ValueError("in render")


@pytest_twisted.ensureDeferred
async def test_a_responder_that_raises_answers_500_and_is_recorded_once(
    desk: Desk, tape: Tape, logged_failures: Any
) -> None:
    service = await desk.start("http", make=Failing)
    peer, other = Peer(service), Peer(service)
    request = b"POST /x HTTP/1.1\r\nHost: x\r\nX-Odd: a\r\nContent-Length: 4\r\n\r\nbody"
    peer.push(request)
    await peer.expect(b"HTTP/1.1 500 Internal Server Error")
    other.push(b"GET /fine HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert (await other.end()).endswith(b"fine")
    (failure,) = tape.all("failure")
    assert failure.payload == request
    assert failure.conn == tape.all("http.request")[0].conn
    assert failure.summary.startswith("ValueError: in render")
    assert [e.detail["status"] for e in tape.all("http.response")] == [500, 200]
    assert b"in render" not in peer.got
    peer.close()
    assert len(logged_failures(ValueError)) == 1


@pytest_twisted.ensureDeferred
async def test_a_responder_that_returns_something_else_than_bytes_has_failed(
    desk: Desk, tape: Tape, logged_failures: Any
) -> None:
    peer = Peer(await desk.start("http", make=Failing))
    peer.push(b"GET /text HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert (await peer.end()).startswith(b"HTTP/1.1 500 Internal Server Error")
    assert b"no bytes" not in peer.got
    (failure,) = tape.all("failure")
    assert failure.summary.startswith("TypeError: Failing.render returned str, which must be bytes or NOT_DONE_YET")
    assert len(logged_failures(TypeError)) == 1


@pytest_twisted.ensureDeferred
async def test_a_responder_that_raises_in_its_answer_cuts_it(desk: Desk, tape: Tape, logged_failures: Any) -> None:
    peer = Peer(await desk.start("http", make=Failing))
    peer.push(b"GET /begun HTTP/1.1\r\nHost: x\r\n\r\n")
    await until(lambda: peer.pull().ended)
    assert peer.ended == "reset"
    peer.close()
    assert len(tape.all("failure")) == 1
    assert tape.all("connection.closed")[0].summary.startswith("aborted by us")
    logged_failures(ValueError)


@pytest_twisted.ensureDeferred
async def test_a_client_that_goes_before_its_answer_leaves_nothing(desk: Desk, tape: Tape) -> None:
    service = await desk.start("http", make=Failing)
    peer = Peer(service)
    peer.push(b"GET /later HTTP/1.1\r\nHost: x\r\n\r\n")
    await until(lambda: tape.all("http.request"))
    peer.reset()
    await until(lambda: not service.connections)
    assert not tape.all("failure")


@pytest_twisted.ensureDeferred
async def test_what_is_pipelined_behind_a_slow_answer_is_bounded(desk: Desk, tape: Tape) -> None:
    service = await desk.start("http", make=Failing)
    peer = Peer(service)
    peer.push(b"GET /later HTTP/1.1\r\nHost: x\r\n\r\n")
    await until(lambda: tape.all("http.request"))
    (tap,) = service.connections.values()
    wire = tap._wire  # type: ignore[attr-defined]
    await until(lambda: not peer.push(bytes(1 << 18)) and wire not in desk.reactor.getReaders())
    assert tap.received < 1 << 20
    peer.reset()
