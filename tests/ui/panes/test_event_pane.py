"""One pane: its filter, its bar for what is below, its clipboard, its words when it is empty."""

from __future__ import annotations

import pytest
from PyQt5.QtCore import QPoint, Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QAbstractSlider, QMenu
from pytestqt.qtbot import QtBot

from app.capture.recorder import Stored
from tests.ui.desk import Capture, InstantReader, settle
from ui.panes import event_pane
from ui.panes.event_pane import EventPane

pytestmark = pytest.mark.usefixtures("dark")


@pytest.fixture
def pane(reader: InstantReader, qtbot: QtBot) -> EventPane:
    widget = EventPane(reader, empty="Press Start all.")  # type: ignore[arg-type]
    qtbot.addWidget(widget)
    widget.resize(900, 300)
    with qtbot.waitExposed(widget):
        widget.show()
    widget.events.activate(True)
    return widget


def hold(pane: EventPane) -> None:
    pane.view.verticalScrollBar().triggerAction(QAbstractSlider.SliderToMinimum)


def test_a_bar_says_how_much_arrived_below_and_a_click_returns_to_the_tail(
    pane: EventPane, capture: Capture, qtbot: QtBot
) -> None:
    pane.on_stored(capture.add([b"x"] * 200))
    assert not pane._below.isVisible()
    hold(pane)
    assert not pane._below.isVisible()
    pane.on_stored(capture.add([b"x"] * 1200))
    assert pane._below.isVisible()
    assert pane._below.text() == "↓ 1,200 new below"
    QTest.mouseClick(pane._below, Qt.LeftButton)
    assert pane.view.following
    assert not pane._below.isVisible()


def test_copied_rows_are_tab_separated_with_the_time_since_the_row_above(
    pane: EventPane, capture: Capture, qtbot: QtBot
) -> None:
    pane.on_stored(capture.add([b"one", b"two", b"three"]))
    pane.view.set_current(0)
    pane.view.set_current(2, extend=True)
    with qtbot.waitSignal(pane.copied) as copied:
        pane.copy_rows()
    lines = [line.split("\t") for line in copied.args[0].split("\n")]
    assert [(line[0], line[2], line[3], line[-1]) for line in lines] == [
        ("1", "", "alpha", "one"),
        ("2", "+1.0 ms", "alpha", "two"),
        ("3", "+1.0 ms", "alpha", "three"),
    ]


def test_a_payload_cannot_break_a_copied_row(pane: EventPane, capture: Capture, qtbot: QtBot) -> None:
    pane.on_stored(capture.add([b"a\tb\nc\x00\xe2\x80\xa8d"]))
    pane.view.set_current(0)
    with qtbot.waitSignal(pane.copied) as copied:
        pane.copy_rows()
    assert len(copied.args[0].splitlines()) == 1
    assert copied.args[0].count("\t") == 8


def test_without_a_selection_nothing_is_copied(pane: EventPane, capture: Capture, qtbot: QtBot) -> None:
    pane.on_stored(capture.add([b"x"]))
    with qtbot.assertNotEmitted(pane.copied):
        pane.copy_rows()


def test_a_copy_has_an_end(pane: EventPane, capture: Capture, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_pane, "COPY_ROWS", 10)
    pane.on_stored(capture.add([b"x"] * 30))
    pane.view.select_all()
    with qtbot.waitSignal(pane.copied) as copied:
        pane.copy_rows()
    text, words = copied.args
    assert text.count("\n") == 9
    assert words == "Copied 10 of 30 rows"


def test_rows_that_are_read_after_the_pane_is_gone_go_nowhere(reader: InstantReader, capture: Capture) -> None:
    pane = EventPane(reader)  # type: ignore[arg-type]
    pane.events.activate(True)
    pane.on_stored(capture.add([b"x"] * 3))
    reader.holding = True
    pane.view.select_all()
    pane.copy_rows()
    pane.events.row(0)
    pane.set_filter("x")
    pane.let_go()
    pane.deleteLater()
    settle()
    assert reader.held
    reader.release()
    assert not reader.held


def test_an_empty_pane_says_what_to_do(pane: EventPane, capture: Capture, qtbot: QtBot) -> None:
    said = [pane.view._placeholder]
    pane.set_empty("Press Start.")
    said.append(pane.view._placeholder)
    pane.on_stored(capture.add([b"x"]))
    pane.events.clear()
    said.append(pane.view._placeholder)
    pane.set_filter("<b>needle</b>")
    said.append(pane.view._placeholder)
    pane.events.show_all()
    qtbot.waitUntil(lambda: not pane.events.scanning)
    said.append(pane.view._placeholder)
    assert said[:2] == ["Press Start all.", "Press Start."]
    assert said[2].startswith("Cleared.")
    assert said[3] == said[4]
    assert said[4].startswith("Nothing matches “<b>needle</b>”.")


def test_while_it_looks_it_says_so(pane: EventPane, capture: Capture, reader: InstantReader, qtbot: QtBot) -> None:
    pane.on_stored(capture.add([b"x"] * 3))
    pane.set_filter("nowhere")
    assert pane.view._placeholder == "Searching…"
    qtbot.waitUntil(lambda: "Nothing matches" in pane.view._placeholder)


def test_a_context_menu_is_offered_to_whoever_fills_it(pane: EventPane, qtbot: QtBot) -> None:
    with qtbot.waitSignal(pane.menu_wanted) as wanted:
        pane.view.menu_wanted.emit(QPoint(1, 2))
    assert isinstance(wanted.args[0], QMenu)
    assert wanted.args[1] == QPoint(1, 2)


def test_another_capture_empties_it(pane: EventPane, capture: Capture, reader: InstantReader) -> None:
    pane.on_stored(capture.add([b"x"]))
    pane.set_reader(reader)  # type: ignore[arg-type]
    assert len(pane.events) == 0
    pane.on_stored(Stored(1, 1))
    assert len(pane.events) == 1
