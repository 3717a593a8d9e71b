"""Faults where HTTP has its own ways: quotas, HTTP/2, HEAD, 100 Continue, relays, mocks."""

from __future__ import annotations

from dataclasses import replace
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import ensureDeferred
from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.threads import deferToThread
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from app.faults import tables
from app.faults.lane import Lane, Piece
from app.faults.live import Faults
from app.services.http import faulted
from tests.app.faults.http_desk import BODY, Root, asked, expected, started, turns
from tests.app.faults.http_peers import HTTP1, HTTP2, HTTPS1, WIRES, Client2, Got, ask1, get
from tests.app.services.h2_peer import H2Peer
from tests.app.services.helpers import Desk, Peer, Tape, address
from tests.helpers import settled, until

pytestmark = pytest.mark.usefixtures("home")


# -- quota


@pytest.mark.parametrize("wire", WIRES)
@pytest_twisted.ensureDeferred
async def test_a_quota(desk: Desk, tape: Tape, wire: str):
    root = Root()
    service = await started(desk, wire, {"kind": "quota", "requests": 2}, root=root)
    statuses = [await asked(service, wire) for _ in range(4)]
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
        got = await deferToThread(ask1, address(service), HTTP1, get("/", "GET", f"X-Api-Key: {key}"))
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
            client.read(client.ask("/echo", "POST", bytes(16_000)))
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


@pytest_twisted.ensureDeferred
async def test_a_hit_says_on_which_stream_of_http2_it_was(desk: Desk, tape: Tape):
    for wire in WIRES:
        await asked(await started(desk, wire, {"kind": "status"}), wire)
    assert [e.detail.get("stream") for e in tape.all("fault.applied")] == [1 if w == HTTP2 else None for w in WIRES]


# -- the ways of HTTP


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize(
    ("table", "status", "end", "end2"),
    [
        ({"kind": "delay", "ms": 50}, 200, "open", "END"),
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
    service = await started(desk, HTTP1, {"kind": "delay", "ms": 50, "on": "received"})
    peer = Peer(service)
    peer.push(get("/echo", "POST", "Expect: 100-continue", "Content-Length: 2"))
    assert await peer.expect(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    peer.push(b"hi")
    assert (await peer.expect(b"hi")).count(b"HTTP/1.1 200") == 1


@pytest.mark.parametrize("wire", [wire for wire in WIRES if wire != HTTP2])  # whose client accepts no compression
@pytest_twisted.ensureDeferred
async def test_a_compressed_answer(desk: Desk, tape: Tape, wire: str):
    service = await started(desk, wire, {"kind": "cut", "bytes": 40}, options={"compression": True})
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
    "table", [{"kind": "delay", "on": "received", "ms": 100}, {"kind": "delay", "ms": 100}], ids=str
)
@pytest_twisted.ensureDeferred
async def test_a_relay_is_late(desk: Desk, wire: str, table: dict[str, Any]):
    service = await relayed(desk, wire, table)
    got = await asked(service, wire, "/echo", "POST", bytes(300_000 if wire != HTTP2 else 60_000))
    assert len(got.body) == (300_000 if wire != HTTP2 else 60_000)
    assert got.began >= 99


@pytest.mark.parametrize("wire", WIRES)
@pytest_twisted.ensureDeferred
async def test_a_relay_that_is_hung_up_on_asks_nobody(desk: Desk, wire: str):
    root = Root()
    service = await relayed(desk, wire, {"kind": "close", "on": "received"}, root=root)
    got = await asked(service, wire, "/echo", "POST", b"hi", ends=True)
    assert got.status == 0
    assert root.asked == []


RULES = [
    {"path": "/late", "delay": 0.05, "body": "late"},
    {"path": "/close", "drop": "close"},
    {"path": "/reset", "drop": "reset"},
    {"path": "/parts", "body": "0123456789", "chunks": 5, "pause": 0.02},
]


@pytest.mark.parametrize("wire", WIRES)
@pytest_twisted.ensureDeferred
async def test_the_delay_of_a_rule_adds(desk: Desk, tape: Tape, wire: str):
    tls = {} if wire == HTTP1 else {"tls": {}}
    faults = ({"kind": "delay", "ms": 50},)
    service = await desk.start("http", "mock", faults=faults, seed=7, options={"rules": RULES}, **tls)
    got = await asked(service, wire, "/late")
    assert got.body == b"late"
    assert got.began >= 99
    got = await asked(service, wire, "/parts")
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
    service = await desk.start("http", "relay", faults=({"kind": "delay", "ms": 100},), options=options, **tls)
    got = await asked(service, wire, ends=True)
    assert (got.status, got.body) == (200, BODY[:300])
    assert got.end == expected("RST", wire, "RST_STREAM 2")
    assert got.began >= 99
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
    """Writes the head of its answer at once, and the body when it is told to."""

    isLeaf = True
    request: Any = None

    def render(self, request: Any) -> Any:
        request.write(b"")
        self.request = request
        request.notifyFinish().addErrback(lambda _: None)
        return NOT_DONE_YET

    def end(self) -> None:
        self.request.write(b"late")
        self.request.finish()


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize(
    ("table", "first", "waits"),
    [
        ({"kind": "delay", "ms": 0}, 0.1, False),
        ({"kind": "delay", "ms": 0}, 30, True),
        ({"kind": "delay", "ms": 0, "on": "received"}, 30, False),
        ({"kind": "close", "enabled": False}, 30, False),
        ({"kind": "stall", "ms": 0}, 30, False),
    ],
    ids=str,
)
@pytest_twisted.ensureDeferred
async def test_a_head_waits_for_its_body_no_longer_than_it_must(
    desk: Desk, monkeypatch: Any, wire: str, table: dict[str, Any], first: float, waits: bool
):
    monkeypatch.setattr(faulted, "FIRST", first)
    root, began = Late(), Event()
    service = await started(desk, wire, table, root=root)
    asking = ensureDeferred(asked(service, wire, last=b"late", began=began))
    await until(lambda: root.request)
    if waits:
        await settled()
        await turns(0.03)
        assert not began.is_set()
    else:
        await until(began.is_set)
    root.end()
    got = await asking
    assert got.body == b"late"
    assert got.began >= 99 or first != 0.1


@pytest.mark.parametrize("wire", WIRES)
@pytest_twisted.ensureDeferred
async def test_an_answer_that_is_replaced_leaves_at_a_rate(desk: Desk, tape: Tape, wire: str):
    tables = ({"kind": "status", "body": "x" * 400}, {"kind": "rate", "bytes_per_second": 4_000})
    service = await started(desk, wire, *tables, root=Late())
    got = await asked(service, wire)
    assert (got.status, got.body) == (503, b"x" * 400)
    await until(lambda: tape.all("http.response"))
    assert (await asked(service, wire)).status == 503
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


# -- what a workspace may say


@pytest.mark.parametrize(
    ("table", "protocol", "tls", "wrong"),
    [
        ({"kind": "h2"}, "http", False, "needs TLS"),
        ({"kind": "h2"}, "http", True, ""),
        ({"kind": "h2", "how": "no-window"}, "http", True, 'must be "connect" for how = "no-window"'),
        ({"kind": "h2", "how": "no-window", "on": "connect"}, "http", True, ""),
        ({"kind": "h2", "on": "connect"}, "http", True, 'must be "sent" for how = "goaway"'),
        ({"kind": "quota", "by": "field"}, "http", False, "counts by a header"),
        ({"kind": "quota", "by": "field", "field": "X-Key"}, "http", False, ""),
        ({"kind": "quota", "by": "field"}, "tcp", False, "is for http"),
        ({"kind": "quota", "status": 403}, "websocket", False, "status"),
        ({"kind": "status"}, "tcp", False, "is not for tcp"),
        ({"kind": "status", "status": 100}, "http", False, "at least 200"),
        ({"kind": "malformed", "how": "all"}, "http", False, "is unknown"),
    ],
    ids=str,
)
def test_what_is_wrong_with_a_table(table: dict[str, Any], protocol: str, tls: bool, wrong: str):
    found = [f"{key} {text}" for _, key, text in tables.problems([table], protocol, tls=tls)]
    assert len(found) == bool(wrong), found
    assert not wrong or wrong in found[0]
