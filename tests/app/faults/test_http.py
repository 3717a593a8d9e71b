"""Faults on HTTP/1, with and without TLS, and on HTTP/2: what clients see, and what the capture tells."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.threads import deferToThread
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from app.services.surroundings import Surroundings
from tests.app.faults.http_peers import HTTP1, HTTP2, HTTPS1, WIRES, Client2, Got, ask, ask1, get
from tests.app.services.helpers import Desk, Tape, address
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


async def started(desk: Desk, wire: str, *tables: dict[str, Any], root: Any = None, **more: Any) -> Any:
    root = root or Root()
    tls = {} if wire == HTTP1 else {"tls": {}}
    return await desk.start("http", "inspector", lambda: root, faults=tables, seed=7, **tls, **more)


async def asked(service: Any, wire: str, path: str = "/", method: str = "GET", body: bytes = b"", wait: float = 0.4) -> Got:
    return await deferToThread(ask, address(service), wire, path, method, body, wait)


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
    got = await asked(service, wire, case.path)
    assert (got.status, got.body, got.end) == (status, body, expected(case.end, wire, case.end2))
    answers = tape.all("http.response")
    if recorded is None:
        assert answers == []
    else:
        [answer] = answers
        assert (answer.detail["status"], answer.detail["body"], answer.detail.get("cut", "")) == recorded
    hits = 0 if of_http2_alone and wire != HTTP2 else 1
    assert len(tape.all("fault.applied")) == hits
    assert not tape.all("failure")
