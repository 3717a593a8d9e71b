"""app.capture.reading.groups."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from app import events
from app.capture.filters.sql import of_kind
from app.capture.reading.groups import MAX_GROUPS, NAMED, Group, groups
from app.capture.reading.store import Store
from app.capture.writing.file import CaptureFile
from app.failures import record as failures
from app.failures.fingerprint import fingerprint
from app.failures.record import FailureRecord, Frame
from tests.app.capture.captures import LIMIT, batch, event, is_sound, make, opened, read

HERE = Frame("/srv/plugins/meter.py", 38, "handle", ((38, "    raise ValueError(data)"),))
BAD = FailureRecord("ValueError", "bad 17", (HERE,))
OTHER = FailureRecord("KeyError", "'temp'", (Frame("/srv/plugins/meter.py", 50, "handle", ((50, "d[k]"),)),))


def failed(record: FailureRecord = BAD, conn: int = 0, **more: Any) -> list[Any]:
    detail = {"group": fingerprint(record), **record.as_json()}
    return event(b"x", events.FAILURE, conn, detail=detail, summary=record.summary, **more)


def resolved(record: FailureRecord = BAD, **more: bool) -> list[Any]:
    return event(None, events.FAILURE_RESOLVED, detail={"group": fingerprint(record), **more})


def test_all_that_stands_among_the_failures_is_found_by_an_index(tmp_path: Path) -> None:
    path = make(tmp_path / "x.lpost", event(b"x"), failed(), event(None, events.LOOP_BLOCKED, detail={"group": "g"}))
    where = of_kind(*events.FAILURES)
    with closing(Store(path)) as store:
        assert [list(chunk) for chunk in store.ids(where, 1, 3)] == [[2, 3]]
        plan = "EXPLAIN QUERY PLAN SELECT id FROM event WHERE id BETWEEN ? AND ? AND " + where.sql  # noqa: S608
        assert "USING INDEX stored_failures" in store._db.execute(plan, (1, 3)).fetchone()[3]


class Growing:
    """A capture that grows, and its groups."""

    def __init__(self, path: Path, limit: int = LIMIT) -> None:
        self.path = path
        self._file = CaptureFile(path, "run", limit)

    def add(self, *rows: list[Any], **more: Any) -> Growing:
        self._file.store(batch(self._file.sequence + 1, *rows, **more))
        return self

    def groups(self) -> list[Group]:
        with closing(Store(self.path)) as store:
            found = groups(store)
            assert found is not None
            return found[1]

    def ids(self, group: Group) -> list[int]:
        with closing(Store(self.path)) as store:
            return [id for chunk in store.ids(group.filter, *store.range()) for id in chunk]

    def close(self) -> None:
        self._file.close()


@pytest.fixture
def growing(tmp_path: Path) -> Iterator[Callable[..., Growing]]:
    made: list[Growing] = []

    def make(**more: Any) -> Growing:
        made.append(Growing(tmp_path / "x.lpost", **more))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_failures_of_the_same_mistake_are_one_group(growing: Any) -> None:
    same = failures.FailureRecord("ValueError", "bad 18", (HERE,))
    capture = growing().add(failed(time=10), event(), failed(same, time=30), failed(OTHER, time=20))
    newest, older = capture.groups()
    assert (newest.type, newest.count, newest.newest) == ("KeyError", 1, 4)
    assert (older.type, older.message, older.example) == ("ValueError", "bad <number>", "bad 18")
    assert (older.count, older.first, older.last, older.newest) == (2, 10, 30, 3)
    assert older.where == "plugins/meter.py:38 handle"
    assert older.state == "open"
    assert capture.ids(older) == [1, 3]


def test_a_group_names_its_services_and_the_newest_addresses(growing: Any) -> None:
    rows = [row for n in range(1, 9) for row in (opened(n, f"10.0.0.{n}:{5000 + n}"), failed(conn=n))]
    [group] = growing().add(*rows, opened(9, "10.0.0.8:1"), failed(conn=9)).groups()
    assert group.services == ("echo",)
    assert group.peers == tuple(f"10.0.0.{n}" for n in range(8, 8 - NAMED, -1))


def test_a_group_is_resolved_until_it_fails_again(growing: Any) -> None:
    capture = growing().add(failed(), failed(OTHER), resolved())
    assert {g.type: g.state for g in capture.groups()} == {"ValueError": "resolved", "KeyError": "open"}
    capture.add(failed())
    assert {g.type: g.state for g in capture.groups()} == {"ValueError": "reopened", "KeyError": "open"}
    capture.add(resolved())
    assert {g.type: g.state for g in capture.groups()} == {"ValueError": "resolved", "KeyError": "open"}


def test_what_was_resolved_can_be_reopened_by_hand(growing: Any) -> None:
    capture = growing().add(failed(), resolved(), resolved(reopened=True))
    assert [g.state for g in capture.groups()] == ["reopened"]


def test_the_same_groups_are_not_read_twice(growing: Any) -> None:
    capture = growing().add(failed())
    with closing(Store(capture.path)) as store:
        mark, _ = groups(store)  # type: ignore[misc]
        capture.add(event(), event())
        assert groups(store, mark) is None
        capture.add(resolved())
        again = groups(store, mark)
        assert again is not None
        assert groups(store, again[0]) is None
        capture.add(failed())
        assert groups(store, again[0]) is not None


def test_only_so_many_groups_are_told_apart(growing: Any) -> None:
    frames = (Frame("/srv/p.py", n, f"f{n}") for n in range(MAX_GROUPS + 20))
    found = growing().add(*(failed(FailureRecord("ValueError", "", (frame,))) for frame in frames)).groups()
    assert len(found) == MAX_GROUPS
    assert found[0].where.endswith(f"f{MAX_GROUPS + 19}")


def test_the_size_limit_takes_failures_out_of_their_groups(growing: Any) -> None:
    capture = growing(limit=600_000)
    capture.add(failed(), resolved())
    for _ in range(40):
        capture.add(failed(OTHER), event(b"x" * 40_000))
    [group] = capture.groups()
    assert group.type == "KeyError"
    assert capture.ids(group)[0] > 2
    assert group.count == len(capture.ids(group))
    assert read(capture.path, "SELECT count(*) FROM resolution") == [(0,)]
    assert is_sound(capture.path)


def older(path: Path) -> None:
    """Make a capture what earlier builds made."""
    with closing(sqlite3.connect(path)) as db:
        db.executescript("DROP TABLE failure; DROP TABLE resolution")
        for column in ("tls", "first", "last", "messages_received", "messages_sent", "failures"):
            db.execute(f"ALTER TABLE connection DROP COLUMN {column}")


def test_a_capture_without_the_table_is_grouped_by_what_its_failures_say(growing: Any) -> None:
    capture = growing().add(opened(1, "10.0.0.7:5"), failed(time=10, conn=1), event(), failed(time=30), failed(OTHER))
    capture.close()
    older(capture.path)
    _, bad = capture.groups()
    assert (bad.type, bad.count, bad.first, bad.last, bad.newest) == ("ValueError", 2, 10, 30, 4)
    assert (bad.services, bad.peers, bad.state) == (("echo",), ("10.0.0.7",), "open")
    assert capture.ids(bad) == [2, 4]
    capture._file = CaptureFile(capture.path, "another", LIMIT)
    capture.add(failed())
    assert [g.count for g in capture.groups()] == [1]


def test_failures_that_say_nothing_make_no_trouble(growing: Any) -> None:
    capture = growing().add(
        event(None, events.FAILURE), event(None, events.FAILURE, detail={"group": 7}),
        event(None, events.FAILURE, detail={"group": "abc", "frames": "no"}),
        event(None, events.FAILURE_RESOLVED), event(None, events.FAILURE_RESOLVED, detail={"group": None}),
    )  # fmt: skip
    [group] = capture.groups()
    assert (group.fingerprint, group.type, group.where) == ("abc", "?", "")


def test_an_empty_capture_has_none(growing: Any) -> None:
    assert growing().groups() == []
