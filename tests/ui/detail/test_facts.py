"""The facts of an event."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta, timezone

import pytest

from app import events
from tests.ui.event_samples import PLAIN, TIME, event, failure
from ui.detail.facts import MAX_FACTS, Fact, facts, written_duration, written_size, written_time


def test_every_part_of_an_event_is_there_in_order() -> None:
    assert [(fact.name, fact.value) for fact in facts(event(), UTC)] == [
        ("number", "10417"),
        ("time", "2026-11-20 11:03:11.482 007 118  (UTC)"),
        ("kind", "data.received"),
        ("service", "sensor-hub"),
        ("connection", "#7"),
        ("peer", "127.0.0.1:51234"),
        ("host", "127.0.0.1:9007"),
        ("size", "10 bytes"),
        ("summary", "READ temp"),
    ]


def test_what_an_event_does_not_have_is_a_dash() -> None:
    bare = replace(event(events.LOG, None), conn=None, peer=None, host=None, service="", summary="")
    shown = {fact.name: fact.value for fact in facts(bare)}
    assert {shown[name] for name in ("service", "connection", "peer", "host", "size", "summary")} == {"–"}


def test_http_fields_keep_their_order_case_and_repetitions() -> None:
    detail = {"method": "GET", "fields": [["Host", "x"], ["X-A", "1"], ["x-a", "2"]], "body": 1, "version": None}
    assert facts(event(detail=detail))[:-10] == [
        Fact("method", "GET"),
        Fact("fields", None),
        Fact("Host", "x", 1),
        Fact("X-A", "1", 1),
        Fact("x-a", "2", 1),
        Fact("body", "1 byte"),
        Fact("version", "–"),
    ]


def test_what_tls_agreed_on_is_said_in_words() -> None:
    detail = {
        "version": "TLS 1.3", "cipher": "TLS_AES_256_GCM_SHA384", "bits": 256, "alpn": "h2", "sni": "post.test",
        "client": None, "resumed": False,
    }  # fmt: skip
    assert [(fact.name, fact.value) for fact in facts(event(events.TLS_OPENED, detail=detail))[:-10]] == [
        ("version", "TLS 1.3"),
        ("cipher", "TLS_AES_256_GCM_SHA384"),
        ("key bits", "256"),
        ("protocol (ALPN)", "h2"),
        ("server name asked for (SNI)", "post.test"),
        ("client", "–"),
        ("resumed", "no"),
    ]


def test_why_there_is_no_tls_is_said_in_words() -> None:
    detail = {"reason": "no cipher", "openssl": ["no shared cipher"], "offered": ["TLS 1.0", "TLS 1.1"], "sni": None}
    assert [(fact.name, fact.value) for fact in facts(event(events.TLS_FAILED, detail=detail))[:-10]] == [
        ("reason", "no cipher"),
        ("OpenSSL says", "no shared cipher"),
        ("offered", "TLS 1.0, TLS 1.1"),
        ("server name asked for (SNI)", "–"),
    ]


def test_nested_values_are_readable() -> None:
    detail = {"tls": {"version": "1.3", "names": ["a", "b"], "deep": {"x": 1}}, "their_code": 1000, "clean": True}
    assert facts(event(detail=detail | {"rows": [{"a": 1}, 2], "none": []}))[:-10] == [
        Fact("tls", None),
        Fact("version", "1.3", 1),
        Fact("names", "a, b", 1),
        Fact("deep", None, 1),
        Fact("x", "1", 2),
        Fact("their code", "1000"),
        Fact("clean", "yes"),
        Fact("rows", None),
        Fact("1", None, 1),
        Fact("a", "1", 2),
        Fact("2", "2", 1),
        Fact("none", "–"),
    ]


def test_endless_nesting_ends() -> None:
    detail: dict[str, object] = {}
    for _ in range(100):
        detail = {"a": detail, "b": 1}
    assert len(facts(event(detail=detail))) < 40


def test_control_characters_of_a_peer_become_escapes() -> None:
    detail = {"fields": [["X\x00", "a\r\n\u202eb\x85"]]}
    assert facts(event(detail=detail))[1] == Fact("X\\0", "a\\r\\n\\xe2\\x80\\xaeb\\xc2\\x85", 1)


def test_a_failure_leaves_its_frames_to_the_traceback() -> None:
    assert [fact.name for fact in facts(failure(PLAIN))[:-10]] == ["type", "message", "notes"]


def test_too_much_is_cut_with_a_word_about_it() -> None:
    many = facts(event(detail={"fields": [[f"X-{i}", "v"] for i in range(20_000)]}))
    assert many[MAX_FACTS].value == f"and {20_001 - MAX_FACTS:,} more"
    assert [fact.name for fact in many[MAX_FACTS + 1 :]][:3] == ["event", "number", "time"]
    long = facts(event(detail={"fields": [["X", "v" * 10_000]]}))[1].value
    assert long is not None
    assert long.endswith("v… (10,000 characters)")


def test_times_are_local_to_the_nanosecond() -> None:
    for minutes, offset in ((60, "+01:00"), (-150, "-02:30")):
        assert written_time(TIME, timezone(timedelta(minutes=minutes))).endswith(f".482 007 118  (UTC{offset})")


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 bytes"), (1, "1 byte"), (1480, "1,480 bytes"), (10_485_760, "10,485,760 bytes (10.5 MB)")],
)
def test_sizes_are_exact_and_large_ones_also_round(size: int, words: str) -> None:
    assert written_size(size) == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.00084, "0.8 ms"), (4.2, "4.20 s"), (125, "2 min 05 s"), (7260, "2 h 01 min")]
)
def test_durations_have_a_unit_that_fits(seconds: float, words: str) -> None:
    assert written_duration(seconds) == words
