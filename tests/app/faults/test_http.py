"""Faults on HTTP/1, with and without TLS, and on HTTP/2: what clients see, and what the capture tells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.utils import getProcessOutputAndValue

from tests.app.faults.http_desk import BODY, asked, expected, started
from tests.app.faults.http_peers import HTTP1, HTTP2, WIRES
from tests.app.services.helpers import Desk, Tape, address, until

pytestmark = pytest.mark.usefixtures("home")


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


@pytest.mark.parametrize(
    ("name", "wire"),
    [
        (name, wire)
        for name, case in CASES.items()
        for wire in WIRES
        if wire != HTTP1 or case.table["kind"] != "h2"  # which needs TLS
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_a_client_sees(desk: Desk, tape: Tape, name: str, wire: str):
    case = CASES[name]
    status, body, recorded = case.status, case.body, case.recorded
    of_http2_alone = case.table["kind"] == "h2"
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
    # What is cut in a later part has an event more, with that part.
    assert len({e.detail["message"] for e in tape.all("fault.applied")}) == hits
    assert not tape.all("failure")


@pytest.mark.parametrize("wire", WIRES)
@pytest_twisted.ensureDeferred
async def test_the_hit_of_a_cut_has_the_body_that_was_to_be_sent(desk: Desk, tape: Tape, wire: str):
    service = await started(desk, wire, {"kind": "cut", "part": 0.5})
    await asked(service, wire)
    [hit] = tape.all("fault.applied")
    assert hit.payload == BODY


@pytest_twisted.ensureDeferred
async def test_the_total_of_a_connection_is_in_messages_and_in_bytes_where_there_are_any(desk: Desk, tape: Tape):
    late = [{"kind": "delay", "name": on, "on": on, "ms": 1.0} for on in ("received", "sent")]
    service = await started(desk, HTTP1, *late)
    await asked(service, HTTP1)
    await until(lambda: len(tape.all("fault.applied")) == 4)
    totals = {hit.summary for hit in tape.all("fault.applied") if "total" in hit.detail}
    assert totals == {"received: 1 message", "sent: 1 message, 1,000 bytes in all"}


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


# -- curl

TIMED_OUT = 28
"""What curl says when what was promised has not come in its time."""


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
        ({"kind": "malformed", "how": "content-length-longer"}, {"--http1.1": TIMED_OUT, "--http2": 92}, None),
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
    code = code if isinstance(code, int) else code[version]
    seconds = "0.3" if code == TIMED_OUT else "20"
    command = [version, "--compressed", "-m", seconds, "-sko", "/dev/null", "-w", "%{size_download} %{http_code}"]
    said, _, got = await getProcessOutputAndValue(
        "/usr/bin/curl", [*command, f"https://{host}:{port}/"], reactor=desk.reactor
    )
    assert got == code
    if out is not None:
        assert said == out
