"""app.capture.reading.store."""

import json
import os
from array import array
from contextlib import closing
from inspect import signature

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import events
from app.capture import errors
from app.capture.filters.language import EVERYTHING, parse
from app.capture.reading import store as module
from app.capture.reading.store import Store
from app.capture.writing.file import CaptureFile
from app.text import escapes as text
from tests.app.capture.captures import LIMIT, batch, closed, event, make, opened


@pytest.fixture
def path(tmp_path):
    return tmp_path / "x.lpost"


@pytest.fixture
def open_store(path):
    stores = []

    def opening(*rows):
        make(path, *rows)
        stores.append(Store(path))
        return stores[-1]

    yield opening
    for store in stores:
        store.close()


def all_ids(store, where=EVERYTHING):
    return [id for chunk in store.ids(where, *store.range()) for id in chunk]


def test_an_event_comes_back_whole(open_store):
    store = open_store(opened(1), event(b"\0hi\xff", conn=1, time=5, detail={"a": [1]}), closed(1))
    found = store.event(2)
    assert (found.id, found.time, found.kind, found.service, found.conn) == (2, 5, events.DATA_RECEIVED, "echo", 1)
    assert (found.peer, found.host, found.size) == ("127.0.0.1:5", "127.0.0.1:9007", 4)
    assert (found.summary, found.payload, found.detail) == (r"\0hi\xff", b"\0hi\xff", {"a": [1]})


def test_what_sql_reads_is_what_a_row_and_an_event_take():
    assert list(module._ROW) == list(signature(module._row).parameters)
    assert list(module._EVENT) == list(signature(module.event_of).parameters)


def test_a_service_that_starts_carries_its_address(open_store):
    store = open_store(event(None, events.SERVICE_STARTED, detail={"host": "[::1]:9007"}, summary="listening"))
    assert store.event(1).host == "[::1]:9007"


def test_opening_and_the_range_do_not_read_all_events(open_store):
    """In SQLite a min and a max in one SELECT would."""
    store = open_store(*(event() for _ in range(5)))
    steps = 0

    def count_step():
        nonlocal steps
        steps += 1

    store._db.set_progress_handler(count_step, 1)
    store.range()
    few = steps
    make(store.path, *(event() for _ in range(5000)))
    store.range()
    assert steps <= 2 * few + 20


def test_an_event_that_is_not_there_is_none(open_store):
    assert open_store(event()).event(99) is None


def test_the_range_of_an_empty_capture(path):
    CaptureFile(path, "run", LIMIT).close()
    with closing(Store(path)) as store:
        assert store.range() == (1, 0)
        assert all_ids(store) == []
        assert store.rows(array("q")) == []


def test_ids_come_in_chunks_that_leave_none_out(open_store, monkeypatch):
    monkeypatch.setattr(module, "CHUNK", 10)
    store = open_store(*(event(b"even" if n % 2 == 0 else b"odd") for n in range(1, 96)))
    assert all_ids(store) == list(range(1, 96))
    assert all_ids(store, parse("even")) == list(range(2, 96, 2))
    assert [len(chunk) for chunk in store.ids(EVERYTHING, 5, 27)] == [10, 10, 3]
    assert store.matches(parse("odd"), 5, 27) == (array("q", [5, 7, 9, 11, 13]), 14)


def test_count_is_the_number_of_ids(open_store):
    store = open_store(*(event(b"%d" % n) for n in range(50)))
    assert store.count(parse("4")) == len(all_ids(store, parse("4"))) == 14
    assert store.count(EVERYTHING) == 50


@pytest.mark.parametrize("ids", [[1, 2, 3], [1, 3, 5], [2, 99], [], [99]])
def test_rows_are_the_events_asked_for_that_are_there(open_store, ids):
    store = open_store(*(event(b"%d" % n) for n in range(5)))
    assert [row.id for row in store.rows(array("q", ids))] == [id for id in ids if id <= 5]


def test_a_long_payload_is_previewed_alike_in_row_and_event(open_store):
    store = open_store(event("ä".encode() * 10_000), event(b"x" * module.PREVIEW), event(b"y" * (module.PREVIEW + 1)))
    for id in (1, 2, 3):
        [row] = store.rows(array("q", [id]))
        assert row.summary == store.event(id).summary
    assert [row.summary[-1] for row in store.rows(array("q", [1, 2, 3]))] == ["…", "x", "…"]


ROWS = st.tuples(
    st.none() | st.binary(max_size=200),
    st.none() | st.text(st.characters(codec="utf-8"), max_size=20),
    st.none() | st.dictionaries(st.text(max_size=3), st.text(max_size=3) | st.integers(), max_size=2),
)


@given(st.lists(ROWS, min_size=1, max_size=5))
@settings(max_examples=40)
def test_a_row_shows_what_its_event_is(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("capture") / "x.lpost"
    make(path, *(event(p, summary=s, **({"detail": d} if d else {})) for p, s, d in rows))
    with closing(Store(path)) as store:
        for row, (payload, summary, detail) in zip(store.rows(array("q", range(1, len(rows) + 1))), rows, strict=True):
            found = store.event(row.id)
            assert found.payload == payload
            assert found.detail == (json.loads(json.dumps(detail)) if detail else {})
            assert row.summary == found.summary
            assert row.size == found.size == (None if payload is None else len(payload))
            if summary is not None:
                assert row.summary == text.one_line(summary)
                assert found.as_json()["summary"] == summary
            elif len(payload or b"") <= module.PREVIEW:
                assert row.summary == text.escape(payload or b"")


def test_a_reader_sees_what_is_stored_after_it_opened(open_store, path):
    store = open_store(event(b"a"))
    make(path, event(b"b"))
    assert store.range() == (1, 2)
    assert [e.payload for e in store.events(EVERYTHING, 1, 2)] == [b"a", b"b"]


def test_events_that_are_dropped_meanwhile_are_left_out(path):
    file = CaptureFile(path, "run", 100_000)
    file.store(batch(1, event(b"first")))
    with closing(Store(path)) as store:
        reading = store.events(EVERYTHING, 1, 3)
        for n in range(2, 100):
            file.store(batch(n, event(b"x" * 5000)))
        assert store.event(1) is None
        assert list(reading) == []
    file.close()


def test_a_damaged_page_is_an_error_in_words(open_store, path):
    store = open_store(*(event(b"x" * 3000) for _ in range(300)))
    size = path.stat().st_size
    with path.open("r+b") as raw:
        for at in range(4096 * 20, size - 4096 * 20, 4096):
            raw.seek(at)
            raw.write(b"\xff" * 4096)
    with pytest.raises(errors.DamagedCaptureError, match="damaged or cut short"):
        store.count(parse("y"))
    with pytest.raises(errors.DamagedCaptureError):
        list(store.events(parse("x"), 1, 300))


def test_it_knows_that_another_file_is_in_its_place(open_store, path):
    store = open_store(event())
    assert not store.moved
    os.rename(path, path.with_name("elsewhere"))
    assert store.moved
    make(path, event())
    assert store.moved
    assert store.range() == (1, 1)


def test_opening_what_cannot_be_opened(tmp_path):
    with pytest.raises(errors.CaptureMissingError):
        Store(tmp_path / "none")
