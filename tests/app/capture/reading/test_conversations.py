"""app.capture.reading.conversations, and the figures that the writer keeps of connections."""

from __future__ import annotations

import contextlib
from array import array
from collections.abc import Iterator
from contextlib import closing
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import events
from app.capture.filters import errors
from app.capture.filters.language import EVERYTHING, parse
from app.capture.reading import conversations
from app.capture.reading.conversations import CONVERSATION_FIELDS, ORDERS, Conversation
from app.capture.reading.store import Store
from app.capture.writing.batch import SAME
from app.capture.writing.file import CaptureFile
from tests.app.capture.captures import LIMIT, batch, closed, event, make, opened, read
from tests.app.capture.reading.test_groups import failed, older

SERVICES = [("echo", "tcp"), ("web", "http")]


def data(conn: int, came: bytes = b"", went: bytes = b"") -> list[list[Any]]:
    rows = [event(came, events.DATA_RECEIVED, conn)] if came else []
    return [*rows, *([event(went, events.DATA_SENT, conn)] if went else [])]


def ended(conn: int, reason: str = "closed by the peer", time: int = 10**18 + 10**9, **sums: int) -> list[Any]:
    detail = {"reason": reason, "received": 1, "sent": 2, **sums}
    return event(None, events.CONNECTION_CLOSED, conn, detail=detail, time=time)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    web = opened(2, "10.0.0.2:40")
    web[2] = 2
    return make_with(
        tmp_path / "x.lpost",
        opened(1, "10.0.0.9:7000"), *data(1, b"aaaa", b"bb"),
        web, *data(2, b"a" * 5000), event(None, events.TLS_OPENED, 2, detail={"version": "TLS 1.3"}),
        opened(3, "10.0.0.1:50"), *data(3, b"a"), failed(conn=3), failed(conn=3),
        ended(1, received=4, sent=2), ended(3, "reset by the peer", time=10**18 + 5 * 10**9, received=1, sent=0),
    )  # fmt: skip


def make_with(path: Path, *rows: list[Any], run: str = "run") -> Path:
    file = CaptureFile(path, run, LIMIT)
    file.store(batch(file.sequence + 1, *rows, services=SERVICES))
    file.close()
    return path


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with closing(Store(path)) as store:
        yield store


def found(store: Store, typed: str = "", order: str = "conn", *, descending: bool = False) -> list[int]:
    return list(conversations.ids(store, parse(typed, CONVERSATION_FIELDS), order, descending=descending))


# -- the figures


def test_a_connection_says_all_about_itself(store: Store) -> None:
    first, second, third = conversations.rows(store, array("q", [1, 2, 3]), "run")
    assert isinstance(first, Conversation)
    assert (first.id, first.conn, first.time, first.closed) == (1, 1, 10**18, 10**18 + 10**9)
    assert (first.service, first.protocol, first.peer, first.host) == ("echo", "tcp", "10.0.0.9:7000", "127.0.0.1:9007")
    assert (first.received, first.sent, first.messages_received, first.messages_sent) == (4, 2, 1, 1)
    assert (first.reason, first.first, first.last, first.live) == ("closed by the peer", 1, 11, None)
    assert (second.service, second.tls, second.received, second.closed, second.live) == (
        "web",
        "TLS 1.3",
        5000,
        None,
        2,
    )
    assert (third.failures, third.reason) == (2, "reset by the peer")


def test_figures_of_one_that_goes_on_grow_with_each_batch(tmp_path: Path) -> None:
    file = CaptureFile(tmp_path / "x.lpost", "run", LIMIT)
    big = b"x" * 5000
    file.store(batch(1, opened(1), event(big, conn=1), event(SAME, events.DATA_SENT, 1, size=5000)))
    file.store(batch(2, *data(1, b"abc", b"d"), *data(1, b"e"), failed(conn=1)))
    file.store(batch(3, event(None, events.LOG), event(b"", events.DATA_RECEIVED, 1)))
    figures = "SELECT received, sent, messages_received, messages_sent, failures, closed FROM connection"
    assert read(file.path, figures) == [(5004, 5001, 4, 2, 1, None)]
    file.close()


def test_datagrams_count_as_messages(tmp_path: Path) -> None:
    rows = [event(b"abc", events.DATAGRAM_RECEIVED, 1), event(b"de", events.DATAGRAM_SENT, 1)]
    path = make(tmp_path / "x.lpost", opened(1), *rows)
    assert read(path, "SELECT received, sent, messages_received, messages_sent FROM connection") == [(3, 2, 1, 1)]


def test_a_handshake_that_failed_is_told(tmp_path: Path) -> None:
    path = make(tmp_path / "x.lpost", opened(1), event(None, events.TLS_FAILED, 1, detail={"reason": "no"}))
    assert read(path, "SELECT tls FROM connection") == [("failed",)]


@given(st.lists(st.tuples(st.sampled_from([5, 6, 8, 9, 10, 18, 19]), st.integers(0, 3), st.binary(max_size=9))))
def test_sums_are_those_of_the_events(tmp_path_factory: Any, given_: list[tuple[int, int, bytes]]) -> None:
    path = tmp_path_factory.mktemp("sums") / "x.lpost"
    make(path, *(opened(n) for n in (1, 2, 3)), *(event(payload, kind, conn) for kind, conn, payload in given_))
    sums = "ifnull(sum(size) FILTER (WHERE kind IN (%s)), 0), count(*) FILTER (WHERE kind IN (%s))"
    wanted = read(
        path,
        f"SELECT c.id, {sums % ('5,8', '5,8')}, {sums % ('6,9', '6,9')}, count(*) FILTER (WHERE kind = 18)"  # noqa: S608
        " FROM connection c LEFT JOIN event e ON e.conn = c.id GROUP BY c.id",
    )
    got = "SELECT id, received, messages_received, sent, messages_sent, failures FROM connection"
    assert read(path, got) == wanted


# -- which, and in which order


@pytest.mark.parametrize(
    ("order", "ascending"),
    [
        ("conn", [1, 2, 3]), ("peer", [3, 2, 1]), ("service", [1, 3, 2]), ("received", [3, 1, 2]),
        ("sent", [2, 3, 1]), ("failures", [1, 2, 3]), ("tls", [1, 3, 2]), ("reason", [2, 1, 3]), ("seconds", [1, 3, 2]),
    ],
)  # fmt: skip
def test_they_are_sorted_by_any_column(store: Store, order: str, ascending: list[int]) -> None:
    assert found(store, order=order) == ascending
    by = {number: at for at, number in enumerate(found(store, order=order, descending=True))}
    assert sorted(by) == [1, 2, 3]
    assert found(store, order=order, descending=True)[0] == ascending[-1]


def test_a_row_has_an_attribute_for_each_column_that_is_read() -> None:
    columns = {column.name for column in conversations.COLUMNS if column.read}
    assert columns <= {f.name for f in fields(Conversation)}
    assert set(conversations._VALUES) == set(conversations._READ)


def test_every_order_is_the_name_of_a_field_or_of_when_it_was_opened() -> None:
    assert set(ORDERS) - {"opened"} <= set(CONVERSATION_FIELDS)


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("failures > 0", [3]), ("service == web", [2]), ("protocol == tcp and received >= 4", [1]),
        ("peer contains 10.0.0", [1, 2, 3]), ("peer == 10.0.0.2", [2]), ("reset", [3]), ("10.0.0.9", [1]),
        ("not reason exists", [2]), ("tls == \"TLS 1.3\"", [2]), ("seconds < 3", [1]), ("conn in {1, 3}", [1, 3]),
        ("received.messages == 1 and sent.messages == 0", [2, 3]), ("time < 2001-09-10T00:00:00", [1, 2, 3]),
        ("reason matches /^reset/", [3]), ("nothing of that", []),
    ],
)  # fmt: skip
def test_they_are_filtered_by_their_own_fields(store: Store, typed: str, wanted: list[int]) -> None:
    assert found(store, typed) == wanted


def test_a_field_of_events_is_none_of_theirs() -> None:
    with pytest.raises(errors.FilterError, match=r"there is no field “http\.status”"):
        parse("http.status == 200", CONVERSATION_FIELDS)


@given(st.text(max_size=40))
def test_any_text_is_a_filter_or_a_clear_error(typed: str) -> None:
    with closing(Store(_sample())) as store, contextlib.suppress(errors.FilterError):
        conversations.ids(store, parse(typed, CONVERSATION_FIELDS))


_made: list[Path] = []


def _sample() -> Path:
    return _made[0]


@pytest.fixture(autouse=True, scope="module")
def _small(tmp_path_factory: pytest.TempPathFactory) -> None:
    _made[:] = [make(tmp_path_factory.mktemp("small") / "x.lpost", opened(1), closed(1))]


def test_rows_come_in_the_order_asked_for_less_those_that_are_gone(store: Store) -> None:
    assert [row.id for row in conversations.rows(store, array("q", [3, 99, 1]), "run")] == [3, 1]


# -- other runs, other builds


def test_only_a_connection_of_the_run_that_writes_is_live(path: Path) -> None:
    make_with(path, opened(1), opened(2), ended(2), run="another")
    with closing(Store(path)) as store:
        live = {row.id: row.live for row in conversations.rows(store, array("q", range(1, 6)), "another")}
        assert live == {1: None, 2: None, 3: None, 4: 1, 5: None}
        assert {row.live for row in conversations.rows(store, array("q", range(1, 6)), "")} == {None}


def test_captures_of_earlier_builds_are_shown_with_what_they_have(path: Path) -> None:
    older(path)
    with closing(Store(path)) as store:
        assert list(conversations.ids(store, EVERYTHING, "failures")) == [1, 2, 3]
        row = conversations.rows(store, array("q", [1]), "run")[0]
        assert (row.received, row.tls, row.first, row.failures) == (4, None, None, 0)
    make_with(path, opened(1), *data(1, b"abc"), run="another")
    assert read(path, "SELECT received, messages_received FROM connection WHERE id = 4") == [(3, 1)]
