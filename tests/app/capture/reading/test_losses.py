"""app.capture.reading.losses."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from app import events
from app.capture.filters.language import EVERYTHING, parse
from app.capture.lost_events import Loss
from app.capture.reading import losses
from app.capture.reading.losses import Lost
from app.capture.reading.store import Store
from tests.app.capture.captures import event, make, opened

T = 10**18
SECOND = 10**9
WHY = "the capture could not be written as fast as datagrams came"


def told(count: int, since: int, until: int, why: str = WHY) -> list[Any]:
    """The event of a loss between two seconds after ``T``."""
    summary, detail = Loss(count, T + since * SECOND, T + until * SECOND, why).recorded()
    row = event(None, events.LOST, 0, summary=summary, time=T + until * SECOND)
    return [*row[:2], 0, *row[3:7], detail]


@pytest.fixture
def lacking(tmp_path: Path) -> Path:
    return make(tmp_path / "x.lpost", opened(1), event(b"one", conn=1), told(5, 10, 20), told(7, 30, 30, "kernel"))


def missing(path: Path, typed: str = "") -> Lost:
    with closing(Store(path)) as store:
        return losses.lost(store, parse(typed) if typed else EVERYTHING)


def test_all_of_it_is_added_up(lacking: Path) -> None:
    found = missing(lacking)
    assert (found.count, found.since, found.until) == (12, T + 10 * SECOND, T + 30 * SECOND)
    assert found.why == (WHY, "kernel")
    assert found.in_words() == (
        "12 events that happened are missing here, from 2001-09-09 01:46:50 UTC to 2001-09-09 01:47:10 UTC: "
        f"{WHY}; kernel. See kind == events.lost"
    )


def test_a_capture_without_losses_says_nothing(tmp_path: Path) -> None:
    path = make(tmp_path / "x.lpost", event())
    assert not missing(path)
    assert missing(path).in_words() == ""


@pytest.mark.parametrize(
    ("typed", "count"),
    [
        ("service == echo", 12), ("service != echo", 0), ("peer contains 127", 12), ("hello", 12),
        ("payload contains 00 and not service == web", 12), ("http.status exists", 12), ("kind == data.received", 12),
        ("size > 10", 12), ("id < 4", 5), ("time >= {} and service == echo", 12), ("time > {}+25", 7),
        ("time < {}+9", 0), ("time > {}+12 and time < {}+13", 5), ("time > {}+31", 0),
    ],
)  # fmt: skip
def test_a_condition_on_the_time_tells_which_are_meant(lacking: Path, typed: str, count: int) -> None:
    """And one that nothing could fit: there is no service but echo."""
    for number in (31, 25, 13, 12, 9):
        typed = typed.replace(f"{{}}+{number}", _at(number))
    assert missing(lacking, typed.replace("{}", _at(0))).count == count


def _at(second: int) -> str:
    return f'"2001-09-09T01:{46 + (40 + second) // 60:02}:{(40 + second) % 60:02}+00:00"'


def test_what_lies_near_a_time(lacking: Path) -> None:
    with closing(Store(lacking)) as store:
        each = losses.each(store)
    assert losses.around(each, T, T).count == 12
    assert losses.around(each, T - 35 * SECOND, T - 35 * SECOND).count == 5
    assert not losses.around(each, T + 200 * SECOND, T + 300 * SECOND)


def test_losses_whose_events_were_dropped_are_counted(lacking: Path) -> None:
    with closing(sqlite3.connect(lacking)) as db:
        db.execute("UPDATE meta SET value = 100 WHERE key = 'lost'")
        db.commit()
    assert missing(lacking).count == 100


@pytest.mark.parametrize(
    "change",
    [
        lambda db: db.execute("UPDATE stored SET detail = NULL WHERE kind = 23"),
        lambda db: db.execute("UPDATE stored SET detail = '[1]' WHERE kind = 23"),
        lambda db: db.execute("""UPDATE stored SET detail = '{"count": -5, "from": 7, "until": {}}' WHERE kind = 23"""),
        lambda db: db.execute("""UPDATE stored SET detail = '{"count": "x", "from": "9999-99"}' WHERE kind = 23"""),
        lambda db: db.execute("UPDATE stored SET detail = ?, time = 'never' WHERE kind = 23", ("[" * 100_000,)),
        lambda db: db.execute("UPDATE meta SET value = 'many' WHERE key = 'lost'"),
        lambda db: db.execute("DELETE FROM meta WHERE key = 'lost'"),
    ],
)
def test_a_file_that_holds_something_else_does_no_harm(lacking: Path, change: Callable[[Any], Any]) -> None:
    with closing(sqlite3.connect(lacking)) as db:
        change(db)
        db.commit()
    assert isinstance(missing(lacking).in_words(), str)
    assert isinstance(missing(lacking, "size > 1").in_words(), str)
