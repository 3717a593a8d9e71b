"""Exchanges as rows: which response belongs to which request, and which exchanges a filter finds."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from contextlib import closing
from inspect import signature
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import events
from app.capture.filters.language import EVERYTHING, parse
from app.capture.reading import exchange_rows
from app.capture.reading.exchange_rows import EXCHANGE_FIELDS, ExchangeRow
from app.capture.reading.store import Store
from tests.app.capture.captures import closed, event, make, opened


def asked(conn: int = 1, method: str = "GET", target: str = "/", **more: Any) -> list[Any]:
    detail = {"method": method, "target": target, "version": "HTTP/1.1", "fields": [["Host", "x"]], "body": 0, **more}
    return event(None, events.HTTP_REQUEST, conn, summary=f"{method} {target}", detail=detail, size=0)


def answered(conn: int = 1, status: int = 200, size: int = 3, **more: Any) -> list[Any]:
    fields = [["Content-Type", "text/plain; charset=utf-8"]]
    detail = {"status": status, "reason": "OK", "fields": fields, "body": size, "seconds": 0.25, **more}
    return event(None, events.HTTP_RESPONSE, conn, summary=f"{status} OK  250.0 ms", detail=detail, size=size)


def refused(conn: int = 1, **more: Any) -> list[Any]:
    detail = {"status": 400, "refused": "no sense", **more}
    return event(None, events.HTTP_RESPONSE, conn, summary="400 Bad Request  no sense", detail=detail)


Read = Callable[..., list[ExchangeRow]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """All exchanges of a capture of these events, or those that fit a filter."""

    def read(*rows: list[Any], filter: str = "", first: int = 1) -> list[ExchangeRow]:
        with closing(Store(make(tmp_path / "a.lpost", *rows))) as store:
            where = parse(filter, EXCHANGE_FIELDS)
            ids, _ = exchange_rows.matches(store, where, first, store.range()[1])
            return exchange_rows.rows(store, ids)

    return read


def test_what_sql_reads_is_what_a_row_takes() -> None:
    assert list(exchange_rows._READ) == list(signature(exchange_rows._row).parameters)


def test_a_row_has_what_was_asked_and_what_was_answered(read: Read) -> None:
    [row] = read(opened(1, "127.0.0.1:5"), asked(method="PUT", target="/a?b"), answered(status=201, size=12))
    assert (row.id, row.service, row.conn, row.peer, row.summary) == (2, "echo", 1, "127.0.0.1:5", "PUT /a?b")
    assert (row.method, row.target, row.answer, row.status) == ("PUT", "/a?b", 3, 201)
    assert (row.type, row.size, row.seconds, row.over) == ("text/plain", 12, 0.25, False)


def test_a_request_waits_until_its_connection_is_over(read: Read) -> None:
    [row] = read(opened(1), asked())
    assert (row.answer, row.status, row.size, row.over) == (None, None, None, False)


def test_a_request_without_an_answer_on_a_closed_connection_is_over(read: Read) -> None:
    [row] = read(opened(1), asked(), closed(1))
    assert (row.answer, row.over) == (None, True)


def test_what_was_refused_before_it_was_a_request_is_a_row_of_its_own(read: Read) -> None:
    first, second = read(asked(), answered(), refused())
    assert (second.id, second.answer, second.status, second.method, second.summary) == (3, 3, 400, "", "no sense")
    assert first.answer == 2


def test_what_was_refused_of_a_request_is_its_answer(read: Read) -> None:
    [row] = read(asked(), refused())
    assert (row.id, row.answer, row.status) == (1, 2, 400)


@pytest.mark.parametrize(
    ("filter", "ids"),
    [
        ("", [1, 3, 4]), ("http.method == PUT", [3]), ("http.target contains /x", [3]), ("http.method == GET", [1]),
        ("http.method == PUT and http.status == 400", [3]), ("http.method exists", [1, 3]),
    ],
)  # fmt: skip
def test_c2_what_was_refused_has_the_method_and_target_that_are_known(read: Read, filter: str, ids: list[int]) -> None:
    rows = asked(), answered(), refused(method="PUT", target="/x", version="HTTP/1.1"), refused()
    found = read(*rows, filter=filter)
    assert [row.id for row in found] == ids
    shown = {1: ("GET", "/", "GET /"), 3: ("PUT", "/x", "PUT /x"), 4: ("", "", "no sense")}
    assert all((row.method, row.target, row.summary) == shown[row.id] for row in found)


def test_a_foreign_detail_makes_an_empty_row(read: Read) -> None:
    row = asked()
    row[7] = "[1]"
    [found] = read(row, answered())
    assert (found.method, found.status) == ("", 200)


def test_rows_that_are_gone_are_left_out(tmp_path: Path) -> None:
    with closing(Store(make(tmp_path / "a.lpost", asked()))) as store:
        assert [row.id for row in exchange_rows.rows(store, array("q", [1, 7]))] == [1]
        assert exchange_rows.rows(store, array("q")) == []


# -- filters


@pytest.mark.parametrize(
    ("filter", "found"),
    [
        ("http.status >= 400 and http.method == POST", [3]),
        ("http.status == 200", [1]),
        ("not http.status exists", [5]),
        ("http.target == /b", [3]),
        ("http.fields contains text/plain", [1, 3]),
        ("http.fields contains Host", [1, 3, 5]),
        ("http.seconds > 0.2", [1, 3]),
        ("size > 10", [3]),
        ("404", [3]),
        ("POST", [3]),
        ("service == echo and conn == 1", [1, 3]),
        ('"nothing like it"', []),
    ],
)
def test_a_filter_is_about_both_parts_of_an_exchange(read: Read, filter: str, found: list[int]) -> None:
    rows = asked(), answered(), asked(1, "POST", "/b"), answered(1, 404, 237), asked(2, "GET", "/c")
    assert [row.id for row in read(*rows, filter=filter)] == found


def test_what_was_asked_earlier_and_answered_now_is_found_now(read: Read) -> None:
    rows = asked(), asked(2), answered(2, 500)
    assert [row.id for row in read(*rows, filter="http.status == 500", first=3)] == [2]


# -- against a model


@st.composite
def traffic(draw: st.DrawFn) -> tuple[list[list[Any]], dict[int, int | None]]:
    """Events of connections of both versions, and the id of the response for each request's."""
    rows: list[list[Any]] = []
    pairs: dict[int, int | None] = {}
    waiting: dict[int, int] = {}
    streams: dict[int, dict[int, int]] = {3: {}, 4: {}}
    for step in draw(st.lists(st.tuples(st.sampled_from([1, 2, 3, 4]), st.integers(0, 9)), max_size=40)):
        conn, choice = step
        if choice == 9:
            rows.append(event(b"raw", events.DATA_RECEIVED, conn))
        elif conn < 3 and conn in waiting:
            rows.append(answered(conn))
            pairs[waiting.pop(conn)] = len(rows)
        elif conn < 3:
            rows.append(asked(conn))
            waiting[conn] = len(rows)
            pairs[len(rows)] = None
        elif streams[conn] and choice % 2:
            number = sorted(streams[conn])[choice % len(streams[conn])]
            rows.append(answered(conn, stream=number))
            pairs[streams[conn].pop(number)] = len(rows)
        else:
            number = 2 * len(rows) + 1
            rows.append(asked(conn, stream=number))
            streams[conn][number] = len(rows)
            pairs[len(rows)] = None
    return rows, pairs


@given(traffic())
@settings(max_examples=60)
def test_each_request_has_its_own_response(made: tuple[list[list[Any]], dict[int, int | None]]) -> None:
    rows, pairs = made
    if not rows:
        return
    with TemporaryDirectory() as folder, closing(Store(make(Path(folder) / "a.lpost", *rows))) as store:
        last = store.range()[1]
        ids, upto = exchange_rows.matches(store, EVERYTHING, 1, last)
        assert upto == last
        assert {row.id: row.answer for row in exchange_rows.rows(store, ids)} == pairs
        some, _ = exchange_rows.matches(store, parse("http.status == 200", EXCHANGE_FIELDS), 1, last)
        assert list(some) == sorted(id for id, answer in pairs.items() if answer)


def test_pairs_are_found_by_an_index(tmp_path: Path) -> None:
    with closing(Store(make(tmp_path / "a.lpost", asked()))) as store:
        # If SQLite did not know the index again, each row would read the whole capture.
        steps = [row[3] for row in store._db.execute("EXPLAIN QUERY PLAN " + exchange_rows._ROWS, ("[1]",))]
        assert sum("USING INDEX stored_http" in step for step in steps) == 2


def sent(payload: bytes, conn: int = 1) -> list[Any]:
    return event(payload, events.DATA_SENT, conn)


def came(payload: bytes, conn: int = 1) -> list[Any]:
    return event(payload, events.DATA_RECEIVED, conn)


TWO = (
    opened(1), came(b"POST /a\r\n\r\nred pear"), asked(method="POST", target="/a"),
    sent(b"200\r\n\r\n"), sent(b"fig"), answered(),
    came(b"POST /b\r\n\r\n\0plum"), asked(method="POST", target="/b"), sent(b"fig and pear"), answered(status=201),
)  # fmt: skip


@pytest.mark.parametrize(
    ("filter", "ids"),
    [
        ("PEAR", [3, 8]), ("red pear", [3]), ("plum", [8]), ("fig", [3, 8]), ("cherry", []), ("/b", [8]),
        ("fig and not pear", []), ("fig and not red", [8]), ("pear and http.status == 201", [8]),
        ('payload contains "red"', [3]), ("payload matches /^fig$/", [3]), ("payload exists", [3, 8]), ("not pear", []),
    ],
)  # fmt: skip
def test_a_text_is_found_in_the_bytes_of_either_half(read: Read, filter: str, ids: list[int]) -> None:
    assert [row.id for row in read(*TWO, filter=filter)] == ids


@pytest.mark.parametrize(("filter", "id"), [("one", 1), ("two", 1), ("three", 5), ("four", 5), ("five", 9)])
def test_a_text_is_found_in_the_bytes_of_requests_of_ours(read: Read, filter: str, id: int) -> None:
    rows = (
        asked(target="/a", outgoing=True), sent(b"one"), came(b"two"), answered(),
        asked(target="/b", outgoing=True), sent(b"three"), came(b"four"), answered(),
        asked(outgoing=True), sent(b"five"),
    )  # fmt: skip
    assert [row.id for row in read(*rows, filter=filter)] == [id]


@pytest.mark.parametrize("filter", ["secret", "sorry"])
@pytest.mark.parametrize("noted", [(), (asked(),)])
def test_a_text_is_found_in_what_was_refused(read: Read, filter: str, noted: tuple[list[Any]]) -> None:
    assert [row.id for row in read(came(b"secret"), *noted, refused(), sent(b"sorry"), filter=filter)] == [2]


@pytest.mark.parametrize(("filter", "first"), [("two", 23), ("data", 1)])
def test_a_text_is_found_in_an_answer_that_began_long_before(read: Read, filter: str, first: int) -> None:
    rows = [asked(), sent(b"data: one"), *(event(conn=2) for _ in range(20)), sent(b"data: two")]
    assert [row.id for row in read(*rows, filter=filter, first=first)] == [1]


def framed(stream: int, data: bytes, kind: int = 0) -> bytes:
    return len(data).to_bytes(3) + bytes([kind, 0]) + stream.to_bytes(4) + data


@pytest.mark.parametrize(("filter", "ids"), [("red", [4]), ("blue", [3]), ("pear", [3]), ("fig", [4]), ("plum", [9])])
def test_a_text_is_found_in_the_frames_of_its_stream(read: Read, filter: str, ids: list[int]) -> None:
    rows = (
        came(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + framed(0, b"", 4) + framed(1, b"red")), came(framed(3, b"blue")),
        asked(target="/3", stream=3), asked(target="/1", stream=1), answered(stream=3), answered(stream=1),
        sent(framed(1, b"fig")), sent(framed(3, b"pear")), asked(target="/5", stream=5), answered(stream=5),
        sent(framed(5, b"plum")),
    )  # fmt: skip
    assert [row.id for row in read(*rows, filter=filter)] == ids


def test_bytes_that_were_stored_once_are_found_in_each_exchange(read: Read, tmp_path: Path) -> None:
    large = b"needle" + bytes(100_000)
    found = read(*(row for _ in range(3) for row in (asked(), sent(large), answered())), filter="needle")
    assert [row.id for row in found] == [1, 4, 7]
