"""The writers of exports: pcapng and HAR are what they say, whatever events a capture has."""

from __future__ import annotations

import csv
import io
import json
import struct
import sys
from random import Random
from typing import Any

from app import events
from app.events import Event
from app.exports import formats
from tests.fuzz.engine import Target

BASE = 1_795_000_000_000_000_000
_ENDS = ["127.0.0.1:5", "[::1]:80", "10.0.0.1:99999", "x", "", ":", "[fe80::1%eth0]:5", "1.2.3.4", "\u202e:1"]


def _events(data: bytes, random: Random) -> list[Event]:
    """Events of some connections: bytes of ``data``, and events about them with details as they may be or not."""
    found, at, now = [], 0, BASE
    text = data.decode("utf-8", "surrogateescape")
    for id in range(1, random.randint(2, 40)):
        now += random.choice((0, 1, 10**6, 10**12, -(10**9)))
        kind = random.choice(
            (
                *events.NAMES,
                *[events.DATA_RECEIVED, events.DATA_SENT] * 8,
                events.HTTP_REQUEST,
                events.HTTP_RESPONSE,
                99,
            )
        )
        size = random.choice((0, 1, 100, 5000, 70_000))
        payload = data[at : at + size] if kind in events.RAW or random.random() < 0.3 else None
        at = (at + size) % max(1, len(data))
        conn = random.choice((None, 1, 1, 2, 3, 2**62))
        peer, host = (random.choice(_ENDS) for _ in range(2))
        found.append(
            Event(
                id, now, kind, random.choice(("a", "b", text[:40], "")), conn, peer if conn else None,
                random.choice((None, size, -1, 2**62)), text[:60], host, payload, _detail(kind, text, random),
            )
        )  # fmt: skip
    return found


def _detail(kind: int, text: str, random: Random) -> dict[str, Any]:
    """A detail with some of the keys that are declared, and values of their types, as a reader gives it."""
    declared = events.KINDS.get(events.Kind(kind))
    detail: dict[str, Any] = {}
    for key, type in ({**declared.always, **declared.sometimes} if declared else {}).items():
        if random.random() < 0.8:
            detail[key] = _value(key, str(type), text, random)
    return detail


def _value(key: str, type: str, text: str, random: Random) -> Any:
    if key == "fields":
        names = (
            "Host",
            "Content-Type",
            "Content-Encoding",
            "Cookie",
            "Set-Cookie",
            "Location",
            "Transfer-Encoding",
            text[:10],
        )
        return [
            [
                random.choice(names),
                random.choice((text[:30], "gzip", "chunked", "a=b; Path=/; Expires=x", "text/html; charset=x", "")),
            ]
            for _ in range(5)
        ]
    if "None" in type and random.random() < 0.3:
        return None
    if "list" in type:
        return [text[:5]]
    if "dict" in type:
        return {text[:5]: 1}
    if "bool" in type:
        return random.random() < 0.5
    if "int" in type:
        return random.choice((0, 1, 200, 404, -1, 999, 2**62))
    if "float" in type:
        return random.choice((0.0, 1.5, -1.0, 1e300))
    return random.choice(
        (text[:50], "GET", "/", "HTTP/1.1", "HTTP/2", "text", "received", "http://[", "*", "", "reset by the peer")
    )


def _written(name: str, found: list[Event]) -> bytes:
    exporter, out = formats.find(name), io.BytesIO()
    assert exporter is not None
    exporter.write(iter(found), out, formats.ALL)
    return out.getvalue()


def check_pcapng(data: bytes, random: Random) -> None:
    """Blocks that follow each other without a gap, with packets of the interfaces that were declared."""
    written, at, interfaces = _written("pcapng", _events(data, random)), 0, 0
    while at < len(written):
        kind, length = struct.unpack_from("<II", written, at)
        assert length % 4 == 0
        assert written[at + length - 4 : at + length] == struct.pack("<I", length)
        body = written[at + 8 : at + length - 4]
        interfaces += kind == 1
        if kind == 6:
            number, _, _, captured, original = struct.unpack_from("<IIIII", body)
            assert number < interfaces
            assert captured == original <= 40 + 65_535
            packet = body[20 : 20 + captured]
            assert packet[0] >> 4 in (4, 6)
            said = (
                struct.unpack_from("!H", packet, 2)[0]
                if packet[0] >> 4 == 4
                else struct.unpack_from("!H", packet, 4)[0] + 40
            )
            assert said == captured
        at += length
    assert at == len(written)


def check_har(data: bytes, random: Random) -> None:
    """JSON without numbers that it has not, of the shape that HAR 1.2 demands."""
    log = json.loads(_written("har", _events(data, random)), parse_constant=_refuse)["log"]
    assert log["version"] == "1.2"
    for entry in log["entries"]:
        assert entry["time"] >= 0
        assert isinstance(entry["request"]["url"], str)
        assert isinstance(entry["response"]["status"], int)
        assert all(isinstance(pair[key], str) for pair in entry["request"]["headers"] for key in ("name", "value"))
        assert all(value >= -1 for value in entry["timings"].values() if isinstance(value, int | float))


def check_lines(data: bytes, random: Random) -> None:
    """One JSON object a line, and a table with as many columns in each row."""
    found = _events(data, random)
    lines = _written("jsonl", found).decode("utf-8").split("\n")
    assert [json.loads(line, parse_constant=_refuse)["id"] for line in lines[:-1]] == [event.id for event in found]
    csv.field_size_limit(sys.maxsize)
    rows = list(csv.reader(io.StringIO(_written("csv", found).decode("utf-8"), newline="")))
    assert {len(row) for row in rows} == {10}


def _refuse(name: str) -> Any:
    raise AssertionError(f"{name} is not JSON")


SEEDS = [
    b"GET /a HTTP/1.1\r\nHost: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", bytes(range(256)),
    "ü‮".encode() * 20, b"\x81\x05hello\x88\x02\x03\xe8",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nHTTP/1.1 204 No\r\n\r\n" * 3,
    b"x" * 60_000,
]  # fmt: skip

TARGETS = [
    Target("pcapng", SEEDS, check_pcapng),
    Target("har", SEEDS, check_har),
    Target("json lines and csv", SEEDS, check_lines),
]
