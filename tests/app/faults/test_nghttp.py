"""Faults of HTTP/2 as nghttp and h2load, clients of another project, see them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted

from tests.app.faults.http_desk import started
from tests.app.faults.http_peers import HTTP2
from tests.app.services.helpers import Desk, Tape, address
from tests.app.services.tls_peers import program

pytestmark = pytest.mark.usefixtures("home")

_FRAME = re.compile(r"\[ *([\d.]+)\] (send|recv) (\w+) frame <length=(\d+), flags=0x(..), stream_id=(\d+)>")
_ERROR = re.compile(r"error_code=(\w+)")
_STATUS = re.compile(r"recv \(stream_id=(\d+)\) :status: (\d+)")


@dataclass
class Seen:
    """What nghttp saw of one stream.

    Attributes:
        status: 0: no head came.
        body: bytes.
        end: "open", "END", or an error by its name, "we: …" where nghttp itself had enough.
        at: seconds of the last frame that came.
    """

    status: int = 0
    body: int = 0
    end: str = "open"
    at: float = 0.0


async def nghttp(desk: Desk, service: Any, *paths: str, more: tuple[str, ...] = ()) -> tuple[list[Seen], str]:
    """One connection with a stream for each path, in the order of ``paths``; and all that nghttp wrote."""
    host, port = address(service)
    urls = [f"https://{host}:{port}{path}" for path in paths]
    out, err, _ = await program(desk, "nghttp", "-nvy", "--no-dep", "-t", "2", *more, *urls)
    asked = [int(found[6]) for found in _FRAME.finditer(out) if found[2] == "send" and found[3] == "HEADERS"]
    seen = {number: Seen() for number in dict.fromkeys(asked)}
    for number, status in _STATUS.findall(out):
        seen[int(number)].status = int(status)
    for found in _FRAME.finditer(out):
        at, way, kind, length, flags, stream = found.groups()
        if (one := seen.get(int(stream))) is None:
            continue
        if kind == "RST_STREAM":
            error = _ERROR.search(out, found.end())
            assert error
            one.end = ("we: " if way == "send" else "") + error[1]
            if way == "send":
                one.body = 0  # it may have come before nghttp had looked at the head
        elif way == "recv":
            one.at = float(at)
            one.body += int(length) * (kind == "DATA")
            if int(flags, 16) & 1 and kind in ("DATA", "HEADERS"):
                one.end = "END"
    return list(seen.values()), out + err


WAYS: dict[str, tuple[dict[str, Any], tuple[int, int, str]]] = {
    "/reset": ({"kind": "reset"}, (0, 0, "INTERNAL_ERROR")),
    "/close": ({"kind": "close"}, (0, 0, "CANCEL")),
    "/half-close": ({"kind": "half-close"}, (0, 0, "NO_ERROR")),
    "/hang": ({"kind": "hang"}, (0, 0, "open")),
    "/status": ({"kind": "status", "status": 418, "body": "tea"}, (418, 3, "END")),
    "/quota": ({"kind": "quota", "requests": 0}, (429, 35, "END")),
    "/delay": ({"kind": "delay", "ms": 300}, (200, 1000, "END")),
    "/cut": ({"kind": "cut", "bytes": 100}, (200, 100, "CANCEL")),
    "/cut-reset": ({"kind": "cut", "part": 0.5, "then": "reset"}, (200, 500, "INTERNAL_ERROR")),
    "/garbage": ({"kind": "garbage", "bytes": 300}, (200, 300, "CANCEL")),
    "/corrupt": ({"kind": "corrupt", "how": "byte"}, (200, 1000, "END")),
    "/longer": ({"kind": "malformed", "how": "content-length-longer"}, (200, 0, "we: PROTOCOL_ERROR")),
    "/shorter": ({"kind": "malformed", "how": "content-length-shorter"}, (200, 0, "we: PROTOCOL_ERROR")),
    "/two": ({"kind": "malformed", "how": "two-content-lengths"}, (200, 0, "we: PROTOCOL_ERROR")),
    "/encoding": ({"kind": "malformed", "how": "content-encoding"}, (200, 0, "we: INTERNAL_ERROR")),
    "/no-end": ({"kind": "malformed", "how": "last-chunk"}, (200, 1000, "open")),
    "/rst-stream": ({"kind": "h2", "how": "rst-stream", "code": 11}, (0, 0, "ENHANCE_YOUR_CALM")),
    "/refused": ({"kind": "h2", "how": "rst-stream", "code": 7}, (0, 0, "REFUSED_STREAM")),
}
"""By path, the fault and what nghttp sees of its stream: status, bytes of the body, end."""


@pytest_twisted.ensureDeferred
async def test_each_stream_fails_by_itself_on_one_connection(desk: Desk, tape: Tape):
    tables = [{**table, "path": path} for path, (table, _) in WAYS.items()]
    service = await started(desk, HTTP2, *tables)
    paths = ["/first", *WAYS, "/last"]
    seen, said = await nghttp(desk, service, *paths)
    got = {path: (one.status, one.body, one.end) for path, one in zip(paths, seen, strict=True)}
    assert got == {
        "/first": (200, 1000, "END"), **{path: right for path, (_, right) in WAYS.items()}, "/last": (200, 1000, "END"),
    }  # fmt: skip
    late, other = seen[paths.index("/delay")], seen[-1]
    assert late.at >= 0.3  # since nghttp began
    assert late.at > other.at
    assert "GOAWAY" not in said
    assert len(tape.all("connection.opened")) == 1
    hits = {e.detail["fault"]: e.detail["stream"] for e in tape.all("fault.applied")}
    assert len(set(hits.values())) == len(WAYS)


@pytest_twisted.ensureDeferred
async def test_goaway_leaves_streams_before_it(desk: Desk):
    service = await started(desk, HTTP2, {"kind": "h2", "path": "/away"}, {"kind": "delay", "ms": 200, "path": "/slow"})
    (slow, away), said = await nghttp(desk, service, "/slow", "/away")
    assert (slow.status, slow.body, slow.end) == (200, 1000, "END")
    assert (away.status, away.end) == (0, "open")
    assert "(last_stream_id=1, error_code=INTERNAL_ERROR(0x02)" in said


@pytest_twisted.ensureDeferred
async def test_windows_that_are_never_opened_stop_a_long_body(desk: Desk, tmp_path: Path):
    body = tmp_path / "body"
    body.write_bytes(bytes(100_000))
    service = await started(desk, HTTP2, {"kind": "h2", "how": "no-window", "on": "connect", "nth": 1})
    [first], said = await nghttp(desk, service, "/echo", more=("-d", str(body)))
    assert (first.status, first.end) == (0, "open")
    assert "recv WINDOW_UPDATE" not in said
    [second], _ = await nghttp(desk, service, "/echo", more=("-d", str(body)))
    assert (second.status, second.body, second.end) == (200, 100_000, "END")


@pytest_twisted.ensureDeferred
async def test_h2load_counts_as_many_failures_as_there_are_hits(desk: Desk, tape: Tape):
    service = await started(desk, HTTP2, {"kind": "reset", "every": 4}, {"kind": "status", "nth": 7})
    host, port = address(service)
    out, _, _ = await program(desk, "h2load", "-n", "80", "-c", "4", "-m", "10", f"https://{host}:{port}/")
    assert "80 total, 80 started, 80 done, 59 succeeded, 21 failed, 20 errored" in out  # those without an answer
    assert "status codes: 59 2xx, 0 3xx, 0 4xx, 1 5xx" in out
    assert len(tape.all("fault.applied")) == 21
    assert len(tape.all("connection.opened")) == 4  # the other streams have gone on
