"""The reader: a thread that reads the capture for those who must not wait for a disk."""

from __future__ import annotations

import os
import sqlite3
import threading
from array import array
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

from app import events
from app.capture.filters.language import EVERYTHING, of_kind, parse
from app.capture.reading.reader import Reader
from app.capture.reading.store import CHUNK, Store
from tests.app.capture.captures import event, make, opened


class Desk:
    """Runs what the reader delivers, in the thread that calls ``turn``."""

    def __init__(self) -> None:
        self._calls: Queue[tuple[Callable[..., object], tuple[Any, ...]]] = Queue()
        self.threads: set[str] = set()

    def deliver(self, call: Callable[..., object], *args: Any) -> None:
        self.threads.add(threading.current_thread().name)
        self._calls.put((call, args))

    def turn(self) -> None:
        """Wait for one delivery and run it."""
        call, args = self._calls.get(timeout=10)
        call(*args)

    def until(self, condition: Callable[[], Any]) -> None:
        while not condition():
            self.turn()

    @property
    def quiet(self) -> bool:
        return self._calls.empty()


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def open_reader(desk: Desk) -> Iterator[Callable[[Path], Reader]]:
    made: list[Reader] = []

    def make(path: Path) -> Reader:
        made.append(Reader(path, desk.deliver))
        return made[-1]

    yield make
    for reader in made:
        reader.close()


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A capture of several chunks; each ten thousandth event says needle, as the first does."""
    path = make(tmp_path_factory.mktemp("long") / "long.lpost", event(b"needle"), event(b"x"))
    with closing(sqlite3.connect(path)) as database:
        # The writer takes ten times as long for so many.
        names = ", ".join(name for _, name, *_ in database.execute("PRAGMA table_info(stored)") if name != "id")
        database.execute(
            "WITH RECURSIVE n(i) AS (SELECT 3 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"  # noqa: S608
            f" INSERT INTO stored (id, {names}) SELECT i, {names} FROM n JOIN stored AS one"
            " ON one.id = CASE (i - 1) % 10000 WHEN 0 THEN 1 ELSE 2 END",
            [3 * CHUNK + 10],
        )
        database.commit()
    return path


def ids(*numbers: int) -> array[int]:
    return array("q", numbers)


def test_delivers_rows_in_the_order_of_their_ids_from_its_own_thread(
    open_reader: Callable[[Path], Reader], desk: Desk, tmp_path: Path
) -> None:
    reader = open_reader(make(tmp_path / "a.lpost", *(event(b"%d" % i) for i in range(5))))
    found: list[Any] = []
    reader.rows(ids(2, 3, 5), found.extend)
    desk.until(lambda: found)
    assert [(row.id, row.summary) for row in found] == [(2, "1"), (3, "2"), (5, "4")]
    assert desk.threads == {"capture-reader"}


def test_delivers_a_whole_event_or_none_where_it_is_gone(
    open_reader: Callable[[Path], Reader], desk: Desk, tmp_path: Path
) -> None:
    reader = open_reader(make(tmp_path / "a.lpost", event(b"\x00\xff")))
    found: list[Any] = []
    reader.event(1, found.append)
    reader.event(2, found.append)
    desk.until(lambda: len(found) == 2)
    assert found[0].payload == b"\x00\xff"
    assert found[1] is None


def test_delivers_the_exchange_of_a_request_or_none(
    open_reader: Callable[[Path], Reader], desk: Desk, tmp_path: Path
) -> None:
    detail = {"method": "GET", "target": "/", "fields": [], "body": 0}
    rows = (event(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"), event(None, events.HTTP_REQUEST, detail=detail))
    reader = open_reader(make(tmp_path / "a.lpost", opened(1), *([*row[:3], 1, *row[4:]] for row in rows)))
    found: list[Any] = []
    reader.exchange(3, found.append)
    reader.exchange(1, found.append)
    reader.exchange(99, found.append)
    desk.until(lambda: len(found) == 3)
    assert (found[0].request.id, found[0].asked.data) == (3, b"")
    assert found[1:] == [None, None]


def test_a_scan_finds_what_the_store_finds_chunk_by_chunk(
    open_reader: Callable[[Path], Reader], desk: Desk, long: Path
) -> None:
    chunks: list[tuple[list[int], int, bool]] = []
    where = parse("NEEDLE")
    open_reader(long).scan(where, 1, 3 * CHUNK + 10, lambda *chunk: chunks.append((list(chunk[0]), *chunk[1:])))
    desk.until(lambda: chunks and chunks[-1][2])
    with closing(Store(long)) as store:
        expected = [id for part in store.ids(where, 1, 3 * CHUNK + 10) for id in part]
    assert [id for part, _, _ in chunks for id in part] == expected
    assert [(upto, complete) for _, upto, complete in chunks] == [
        (CHUNK, False), (2 * CHUNK, False), (3 * CHUNK, False), (3 * CHUNK + 10, True),
    ]  # fmt: skip


def test_a_cancelled_scan_delivers_nothing_more(open_reader: Callable[[Path], Reader], desk: Desk, long: Path) -> None:
    reader, found, later = open_reader(long), [], []  # type: ignore[var-annotated]
    scan = reader.scan(parse("needle"), 1, 3 * CHUNK, lambda *chunk: found.append(chunk))
    desk.turn()
    scan.cancel()
    count = len(found)
    reader.scan(parse("needle"), 1, 10, lambda *chunk: later.append(chunk))
    desk.until(lambda: later)
    assert len(found) == count == 1


def test_a_page_passes_a_scan_that_is_under_way(open_reader: Callable[[Path], Reader], desk: Desk, long: Path) -> None:
    order: list[str] = []
    reader = open_reader(long)
    reader.scan(parse("nowhere"), 1, 3 * CHUNK, lambda _ids, _upto, complete: order.append("end" if complete else "."))
    reader.rows(ids(1), lambda _: order.append("page"))
    desk.until(lambda: "end" in order and "page" in order)
    assert order.index("page") < order.index("end")


def test_scans_end_in_the_order_in_which_they_began(
    open_reader: Callable[[Path], Reader], desk: Desk, long: Path
) -> None:
    ended: list[int] = []
    reader = open_reader(long)
    for number, last in enumerate((3 * CHUNK, CHUNK, 5)):
        reader.scan(parse("needle"), 1, last, lambda _i, _u, complete, number=number: complete and ended.append(number))
    desk.until(lambda: len(ended) == 3)
    assert ended == [0, 1, 2]


def test_answers_with_nothing_while_there_is_no_file_and_reads_it_once_it_is_there(
    open_reader: Callable[[Path], Reader], desk: Desk, tmp_path: Path
) -> None:
    path, found, chunks = tmp_path / "later.lpost", [], []  # type: ignore[var-annotated]
    reader = open_reader(path)
    reader.rows(ids(1), found.append)
    reader.event(1, found.append)
    reader.scan(EVERYTHING, 1, 9, lambda *chunk: chunks.append(chunk))
    desk.until(lambda: len(found) == 2 and chunks)
    assert found == [[], None]
    assert (list(chunks[0][0]), *chunks[0][1:]) == ([], 0, True)
    make(path, event(b"now"))
    reader.rows(ids(1), found.append)
    desk.until(lambda: len(found) == 3)
    assert [row.summary for row in found[2]] == ["now"]


def test_reads_the_file_that_took_the_place_of_the_one_it_had_open(
    open_reader: Callable[[Path], Reader], desk: Desk, tmp_path: Path
) -> None:
    path, found = make(tmp_path / "a.lpost", event(b"old")), []  # type: ignore[var-annotated]
    reader = open_reader(path)
    reader.rows(ids(1), found.extend)
    desk.until(lambda: found)
    os.replace(make(tmp_path / "b.lpost", event(b"new")), path)
    reader.rows(ids(1), found.extend)
    desk.until(lambda: len(found) == 2)
    assert [row.summary for row in found] == ["old", "new"]


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100])
def test_a_file_that_is_no_capture_is_answered_by_nothing(
    open_reader: Callable[[Path], Reader], desk: Desk, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "x.lpost"
    path.write_bytes(content)
    found: list[Any] = []
    open_reader(path).rows(ids(1), found.append)
    desk.until(lambda: found)
    assert found == [[]]


@pytest.mark.parametrize("detail", ["{", "[1]", "[" * 100_000])
def test_an_event_that_nobody_could_have_written_does_not_end_the_thread(
    open_reader: Callable[[Path], Reader], desk: Desk, tmp_path: Path, detail: str
) -> None:
    path = make(tmp_path / "a.lpost", event(b"one"), event(b"two"))
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE stored SET detail = ? WHERE id = 1", (detail,))
        db.commit()
    found: list[Any] = []
    reader = open_reader(path)
    reader.event(1, found.append)
    reader.event(2, found.append)
    desk.until(lambda: len(found) == 2)
    assert (found[0].payload, found[0].detail) == (b"one", {})
    assert found[1].payload == b"two"


def test_once_closed_it_reads_and_delivers_nothing(
    open_reader: Callable[[Path], Reader], desk: Desk, tmp_path: Path
) -> None:
    reader = open_reader(make(tmp_path / "a.lpost", event(b"x", kind=events.FAILURE)))
    reader.close()
    reader.rows(ids(1), lambda _: pytest.fail("delivered"))
    reader.scan(of_kind(events.FAILURE), 1, 1, lambda *_: pytest.fail("delivered"))
    reader.close()
    assert desk.quiet
    assert "capture-reader" not in {thread.name for thread in threading.enumerate()}
