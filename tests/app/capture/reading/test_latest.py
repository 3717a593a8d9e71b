"""What reached a service last."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from app import events
from app.capture.reading.latest import latest
from app.capture.reading.store import Store
from tests.app.capture.captures import SERVICES, event, make

NAME = SERVICES[0][0]


def request(target: str, **more: Any) -> list[Any]:
    detail = {"method": "GET", "target": target, "version": "HTTP/1.1", "fields": [], "body": 0, **more}
    return event(None, events.HTTP_REQUEST, 1, detail=detail, summary=f"GET {target}", service=1)


def message(payload: bytes, direction: str) -> list[Any]:
    detail = {"opcode": "text", "direction": direction}
    return event(payload, events.WS_MESSAGE, 1, detail=detail, service=1)


@pytest.mark.parametrize(
    ("protocol", "wanted"),
    [
        ("http", ["GET /2", "GET /1"]),
        ("websocket", ["hello"]),
        ("tcp", ["bytes"]),
        ("udp", []),
        ("ssh", []),
    ],
)
def test_only_what_was_received_the_newest_first(tmp_path: Path, protocol: str, wanted: list[str]) -> None:
    rows = [
        request("/1"), request("/out", outgoing=True), request("/2"),
        message(b"hello", "received"), message(b"answer", "sent"),
        event(b"bytes", events.DATA_RECEIVED, 1, service=1), event(b"sent", events.DATA_SENT, 1, service=1),
    ]  # fmt: skip
    with closing(Store(make(tmp_path / "a.lpost", *rows))) as store:
        assert [found.summary for found in latest(store, NAME, protocol, 10)] == wanted
        assert len(latest(store, NAME, protocol, 1)) == min(1, len(wanted))
        assert latest(store, "nobody", protocol, 10) == []
