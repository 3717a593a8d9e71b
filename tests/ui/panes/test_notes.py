"""Notes on rows: written, coloured, painted."""

from __future__ import annotations

from itertools import product

import pytest
from PyQt5.QtGui import QColor
from PyQt5.QtWidgets import QMenu
from pytestqt.qtbot import QtBot
from twisted.internet.task import Clock

from app.capture.recorder import Recorder, Stored
from app.capture.writing.batch import FIELDS
from app.events import COLOURS, Note
from tests.ui.desk import Capture, InstantReader, do, settle
from ui.detail.facts import facts
from ui.looks import theme
from ui.looks.theme import AA_TEXT, DARK, LIGHT, Theme, contrast
from ui.panes import note_colours
from ui.panes.event_list import EventList
from ui.panes.event_view import EventView
from ui.panes.notes import NoteDialog, Notes, colour_menu
from ui.window.main_window import MainWindow


def noted(capture: Capture, of: int, text: str, colour: str) -> Stored:
    recorder = Recorder(Clock())
    recorder.note(of, text, colour)
    flat = list(recorder._pending)
    recorder.abandon()
    assert len(flat) == FIELDS
    return capture.store(flat)


@pytest.mark.parametrize(("colors", "name", "word"), list(product(
    (DARK, LIGHT), COLOURS, ("text", "selected_dim", "bad", "warning", "good", "received", "sent"),
)))  # fmt: skip
def test_every_word_is_readable_on_a_marked_row(colors: Theme, name: str, word: str) -> None:
    assert contrast(getattr(colors, word), note_colours.tint(name, colors)) >= AA_TEXT


@pytest.mark.parametrize("colors", [DARK, LIGHT])
def test_the_colours_differ(colors: Theme) -> None:
    assert len({note_colours.tint(name, colors) for name in COLOURS} | {colors.panel}) == len(COLOURS) + 1


def test_the_dialog_gives_what_is_written_and_chosen(qtbot: QtBot, dark: None) -> None:
    dialog = NoteDialog(1, Note("old", "red"))
    qtbot.addWidget(dialog)
    assert dialog.note() == Note("old", "red")
    dialog.text.setText("  new ")
    dialog.choose("blue")
    with qtbot.waitSignal(dialog.written) as heard:
        dialog.accept()
    assert heard.args == [Note("new", "blue")]


def test_a_note_is_recorded_and_told_once_it_is_stored(qtbot: QtBot) -> None:
    recorder = Recorder(Clock())
    notes = Notes(recorder, QMenu())
    told: list[int] = []
    notes.kept.connect(lambda: told.append(1))
    notes.note([7, 8], Note("look", "green"))
    assert recorder.seen == 2
    notes.on_tick()
    assert told == []
    recorder.on_stored(1, Stored(1, 2, 0))
    notes.on_tick()
    notes.on_tick()
    assert told == [1]


def test_the_menu_of_colours_offers_each_and_none(qtbot: QtBot, dark: None) -> None:
    chosen: list[str] = []
    parent = QMenu()
    menu = colour_menu(parent, chosen.append)
    for action in menu.actions():
        action.trigger()
    assert chosen == [*COLOURS, ""]


def test_a_marked_row_is_tinted_and_reads_its_note_again(
    qtbot: QtBot, dark: None, capture: Capture, reader: InstantReader
) -> None:
    stored = capture.add([b"a", b"b"])
    rows = EventList(reader)  # type: ignore[arg-type]
    view = EventView(rows)
    qtbot.addWidget(view)
    view.resize(900, 300)
    view.show()
    rows.on_stored(stored)
    rows.activate(True)
    assert _background(view, 1) == DARK.panel
    rows.on_stored(noted(capture, 2, "look", "red"))
    rows.refresh()
    assert _background(view, 1) == note_colours.tint("red", DARK)
    assert _background(view, 0) == DARK.panel


def _background(view: EventView, index: int) -> str:
    rect = view.row_rect(index)
    view.grab()  # asks for what is not there yet
    return QColor(view.viewport().grab().toImage().pixel(rect.right() - 20, rect.top() + 2)).name()


def test_a_filter_for_notes_finds_rows_that_are_noted_later(
    qtbot: QtBot, capture: Capture, reader: InstantReader
) -> None:
    from app.capture.filters.language import parse

    rows = EventList(reader)  # type: ignore[arg-type]
    rows.on_stored(capture.add([b"a", b"b"]))
    rows.set_filter(parse("note exists"))
    rows.activate(True)
    settle()
    assert len(rows) == 0
    rows.on_stored(noted(capture, 1, "look", ""))
    rows.refresh()
    settle()
    assert list(rows.ids(0, 0)) == [1]


def test_the_overview_begins_with_the_note(reader: InstantReader, capture: Capture) -> None:
    capture.add([b"a"])
    noted(capture, 1, "ask\tMara", "blue")
    event = reader._store.event(1)
    assert event is not None
    assert [(fact.name, fact.value) for fact in facts(event)[:2]] == [("note", r"ask\tMara"), ("colour", "blue")]


def test_the_action_asks_and_records(window: MainWindow, qtbot: QtBot, tmp_path: object) -> None:
    assert not window.actions_["note"].isEnabled(), "nothing is selected"
    window.notes.ask([3], None)
    settle()
    dialog = window.findChild(NoteDialog)
    assert dialog is not None
    dialog.text.setText("look")
    dialog.accept()
    settle()
    assert window._post.recorder.seen == 1


def test_show_all_notes_filters_for_them(window: MainWindow) -> None:
    do(window, "notes")
    assert window.filter.text() == "note exists or note.colour exists"
    assert window.panes.current() is window.panes.all


def test_swatches_are_drawn_for_every_name(dark: None, qtbot: QtBot) -> None:
    theme.current()
    assert all(not note_colours.swatch(name).isNull() for name in (*COLOURS, ""))
