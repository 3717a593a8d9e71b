"""app.capture.filters.language: the language, on a capture of one event of each sort."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app import events
from app.capture import schema
from app.capture.filters import errors
from app.capture.filters.fields import FIELDS
from app.capture.filters.language import EVERYTHING, MAX_DEPTH, parse
from app.capture.filters.values import add_functions

NOON = int(datetime(2026, 11, 20, 12, 0).astimezone().timestamp()) * 10**9
MINUTE = 60 * 10**9

EVENTS: list[tuple[int, int, int | None, int | None, bytes | None, str | None, dict[str, Any] | None]] = [
    # id, kind, service, conn, payload, summary, detail; one each minute from noon on
    (1, events.SERVICE_STARTED, 1, None, None, "listening on 127.0.0.1:9080", {"host": "127.0.0.1:9080"}),
    (2, events.CONNECTION_OPENED, 1, 7, None, "accepted from 127.0.0.1:5000", {}),
    (3, events.DATA_RECEIVED, 1, 7, b"GET /a.zip HTTP/1.1\r\n\r\n", None, None),
    (4, events.HTTP_REQUEST, 1, 7, None, "GET /a.zip", {"method": "GET", "target": "/a.zip", "version": "HTTP/1.1"}),
    (5, events.HTTP_RESPONSE, 1, 7, None, "503 Service Unavailable  2.0 ms", {"status": 503, "seconds": 0.002}),
    (6, events.DATA_SENT, 1, 7, b"HTTP/1.1 503 Service Unavailable\r\n\r\n", None, None),
    (7, events.FAILURE, 2, 8, b"fail\n", "ValueError: none such", {"type": "ValueError", "message": "none such"}),
    (8, events.DATA_RECEIVED, 2, 8, b"\x00\xff" + bytes(200), None, None),
    (9, events.WS_MESSAGE, 2, 8, b"hi", "hi", {"opcode": "text", "direction": "received"}),
    (10, events.WS_CLOSED, 2, 8, None, "1001", {"code": 1001, "reason": "away"}),
    (11, events.CONNECTION_CLOSED, 2, 8, None, "closed by the peer", {"reason": "closed by the peer"}),
]  # fmt: skip


@pytest.fixture(scope="module")
def db() -> Iterator[sqlite3.Connection]:
    db = sqlite3.connect(":memory:", isolation_level=None)
    add_functions(db)
    schema.create(db)
    db.execute("INSERT INTO service (id, name, protocol) VALUES (1, 'rest', 'http'), (2, 'ws-echo', 'websocket')")
    db.execute(
        "INSERT INTO connection (id, service, peer, host, opened) VALUES"
        " (7, 1, '127.0.0.1:5000', '127.0.0.1:9080', 0), (8, 2, '[::1]:5001', '[::1]:9081', 0)"
    )
    for id, kind, service, conn, payload, summary, detail in EVENTS:
        db.execute(
            "INSERT INTO stored (id, time, kind, service, conn, size, payload, zero, summary, detail)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                id, NOON + (id - 1) * MINUTE, kind, service, conn, None if payload is None else len(payload), payload,
                1 if payload and 0 in payload else None, summary, None if detail is None else json.dumps(detail),
            ),
        )  # fmt: skip
    yield db
    db.close()


def found(db: sqlite3.Connection, typed: str) -> list[int]:
    where = parse(typed)
    return [id for (id,) in db.execute(f"SELECT id FROM event WHERE {where.sql} ORDER BY id", where.values)]  # noqa: S608


ALL = [row[0] for row in EVENTS]


@pytest.mark.parametrize("typed", ["", " ", "\n\t"])
def test_nothing_typed_shows_everything(typed: str) -> None:
    assert parse(typed) == EVERYTHING


@pytest.mark.parametrize(
    ("typed", "ids"),
    [
        ('service == "rest" and http.status >= 500', [5]),
        ("service == rest", [1, 2, 3, 4, 5, 6]),
        ("service != rest", [7, 8, 9, 10, 11]),
        ("service contains echo", [7, 8, 9, 10, 11]),
        ("service matches /^r.st$/", [1, 2, 3, 4, 5, 6]),
        ("protocol == websocket", [7, 8, 9, 10, 11]),
        ("peer contains 127 and size > 10", [3, 6]),
        ("peer == 127.0.0.1", [2, 3, 4, 5, 6]),
        ("peer == 127.0.0.1:5000", [2, 3, 4, 5, 6]),
        ("peer == ::1", [7, 8, 9, 10, 11]),
        ("peer == 127.0.0.1:50", []),
        ("peer != 127.0.0.1", [7, 8, 9, 10, 11]),
        ("host == [::1]:9081", [7, 8, 9, 10, 11]),
        ("payload matches /GET .*zip/", [3]),
        ("payload matches /get .*ZIP/i", [3]),
        ('payload matches "^HTTP/1[.]1 5"', [6]),
        (r"payload matches /\xff\x00/", [8]),
        ("payload contains 0d0a0d0a", [3, 6]),
        ("payload contains 00ff00", [8]),
        ('payload contains "0d0a"', []),
        ("payload contains zip", [3]),
        ('payload contains "\\r\\n\\r\\n"', [3, 6]),
        ('payload == "hi"', [9]),
        ("kind in {data.received, ws.message}", [3, 8, 9]),
        ("kind == data.sent", [6]),
        ("kind != data.sent", [i for i in ALL if i != 6]),
        ("kind contains data", [3, 6, 8]),
        ("kind matches /^ws/", [9, 10]),
        ("failure.type == ValueError", [7]),
        ("failure.message contains such", [7]),
        ("conn == 7", [2, 3, 4, 5, 6]),
        ("conn in {7, 8} and id > 9", [10, 11]),
        ("time > 12:03:00", [5, 6, 7, 8, 9, 10, 11]),
        ("time >= 12:03", [4, 5, 6, 7, 8, 9, 10, 11]),
        ("time < 12:01:00.5", [1, 2]),
        ("time > 2026-11-20T12:09:00", [11]),
        ("time < 2026-11-20", []),
        ("size > 0.1k", [8]),
        ("direction == received", [3, 4, 8, 9]),
        ("direction == sent and size exists", [6]),
        ("http.method == get", [4]),
        ("http.target contains .zip", [4]),
        ("http.seconds < 1", [5]),
        ("http.status exists", [5]),
        ("not http.status >= 500", [i for i in ALL if i != 5]),
        ("ws.opcode == text", [9]),
        ("ws.code == 1001", [10]),
        ("reason contains peer", [11]),
        ("summary contains listening", [1]),
        ("zip", [3, 4]),
        ("service unavailable", [5, 6]),
        ('"service unavailable"', [5, 6]),
        ("zip and not kind == http.request", [3]),
        ("zip && !(kind == http.request)", [3]),
        ("conn == 7 and (zip or 503)", [3, 4, 5, 6]),
        ("conn == 7 and zip or 1001", [3, 4, 10]),
        ("size>10 and size<=24", [3]),
        ("SERVICE == REST AND NOT conn == 7", [1]),
        ("in file", []),
        ("/a.zip", [3, 4]),
    ],
)
def test_finds(db: sqlite3.Connection, typed: str, ids: list[int]) -> None:
    assert found(db, typed) == ids


@pytest.mark.parametrize("typed", ['"service = shop"', "x = 5", "a=b", "= 5", "url?a=b c=d"])
def test_an_equals_sign_in_a_text_is_searched_for(typed: str) -> None:
    assert {"=" in str(value) for value in parse(typed).values if not isinstance(value, int)} == {True}


def test_a_time_may_be_so_long_ago() -> None:
    (since,) = parse("time > -5m").values
    assert isinstance(since, int)
    assert abs(time.time_ns() - 300 * 10**9 - since) < 60 * 10**9


@pytest.mark.parametrize(
    ("typed", "at", "words"),
    [
        ("size >", 6, "the filter is not complete. After “>” comes a value, such as 200"),
        ("size > x", 7, "size is a number, as in size > 100"),
        ("foo == 3", 0, "there is no field “foo”"),
        ("zip and status == 3", 8, "Did you mean http.status?"),
        ("(a or b", 7, "After “b” comes “)”"),
        ("a or", 4, "After “or” comes a condition, such as size > 100"),
        ("a)", 1, "does not fit here"),
        ('payload contains "abc', 17, 'the quote " is not closed'),
        ("payload matches /(/", 16, "the expression is not a regular expression: missing )"),
        ("payload > 00", 8, "payload can be ==, !=, contains or matches"),
        ("service = shop", 8, "Write service == shop"),
        ("Service = shop", 8, "Write Service == shop"),
        ("service =shop", 8, "Write service == shop"),
        ("http.status =>400 or zip", 12, "Write http.status >= 400"),
        ("summary =~ GET", 8, "Write summary matches GET"),
        ("http.status => 400", 12, "Write http.status >= 400"),
        ("http.status=400", 11, "Write http.status == 400"),
        ("size =< 5 or kind == failure", 5, "Write size <= 5"),
        ("size > 1 and not service = shop", 25, "Write service == shop"),
        ("shop = open and size > 1", 5, "Write shop == open"),
        ("service =", 8, "Write service == …"),
        ("kind == data.recieved", 8, "there is no kind “data.recieved”. Use one of service.started"),
        ("kind > data.sent", 7, "a kind can be"),
        ("time > noon", 7, "a time is written 12:03:00"),
        ("time > 25:00", 7, "25:00 is not a time of day"),
        ("time contains 12", 14, "a time can be compared"),
        ('{"a": 1}', 0, "put the text in quotes"),
        ("a\0b", 1, "a zero byte is written"),
        ("(" * 100, 25, "more than 25 levels"),
        ("x" * 20_000, 10_000, "longer than 10,000 characters"),
    ],
)
def test_a_mistake_is_pointed_at(typed: str, at: int, words: str) -> None:
    with pytest.raises(errors.FilterError) as raised:
        parse(typed)
    assert raised.value.at == at
    assert words in str(raised.value)
    assert raised.value.typed == typed


VALUES = ["100", "1.5k", "zip", '"GET /"', "'x'", "0d0a", "/a.*b/", "12:03:00", "-5m", "data.sent", "' OR 1=1 --"]
SIGNS = ["==", "!=", "<", "<=", ">", ">=", "(", ")", "{", "}", ",", "!", "&&", "||"]
WORDS = ["contains", "matches", "in", "exists", "and", "or", "not"]
PIECES = [*FIELDS, *VALUES, *SIGNS, *WORDS]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=9).map(" ".join) | st.text(max_size=30)


@given(TEXTS)
@settings(max_examples=600)
@example("payload matches /" + "(a*)*" * 30 + "b/")
@example("\ud800")
@example("size > " + "9" * 400)
@example("time > 9999-12-31T23:59:59")
@example("time > -99999999999999999999d")
@example("time > -" + "9" * 400 + "m")
@example("summary contains \udc80")
def test_any_text_runs_or_fails_with_a_position(db: sqlite3.Connection, typed: str) -> None:
    position = 0
    try:
        where = parse(typed)
    except errors.FilterError as e:
        position, where = e.at, EVERYTHING
    assert 0 <= position <= len(typed)
    if where == EVERYTHING:
        return
    assert "'" not in where.sql or not any(value in where.sql for value in ("OR 1=1", "GET /"))
    assert set(found(db, typed)) <= set(ALL)


@given(st.sampled_from(sorted(FIELDS)), st.sampled_from(["==", "contains", "matches"]), st.text(max_size=20))
@settings(max_examples=300)
def test_what_is_typed_as_a_value_never_becomes_sql(
    db: sqlite3.Connection, field: str, operator: str, value: str
) -> None:
    """The condition is the same whatever the value; only bound values differ."""
    quoted = json.dumps(value, ensure_ascii=False)
    plain = [parse(f'service {operator} "{letter}"').sql for letter in "xä"]  # ASCII, and any other
    assert parse("service == x").sql != "1"
    try:
        assert parse(f"service {operator} {quoted}").sql in plain
        found(db, f"{field} {operator} {quoted}")
    except errors.FilterError:
        pass
    assert found(db, "") == ALL


def test_each_field_can_be_asked_of_every_event(db: sqlite3.Connection) -> None:
    for name in FIELDS:
        assert set(found(db, f"{name} exists")) <= set(ALL)
        assert found(db, f"not {name} exists") == [i for i in ALL if i not in found(db, f"{name} exists")]


@pytest.mark.parametrize(
    ("before", "behind"),
    [
        ("not ", ""), ("(", ")"), ("a or (", ")"), ("not (", ")"), ("a or b and not (", " or kind in {failure})"),
        ("a and (b or ", ")"), ("not (", " and a)"),
    ],
)  # fmt: skip
def test_what_is_not_too_deep_is_not_too_deep_for_sqlite_either(
    db: sqlite3.Connection, before: str, behind: str
) -> None:
    """Its parser has room for a hundred symbols that wait."""
    leaf = "http.fields matches /a/ and peer != 1.2.3.4 and service contains x"
    for levels in range(1, MAX_DEPTH + 2):
        typed = before * levels + leaf + behind * levels
        if 2 * levels > MAX_DEPTH:
            with contextlib.suppress(errors.FilterError):
                found(db, typed)
        else:
            found(db, typed)


@contextmanager
def added(db: sqlite3.Connection, **columns: Any) -> Iterator[None]:
    """One event more, number 99."""
    names, marks = ", ".join(columns), ", ".join("?" * len(columns))
    db.execute(f"INSERT INTO stored (id, time, {names}) VALUES (99, 0, {marks})", (*columns.values(),))  # noqa: S608
    try:
        yield
    finally:
        db.execute("DELETE FROM stored WHERE id = 99")


@pytest.mark.parametrize(
    "sent", ["Müller", "Müller".encode().decode("latin-1"), "MÜLLER"], ids=["latin-1", "utf-8", "capital"]
)
@pytest.mark.parametrize(
    "typed",
    [
        'http.fields contains "Müller"', 'http.fields contains "müller"', 'http.fields contains "MÜLLER"',
        "http.fields matches /(?i)M.ller/", "http.fields matches /m.ller/i", "http.fields matches /mü?[uü]ller/i",
    ],
)  # fmt: skip
def test_c14_headers_are_found_as_text(db: sqlite3.Connection, sent: str, typed: str) -> None:
    detail = json.dumps({"method": "GET", "target": "/", "fields": [["X-Name", sent]]})
    with added(db, kind=events.HTTP_REQUEST, detail=detail):
        assert found(db, typed) == [99]


@pytest.mark.parametrize(
    ("typed", "yes"),
    [
        ("summary == GRÜẞE", True), ('summary == "grüße"', True), ('summary in {"GRÜSSE"}', True),
        ("summary != GRÜẞE", False), ("summary contains RÜẞ", True), ("summary matches /^Gr.{2}e$/", True),
        ("payload matches /gr..n/", True), ("payload matches /gr.n/", False),
    ],
)  # fmt: skip
def test_c14_case_counts_in_no_alphabet(db: sqlite3.Connection, typed: str, yes: bool) -> None:
    with added(db, kind=events.DATA_RECEIVED, payload="ganz grün".encode(), summary="Grüße"):
        assert (99 in found(db, typed)) is yes
