"""Every kind of fault on every protocol, side, and with TLS: on TCP by socat; that the other tables leave none out."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import Clock

from app import faults
from app.services.tls import transport
from tests.app.faults import test_connecting, test_datagrams, test_http, test_http_ways, test_tls, test_websocket
from tests.app.faults.course import Stage
from tests.app.services.helpers import Desk, Tape, address
from tests.app.services.tls_peers import program
from tests.helpers import until

HELLO = b"hello world"

PATIENT, SHORT = "20", "0.5"
"""Seconds that socat waits for an answer: where one comes, and where none does."""

Seen = tuple[bytes, bool]
"""What socat got, and whether it speaks of a reset."""


def whole(seen: Seen) -> bool:
    return seen == (HELLO, False)


def nothing(seen: Seen) -> bool:
    return seen == (b"", False)


def reset(seen: Seen) -> bool:
    return seen == (b"", True)


def wrong(seen: Seen) -> bool:
    return len(seen[0]) == len(HELLO) and seen[0] != HELLO


TCP: dict[str, tuple[dict[str, Any], Callable[[Seen], bool]]] = {
    "close": ({}, nothing),
    "connect-delay": ({"ms": 100.0}, whole),
    "corrupt": ({"how": "zero"}, wrong),
    "cut": ({"bytes": 5}, lambda seen: seen == (HELLO[:5], False)),
    "delay": ({"ms": 100.0}, whole),
    "freeze": ({}, nothing),
    "garbage": ({"bytes": len(HELLO)}, wrong),
    "half-close": ({}, nothing),
    "hang": ({}, nothing),
    "quota": ({"requests": 0}, nothing),
    "rate": ({"bytes_per_second": 100.0}, whole),
    "refuse": ({"how": "reset"}, reset),
    "reset": ({}, reset),
    "slice": ({"bytes": 1, "pause_ms": 1.0}, whole),
    "slow-close": ({"after_ms": 100.0}, whole),
    "stall": ({"ms": 100.0}, whole),
}
"""By kind, what socat gets of an echo, whichever side is hit."""


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
@pytest_twisted.ensureDeferred
async def test_what_socat_sees_on_tcp(
    desk: Desk, home: None, tape: Tape, secure: bool, monkeypatch: pytest.MonkeyPatch
):
    """All at once."""
    monkeypatch.setattr(transport, "CLOSING_SECONDS", 0.5)  # socat answers no close_notify
    tried, clients = [], []
    # With TLS, socat would wait for ever for one that says nothing: ``test_leaving`` has that.
    left_out = {"hang", "freeze"} if secure else set[str]()
    for name, (table, right) in TCP.items():
        if name in left_out:
            continue
        kind = faults.find(name)
        assert kind is not None
        for side in kind.sides:
            more: dict[str, Any] = {"tls": {}} if secure else {}
            service = await desk.start(faults=({"kind": name, "on": side, **table},), seed=7, **more)
            host, port = address(service)
            to = f"OPENSSL:{host}:{port},verify=0" if secure else f"TCP:{host}:{port}"
            wait = SHORT if right is nothing else PATIENT
            tried.append((name, side, right))
            clients.append(Deferred.fromCoroutine(program(desk, "socat", "-d", "-t", wait, "-", to, stdin=HELLO)))
    seen = await gatherResults(clients)
    for (name, side, right), (out, err, _) in zip(tried, seen, strict=True):
        got = out.encode("utf-8", "surrogateescape") if name != "garbage" else out.encode()
        if name == "garbage":
            assert out != HELLO.decode(), name  # of noise, no more than that can be said of text
            continue
        ended = "reset" in err.lower() or "unexpected eof" in err.lower()
        assert right((got, ended and right is reset)), (name, side, out, err)
        assert ended or right is not reset, (name, side, err)
    await until(lambda: {e.detail["kind"] for e in tape.all("fault.applied")} == set(TCP) - left_out)
    for service in desk.services:
        await service.stop(0.05)  # some are still held


def on_tcp() -> set[tuple[str, str]]:
    return {(name, side) for name in TCP if (kind := faults.find(name)) for side in kind.sides}


def in_tables(*found: dict[str, Any]) -> set[tuple[str, str]]:
    return {(table["kind"], table.get("on", "")) for table in found}


ELSEWHERE: dict[str, dict[str, Any]] = {
    "tcp": {"tls": test_tls.test_openssl_finds_what_is_wrong_with_the_certificate},
    "udp": {"refuse": test_datagrams.test_a_closed_port_is_unreachable_and_comes_back},
    "websocket": {
        "connect-delay": test_connecting.test_a_connection_is_handled_late,
        "refuse": test_connecting.test_a_connection_is_reset_at_once,
        "quota": test_http_ways.test_messages_beyond_a_quota_are_withheld,
        "tls": test_tls.test_a_websocket_client_finds_it_too,
    },
    "http": {
        "connect-delay": test_connecting.test_a_connection_is_handled_late,
        "refuse": test_connecting.test_a_connection_is_reset_at_once,
        "tls": test_tls.test_curl_finds_it_too,
        "malformed": test_http.test_what_curl_says,
        "delay": "test_http_held.test_a_delayed_answer_comes_whole",
        "slow-close": "test_http_held.test_a_slow_close",
        "rate": "test_http_held.test_kinds_for_bytes_act_on_the_connection",
        "slice": "test_http_held.test_kinds_for_bytes_act_on_the_connection",
        "stall": "test_http_held.test_kinds_for_bytes_act_on_the_connection",
        "freeze": "test_http_held.test_freeze_on_http2_freezes_the_connection",
        "garbage": "test_nghttp.test_each_stream_fails_by_itself_on_one_connection",
    },
}
"""Kinds that a test of their own is for, by protocol."""

TABLES = {
    "tcp": {name for name, _ in on_tcp()},
    "udp": {table["kind"] for table, _ in test_datagrams.SEEN},
    "websocket": {table["kind"] for table, _ in test_websocket.SEEN},
    "http": {case.table["kind"] for case in test_http.CASES.values()},
}


@pytest.mark.parametrize("protocol", TABLES)
def test_no_kind_is_left_out(protocol: str):
    wanted = {kind.name for kind in faults.fitting(protocol) if kind.name in faults.built_in()}
    assert TABLES[protocol] | set(ELSEWHERE[protocol]) == wanted


@pytest.mark.parametrize("on", ["sent", "received"])
@pytest.mark.parametrize("milliseconds", [5.0, 200.0, 1_500.0])
def test_delays_are_within_10_ms_of_what_was_asked_for(on: str, milliseconds: float):
    clock = Clock()
    stage = Stage(clock, {"kind": "delay", "on": on, "ms": milliseconds})
    course, sent = stage.open(), []
    came: list[float] = []
    target: Any = course.target
    target.got[on] = type("Times", (), {"append": lambda self, data: came.append(clock.seconds())})()
    for number in range(200):
        sent.append(clock.seconds())
        stage.message(course, b"message", on)
        clock.pump([0.001] * (1 + number % 7))
    clock.pump([0.001] * round(milliseconds + 10))
    late = [1_000 * (after - before) for before, after in zip(sent, came, strict=True)]
    assert median(late) == pytest.approx(milliseconds, abs=10)
    assert min(late) >= milliseconds - 0.001
    assert not clock.getDelayedCalls()


@pytest.mark.parametrize("steps", [[0.001], [0.05], [0.001, 0.09, 0.013]], ids=str)
def test_a_rate_is_within_5_percent_over_10_s_however_often_the_clock_is_looked_at(steps: list[float]):
    clock = Clock()
    stage = Stage(clock, {"kind": "rate", "bytes_per_second": 40_000.0})
    course = stage.open()
    for _ in range(500):
        stage.message(course, bytes(1_000))
    while clock.seconds() < 10:
        clock.pump(steps)
    passed = sum(map(len, course.target.got["sent"]))  # type: ignore[attr-defined]
    assert passed == pytest.approx(40_000 * clock.seconds(), rel=0.05)
    stage.close(course)
