"""The list behind a pane: ids, pages, filters, and a capture that moves on."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from app import events
from app.capture.filters.language import EVERYTHING, Filter, of_kind, of_service, parse
from app.capture.reading.reader import Reader
from app.capture.reading.store import Store
from app.capture.recorder import Stored
from tests.ui.conftest import MILLION
from tests.ui.desk import Capture, InstantReader, settle
from ui.panes.event_list import MAX_PAGES, PAGE, EventList

Threaded = Callable[[Path], Reader]


class Heard:
    """What a list emitted, in order."""

    def __init__(self, events: EventList) -> None:
        self.news: list[tuple[str, int]] = []
        events.reset.connect(lambda: self.news.append(("reset", 0)))
        events.appended.connect(lambda count: self.news.append(("appended", count)))
        events.dropped.connect(lambda count: self.news.append(("dropped", count)))

    def take(self) -> list[tuple[str, int]]:
        news, self.news = self.news, []
        return news


def listing(reader: Any, stored: Stored | None = None, base: Filter = EVERYTHING) -> EventList:
    """A list in view."""
    made = EventList(reader, base)
    if stored is not None:
        made.on_stored(stored)
    made.activate(True)
    return made


def ids_of(found: EventList) -> list[int]:
    return [found.id_at(i) for i in range(len(found))]


# -- a million events


def test_a_million_rows_are_there_at_once_and_read_by_pages(threaded: Threaded, million: Path, qtbot: QtBot) -> None:
    found = listing(threaded(million), Stored(1, MILLION))
    assert len(found) == MILLION
    assert found.row(MILLION // 2) is None
    qtbot.waitUntil(lambda: found.row(MILLION // 2) is not None)
    row = found.row(MILLION // 2)
    assert row is not None
    assert row.id == MILLION // 2 + 1
    assert len(found._pages) == 1


def test_memory_does_not_grow_with_scrolling(million: Path, qtbot: QtBot) -> None:
    with closing(InstantReader(million)) as reader:
        found = listing(reader, Stored(1, MILLION))
        used = []
        tracemalloc.start()
        for half in (0, 1):
            for page in range(MAX_PAGES * 2):
                found.row((half * MAX_PAGES * 3 + page) * PAGE)
                assert found.row((half * MAX_PAGES * 3 + page) * PAGE) is not None
                assert len(found._pages) <= MAX_PAGES
            used.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
    assert len(found._pages) == MAX_PAGES
    assert used[1] < used[0] * 1.2


def test_the_page_that_was_not_looked_at_for_the_longest_goes_first(million: Path, qtbot: QtBot) -> None:
    with closing(InstantReader(million)) as reader:
        found = listing(reader, Stored(1, MILLION))
        for page in range(MAX_PAGES):
            found.row(page * PAGE)
        found.row(0)
        found.row(MAX_PAGES * PAGE)
        asked = len(reader.asked)
        found.row(0)
        assert len(reader.asked) == asked
        found.row(PAGE)
        assert len(reader.asked) == asked + 1


def test_a_filter_finds_among_a_million_what_the_store_finds(threaded: Threaded, million: Path, qtbot: QtBot) -> None:
    found = listing(threaded(million), Stored(1, MILLION), of_service("beta"))
    found.set_filter(parse("NEEDLE"))
    assert found.scanning
    qtbot.waitUntil(lambda: not found.scanning)
    with closing(Store(million)) as store:
        expected = [id for part in store.ids(found.where, 1, MILLION) for id in part]
    assert ids_of(found) == expected
    assert len(expected) == 500
    qtbot.waitUntil(lambda: found.row(0) is not None)
    row = found.row(0)
    assert row is not None
    assert (row.service, row.summary) == ("beta", "needle")


def test_a_filter_typed_on_cancels_the_one_before(threaded: Threaded, million: Path, qtbot: QtBot) -> None:
    found = listing(threaded(million), Stored(1, MILLION))
    for typed in ("s", "st", "str", "straw 77777"):
        found.set_filter(parse(typed))
    qtbot.waitUntil(lambda: not found.scanning)
    with closing(Store(million)) as store:
        expected = [id for part in store.ids(parse("straw 77777"), 1, MILLION) for id in part]
    assert ids_of(found) == expected


# -- a capture that grows


def test_rows_are_appended_in_batches(capture: Capture, reader: InstantReader) -> None:
    found = listing(reader)
    heard = Heard(found)
    found.on_stored(capture.add([b"a"] * 10))
    found.on_stored(capture.add([b"b"] * 500))
    assert heard.take() == [("appended", 10), ("appended", 500)]
    assert ids_of(found) == list(range(1, 511))


def test_a_page_that_was_read_when_it_was_not_full_is_read_again(capture: Capture, reader: InstantReader) -> None:
    found = listing(reader, capture.add([b"a"] * 3))
    found.row(0)
    assert found.row(2) is not None
    found.on_stored(capture.add([b"b"]))
    found.row(3)
    row = found.row(3)
    assert row is not None
    assert row.summary == "b"


def test_a_filter_goes_on_with_what_arrives(capture: Capture, reader: InstantReader, qtbot: QtBot) -> None:
    found = listing(reader, capture.add([b"yes", b"no", b"yes"]))
    found.set_filter(parse("yes"))
    qtbot.waitUntil(lambda: not found.scanning)
    assert ids_of(found) == [1, 3]
    found.on_stored(capture.add([b"no", b"YES"]))
    qtbot.waitUntil(lambda: not found.scanning)
    assert ids_of(found) == [1, 3, 5]


def test_what_is_stored_during_a_scan_is_looked_at_after_it(
    capture: Capture, reader: InstantReader, qtbot: QtBot
) -> None:
    found = listing(reader, capture.add([b"yes"] * 2))
    reader.holding = True
    found.set_filter(parse("yes"))
    found.on_stored(capture.add([b"yes"] * 2))
    assert len(found) == 0
    reader.holding = False
    reader.release()
    qtbot.waitUntil(lambda: not found.scanning)
    assert ids_of(found) == [1, 2, 3, 4]


def test_without_a_filter_everything_is_there_again(capture: Capture, reader: InstantReader, qtbot: QtBot) -> None:
    found = listing(reader, capture.add([b"yes", b"no"]))
    found.set_filter(parse("yes"))
    qtbot.waitUntil(lambda: not found.scanning)
    assert found.filtered
    heard = Heard(found)
    found.set_filter(parse("  "))
    assert not found.filtered
    assert heard.take() == [("reset", 0), ("appended", 2)]
    found.set_filter(parse(""))
    assert heard.take() == []


def test_a_list_out_of_view_catches_up_when_it_comes_into_view(
    capture: Capture, reader: InstantReader, qtbot: QtBot
) -> None:
    plain, typed = EventList(reader), EventList(reader, of_kind(events.FAILURE))
    for stored in (capture.add([b"a"] * 5), capture.add([b"f"] * 2, kind=events.FAILURE)):
        plain.on_stored(stored)
        typed.on_stored(stored)
    assert (len(plain), len(typed)) == (0, 0)
    heard = Heard(plain)
    plain.activate(True)
    typed.activate(True)
    qtbot.waitUntil(lambda: not typed.scanning)
    assert heard.take() == [("appended", 7)]
    assert ids_of(typed) == [6, 7]


# -- clear view


@pytest.mark.parametrize("typed", ["", "a"])
def test_clear_shows_what_comes_from_now_on_and_everything_comes_back(
    capture: Capture, reader: InstantReader, qtbot: QtBot, typed: str
) -> None:
    found = listing(reader, capture.add([b"a"] * 5))
    found.set_filter(parse(typed))
    found.clear()
    assert (found.cleared, len(found)) == (True, 0)
    found.on_stored(capture.add([b"a"] * 2))
    qtbot.waitUntil(lambda: not found.scanning)
    assert ids_of(found) == [6, 7]
    found.show_all()
    qtbot.waitUntil(lambda: not found.scanning)
    assert (found.cleared, ids_of(found)) == (False, list(range(1, 8)))


# -- the oldest are dropped


def test_the_oldest_that_the_size_limit_drops_leave_the_list(capture: Capture, reader: InstantReader) -> None:
    found = listing(reader, capture.add([b"a"] * 10))
    heard = Heard(found)
    found.on_stored(Stored(4, 12))
    assert heard.take() == [("dropped", 3), ("appended", 2)]
    assert ids_of(found) == list(range(4, 13))


def test_more_may_be_dropped_than_the_list_has_seen(capture: Capture, reader: InstantReader) -> None:
    found = listing(reader, capture.add([b"a"] * 10))
    heard = Heard(found)
    found.on_stored(Stored(20, 25))
    assert heard.take() == [("dropped", 10), ("appended", 6)]
    assert ids_of(found) == list(range(20, 26))


def test_a_capture_that_has_lost_its_oldest_begins_with_what_it_has(capture: Capture, reader: InstantReader) -> None:
    assert ids_of(listing(reader, Stored(5, 8))) == [5, 6, 7, 8]


def test_dropped_events_leave_a_filtered_list(capture: Capture, reader: InstantReader, qtbot: QtBot) -> None:
    found = listing(reader, capture.add([b"yes", b"no", b"yes", b"yes"]))
    found.set_filter(parse("yes"))
    qtbot.waitUntil(lambda: not found.scanning)
    heard = Heard(found)
    found.on_stored(Stored(2, 4))
    assert heard.take() == [("dropped", 1)]
    assert ids_of(found) == [3, 4]


def test_rows_stay_at_their_places_while_the_file_has_dropped_some_unheard(qtbot: QtBot, tmp_path: Path) -> None:
    capture = Capture(tmp_path / "small.lpost", limit=200_000)
    with closing(capture), closing(InstantReader(capture.path)) as reader:
        reported = capture.add([b"%04d" % i for i in range(100)])
        while capture.stored.first == 1:  # the list hears nothing of these
            capture.add([b"x" * 1000] * 20)
        found = listing(reader, reported)
        found.row(0)
        gone = capture.stored.first - 1
        assert gone > 0
        shown = [found.row(i) for i in range(100)]
    assert all(row is None or row.id == i + 1 for i, row in enumerate(shown))


# -- a capture that cannot be read, a pane that is gone


def test_an_unreadable_page_is_asked_for_again_only_when_the_capture_moves_on(
    threaded: Threaded, capture: Capture, qtbot: QtBot, tmp_path: Path
) -> None:
    reader = threaded(tmp_path / "elsewhere.lpost")
    found = listing(reader, Stored(1, 3))
    asked: list[int] = []
    found.loaded.connect(lambda: asked.append(0 if found.row(0) is None else 1))
    found.row(0)
    qtbot.waitUntil(lambda: bool(asked))
    settle()
    assert asked == [0]
    assert not found._asked
    capture.add([b"back"] * 3)
    capture.move(tmp_path / "elsewhere.lpost")
    found.on_stored(Stored(1, 3))
    qtbot.waitUntil(lambda: asked[-1] == 1)


def test_a_scan_that_cannot_read_begins_again_where_it_was(
    threaded: Threaded, capture: Capture, qtbot: QtBot, tmp_path: Path
) -> None:
    found = listing(threaded(tmp_path / "elsewhere.lpost"), Stored(1, 3), of_kind(events.FAILURE))
    qtbot.waitUntil(lambda: not found.scanning)
    assert len(found) == 0
    capture.add([b"back"] * 3, kind=events.FAILURE)
    capture.move(tmp_path / "elsewhere.lpost")
    found.on_stored(Stored(1, 3))
    qtbot.waitUntil(lambda: not found.scanning)
    assert ids_of(found) == [1, 2, 3]


def test_answers_that_come_after_it_was_deleted_are_let_go(capture: Capture, reader: InstantReader) -> None:
    found = listing(reader, capture.add([b"a"] * 3), of_service("alpha"))
    reader.release()
    reader.holding = True
    found.row(0)
    found.on_stored(capture.add([b"a"]))
    assert len(reader.held) == 2
    found.close()
    found.deleteLater()
    settle()
    reader.release()
    assert len(found) == 3


def test_another_capture_takes_the_place_of_the_first(capture: Capture, reader: InstantReader, tmp_path: Path) -> None:
    found = listing(reader, capture.add([b"a"] * 3))
    found.clear()
    other = Capture(tmp_path / "other.lpost")
    with closing(other):
        other.add([b"b"])
        with closing(InstantReader(other.path)) as second:
            found.set_reader(second)
            assert (len(found), found.cleared) == (0, False)
            found.on_stored(other.stored)
            found.row(0)
            row = found.row(0)
    assert row is not None
    assert row.summary == "b"
