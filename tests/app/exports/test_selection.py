"""app.exports.selection."""

from __future__ import annotations

import io
import json
import struct
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from app import events
from app.capture.reading.store import Store
from app.exports import formats
from app.exports.part import Part
from app.exports.selection import Selection
from tests.app.capture.captures import closed, event, make

PEER, SERVICE = "127.0.0.1:40000", "127.0.0.1:9007"


def opened(conn: int, peer: str, host: str, **more: Any) -> list[Any]:
    detail = {"peer": peer, "host": host, **more}
    return event(None, events.CONNECTION_OPENED, conn, summary="opened", detail=detail)


def twins(path: Path, typed: str = "") -> dict[int, int]:
    exporter = formats.find("pcapng")
    assert exporter is not None
    with closing(Store(path)) as store:
        return dict(Selection(store, exporter, Part.typed(typed))._chosen.twins)


@pytest.mark.parametrize(
    ("ours", "found"),
    [((SERVICE, PEER), {1: 2}), ((SERVICE, "127.0.0.1:40001"), {}), (("127.0.0.1:9008", PEER), {})],
)
def test_c22_the_end_that_was_connected_to_stays(tmp_path: Path, ours: tuple[str, str], found: dict[int, int]) -> None:
    rows = opened(1, *ours, outgoing=True), opened(2, PEER, SERVICE), event(b"x", conn=1), event(b"x", conn=2)
    assert twins(make(tmp_path / "1.lpost", *rows)) == found
    rows = opened(1, PEER, SERVICE), opened(2, *ours, outgoing=True), event(b"x", conn=1), event(b"x", conn=2)
    assert twins(make(tmp_path / "2.lpost", *rows)) == ({2: 1} if found else {})


def test_c22_of_datagrams_one_side_stays(tmp_path: Path) -> None:
    assert twins(make(tmp_path / "x.lpost", opened(1, SERVICE, PEER), opened(2, PEER, SERVICE))) == {1: 2}


def test_c22_a_port_that_is_used_again_is_another_connection(tmp_path: Path) -> None:
    first = [opened(1, PEER, SERVICE), closed(1)]
    later = [opened(2, SERVICE, PEER, outgoing=True)]
    for row in later:
        row[0] += 10**9
    assert twins(make(tmp_path / "x.lpost", *first, *later)) == {}


def test_c22_a_side_that_is_alone_in_the_export_stays(tmp_path: Path) -> None:
    rows = opened(1, SERVICE, PEER, outgoing=True), opened(2, PEER, SERVICE), event(b"x", conn=1), event(b"x", conn=2)
    path = make(tmp_path / "x.lpost", *rows)
    assert twins(path, "conn == 1") == {}
    assert twins(path, "conn > 0") == {1: 2}


def test_what_only_the_end_left_out_says_is_a_comment(tmp_path: Path) -> None:
    rows = (
        opened(1, SERVICE, PEER, outgoing=True), opened(2, PEER, SERVICE), event(b"x", conn=2),
        event(b"x", events.FAULT_APPLIED, 1, summary="cut short"),
    )  # fmt: skip
    exporter, out = formats.find("pcapng"), io.BytesIO()
    assert exporter is not None
    with closing(Store(make(tmp_path / "x.lpost", *rows))) as store:
        Selection(store, exporter).write(out)
    assert b"echo: fault.applied: cut short" in out.getvalue()


def test_an_exchange_that_was_answered_after_the_range_began_is_whole(tmp_path: Path) -> None:
    fields = [["Host", "x"]]
    asked = event(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", conn=1)
    note = {"method": "GET", "target": "/", "version": "HTTP/1.1", "fields": fields, "body": 0}
    rows = (
        opened(1, PEER, SERVICE), asked, event(None, events.HTTP_REQUEST, 1, detail=note, summary="GET /"),
        event(b"HTTP/1.1 502 Bad\r\nContent-Length: 2\r\n\r\nno", events.DATA_SENT, 1),
        event(None, events.HTTP_RESPONSE, 1, detail={"status": 502, "fields": [], "seconds": 0.1}, summary="502"),
    )  # fmt: skip
    exporter, out = formats.find("har"), io.BytesIO()
    assert exporter is not None
    with closing(Store(make(tmp_path / "x.lpost", *rows))) as store:
        assert Selection(store, exporter, Part.typed("http.status == 502")).write(out) == 1
    (entry,) = json.loads(out.getvalue())["log"]["entries"]
    assert (entry["request"]["url"], entry["response"]["content"]["text"]) == ("http://x/", "no")


@pytest.mark.parametrize(("format", "count"), [("pcapng", 8), ("har", 0), ("csv", 3), ("jsonl", 3)])
def test_it_says_how_many_packets_entries_or_lines_there_are(tmp_path: Path, format: str, count: int) -> None:
    exporter, out = formats.find(format), io.BytesIO()
    assert exporter is not None
    rows = opened(1, PEER, SERVICE), event(b"x", conn=1), closed(1)
    with closing(Store(make(tmp_path / "x.lpost", *rows))) as store:
        assert Selection(store, exporter).write(out) == count
    if format == "pcapng":
        data, at, packets = out.getvalue(), 0, 0
        while at < len(data):
            kind, length = struct.unpack_from("<II", data, at)
            packets, at = packets + (kind == 6), at + length
        assert packets == count
