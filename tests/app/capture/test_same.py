"""app.capture: bytes that are passed on are stored once."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Sequence
from contextlib import closing
from io import BytesIO
from itertools import islice
from pathlib import Path
from time import process_time

import pytest
from twisted.internet.task import Clock

from app import events
from app.capture.filters.language import parse
from app.capture.reading.store import Store
from app.capture.recorder import LARGE as LARGE_FROM
from app.capture.recorder import Recorder, Stored
from app.capture.writing.batch import FIELDS, SAME, SAME_BUT_ONE
from app.capture.writing.batch import read as read_batch
from app.capture.writing.file import CaptureFile
from tests.app.capture.captures import LIMIT, batch, event, make, payloads, read

LARGE = b"x" * (LARGE_FROM - 1) + b"\0"


class Sink:
    def __init__(self, recorder: Recorder) -> None:
        self.rows: list[list[object]] = []
        self.size = 0
        recorder.on_opened(self, 0, Stored())

    def send(self, parts: Sequence[bytes]) -> None:
        self.size += sum(map(len, parts))
        batch = read_batch(BytesIO(b"".join(parts)))
        assert batch is not None
        flat = batch[2]
        self.rows += [flat[i : i + FIELDS] for i in range(0, len(flat), FIELDS)]


def recorded(*given: bytes | None, flush_after: int = 0) -> list[list[object]]:
    recorder = Recorder(Clock())
    sink = Sink(recorder)
    for number, payload in enumerate(given, 1):
        recorder.record(events.DATA_RECEIVED, 1, 1, payload)
        if number == flush_after:
            recorder.flush()
    recorder.flush()
    recorder.abandon()
    return sink.rows


def test_what_is_recorded_again_is_sent_once_with_its_size():
    first, second = recorded(LARGE, LARGE)
    assert (first[4], first[5]) == (None, LARGE)
    assert (second[4], second[5]) == (len(LARGE), SAME)


def test_equal_bytes_that_are_another_object_are_sent():
    assert [row[5] for row in recorded(LARGE, bytes(bytearray(LARGE)))] == [LARGE, LARGE]


def test_small_payloads_are_sent_as_they_are():
    small = b"x" * (LARGE_FROM - 1)
    assert [row[5] for row in recorded(small, small)] == [small, small]


def test_two_payloads_in_turn_are_sent_once():
    other = b"y" * len(LARGE)
    assert [row[5] for row in recorded(LARGE, other, LARGE, other, other)] == [LARGE, other, SAME_BUT_ONE, SAME, SAME]


def test_two_other_payloads_between_have_it_sent_again():
    assert [row[5] for row in recorded(LARGE, b"y", b"z", LARGE)] == [LARGE, b"y", b"z", LARGE]


def test_a_batch_never_refers_to_the_one_before():
    assert [row[5] for row in recorded(LARGE, LARGE, LARGE, flush_after=1)] == [LARGE, LARGE, SAME]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    again = {"size": len(LARGE)}
    return make(
        tmp_path / "x.lpost", event(b"a"), event(LARGE), event(SAME, **again), event(None), event(SAME, **again)
    )


def test_it_is_in_the_file_once(path: Path):
    assert read(path, "SELECT id FROM stored WHERE payload = ?", LARGE) == [(2,)]
    assert read(path, "SELECT id, same FROM stored WHERE same") == [(3, 2), (5, 2)]


def test_readers_see_it_everywhere(path: Path):
    assert payloads(path) == [b"a", LARGE, LARGE, None, LARGE]
    assert read(path, "SELECT zero FROM event") == [(None,), (1,), (1,), (None,), (1,)]
    assert read(path, "SELECT size FROM event") == [(1,), (4096,), (4096,), (None,), (4096,)]
    store = Store(path)
    try:
        assert [e.payload for e in store.events(parse("xxxx"), *store.range())] == [LARGE] * 3
        assert [e.payload for e in store.events(parse(r"x\x00"), *store.range())] == [LARGE] * 3
    finally:
        store.close()


def test_the_size_limit_drops_it_with_all_that_refer_to_it(tmp_path: Path):
    file = CaptureFile(tmp_path / "x.lpost", "run", 400_000)
    for sequence in range(1, 200):
        file.store(batch(sequence, event(LARGE), event(SAME, size=len(LARGE))))
    file.close()
    kept = read(tmp_path / "x.lpost", "SELECT payload FROM event WHERE kind = ?", events.DATA_RECEIVED)
    assert kept
    assert set(kept) == {(LARGE,)}
    assert (tmp_path / "x.lpost").stat().st_size < 2 * 400_000


def test_another_run_into_the_file_refers_to_its_own_events(path: Path):
    file = CaptureFile(path, "another", LIMIT)
    file.store(batch(1, event(b"z" * 5000), event(SAME, size=5000)))
    file.close()
    assert payloads(path)[5:] == [b"z" * 5000] * 2


@pytest.fixture
def bomb(tmp_path: Path) -> Path:
    """Five thousand events that refer to eight megabytes."""
    large = b"a" * (8 << 20)
    rows = [event(SAME, size=len(large)) for _ in range(5000)]
    return make(tmp_path / "x.lpost", event(large), *rows)


@pytest.mark.parametrize(
    ("typed", "count"),
    [("aaab", 0), ("payload contains ffee", 0), ("payload matches /aab/", 0), ('payload == "a"', 0), ("aaa", 5001),
     ("payload exists", 5001), ("aaab and not aaa", 0)],
)  # fmt: skip
def test_bytes_that_many_events_have_are_searched_once(bomb: Path, typed: str, count: int):
    """Of one event it takes about 10 ms."""
    store = Store(bomb)
    try:
        began = process_time()
        assert sum(len(ids) for ids in store.ids(parse(typed), *store.range())) == count
        assert process_time() - began < 5
    finally:
        store.close()


def test_the_first_of_them_are_read_at_once(bomb: Path):
    store = Store(bomb)
    try:
        began = process_time()
        assert [e.id for e in islice(store.events(parse(""), *store.range()), 3)] == [1, 2, 3]
        rows = store.rows(array("q", range(1, 2001)))
        assert rows[0].summary == rows[-1].summary
        assert process_time() - began < 5
    finally:
        store.close()


def test_a_text_is_nobodys_payload(path: Path):
    """A writer stores bytes; of a text SQLite has to read all to know how long it is."""
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE stored SET payload = CAST(payload AS TEXT) WHERE id = 2")
    store = Store(path)
    try:
        assert [e.payload is None for e in store.events(parse(""), *store.range())] == [False, False, True, True, True]
    finally:
        store.close()
