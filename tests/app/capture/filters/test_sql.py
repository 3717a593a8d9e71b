"""app.capture.filters.sql."""

import functools
import sqlite3
from contextlib import closing

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app import events
from app.capture import schema
from app.capture.filters.sql import EVERYTHING, of_kind, of_service, substring
from app.capture.filters.values import add_functions
from app.text import errors
from app.text import escapes as text


@functools.cache
def blank():
    """A capture in memory without events, to be copied: making one takes longer than all that is done with it."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    schema.create(db)
    return db


def a_capture(rows):
    """A capture in memory of rows (payload, summary), numbered from 1."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    blank().backup(db)
    add_functions(db)
    db.executemany(
        "INSERT INTO stored (id, time, kind, service, payload, zero, summary) VALUES (?, 0, ?, 1, ?, ?, ?)",
        [
            (n, events.DATA_RECEIVED, payload, 1 if b"\0" in (payload or b"") else None, summary)
            for n, (payload, summary) in enumerate(rows, 1)
        ],
    )
    return closing(db)


def matching(db, where):
    sql = f"SELECT id FROM event WHERE {where.sql} ORDER BY id"  # noqa: S608
    return [id for (id,) in db.execute(sql, where.values)]


def found(typed, *rows):
    with a_capture(rows) as db:
        return matching(db, substring(typed))


def test_payload_and_summary_are_searched():
    assert found("ell", (b"hello", None), (None, "well"), (b"other", None), (None, None)) == [1, 2]


@pytest.mark.parametrize("typed", ["get /", "GET /", "Get /"])
def test_ascii_case_does_not_count(typed):
    assert found(typed, (b"GET / HTTP/1.1", None), (b"get / x", None), (None, "GeT /")) == [1, 2, 3]


def test_ascii_case_does_not_count_beside_other_letters_either():
    assert found("äRGER", ("ärger".encode(), None), ("äRGER".encode(), None), (None, "äRgEr")) == [1, 2, 3]


def test_other_letters_are_found_as_typed():
    assert found("Ä", ("Ä".encode(), None), ("ä".encode(), None), (None, "xÄ")) == [1, 3]


def test_escapes_mean_the_byte():
    rows = [(b"a\0b", None), (b"\xff\xfe", None), (b"a\r\n", None), (b"\x1b[0m", None)]
    assert found(r"a\x00B", *rows) == [1]
    assert found(r"\xfe", *rows) == [2]
    assert found(r"\r\n", *rows) == [3]
    assert found(r"\e[", *rows) == [4]


def test_a_byte_inside_a_character_is_found():
    assert found(r"\xa4", ("ä".encode(), None)) == [1]


def test_bytes_behind_a_zero_are_found():
    assert found("end", (b"\0\0end", None), (None, "a\0END")) == [1, 2]


def test_an_unknown_escape_means_itself():
    assert found(r"C:\path", (rb"in c:\path\x", None), (None, r"C:\path")) == [1, 2]


@pytest.mark.parametrize("typed", ["%", "_", "'", '"', "?", "*", "%_%", "';--", "\\", "[a]"])
def test_signs_of_sql_mean_themselves(typed):
    assert found(typed, (b"plain", "plain"), (f"a{typed}b".encode(), None), (None, f"a{typed}b")) == [2, 3]


INJECTIONS = [
    "'; DROP TABLE event; --",
    "' OR '1'='1",
    '") OR 1=1 --',
    "1) OR (1=1",
    "x' UNION SELECT * FROM meta --",
    "?1",
    ":name",
    "\0'; DELETE FROM event; --",
]


@pytest.mark.parametrize("typed", INJECTIONS)
def test_what_is_typed_never_becomes_sql(typed):
    assert substring(typed).sql in (substring("x").sql, substring(r"\x00").sql)
    with a_capture([(b"payload", "summary")]) as db:
        assert matching(db, substring(typed)) == []
        assert matching(db, of_service(typed)) == []
        assert matching(db, EVERYTHING) == [1]


def reference(typed, payload, summary):
    """What ``substring`` promises, in plain Python."""
    literal = typed.encode("utf-8", "replace")
    try:
        raw = text.unescape(typed)
    except errors.EscapeError:
        raw = literal
    in_payload = payload is not None and raw.lower() in payload.lower()
    return in_payload or (summary is not None and literal.lower() in summary.encode().lower())


LETTERS = st.sampled_from(list("aAbB \0%_'\"\\xä€Ä🙂\n")) | st.characters(codec="utf-8")
SUMMARIES = st.none() | st.text(LETTERS, max_size=12)
PAYLOADS = st.none() | st.binary(max_size=12) | st.text(LETTERS, max_size=8).map(str.encode)


@given(st.data(), st.lists(st.tuples(PAYLOADS, SUMMARIES), max_size=6))
@settings(max_examples=300)
def test_it_finds_what_a_plain_search_finds(data, rows):
    pieces = [text.escape(p) for p, _ in rows if p] + [s for _, s in rows if s]
    part = st.sampled_from(pieces).flatmap(
        lambda s: st.tuples(st.integers(0, len(s)), st.integers(0, len(s))).map(lambda at: s[min(at) : max(at)])
    )
    typed = data.draw(st.text(LETTERS, max_size=4) | (part if pieces else st.just("")))
    expected = [n for n, row in enumerate(rows, 1) if reference(typed, *row)]
    assert found(typed, *rows) == expected


@given(st.text(st.characters()), PAYLOADS, SUMMARIES)
@example("\ud800", b"", "")
@example("\udcff", b"\xff", "x")
def test_nothing_that_is_typed_raises(typed, payload, summary):
    """Lone surrogates, too, which an argument that is not UTF-8 brings."""
    assert found(typed, (payload, summary)) in ([], [1])


def test_conditions_add_up():
    with a_capture([(b"yes", None), (b"no", None)]) as db:
        services = "(1, 'echo', 'tcp'), (2, 'echo', 'udp'), (3, 'other', 'tcp')"
        db.execute(f"INSERT INTO service (id, name, protocol) VALUES {services}")  # noqa: S608
        db.execute("UPDATE stored SET service = 3 WHERE id = 2")
        assert matching(db, of_service("echo")) == [1]
        assert matching(db, of_service("echo") & substring("yes")) == [1]
        assert matching(db, of_service("echo") & substring("no")) == []
        assert matching(db, substring("e") & of_kind(events.FAILURE)) == []


def test_everything_adds_nothing():
    one = of_kind(1)
    assert EVERYTHING & one == one
    assert one & EVERYTHING == one


def test_a_condition_with_or_keeps_its_meaning_in_an_and():
    with a_capture([(b"x", None), (None, "x")]) as db:
        assert matching(db, substring("x") & of_kind(events.FAILURE)) == []
        assert matching(db, of_kind(events.FAILURE) & substring("x")) == []
