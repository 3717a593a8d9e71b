"""What a capture knows of the traffic of checks."""

from __future__ import annotations

import sqlite3

import pytest

from app import events
from app.capture.filters.language import parse
from app.capture.filters.sql import CONNECTIONS_WITHOUT_CHECKS, WITHOUT_CHECKS
from app.capture.reading import conversations
from app.capture.reading.store import Store
from tests.app.capture.captures import event, make


@pytest.fixture
def capture(tmp_path):
    path = tmp_path / "a.lpost"
    opened = {"peer": "127.0.0.1:1", "host": "127.0.0.1:2"}
    check = {"watch": "me", "target": "x", "ok": False, "milliseconds": 12.5, "reason": "gone"}
    return make(
        path,
        event(None, events.CONNECTION_OPENED, 1, detail=opened),
        event(None, events.CONNECTION_OPENED, 2, detail=opened | {"watch": "me"}),
        event(b"hello", conn=1),
        event(b"PING", conn=2),
        event(None, events.WATCH_CHECKED, 2, detail=check),
        event(None, events.WATCH_CHECKED, detail=check),
        event(None, events.WATCH_FAILED, 2, detail={"watch": "me", "target": "x", "reason": "gone", "checks": 3}),
        event(None, events.LOG, summary="hi"),
    )


def found(path, where):
    store = Store(path)
    try:
        return [event.id for event in store.events(where, *store.range())]
    finally:
        store.close()


@pytest.mark.parametrize(
    ("typed", "ids"),
    [
        ('watch.name == "me"', [5, 6, 7]),
        ("watch.ok == 0", [5, 6]),
        ("watch.milliseconds > 12", [5, 6]),
        ('reason == "gone"', [5, 6, 7]),
        ('watch.traffic == "me"', [2, 4, 5, 7]),
        ("watch.traffic exists", [2, 4, 5, 7]),
        ("not watch.traffic exists", [1, 3, 6, 8]),
    ],
)
def test_filters(typed, ids, capture):
    assert found(capture, parse(typed)) == ids


def test_what_is_left_without_checks(capture):
    assert found(capture, WITHOUT_CHECKS) == [1, 3, 7, 8]
    store = Store(capture)
    assert list(conversations.ids(store, CONNECTIONS_WITHOUT_CHECKS)) == [1]
    store.close()


def test_a_capture_of_an_earlier_build_has_none(capture):
    with sqlite3.connect(capture) as db:
        db.execute("ALTER TABLE connection DROP COLUMN watch")
    assert found(capture, parse("watch.traffic exists")) == []
