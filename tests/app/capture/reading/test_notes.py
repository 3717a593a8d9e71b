"""Notes on events: kept by the writer, read with the rows, found by filters."""

from array import array
from contextlib import closing

import pytest
from twisted.internet.task import Clock

from app import events
from app.capture.filters.language import parse
from app.capture.reading.store import Store
from app.capture.recorder import Recorder
from app.capture.writing.file import CaptureFile
from app.events import Note
from tests.app.capture.captures import batch, event, make, read


def note(of, text, colour=""):
    recorder = Recorder(Clock())
    recorder.note(of, text, colour)
    kept = recorder._pending[:]
    recorder.abandon()
    kept[2] = 1
    return kept


@pytest.fixture
def noted(tmp_path):
    path = make(
        tmp_path / "x.lpost", event(b"a"), event(b"b"), event(b"c"), note(1, "first", "red"), note(2, "", "blue"),
        note(1, "second"), note(3, "gone"), note(3, ""),
    )  # fmt: skip
    store = Store(path)
    with closing(store):
        yield store


def found(store, typed):
    return [id for chunk in store.ids(parse(typed), *store.range()) for id in chunk]


def test_the_newest_note_counts_and_an_empty_one_takes_it_away(noted):
    assert [row.note for row in noted.rows(array("q", [1, 2, 3]))] == [Note("second"), Note("", "blue"), None]
    assert noted.event(2).note == Note("", "blue")


def test_a_note_is_an_event_of_its_own(noted):
    assert noted.event(4).detail == {"event": 1, "text": "first", "colour": "red"}
    assert noted.event(4).summary == "on event 1: first"
    assert found(noted, "kind == note") == [4, 5, 6, 7, 8]


@pytest.mark.parametrize(
    ("typed", "ids"),
    [
        ("note exists", [1]),
        ("note.colour exists", [2]),
        ("note contains SEC", [1]),
        ("note.colour == blue", [2]),
        ('note != "second"', [2]),
        ("not note exists and payload exists", [2, 3]),
    ],
)
def test_filters_find_notes(noted, typed, ids):
    assert found(noted, typed) == ids


def test_notes_go_with_their_events(tmp_path):
    file = CaptureFile(tmp_path / "x.lpost", "run", 300_000)
    file.store(batch(1, event(b"x"), note(1, "old")))
    for n in range(2, 200):
        file.store(batch(n, event(b"x" * 2000)))
    file.close()
    assert read(file.path, "SELECT * FROM note") == []


def test_a_note_on_one_line_is_told_by_its_summary():
    assert note(7, "", "red")[6] == "on event 7: coloured red"
    assert note(7, "")[6] == "on event 7: removed"
    assert events.NAMES[note(7, "x")[1]] == "note"
