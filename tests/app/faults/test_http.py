"""Faults on HTTP/1, with and without TLS, and on HTTP/2: what clients see, and what the capture tells."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import ensureDeferred
from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock, deferLater
from twisted.internet.threads import deferToThread
from twisted.internet.utils import getProcessOutputAndValue
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from app.faults.lane import Lane, Piece
from app.faults.live import Faults
from app.services.http import faulted
from app.services.surroundings import Surroundings
from tests.app.faults.http_peers import HTTP1, HTTP2, HTTPS1, WIRES, Client2, Got, ask, ask1, get
from tests.app.services.h2_peer import H2Peer
from tests.app.services.helpers import Desk, Peer, Tape, address
from tests.helpers import until

BODY = b"".join(b"%09d\n" % number for number in range(100))


@pytest.fixture(autouse=True)
def _data(desk: Desk, tmp_path: Path) -> None:
    desk.surroundings = Surroundings(tmp_path, tmp_path)


class Root(Resource):
    """Answers with ``BODY``, on /chunks without a length, on /echo with the body of the request."""

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Any] = []

    def render(self, request: Any) -> Any:
        self.asked.append(request.uri)
        if request.path == b"/chunks":
            for start in range(0, len(BODY), 250):
                request.write(BODY[start : start + 250])
            request.finish()
            return NOT_DONE_YET
        if request.path == b"/echo":
            return request.content.read()
        if request.path == b"/nothing":
            request.setResponseCode(204)
            return b""
        request.setHeader(b"X-Mine", b"yes")
        request.setHeader(b"ETag", b'"1"')
        return BODY


async def turns(seconds: float) -> None:
    """Let the reactor run for so long."""
    from twisted.internet import reactor

    await deferLater(reactor, seconds, lambda: None)


async def started(desk: Desk, wire: str, *tables: dict[str, Any], root: Any = None, **more: Any) -> Any:
    root = root or Root()
    tls = {} if wire == HTTP1 else {"tls": {}}
    return await desk.start("http", "inspector", lambda: root, faults=tables, seed=7, **tls, **more)


async def asked(
    service: Any,
    wire: str,
    path: str = "/",
    method: str = "GET",
    body: bytes = b"",
    wait: float = 0.4,
    *,
    hangs: bool = False,
    ends: bool = False,
) -> Got:
    """One request in a thread; see ``ask1``. Of HTTP/2, the end of the stream is waited for unless it ``hangs``."""
    return await deferToThread(ask, address(service), wire, path, method, body, wait, hangs=hangs, ends=ends)


def expected(end: str, wire: str, of_stream: str) -> str:
    return of_stream if wire == HTTP2 else end


@dataclass
class Case:
    """One fault, and what a client sees of the answer.

    Attributes:
        status: 0: no answer came.
        body: what came of it; None: not looked at.
        end: of the connection; on HTTP/2, ``end2`` of the stream.
        recorded: status, body and ``cut`` of the event of the answer; None: there is none.
    """

    table: dict[str, Any]
    status: int = 200
    body: bytes | None = BODY
    end: str = "open"
    end2: str = "END"
    recorded: tuple[int, int, str] | None = (200, 1000, "")
    path: str = "/"


HALF = BODY[:500]

CASES = {
    "close": Case({"kind": "close"}, 0, b"", "FIN", "RST_STREAM 8", None),
    "close a request": Case({"kind": "close", "on": "received"}, 0, b"", "FIN", "RST_STREAM 8", None),
    "reset": Case({"kind": "reset"}, 0, b"", "RST", "RST_STREAM 2", None),
    "reset a request": Case({"kind": "reset", "on": "received"}, 0, b"", "RST", "RST_STREAM 2", None),
    "half-close": Case({"kind": "half-close"}, 0, b"", "FIN", "RST_STREAM 0", None),
    "hang": Case({"kind": "hang"}, 0, b"", "open", "open", None),
    "hang a request": Case({"kind": "hang", "on": "received"}, 0, b"", "open", "open", None),
    "cut bytes": Case(
        {"kind": "cut", "bytes": 123}, 200, BODY[:123], "FIN", "RST_STREAM 8",
        (200, 123, "cut by a fault after 123 bytes"),
    ),
    "cut part": Case(
        {"kind": "cut", "part": 0.5, "then": "reset"}, 200, HALF, "RST", "RST_STREAM 2",
        (200, 500, "cut by a fault after 500 bytes"),
    ),
    "cut chunks": Case(
        {"kind": "cut", "bytes": 555}, 200, BODY[:555], "FIN", "RST_STREAM 8",
        (200, 555, "cut by a fault after 555 bytes"), "/chunks",
    ),
    "cut at once": Case(
        {"kind": "cut", "bytes": 0}, 200, b"", "FIN", "RST_STREAM 8", (200, 0, "cut by a fault after 0 bytes"),
    ),
    "cut behind all": Case(
        {"kind": "cut", "bytes": 5_000}, 200, BODY, "FIN", "RST_STREAM 8",
        (200, 1000, "cut by a fault after 1,000 bytes"),
    ),
    "truncate": Case(
        {"kind": "corrupt", "how": "truncate", "count": 10}, 200, BODY[:-10], "open", "END", (200, 990, ""),
    ),
    "status": Case({"kind": "status", "body": "busy"}, 503, b"busy", "open", "END", (503, 4, "")),
    "status of chunks": Case(
        {"kind": "status", "body": "busy"}, 503, b"busy", "open", "END", (503, 4, ""), "/chunks",
    ),
    "status of nothing": Case(
        {"kind": "status", "body": "busy"}, 503, b"busy", "open", "END", (503, 4, ""), "/nothing",
    ),
    "status without a body": Case({"kind": "status", "status": 204}, 204, b"", "open", "END", (204, 0, "")),
    "quota": Case(
        {"kind": "quota", "requests": 0}, 429, b"429 Too Many Requests, on purpose.\n", "open", "END", (429, 35, ""),
    ),
    "rst-stream on HTTP/2 alone": Case({"kind": "h2", "how": "rst-stream", "code": 7}, end2="RST_STREAM 7"),
    "goaway on HTTP/2 alone": Case({"kind": "h2", "code": 11}, end2="GOAWAY 11 last 0"),
}  # fmt: skip


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("name", CASES)
@pytest_twisted.ensureDeferred
async def test_what_a_client_sees(desk: Desk, tape: Tape, name: str, wire: str):
    case = CASES[name]
    status, body, recorded = case.status, case.body, case.recorded
    of_http2_alone = case.table["kind"] == "h2"
    if of_http2_alone and wire == HTTP1:
        pytest.skip("the kind needs TLS")
    if of_http2_alone and wire == HTTP2:
        status, body, recorded = 0, b"", None
    service = await started(desk, wire, case.table)
    end = expected(case.end, wire, case.end2)
    got = await asked(service, wire, case.path, hangs=end == "open" and not status, ends=end != "open")
    assert (got.status, got.body, got.end) == (status, body, end)
    answers = tape.all("http.response")
    if recorded is None:
        assert answers == []
    else:
        [answer] = answers
        assert (answer.detail["status"], answer.detail["body"], answer.detail.get("cut", "")) == recorded
    hits = 0 if of_http2_alone and wire != HTTP2 else 1
    assert len(tape.all("fault.applied")) == hits
    assert not tape.all("failure")


# -- malformed answers


def chunked(data: bytes, size: bytes = b"") -> bytes:
    return b"%b\r\n%b\r\n" % (size or b"%x" % len(data), data)


@dataclass
class Malformed:
    """What of an answer is wrong: some headers, and what is behind the head; None: it is as on HTTP/2, ``BODY``."""

    how: str
    fields: dict[str, list[str]]
    raw: bytes = BODY
    fields2: dict[str, list[str]] | None = None
    end2: str = "END"
    path: str = "/"


MALFORMED = [
    Malformed("content-length-shorter", {"content-length": ["990"]}),
    Malformed("content-length-longer", {"content-length": ["1010"]}),
    Malformed("content-length-longer", {"content-length": ["260"], "transfer-encoding": []}, path="/chunks"),
    Malformed("two-content-lengths", {"content-length": ["1000", "1010"]}),
    Malformed(
        "chunk-size", {"content-length": [], "transfer-encoding": ["chunked"]},
        chunked(BODY, b"size") + b"0\r\n\r\n", {"content-length": ["1000"]},
    ),
    Malformed(
        "last-chunk", {"content-length": [], "transfer-encoding": ["chunked"]}, chunked(BODY),
        {"content-length": ["1000"]}, "open",
    ),
    Malformed("content-encoding", {"content-encoding": ["gzip"], "content-length": ["1000"]}),
    Malformed("content-type", {"content-type": ["application/json"], "content-length": ["1000"]}),
]  # fmt: skip


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("case", MALFORMED, ids=lambda case: case.how + case.path)
@pytest_twisted.ensureDeferred
async def test_a_malformed_answer(desk: Desk, tape: Tape, case: Malformed, wire: str):
    service = await started(desk, wire, {"kind": "malformed", "how": case.how})
    got = await asked(service, wire, case.path, hangs=wire == HTTP2 and case.end2 == "open")
    fields = (wire == HTTP2 and case.fields2) or case.fields
    assert {name: got.field(name) for name in fields} == fields
    assert got.raw == (BODY if wire == HTTP2 else case.raw)
    assert got.end == expected("open", wire, case.end2)
    [answer] = tape.all("http.response")
    told: dict[str, list[str]] = {}
    for name, value in answer.detail["fields"]:
        told.setdefault(name.lower(), []).append(value)
    assert {name: told.get(name, []) for name in fields} == fields
    assert answer.detail["body"] == 1000
    hits = tape.all("fault.applied")
    assert len(hits) == (0 if wire == HTTP2 and case.how == "chunk-size" else 1)


@pytest.mark.parametrize("wire", WIRES)
@pytest_twisted.ensureDeferred
async def test_a_flood_of_interim_answers(desk: Desk, wire: str):
    service = await started(desk, wire, {"kind": "malformed", "how": "interim-flood"})
    got = await asked(service, wire, wait=1)
    assert (got.interims, got.status, got.body) == (1000, 200, BODY)


@pytest.mark.parametrize("wire", [HTTP1, HTTPS1])
@pytest_twisted.ensureDeferred
async def test_a_head_that_comes_byte_by_byte(desk: Desk, tape: Tape, wire: str):
    service = await started(desk, wire, {"kind": "malformed", "how": "slow-head"})
    got = await asked(service, wire, "/echo", "POST", b"hi", wait=2)
    writes = [event.payload for event in tape.all("data.sent")]
    assert len(writes) > 100
    assert {len(data or b"") for data in writes[:-1]} == {1}
    assert writes[-1] == b"hi"
    assert got.ended >= 20 * (len(writes) - 2)
    assert (got.status, got.body, got.end) == (200, b"hi", "open")


# -- garbage and corruption


@pytest.mark.parametrize("wire", WIRES)
@pytest_twisted.ensureDeferred
async def test_garbage_behind_a_good_status_line(desk: Desk, tape: Tape, wire: str):
    service = await started(desk, wire, {"kind": "garbage", "bytes": 300})
    got = await asked(service, wire, ends=True)
    assert got.end == expected("FIN", wire, "RST_STREAM 8")
    if wire == HTTP2:
        assert (got.status, got.fields, len(got.raw)) == (200, [], 300)
    else:
        line, _, noise = got.raw.partition(b"\r\n") if not got.status else (b"", b"", b"")
        assert (line, len(noise)) == (b"HTTP/1.1 200 OK", 300)
    [answer] = tape.all("http.response")
    assert (answer.detail["body"], answer.detail["fields"]) == (300, [])
    assert tape.all("fault.applied")[0].payload == BODY


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize(("how", "changed"), [("bit", 3), ("byte", 3), ("zero", 3)])
@pytest_twisted.ensureDeferred
async def test_a_corrupt_body_keeps_its_length(desk: Desk, tape: Tape, wire: str, how: str, changed: int):
    service = await started(desk, wire, {"kind": "corrupt", "how": how, "count": changed})
    got = await asked(service, wire)
    assert got.field("content-length") == ["1000"]
    assert len(got.body) == 1000
    assert 1 <= sum(a != b for a, b in zip(got.body, BODY, strict=True)) <= changed
    assert tape.all("fault.applied")[0].payload == BODY


@pytest.mark.parametrize("wire", WIRES)
@pytest_twisted.ensureDeferred
async def test_a_corrupt_body_may_be_longer_than_it_says(desk: Desk, wire: str):
    service = await started(desk, wire, {"kind": "corrupt", "how": "insert", "count": 5})
    got = await asked(service, wire)
    assert got.field("content-length") == ["1000"]
    assert len(got.raw) == 1005


@pytest.mark.parametrize("wire", WIRES)
@pytest_twisted.ensureDeferred
async def test_a_corrupt_request_is_what_the_responder_gets(desk: Desk, tape: Tape, wire: str):
    service = await started(desk, wire, {"kind": "corrupt", "on": "received", "how": "zero", "count": 2})
    got = await asked(service, wire, "/echo", "POST", b"x" * 20)
    assert sorted(got.body) == [0, 0, *b"x" * 18]
    [asked_for] = tape.all("http.request")
    assert asked_for.detail["body"] == 20
    assert tape.all("fault.applied")[0].payload == b"x" * 20


# -- when


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize(
    ("table", "hit"),
    [
        ({"path": "/ec*"}, True),
        ({"path": "/other"}, False),
        ({"method": "post"}, True),
        ({"method": "GET"}, False),
        ({"match": "needle"}, True),
        ({"match": r"POST /echo "}, False),
        ({"match": "x-thing"}, False),
        ({"on": "received", "match": "POST /echo"}, True),
        ({"on": "received", "match": "needle"}, True),
        ({"on": "received", "match": "missing"}, False),
        ({"match_regex": "(?i)content-type: text/html"}, True),
        ({"nth": 2}, False),
    ],
    ids=str,
)
@pytest_twisted.ensureDeferred
async def test_conditions_look_at_head_and_body(desk: Desk, wire: str, table: dict[str, Any], hit: bool):
    service = await started(desk, wire, {"kind": "close", **table})
    got = await asked(service, wire, "/echo", "POST", b"a needle in it", ends=hit)
    assert (got.status == 0) is hit


# -- delays and holding


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("on", ["sent", "received"])
@pytest.mark.parametrize("path", ["/", "/chunks", "/nothing"])
@pytest_twisted.ensureDeferred
async def test_a_delayed_answer_comes_whole(desk: Desk, tape: Tape, wire: str, on: str, path: str):
    root = Root()
    service = await started(desk, wire, {"kind": "delay", "on": on, "ms": 300}, root=root)
    got = await asked(service, wire, path, wait=0.6)
    assert 299 <= got.began < 900
    assert got.ended - got.began < 250
    assert (got.body, got.end) == (b"" if path == "/nothing" else BODY, expected("open", wire, "END"))
    assert root.asked == [path.encode()]
    [answer] = tape.all("http.response")
    assert answer.detail["seconds"] >= 0.299


@pytest.mark.parametrize("wire", [HTTP1, HTTPS1])
@pytest_twisted.ensureDeferred
async def test_pipelined_answers_keep_their_order(desk: Desk, wire: str):
    service = await started(desk, wire, {"kind": "delay", "ms": 200, "path": "/echo"})
    requests = [get("/echo", "POST", body=b"first"), get("/nothing"), get("/echo", "POST", body=b"third")]
    got = await deferToThread(ask1, address(service), wire, *requests, wait=0.6)
    assert got.began >= 199
    assert got.ended >= 399
    assert got.raw.startswith(b"firstHTTP/1.1 204 No Content\r\n")
    assert got.raw.endswith(b"third")


@pytest_twisted.ensureDeferred
async def test_other_streams_go_on(desk: Desk):
    service = await started(desk, HTTP2, {"kind": "reset", "path": "/echo"}, {"kind": "hang", "path": "/nothing"})

    def talk() -> list[Got]:
        client = Client2(address(service))
        for path in ("/echo", "/", "/nothing", "/chunks"):
            client.ask(path)
        streams = client.read(1, 3, 7)
        assert client.end == "open"
        client.close()
        return list(streams.values())

    got = await deferToThread(talk)
    assert [one.end for one in got] == ["RST_STREAM 2", "END", "open", "END"]
    assert [one.body for one in got] == [b"", BODY, b"", BODY]


@pytest.mark.parametrize("wire", WIRES)
@pytest_twisted.ensureDeferred
async def test_lifting_a_delay_sends_what_it_held(desk: Desk, tape: Tape, wire: str):
    service = await started(desk, wire, {"kind": "delay", "ms": 60_000.0})
    asking = ensureDeferred(asked(service, wire, "/chunks", wait=1.5))
    await until(lambda: tape.all("fault.applied"))
    assert not tape.all("http.response")
    service.faults.switch(service.faults.all[0], on=False)
    got = await asking
    assert (got.status, got.body) == (200, BODY)


@pytest.mark.parametrize("on", ["sent", "received"])
@pytest_twisted.ensureDeferred
async def test_lifting_a_hang_lets_the_connection_go_on(desk: Desk, tape: Tape, on: str):
    service = await started(desk, HTTP1, {"kind": "hang", "on": on, "first": 1})
    peer = Peer(service)
    peer.push(get("/echo", "POST", body=b"lost") + get("/echo", "POST", body=b"next"))
    await until(lambda: tape.all("fault.applied"))
    service.faults.switch(service.faults.all[0], on=False)
    got = await peer.expect(b"next")
    assert b"lost" not in got
    assert len(tape.all("http.response")) == 1


@pytest.mark.parametrize("wire", WIRES)
@pytest_twisted.ensureDeferred
async def test_a_hang_for_a_time(desk: Desk, wire: str):
    service = await started(desk, wire, {"kind": "hang", "ms": 100, "first": 1})
    got = await asked(service, wire, hangs=True)
    assert (got.status, got.end) == (0, "open")
    assert (await asked(service, wire)).status == 200


@pytest.mark.parametrize("wire", WIRES)
@pytest_twisted.ensureDeferred
async def test_close_after_a_time(desk: Desk, wire: str):
    service = await started(desk, wire, {"kind": "close", "after_ms": 200})
    got = await asked(service, wire, ends=True)
    assert (got.status, got.end) == (0, expected("FIN", wire, "RST_STREAM 8"))
    assert 199 <= got.ended < 600


@pytest.mark.parametrize("wire", WIRES)
@pytest_twisted.ensureDeferred
async def test_a_slow_close(desk: Desk, wire: str):
    service = await started(desk, wire, {"kind": "slow-close", "after_ms": 300})
    if wire == HTTP2:
        got = await asked(service, wire)
        assert got.end == "END"
    else:
        got = await deferToThread(ask1, address(service), wire, get("/", "GET", "Connection: close"), ends=True)
        assert got.end == "FIN"
    assert got.body == BODY
    assert got.began < 250
    assert 299 <= got.ended < 900


@pytest.mark.parametrize("wire", WIRES)
@pytest_twisted.ensureDeferred
async def test_a_service_stops_while_faults_hold_its_answers(desk: Desk, tape: Tape, wire: str):
    service = await started(desk, wire, {"kind": "delay", "ms": 60_000.0})
    asking = ensureDeferred(asked(service, wire, wait=4, hangs=True, ends=wire != HTTP2))
    await until(lambda: tape.all("fault.applied"))
    await service.stop()
    got = await asking
    assert (got.status, got.end) == (0, expected("FIN", wire, "open"))
    assert not tape.all("http.response", "failure")
    assert not service.faults._courses


@pytest_twisted.ensureDeferred
async def test_the_client_leaves_while_its_answer_is_held(desk: Desk, tape: Tape):
    service = await started(desk, HTTP1, {"kind": "delay", "ms": 60_000.0})
    await asked(service, HTTP1, wait=0.1, hangs=True)
    await until(lambda: tape.all("connection.closed"))
    assert not tape.all("http.response", "failure")
    assert not service.faults._courses


# -- answers that are produced


class Producing(Resource):
    """Answers with as much as its client takes, by a producer of either sort."""

    isLeaf = True
    size = 8 << 20

    def __init__(self, streaming: bool) -> None:
        super().__init__()
        self.streaming = streaming
        self.written = 0
        self.most = 0  # in the lane

    def render(self, request: Any) -> Any:
        self.request = request
        request.setHeader(b"Content-Length", b"%d" % self.size)
        self.paused = False
        request.registerProducer(self, self.streaming)
        request.notifyFinish().addBoth(lambda _: None)
        if self.streaming:
            self.resumeProducing()
        return NOT_DONE_YET

    def _write(self) -> None:
        self.request.write(bytes(64 << 10))
        self.written += 64 << 10
        if self.request._exchange is not None:
            self.most = max(self.most, self.request._exchange.outgoing.size)
        if self.written >= self.size:
            self.request.unregisterProducer()
            self.request.finish()

    def resumeProducing(self) -> None:
        self.paused = False
        if not self.streaming:
            self._write()
        while self.streaming and not self.paused and self.written < self.size:
            self._write()

    def pauseProducing(self) -> None:
        self.paused = True

    def stopProducing(self) -> None:
        self.paused = True


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("streaming", [True, False], ids=["push", "pull"])
@pytest_twisted.ensureDeferred
async def test_a_producer_waits_while_faults_hold_its_answer(desk: Desk, wire: str, streaming: bool):
    root = Producing(streaming)
    service = await started(desk, wire, {"kind": "delay", "ms": 700}, root=root)
    asking = ensureDeferred(asked(service, wire, wait=1.5))
    await until(lambda: root.written)
    await turns(0.3)
    assert root.written <= 512 << 10
    got = await asking
    assert len(got.body) == Producing.size
    assert got.began >= 699
    assert root.most <= 512 << 10


@pytest.mark.parametrize("wire", WIRES)
@pytest_twisted.ensureDeferred
async def test_a_produced_answer_is_cut_exactly(desk: Desk, tape: Tape, wire: str):
    root = Producing(streaming=True)
    service = await started(desk, wire, {"kind": "cut", "part": 0.1, "then": "reset"}, root=root)
    got = await asked(service, wire, ends=True)
    assert len(got.body) == round(Producing.size / 10)
    assert got.end == expected("RST", wire, "RST_STREAM 2")
    [answer] = tape.all("http.response")
    assert answer.detail["body"] == round(Producing.size / 10)
    assert answer.detail["cut"] == "cut by a fault after 838,861 bytes"
    assert root.paused or root.written == Producing.size


# -- quota


@pytest.mark.parametrize("wire", WIRES)
@pytest_twisted.ensureDeferred
async def test_a_quota(desk: Desk, tape: Tape, wire: str):
    root = Root()
    service = await started(desk, wire, {"kind": "quota", "requests": 2}, root=root)
    statuses = [await asked(service, wire, wait=0.1) for _ in range(4)]
    assert [got.status for got in statuses] == [200, 200, 429, 429]
    assert 50 <= int(statuses[2].field("retry-after")[0]) <= 60
    assert len(root.asked) == 2
    assert len(tape.all("fault.applied")) == 2
    assert service.faults.all[0].hits == 2


@pytest_twisted.ensureDeferred
async def test_a_quota_by_a_header(desk: Desk):
    table = {"kind": "quota", "requests": 1, "by": "field", "field": "X-Api-Key", "status": 403}
    service = await started(desk, HTTP1, table)
    statuses = []
    for key in ("a", "b", "a", "b", "c"):
        got = await deferToThread(ask1, address(service), HTTP1, get("/", "GET", f"X-Api-Key: {key}"), wait=0.1)
        statuses.append(got.status)
    assert statuses == [200, 200, 403, 403, 200]


@pytest_twisted.ensureDeferred
async def test_messages_beyond_a_quota_are_withheld(desk: Desk, tape: Tape):
    service = await desk.start(faults=({"kind": "quota", "requests": 2},))
    peer = Peer(service)
    for number in range(4):
        peer.push(b"%d\n" % number)
        await until(lambda n=number: len(tape.all("data.received")) > n)
    assert await peer.expect(b"1\n") == b"0\n1\n"
    assert [event.payload for event in tape.all("fault.applied")] == [b"2\n", b"3\n"]


# -- HTTP/2 alone


@pytest_twisted.ensureDeferred
async def test_settings_are_never_acknowledged(desk: Desk, tape: Tape):
    def talk() -> tuple[bool, Got]:
        client = Client2(address(service))
        stream = client.ask("/echo", "POST", b"hi")
        streams = client.read(stream)
        client.close()
        return client.acknowledged, streams[stream]

    service = await started(desk, HTTP2)
    acknowledged, got = await deferToThread(talk)
    assert (acknowledged, got.body) == (True, b"hi")
    assert service.apply(replace(service.config, faults=({"kind": "h2", "how": "no-settings-ack", "on": "connect"},)))
    acknowledged, got = await deferToThread(talk)
    assert (acknowledged, got.body) == (False, b"hi")
    [event] = tape.all("fault.applied")
    assert event.detail["words"] == "SETTINGS are never acknowledged"


@pytest_twisted.ensureDeferred
async def test_windows_are_never_opened(desk: Desk):
    def talk() -> tuple[int, int]:
        client = Client2(address(service))
        for _ in range(4):
            client.read(client.ask("/echo", "POST", bytes(16_000)), wait=0.05)
        room = client.h2.outbound_flow_control_window
        client.close()
        return room, sum(got.status == 200 for got in client.streams.values())

    service = await started(desk, HTTP2, {"kind": "h2", "how": "no-window", "on": "connect"})
    assert await deferToThread(talk) == (65_535 - 64_000, 4)


@pytest_twisted.ensureDeferred
async def test_kinds_for_http2_leave_http1_alone(desk: Desk, tape: Tape):
    service = await started(desk, HTTPS1, {"kind": "h2", "how": "no-window", "on": "connect"})
    assert (await asked(service, HTTPS1)).body == BODY
    assert not tape.all("fault.applied")


@pytest_twisted.ensureDeferred
async def test_goaway_lets_earlier_streams_end(desk: Desk):
    service = await started(desk, HTTP2, {"kind": "delay", "ms": 300, "path": "/echo"}, {"kind": "h2", "path": "/"})

    def talk() -> list[Got]:
        client = Client2(address(service))
        for path in ("/echo", "/", "/echo"):
            client.ask(path)
        streams = client.read(1, 3, 5)
        assert client.end == "FIN"
        client.close()
        return list(streams.values())

    got = await deferToThread(talk)
    assert [one.end for one in got[:2]] == ["END", "GOAWAY 2 last 1"]
    assert got[2].end in ("GOAWAY 2 last 1", "RST_STREAM 7")  # it may have come later


# -- the ways of HTTP


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize(
    ("table", "status", "end", "end2"),
    [
        ({"kind": "delay", "ms": 150}, 200, "open", "END"),
        ({"kind": "cut", "part": 0.5}, 200, "FIN", "RST_STREAM 8"),
        ({"kind": "status"}, 503, "open", "END"),
        ({"kind": "corrupt"}, 200, "open", "END"),
        ({"kind": "malformed", "how": "content-length-longer"}, 200, "open", "END"),
        ({"kind": "malformed", "how": "chunk-size"}, 200, "open", "END"),
    ],
    ids=str,
)
@pytest_twisted.ensureDeferred
async def test_an_answer_to_head_has_no_body(
    desk: Desk, tape: Tape, wire: str, table: dict[str, Any], status: int, end: str, end2: str
):
    service = await started(desk, wire, table)
    got = await asked(service, wire, "/", "HEAD", ends=end == "FIN")
    assert (got.status, got.raw, got.end) == (status, b"", expected(end, wire, end2))
    assert not tape.all("failure")


@pytest_twisted.ensureDeferred
async def test_a_client_that_waits_for_100_continue(desk: Desk):
    service = await started(desk, HTTP1, {"kind": "delay", "ms": 200, "on": "received"})
    peer = Peer(service)
    peer.push(get("/echo", "POST", "Expect: 100-continue", "Content-Length: 2"))
    assert await peer.expect(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    peer.push(b"hi")
    assert (await peer.expect(b"hi")).count(b"HTTP/1.1 200") == 1


@pytest.mark.parametrize("wire", WIRES)
@pytest_twisted.ensureDeferred
async def test_a_compressed_answer(desk: Desk, tape: Tape, wire: str):
    service = await started(desk, wire, {"kind": "cut", "bytes": 40}, options={"compression": True})
    if wire == HTTP2:
        pytest.skip("the client sends no Accept-Encoding")
    got = await deferToThread(ask1, address(service), wire, get("/", "GET", "Accept-Encoding: gzip"), ends=True)
    assert got.field("content-encoding") == ["gzip"]
    assert len(got.body) == 40
    assert tape.all("http.response")[0].detail["body"] == 40


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest_twisted.ensureDeferred
async def test_http_1_0(desk: Desk, version: str):
    service = await started(desk, HTTP1, {"kind": "malformed", "how": "last-chunk"})
    got = await deferToThread(ask1, address(service), HTTP1, get("/chunks", version=version), ends=version == "1.0")
    assert got.body == BODY
    assert got.end == ("FIN" if version == "1.0" else "open")


# -- bytes of the connection


@pytest.mark.parametrize("wire", WIRES)
@pytest_twisted.ensureDeferred
async def test_kinds_for_bytes_act_on_the_connection(desk: Desk, wire: str):
    tables = ({"kind": "rate", "bytes_per_second": 4_000}, {"kind": "slice", "bytes": 100, "pause_ms": 0})
    service = await started(desk, wire, *tables, {"kind": "stall", "ms": 200, "first": 1, "on": "received"})
    got = await asked(service, wire, "/echo", "POST", bytes(2_000), wait=1)
    assert len(got.body) == 2_000
    assert got.began >= (0 if wire == HTTP2 else 199)  # settings come before the answer
    assert 500 <= got.ended <= 2_000


@pytest.mark.parametrize("wire", [HTTP1, HTTPS1])
@pytest_twisted.ensureDeferred
async def test_an_answer_is_told_of_when_its_last_byte_has_left(desk: Desk, tape: Tape, wire: str):
    service = await started(desk, wire, {"kind": "rate", "bytes_per_second": 2_000})
    got = await asked(service, wire, wait=1)
    assert len(got.body) == 1000
    [answer] = tape.all("http.response")
    assert answer.detail["seconds"] >= 0.4


@pytest_twisted.ensureDeferred
async def test_an_answer_that_leaves_too_slowly_for_its_client_is_told_as_broken_off(desk: Desk, tape: Tape):
    service = await started(desk, HTTP1, {"kind": "rate", "bytes_per_second": 1_000})
    peer = Peer(service)
    peer.push(get())
    await peer.expect(b"000000009\n")
    peer.reset()
    await until(lambda: tape.all("connection.closed"))
    [answer] = tape.all("http.response")
    assert answer.detail["cut"].startswith("broken off by the client")
    assert answer.detail["body"] < 900


@pytest_twisted.ensureDeferred
async def test_freeze_on_http2_freezes_the_connection(desk: Desk):
    service = await started(desk, HTTP2, {"kind": "freeze", "nth": 1})

    def talk() -> list[str]:
        client = Client2(address(service))
        client.ask("/")
        client.read(wait=0.1)
        client.ask("/")
        ends = [got.end for got in client.read().values()]
        client.close()
        return ends

    assert (await deferToThread(talk))[1] == "open"


@pytest.mark.parametrize("kind", ["reset", "close", "hang"])
@pytest_twisted.ensureDeferred
async def test_by_hand_on_an_open_connection(desk: Desk, tape: Tape, kind: str):
    service = await started(desk, HTTP1)
    peer = Peer(service)
    peer.push(get("/echo", "POST", body=b"hi"))
    await peer.expect(b"hi")
    assert service.apply(replace(service.config, faults=({"kind": "delay", "enabled": False},)))
    [number] = service.connections
    assert service.faults.strike_connection(number, {"kind": kind})
    if kind == "hang":
        peer.push(get("/echo", "POST", body=b"ho"))
        await turns(0.2)
        assert b"ho" not in peer.pull().got
        assert len(tape.all("http.response")) == 1
    else:
        await peer.end()
        assert peer.ended == {"reset": "reset", "close": "closed"}[kind]


# -- curl


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
@pytest.mark.parametrize(
    ("table", "code", "out"),
    [
        ({"kind": "delay", "ms": 100}, 0, b"1000 200"),
        ({"kind": "close"}, {"--http1.1": 52, "--http2": 92}, b"0 000"),
        ({"kind": "reset"}, {"--http1.1": 56, "--http2": 92}, b"0 000"),
        ({"kind": "cut", "bytes": 123}, {"--http1.1": 18, "--http2": 92}, b"123 200"),
        ({"kind": "status", "retry_after": 3}, 0, b"37 503"),
        ({"kind": "garbage"}, {"--http1.1": 8, "--http2": 92}, None),
        ({"kind": "malformed", "how": "content-length-longer"}, {"--http1.1": 28, "--http2": 92}, None),
        ({"kind": "malformed", "how": "chunk-size"}, {"--http1.1": 56, "--http2": 0}, None),
        ({"kind": "malformed", "how": "content-encoding"}, 61, None),
        ({"kind": "malformed", "how": "interim-flood"}, 0, b"1000 200"),
        ({"kind": "h2", "how": "rst-stream"}, {"--http1.1": 0, "--http2": 92}, None),
        ({"kind": "h2", "how": "goaway"}, {"--http1.1": 0, "--http2": 16}, None),
    ],
    ids=str,
)
@pytest_twisted.ensureDeferred
async def test_what_curl_says(desk: Desk, version: str, table: dict[str, Any], code: Any, out: bytes | None):
    service = await started(desk, HTTP2, table)
    host, port = address(service)
    command = [version, "--compressed", "-m", "1", "-sko", "/dev/null", "-w", "%{size_download} %{http_code}"]
    said, _, got = await getProcessOutputAndValue(
        "/usr/bin/curl", [*command, f"https://{host}:{port}/"], reactor=desk.reactor
    )
    assert got == (code if isinstance(code, int) else code[version])
    if out is not None:
        assert said == out


# -- in front of a relay, and of a mock


async def relayed(desk: Desk, wire: str, *tables: dict[str, Any], root: Any = None) -> Any:
    """A relay that fails, in front of a service that does not."""
    root = root or Root()
    upstream = await desk.start("http", "inspector", lambda: root)
    host, port = address(upstream)
    desk._made.clear()
    tls = {} if wire == HTTP1 else {"tls": {}}
    options = {"upstream": f"http://{host}:{port}"}
    return await desk.start("http", "relay", faults=tables, seed=7, options=options, **tls)


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("path", ["/", "/chunks"])
@pytest_twisted.ensureDeferred
async def test_an_answer_that_a_relay_passes_on_is_corrupt(desk: Desk, tape: Tape, wire: str, path: str):
    table = {"kind": "corrupt", "how": "zero", "count": 3, "match": "000000000"}
    service = await relayed(desk, wire, table)
    got = await asked(service, wire, path)
    assert len(got.body) == 1000
    assert 1 <= sum(a != b for a, b in zip(got.body, BODY, strict=True)) <= 3
    assert len(tape.all("fault.applied")) == 1


@pytest.mark.parametrize("wire", WIRES)
@pytest_twisted.ensureDeferred
async def test_a_request_that_a_relay_passes_on_is_corrupt(desk: Desk, tape: Tape, wire: str):
    table = {"kind": "corrupt", "on": "received", "how": "zero", "count": 2, "match": "xxx"}
    service = await relayed(desk, wire, table)
    got = await asked(service, wire, "/echo", "POST", b"x" * 20)
    assert sorted(got.body) == [0, 0, *b"x" * 18]
    assert tape.all("fault.applied")[0].payload == b"x" * 20


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize(
    "table", [{"kind": "delay", "on": "received", "ms": 200}, {"kind": "delay", "ms": 200}], ids=str
)
@pytest_twisted.ensureDeferred
async def test_a_relay_is_late(desk: Desk, wire: str, table: dict[str, Any]):
    service = await relayed(desk, wire, table)
    got = await asked(service, wire, "/echo", "POST", bytes(300_000 if wire != HTTP2 else 60_000), wait=1)
    assert len(got.body) == (300_000 if wire != HTTP2 else 60_000)
    assert got.began >= 199


@pytest.mark.parametrize("wire", WIRES)
@pytest_twisted.ensureDeferred
async def test_a_relay_that_is_hung_up_on_asks_nobody(desk: Desk, wire: str):
    root = Root()
    service = await relayed(desk, wire, {"kind": "close", "on": "received"}, root=root)
    got = await asked(service, wire, "/echo", "POST", b"hi", ends=True)
    assert got.status == 0
    assert root.asked == []


RULES = [
    {"path": "/late", "delay": 0.2, "body": "late"},
    {"path": "/close", "drop": "close"},
    {"path": "/reset", "drop": "reset"},
    {"path": "/parts", "body": "0123456789", "chunks": 5, "pause": 0.05},
]


@pytest.mark.parametrize("wire", WIRES)
@pytest_twisted.ensureDeferred
async def test_the_delay_of_a_rule_adds(desk: Desk, tape: Tape, wire: str):
    tls = {} if wire == HTTP1 else {"tls": {}}
    faults = ({"kind": "delay", "ms": 200},)
    service = await desk.start("http", "mock", faults=faults, seed=7, options={"rules": RULES}, **tls)
    got = await asked(service, wire, "/late")
    assert got.body == b"late"
    assert got.began >= 399
    got = await asked(service, wire, "/parts", wait=1)
    assert got.body == b"0123456789"
    got = await asked(service, wire, "/close", ends=True)
    assert got.end == expected("FIN", wire, "RST_STREAM 2")
    got = await asked(service, wire, "/reset", ends=True)
    assert got.end == expected("RST", wire, "RST_STREAM 2")
    assert not tape.all("failure")


@pytest_twisted.ensureDeferred
async def test_an_answer_that_is_replaced_ends_though_its_responder_goes_on(desk: Desk, tape: Tape):
    service = await desk.start("http", "mock", faults=({"kind": "status"},), options={"rules": RULES})
    peer = Peer(service)
    peer.push(get("/parts") + get("/late"))
    await until(lambda: peer.pull().got.count(b"on purpose.") == 2)
    assert peer.got.count(b"HTTP/1.1 503") == 2
    assert len(tape.all("http.response")) == 2
    assert not tape.all("failure")


@pytest.mark.parametrize("wire", WIRES)
@pytest_twisted.ensureDeferred
async def test_a_relay_whose_upstream_breaks_off(desk: Desk, tape: Tape, wire: str):
    """Both fail: the upstream within its answer, and the relay is late."""
    root = Root()
    upstream = await desk.start("http", "inspector", lambda: root, faults=({"kind": "cut", "bytes": 300},))
    desk._made.clear()
    host, port = address(upstream)
    tls = {} if wire == HTTP1 else {"tls": {}}
    options = {"upstream": f"http://{host}:{port}"}
    service = await desk.start("http", "relay", faults=({"kind": "delay", "ms": 200},), options=options, **tls)
    got = await asked(service, wire, ends=True)
    assert (got.status, got.body) == (200, BODY[:300])
    assert got.end == expected("RST", wire, "RST_STREAM 2")
    assert got.began >= 199
    [answer] = [event for event in tape.all("http.response") if event.service == service.number]
    assert answer.detail["body"] == 300
    assert "closed the connection before" in answer.detail["cut"]


@pytest.mark.parametrize("wire", WIRES)
@pytest_twisted.ensureDeferred
async def test_a_fault_that_is_set_while_a_request_waits_acts_on_its_answer(desk: Desk, tape: Tape, wire: str):
    tls = {} if wire == HTTP1 else {"tls": {}}
    service = await desk.start("http", "mock", options={"rules": [{"delay": 0.5, "body": "late"}]}, **tls)
    asking = ensureDeferred(asked(service, wire, ends=True))
    await until(lambda: tape.all("http.request"))
    assert service.apply(replace(service.config, faults=({"kind": "cut", "bytes": 2},)))
    got = await asking
    assert (got.status, got.body, got.end) == (200, b"la", expected("FIN", wire, "RST_STREAM 8"))


def test_what_faults_hold_counts_as_kept_for_a_connection(desk: Desk):
    """So that a client cannot have answers kept without bound by asking on many streams."""

    class Large(Resource):
        isLeaf = True

        def render(self, request: Any) -> bytes:
            return bytes(1 << 20)

    peer = H2Peer(desk, Large(), faults=({"kind": "delay", "ms": 60_000.0},))
    for _ in range(80):
        peer.ask()
    assert peer.statuses().count(503) == 80 - 65
    peer.tap.connectionLost(Failure(ConnectionLost()))


class Late(Resource):
    """Writes the head of its answer at once, and the body later."""

    isLeaf = True

    def render(self, request: Any) -> Any:
        request.write(b"")
        call = request.channel.site.reactor.callLater(1.5, self._end, request)
        request.notifyFinish().addErrback(lambda _: call.cancel())
        return NOT_DONE_YET

    def _end(self, request: Any) -> None:
        request.write(b"late")
        request.finish()


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize(
    ("table", "first", "least", "most"),
    [
        ({"kind": "delay", "ms": 0}, 0.1, 99, 1_499),
        ({"kind": "delay", "ms": 0}, 30, 1_499, 30_000),
        ({"kind": "delay", "ms": 0, "on": "received"}, 30, 0, 1_499),
        ({"kind": "close", "enabled": False}, 30, 0, 1_499),
        ({"kind": "stall", "ms": 0}, 30, 0, 1_499),
    ],
    ids=str,
)
@pytest_twisted.ensureDeferred
async def test_a_head_waits_for_its_body_no_longer_than_it_must(
    desk: Desk, monkeypatch: Any, wire: str, table: dict[str, Any], first: float, least: float, most: float
):
    monkeypatch.setattr(faulted, "FIRST", first)
    service = await started(desk, wire, table, root=Late())
    got = await asked(service, wire, wait=2)
    assert got.body == b"late"
    assert least <= got.began <= most


@pytest.mark.parametrize("wire", WIRES)
@pytest_twisted.ensureDeferred
async def test_an_answer_that_is_replaced_leaves_at_a_rate(desk: Desk, tape: Tape, wire: str):
    tables = ({"kind": "status", "body": "x" * 400}, {"kind": "rate", "bytes_per_second": 1_000})
    service = await started(desk, wire, *tables, root=Late())
    got = await asked(service, wire, wait=0.3)
    assert (got.status, got.body) == (503, b"x" * 400)
    await until(lambda: tape.all("http.response"))
    assert (await asked(service, wire, wait=0.3)).status == 503
    assert not tape.all("failure")


# -- a quota's time


def test_the_time_of_a_quota_begins_with_its_first_request():
    clock, told = Clock(), []
    faults = Faults(clock, lambda conn, summary, detail, payload: told.append(summary))
    faults.configure([{"kind": "quota", "requests": 2, "per_seconds": 10.0}])
    passed: list[bytes] = []
    target: Any = SimpleNamespace(incoming=Lane(clock), outgoing=Lane(clock), protocol_name="tcp", thaw=print)
    courses = [faults.open(number, f"10.0.0.{number}", target) for number in (1, 2)]

    def ask(who: int, at: float) -> bool:
        clock.advance(at - clock.seconds())
        before = len(passed)
        piece = Piece(b"?", passed.append, whole=True)
        faults.strike(courses[who - 1], "received", "", piece, target.incoming)
        target.incoming.put(piece)
        return len(passed) > before

    assert [ask(1, 3), ask(1, 5), ask(1, 6), ask(2, 7), ask(1, 12.9), ask(1, 13), ask(1, 22), ask(1, 22.5)] == [
        True, True, False, True, False, True, True, False,
    ]  # fmt: skip
    assert told[0] == "quota: number 3 of 2 in 10 s, withheld"


@pytest_twisted.ensureDeferred
async def test_a_hit_says_on_which_stream_of_http2_it_was(desk: Desk, tape: Tape):
    for wire in WIRES:
        await asked(await started(desk, wire, {"kind": "status"}), wire)
    assert [e.detail.get("stream") for e in tape.all("fault.applied")] == [1 if w == HTTP2 else None for w in WIRES]
