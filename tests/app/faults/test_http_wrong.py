"""Answers and requests of HTTP that are wrong: malformed, corrupt, noise."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import pytest_twisted

from app.services.http import faulted
from tests.app.faults.http_desk import BODY, asked, expected, started
from tests.app.faults.http_peers import HTTP1, HTTP2, HTTPS1, WIRES
from tests.app.services.helpers import Desk, Tape

pytestmark = pytest.mark.usefixtures("home")


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
    got = await asked(service, wire)
    assert (got.interims, got.status, got.body) == (1000, 200, BODY)


@pytest.mark.parametrize("wire", [HTTP1, HTTPS1])
@pytest_twisted.ensureDeferred
async def test_a_head_that_comes_byte_by_byte(desk: Desk, tape: Tape, wire: str, monkeypatch: pytest.MonkeyPatch):
    assert faulted.PACE == 0.02
    monkeypatch.setattr(faulted, "PACE", 0.003)
    service = await started(desk, wire, {"kind": "malformed", "how": "slow-head"})
    got = await asked(service, wire, "/echo", "POST", b"hi")
    writes = [event.payload for event in tape.all("data.sent")]
    assert len(writes) > 100
    assert {len(data or b"") for data in writes[:-1]} == {1}
    assert writes[-1] == b"hi"
    assert got.ended >= 3 * (len(writes) - 2)
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
