"""app.events."""

import json
from dataclasses import FrozenInstanceError
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import events
from app.capture.recorder import Loss
from app.events import Event, rfc3339
from tests.declared import differences

KEYS = ["id", "time", "kind", "service", "conn", "peer", "host", "size", "summary", "payload", "detail"]


def an_event(**changes):
    fields = {
        "id": 7, "time": 1_700_000_000_000_000_001, "kind": events.DATA_RECEIVED, "service": "echo", "conn": 3,
        "peer": "127.0.0.1:5", "size": 2, "summary": "hi", "host": "127.0.0.1:9007", "payload": b"hi", "detail": {},
    }  # fmt: skip
    return Event(**fields | changes)


def test_codes_never_change():
    """They are stored in captures: this table only ever grows."""
    assert events.NAMES == {
        1: "service.started", 2: "service.stopped", 3: "service.failed", 4: "connection.opened", 5: "data.received",
        6: "data.sent", 7: "connection.closed", 8: "datagram.received", 9: "datagram.sent", 10: "http.request",
        11: "http.response", 12: "ws.opened", 13: "ws.message", 14: "ws.closed", 15: "tls.failed",
        16: "fault.applied", 17: "limit.reached", 18: "failure", 19: "log", 20: "tls.opened",
        21: "failure.resolved", 22: "note", 23: "events.lost", 24: "capture.paused", 25: "capture.resumed",
        36: "loop.blocked", 37: "program.growing",
        26: "watch.checked", 27: "watch.failed", 28: "watch.recovered", 29: "service.restarting",
        30: "upstream.failed", 31: "upstream.recovered", 32: "alert.raised", 33: "alert.resolved",
        34: "alert.sent", 35: "alert.unsent", 38: "reconnecting", 39: "control.asked",
        40: "outpost.connected", 41: "outpost.lost", 42: "outpost.gap",
    }  # fmt: skip


@pytest.mark.parametrize("kind", events.KINDS.values(), ids=lambda kind: kind.name)
def test_a_kind_is_declared_under_its_code_and_says_each_key_of_its_detail_once(kind):
    assert events.KINDS[kind.code] is kind
    assert kind.meaning
    assert not set(kind.always) & set(kind.sometimes)


def test_only_raw_kinds_carry_bytes_one_way_and_at_the_most_the_rule_that_sent_them():
    assert {events.NAMES[code] for code in events.RAW} == {
        "data.received", "data.sent", "datagram.received", "datagram.sent",
    }  # fmt: skip
    assert events.RAW <= events.INBOUND | events.OUTBOUND
    assert {code for code in events.RAW if events.KINDS[code].keys} == events.RAW & events.OUTBOUND
    assert all(events.KINDS[code].keys == {"rule"} for code in events.RAW & events.OUTBOUND)


@pytest.mark.parametrize(
    ("kind", "detail", "words"),
    [
        (events.NOTE, {"event": 7, "text": "x", "colour": ""}, []),
        (events.NOTE, {"event": 7, "text": "x"}, ["note lacks colour"]),
        (events.NOTE, {"event": True, "text": "x", "colour": ""},
         ["note has event = True, which is declared as int"]),
        (events.DATA_SENT, {"a": 1}, ["data.sent has a, which is not declared"]),
        (events.LOG, {"a": 1}, []),
        (events.FAILURE_RESOLVED, {"group": "g", "reopened": 1},
         ["failure.resolved has reopened = 1, which is declared as bool"]),
        (events.SERVICE_STARTED, {"host": None}, ["service.started has host = None, which is declared as str"]),
    ],
)  # fmt: skip
def test_the_check_of_all_tests_tells_what_differs(kind, detail, words):
    assert differences(events.KINDS[kind], detail) == words


def test_an_event_about_what_was_lost_is_as_declared():
    """The recorder adds it to a batch itself, past ``record``."""
    _, detail = Loss(3, 10**18, 10**18 + 1, "why").recorded()
    assert differences(events.KINDS[events.LOST], json.loads(detail)) == []


def test_json_has_the_documented_keys_in_their_order():
    assert list(an_event().as_json()) == KEYS


def test_json_holds_plain_values():
    assert json.loads(json.dumps(an_event().as_json())) == {
        "id": 7, "time": "2023-11-14T22:13:20.000000001Z", "kind": "data.received", "service": "echo", "conn": 3,
        "peer": "127.0.0.1:5", "host": "127.0.0.1:9007", "size": 2, "summary": "hi", "payload": "aGk=", "detail": {},
    }  # fmt: skip


def test_json_tells_an_empty_payload_from_none():
    assert an_event(payload=b"").as_json()["payload"] == ""
    assert an_event(payload=None).as_json()["payload"] is None


def test_json_shows_the_code_of_a_kind_from_the_future():
    assert an_event(kind=99).as_json()["kind"] == "99"


def test_an_event_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        an_event().size = 3


@given(st.integers(0, 253_402_300_799_999_999_999))
def test_times_keep_every_nanosecond(time):
    text = rfc3339(time)
    assert text[-11] == "."
    assert text.endswith("Z")
    seconds = int(datetime.fromisoformat(text[:-11] + "+00:00").timestamp())
    assert seconds * 10**9 + int(text[-10:-1]) == time
