"""Requests and answers of HTTP that faults hold back, and who waits for them."""

from __future__ import annotations

from dataclasses import replace
from time import monotonic
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import ensureDeferred
from twisted.internet.threads import deferToThread
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from tests.app.faults.http_desk import BODY, Root, asked, expected, started
from tests.app.faults.http_peers import HTTP1, HTTP2, HTTPS1, WIRES, Client2, Got, ask1, get
from tests.app.services.helpers import Desk, Peer, Tape, address
from tests.helpers import settled, until

pytestmark = pytest.mark.usefixtures("home")


# -- delays and holding


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("on", ["sent", "received"])
@pytest.mark.parametrize("path", ["/", "/chunks", "/nothing"])
@pytest_twisted.ensureDeferred
async def test_a_delayed_answer_comes_whole(desk: Desk, tape: Tape, wire: str, on: str, path: str):
    root = Root()
    service = await started(desk, wire, {"kind": "delay", "on": on, "ms": 100}, root=root)
    got = await asked(service, wire, path)
    assert 99 <= got.began < 700
    assert got.ended - got.began < 250
    assert (got.body, got.end) == (b"" if path == "/nothing" else BODY, expected("open", wire, "END"))
    assert root.asked == [path.encode()]
    [answer] = tape.all("http.response")
    assert answer.detail["seconds"] >= 0.099


@pytest.mark.parametrize("wire", [HTTP1, HTTPS1])
@pytest_twisted.ensureDeferred
async def test_pipelined_answers_keep_their_order(desk: Desk, wire: str):
    service = await started(desk, wire, {"kind": "delay", "ms": 80, "path": "/echo"})
    requests = [get("/echo", "POST", body=b"first"), get("/nothing"), get("/echo", "POST", body=b"third")]
    got = await deferToThread(ask1, address(service), wire, *requests)
    assert got.began >= 79
    assert got.ended >= 159
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
    asking = ensureDeferred(asked(service, wire, "/chunks"))
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
    service = await started(desk, wire, {"kind": "close", "after_ms": 100})
    got = await asked(service, wire, ends=True)
    assert (got.status, got.end) == (0, expected("FIN", wire, "RST_STREAM 8"))
    assert 99 <= got.ended < 500


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
    asking = ensureDeferred(asked(service, wire, hangs=True, ends=wire != HTTP2))
    await until(lambda: tape.all("fault.applied"))
    await service.stop()
    got = await asking
    assert (got.status, got.end) == (0, expected("FIN", wire, "open"))
    assert not tape.all("http.response", "failure")
    assert not service.faults._courses


@pytest_twisted.ensureDeferred
async def test_the_client_leaves_while_its_answer_is_held(desk: Desk, tape: Tape):
    service = await started(desk, HTTP1, {"kind": "delay", "ms": 60_000.0})
    await asked(service, HTTP1, hangs=True)
    await until(lambda: tape.all("connection.closed"))
    assert not tape.all("http.response", "failure")
    assert not service.faults._courses


# -- answers that are produced


class Producing(Resource):
    """Answers with as much as its client takes, by a producer of either sort."""

    isLeaf = True

    def __init__(self, streaming: bool, size: int = 2 << 20) -> None:
        super().__init__()
        self.streaming, self.size = streaming, size
        self.written = 0
        self.times: list[float] = []  # of each 64 KiB
        self.most = 0  # in the lane
        self.told = False  # that the request has ended

    def render(self, request: Any) -> Any:
        self.request = request
        request.setHeader(b"Content-Length", b"%d" % self.size)
        self.paused = False
        request.registerProducer(self, self.streaming)
        request.notifyFinish().addBoth(self._on_end)
        if self.streaming:
            self.resumeProducing()
        return NOT_DONE_YET

    def _on_end(self, _: object) -> None:
        self.told = True

    def _write(self) -> None:
        self.request.write(bytes(64 << 10))
        self.written += 64 << 10
        self.times.append(monotonic())
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
    service = await started(desk, wire, {"kind": "delay", "ms": 200}, root=root)
    got = await asked(service, wire)
    assert len(got.body) == root.size
    assert got.began >= 199
    held = sum(time < root.times[0] + 0.199 for time in root.times) * (64 << 10)
    assert held <= 512 << 10
    assert root.most <= 512 << 10


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("streaming", [True, False], ids=["push", "pull"])
@pytest.mark.parametrize("kind", ["hang", "half-close", "cut", "status"])
@pytest_twisted.ensureDeferred
async def test_a_producer_of_what_nobody_gets_stops(desk: Desk, wire: str, streaming: bool, kind: str):
    root = Producing(streaming)
    service = await started(desk, wire, {"kind": kind}, root=root)
    await asked(service, wire, hangs=True)
    assert root.written <= 1 << 20
    if kind == "hang":
        service.faults.switch(service.faults.all[0], on=False)
        await until(lambda: root.told)
        assert root.written <= 1 << 20


@pytest.mark.parametrize("wire", WIRES)
@pytest_twisted.ensureDeferred
async def test_a_produced_answer_is_cut_exactly(desk: Desk, tape: Tape, wire: str):
    root = Producing(streaming=True, size=8 << 20)
    service = await started(desk, wire, {"kind": "cut", "part": 0.1, "then": "reset"}, root=root)
    got = await asked(service, wire, ends=True)
    assert len(got.body) == round(root.size / 10)
    assert got.end == expected("RST", wire, "RST_STREAM 2")
    [answer] = tape.all("http.response")
    assert answer.detail["body"] == round(root.size / 10)
    assert answer.detail["cut"] == "cut by a fault after 838,861 bytes"
    assert root.paused or root.written == root.size


# -- bytes of the connection


@pytest.mark.parametrize("wire", WIRES)
@pytest_twisted.ensureDeferred
async def test_kinds_for_bytes_act_on_the_connection(desk: Desk, wire: str):
    tables = ({"kind": "rate", "bytes_per_second": 8_000}, {"kind": "slice", "bytes": 100, "pause_ms": 0})
    service = await started(desk, wire, *tables, {"kind": "stall", "ms": 100, "first": 1, "on": "received"})
    got = await asked(service, wire, "/echo", "POST", bytes(2_000))
    assert len(got.body) == 2_000
    assert got.began >= (0 if wire == HTTP2 else 99)  # settings come before the answer
    assert 250 <= got.ended <= 2_000


@pytest.mark.parametrize("wire", [HTTP1, HTTPS1])
@pytest_twisted.ensureDeferred
async def test_an_answer_is_told_of_when_its_last_byte_has_left(desk: Desk, tape: Tape, wire: str):
    service = await started(desk, wire, {"kind": "rate", "bytes_per_second": 5_000})
    got = await asked(service, wire)
    assert len(got.body) == 1000
    [answer] = tape.all("http.response")
    assert answer.detail["seconds"] >= 0.16


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
        client.read()
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
        await settled()
        assert b"ho" not in peer.pull().got
        assert len(tape.all("http.response")) == 1
    else:
        await peer.end()
        assert peer.ended == {"reset": "reset", "close": "closed"}[kind]
