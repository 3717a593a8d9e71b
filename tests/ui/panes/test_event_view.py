"""The log: following, selecting, scrolling, painting."""

from __future__ import annotations

from math import ceil
from pathlib import Path

import pytest
from PyQt5.QtCore import QEvent, QPoint, Qt
from PyQt5.QtGui import QColor, QContextMenuEvent, QImage, QMouseEvent
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QAbstractSlider, QApplication
from pytestqt.qtbot import QtBot

from app import events
from app.capture.filters.language import EVERYTHING, parse
from app.capture.recorder import Stored
from tests.ui.conftest import MILLION
from tests.ui.desk import Capture, InstantReader, settle
from ui.looks import theme
from ui.panes.event_columns import COLUMNS
from ui.panes.event_list import EventList
from ui.panes.event_view import EventView

pytestmark = pytest.mark.usefixtures("dark")


@pytest.fixture
def view(reader: InstantReader, qtbot: QtBot) -> EventView:
    found = EventList(reader)  # type: ignore[arg-type]
    found.activate(True)
    widget = EventView(found)
    found.setParent(widget)
    qtbot.addWidget(widget)
    widget.resize(900, 300)
    with qtbot.waitExposed(widget):
        widget.show()
    return widget


def fill(view: EventView, capture: Capture, count: int = 200, payload: bytes = b"x") -> None:
    view.events.on_stored(capture.add([payload] * count))


def top(view: EventView) -> int:
    return view.verticalScrollBar().value()


def bottom(view: EventView) -> int:
    return view.verticalScrollBar().maximum()


def act(view: EventView, action: QAbstractSlider.SliderAction) -> None:
    """Scroll as a user does by the scroll bar."""
    view.verticalScrollBar().triggerAction(action)


def click(view: EventView, index: int, modifier: Qt.KeyboardModifier = Qt.NoModifier) -> None:
    QTest.mouseClick(view.viewport(), Qt.LeftButton, modifier, view.row_rect(index).center())


def image(view: EventView) -> QImage:
    return view.viewport().grab().toImage()


def colors(view: EventView, rect: object) -> set[str]:
    part = view.viewport().grab(rect).toImage()  # type: ignore[call-overload]
    return {part.pixelColor(x, y).name() for x in range(part.width()) for y in range(part.height())}


# -- following


def test_follows_the_tail_until_scrolled_up_then_stays(view: EventView, capture: Capture, qtbot: QtBot) -> None:
    fill(view, capture)
    qtbot.waitUntil(lambda: (view.following, top(view)) == (True, bottom(view)))
    act(view, QAbstractSlider.SliderSingleStepSub)
    place = top(view)
    assert not view.following
    fill(view, capture, 50)
    assert top(view) == place
    assert view.below == 50


def test_scrolling_back_to_the_end_follows_again(view: EventView, capture: Capture) -> None:
    fill(view, capture)
    act(view, QAbstractSlider.SliderToMinimum)
    fill(view, capture)
    act(view, QAbstractSlider.SliderToMaximum)
    assert (view.following, view.below) == (True, 0)
    fill(view, capture, 10)
    assert top(view) == bottom(view)


def test_the_current_row_stays_in_view_when_the_view_becomes_lower(view: EventView, capture: Capture) -> None:
    fill(view, capture)
    act(view, QAbstractSlider.SliderToMinimum)
    view.set_current(view.rows_per_page() - 1)
    view.resize(900, 150)
    settle()
    assert view.rect().contains(view.viewport().mapTo(view, view.row_rect(view.current).bottomLeft()))
    view.set_current(0)
    act(view, QAbstractSlider.SliderToMaximum)
    view.set_following(False)
    place = top(view)
    view.resize(900, 120)
    settle()
    assert top(view) == place  # what was out of view before is not brought back


def test_what_is_in_view_is_not_counted_as_below(view: EventView, capture: Capture) -> None:
    fill(view, capture, 3)
    view.set_current(0)
    assert not view.following
    fill(view, capture, 2)
    assert view.below == 0


def test_what_is_below_grows_less_while_scrolling_down_to_it(view: EventView, capture: Capture) -> None:
    fill(view, capture, 100)
    act(view, QAbstractSlider.SliderToMinimum)
    fill(view, capture, 100)
    view.verticalScrollBar().setValue(bottom(view) - 5)
    assert view.below == 5


def test_set_following_goes_to_the_tail_and_tells(view: EventView, capture: Capture, qtbot: QtBot) -> None:
    fill(view, capture)
    act(view, QAbstractSlider.SliderToMinimum)
    with qtbot.waitSignal(view.following_changed, check_params_cb=lambda following: following is True):
        view.set_following(True)
    assert top(view) == bottom(view)


def test_held_at_the_tail_it_stays_there(view: EventView, capture: Capture) -> None:
    fill(view, capture)
    view.set_following(False)
    place = top(view)
    fill(view, capture, 7)
    assert (top(view), view.below) == (place, 7)


def test_the_mouse_wheel_leaves_the_tail(view: EventView, capture: Capture) -> None:
    fill(view, capture)
    bar = view.verticalScrollBar()
    bar.setSliderDown(True)
    bar.setSliderPosition(bottom(view) // 2)
    bar.setSliderDown(False)
    assert not view.following


# -- the oldest are dropped


def test_a_drop_of_the_oldest_keeps_the_place_and_the_selection(view: EventView, capture: Capture) -> None:
    fill(view, capture, 200)
    view.set_current(100)
    view.verticalScrollBar().setValue(95)
    first = view.events.id_at(top(view))
    view.events.on_stored(Stored(41, 200))
    assert view.events.id_at(top(view)) == first
    assert view.events.id_at(view.current) == 101


def test_dropping_all_of_a_selection_leaves_none(view: EventView, capture: Capture) -> None:
    fill(view, capture, 200)
    view.set_current(10)
    view.events.on_stored(Stored(41, 200))
    assert view.current == -1
    assert view.selection() == (0, -1)


def test_dropping_a_part_of_a_selection_leaves_the_rest(view: EventView, capture: Capture) -> None:
    fill(view, capture, 200)
    view.set_current(10)
    view.set_current(60, extend=True)
    view.events.on_stored(Stored(41, 200))
    assert view.selection() == (0, 20)
    view.select_all()
    view.events.on_stored(Stored(51, 200))
    assert view.selection() == (0, 149)


def test_no_more_is_below_than_there_is(view: EventView, capture: Capture) -> None:
    fill(view, capture, 100)
    act(view, QAbstractSlider.SliderToMinimum)
    fill(view, capture, 100)
    view.events.on_stored(Stored(181, 200))
    assert view.below <= max(0, 20 - view.rows_per_page())


# -- keys and mouse


def test_keys_go_through_the_rows(view: EventView, capture: Capture) -> None:
    fill(view, capture, 200)
    page = view.rows_per_page()
    places = []
    for key in (Qt.Key_Home, Qt.Key_Down, Qt.Key_PageDown, Qt.Key_Up, Qt.Key_PageUp, Qt.Key_End, Qt.Key_Down):
        QTest.keyClick(view, key)
        places.append(view.current)
    assert places == [0, 1, 1 + page, page, 0, 199, 199]


def test_home_leaves_the_tail_and_end_returns_to_it(view: EventView, capture: Capture) -> None:
    fill(view, capture, 200)
    QTest.keyClick(view, Qt.Key_Home)
    assert (view.following, top(view)) == (False, 0)
    QTest.keyClick(view, Qt.Key_End)
    assert (view.following, top(view)) == (True, bottom(view))


def test_shift_extends_the_selection_both_ways(view: EventView, capture: Capture) -> None:
    fill(view, capture, 200)
    view.set_current(50)
    for key in (Qt.Key_Down, Qt.Key_Down):
        QTest.keyClick(view, key, Qt.ShiftModifier)
    assert view.selection() == (50, 52)
    for _ in range(4):
        QTest.keyClick(view, Qt.Key_Up, Qt.ShiftModifier)
    assert view.selection() == (48, 50)
    QTest.keyClick(view, Qt.Key_Up)
    assert view.selection() == (47, 47)


def test_keys_in_an_empty_log_do_nothing(view: EventView) -> None:
    for key in (Qt.Key_Home, Qt.Key_Down, Qt.Key_PageUp, Qt.Key_A):
        QTest.keyClick(view, key)
    view.select_all()
    assert view.selection() == (0, -1)


def test_a_click_selects_and_shift_click_extends(view: EventView, capture: Capture, qtbot: QtBot) -> None:
    fill(view, capture, 200)
    act(view, QAbstractSlider.SliderToMinimum)
    with qtbot.waitSignal(view.current_changed, check_params_cb=lambda id: id == 3):
        click(view, 2)
    click(view, 5, Qt.ShiftModifier)
    assert view.selection() == (2, 5)
    click(view, 4)
    assert view.selection() == (4, 4)


def test_a_drag_selects_the_rows_it_goes_over(view: EventView, capture: Capture) -> None:
    fill(view, capture, 200)
    act(view, QAbstractSlider.SliderToMinimum)
    QTest.mousePress(view.viewport(), Qt.LeftButton, Qt.NoModifier, view.row_rect(1).center())
    at = view.row_rect(4).center()
    QApplication.sendEvent(
        view.viewport(), QMouseEvent(QEvent.MouseMove, at, Qt.NoButton, Qt.LeftButton, Qt.NoModifier)
    )
    QTest.mouseRelease(view.viewport(), Qt.LeftButton, Qt.NoModifier, at)
    assert view.selection() == (1, 4)


def test_a_right_click_keeps_a_selection_that_it_hits_and_takes_the_row_otherwise(
    view: EventView, capture: Capture
) -> None:
    fill(view, capture, 200)
    act(view, QAbstractSlider.SliderToMinimum)
    click(view, 1)
    click(view, 5, Qt.ShiftModifier)
    QTest.mouseClick(view.viewport(), Qt.RightButton, Qt.NoModifier, view.row_rect(3).center())
    assert view.selection() == (1, 5)
    QTest.mouseClick(view.viewport(), Qt.RightButton, Qt.NoModifier, view.row_rect(8).center())
    assert view.selection() == (8, 8)


def test_a_click_below_the_last_row_changes_nothing(view: EventView, capture: Capture) -> None:
    fill(view, capture, 2)
    click(view, 1)
    QTest.mouseClick(view.viewport(), Qt.LeftButton, Qt.NoModifier, QPoint(50, view.viewport().height() - 2))
    assert view.selection() == (1, 1)


def test_the_context_menu_is_asked_for_with_its_place(view: EventView, qtbot: QtBot) -> None:
    with qtbot.waitSignal(view.menu_wanted) as wanted:
        event = QContextMenuEvent(QContextMenuEvent.Mouse, QPoint(3, 4), QPoint(30, 40))
        QApplication.sendEvent(view.viewport(), event)
    assert wanted.args == [QPoint(30, 40)]


def test_a_reset_selects_nothing_and_follows(view: EventView, capture: Capture, qtbot: QtBot) -> None:
    fill(view, capture, 200)
    view.set_current(3)
    with qtbot.waitSignal(view.current_changed, check_params_cb=lambda id: id == 0):
        view.events.clear()
    assert (view.current, view.following, view.below) == (-1, True, 0)


def test_the_current_row_is_told_to_screen_readers(view: EventView, capture: Capture) -> None:
    fill(view, capture, 3, b"hello")
    view.set_current(1)
    view.set_current(1)
    assert "hello" in view.accessibleDescription()


# -- painting


def test_only_rows_in_view_are_read_of_a_million(million: Path, qtbot: QtBot) -> None:
    reader = InstantReader(million)
    found = EventList(reader)  # type: ignore[arg-type]
    view = EventView(found)
    found.setParent(view)
    qtbot.addWidget(view)
    view.resize(900, 300)
    with qtbot.waitExposed(view):
        view.show()
    found.activate(True)
    found.on_stored(Stored(1, MILLION))
    image(view)
    assert len(set(reader.asked)) <= 2
    settle()
    reader.close()


def test_an_empty_log_shows_its_placeholder(view: EventView) -> None:
    before = image(view)
    view.set_placeholder("Nothing yet")
    assert image(view) != before


def test_light_and_dark_paint_the_log_anew(view: EventView, capture: Capture, qapp: QApplication) -> None:
    fill(view, capture, 3)
    assert QColor(theme.DARK.panel) == image(view).pixelColor(2, view.viewport().height() - 2)
    theme.apply(qapp, theme.LIGHT)
    assert QColor(theme.LIGHT.panel) == image(view).pixelColor(2, view.viewport().height() - 2)


def test_a_view_that_is_gone_does_not_mind_another_theme(reader: InstantReader, qapp: QApplication) -> None:
    view = EventView(EventList(reader))  # type: ignore[arg-type]
    view.deleteLater()
    settle()
    theme.apply(qapp, theme.LIGHT)
    assert theme.current() is theme.LIGHT


@pytest.mark.parametrize("name", ["漢" * 40, "\N{ARABIC LETTER BEH}" * 60, "w" * 60], ids=["wide", "joined", "plain"])
def test_wide_letters_do_not_run_into_the_next_column(view: EventView, name: str) -> None:
    service = next(i for i, column in enumerate(COLUMNS) if column.title == "Service")
    text, taken = view._rows.fit(name, view.header.sectionSize(service) - 12)
    assert text.endswith("…") or len(text) == len(name)
    assert taken <= view.header.sectionSize(service) - 12


@pytest.mark.parametrize("program", ["echo", "écho"], ids=["plain", "accented"])
def test_the_ports_of_one_factory_are_told_apart_where_their_names_are_cut(view: EventView, program: str) -> None:
    [service] = [column for column in COLUMNS if column.name == "service"]
    text, _ = view._rows.fit(f"{program}/EchoFactory:21507", ceil(14 * view._rows.char), middle=service.middle)
    assert text.startswith("echo/" if program == "echo" else "éc")
    assert "…" in text
    assert text.endswith(":21507" if program == "echo" else "21507")


@pytest.mark.parametrize(
    "payload",
    [
        "\u202etxt.exe".encode(),
        b"\x1b[31mred\x07",
        b"\x00\xff\xfe",
        "שלום".encode(),
        b"\n" * 200,
        "👩‍👩‍👧".encode() * 90,
    ],
    ids=["override", "terminal", "not text", "right to left", "lines", "joined"],
)
def test_what_a_peer_sends_stays_in_its_line(view: EventView, capture: Capture, payload: bytes) -> None:
    fill(view, capture, 3, payload)
    image(view)
    row = view.events.row(1)
    assert row is not None
    assert row.summary.isprintable()


def test_a_failure_stands_out(view: EventView, capture: Capture) -> None:
    fill(view, capture, 1)
    view.events.on_stored(capture.add([None], kind=events.FAILURE, summary="ValueError: no"))
    image(view)
    assert theme.DARK.bad in colors(view, view.row_rect(1))
    assert theme.DARK.bad not in colors(view, view.row_rect(0))


def test_the_selection_has_its_colour(view: EventView, capture: Capture) -> None:
    fill(view, capture, 3)
    view.set_current(1)
    assert theme.DARK.selection in colors(view, view.row_rect(1))
    assert theme.DARK.selection not in colors(view, view.row_rect(0))


def test_columns_are_titled_and_explained_and_can_be_widened(view: EventView) -> None:
    model = view.header.model()
    assert [model.headerData(i, Qt.Horizontal) for i in range(len(COLUMNS))] == [c.title for c in COLUMNS]
    assert all(model.headerData(i, Qt.Horizontal, Qt.ToolTipRole) for i in range(len(COLUMNS)))
    before = view.header.sectionSize(3)
    view.header.resizeSection(3, before + 40)
    assert view.header.sectionSize(3) == before + 40


def test_in_a_usual_window_the_summary_has_room_for_an_answers_first_line(view: EventView) -> None:
    view.resize(1073, 300)  # beside the services, in a window of 1366 pixels
    room = view.header.sectionSize(len(COLUMNS) - 1) - 12
    assert room >= 30 * view._rows.char


@pytest.mark.parametrize("title", ["Time", "Peer", "Kind"])
def test_usual_values_fit_their_columns(view: EventView, title: str) -> None:
    usual = {"Time": "12:03:11.482 007", "Peer": "127.0.0.1:54321", "Kind": max(events.NAMES.values(), key=len)}
    at = next(i for i, column in enumerate(COLUMNS) if column.title == title)
    assert view._rows.fit(usual[title], view.header.sectionSize(at) - 12)[0] == usual[title]


def test_numbers_of_rows_make_room_as_they_grow(million: Path, qtbot: QtBot) -> None:
    reader = InstantReader(million)
    found = EventList(reader)  # type: ignore[arg-type]
    found.activate(True)
    view = EventView(found)
    found.setParent(view)
    qtbot.addWidget(view)
    view.resize(900, 300)
    view.show()
    found.on_stored(Stored(1, MILLION, 0))
    assert view._rows.fit("1000000", view.header.sectionSize(0) - 12)[0] == "1000000"
    view.header.resizeSection(0, 40)
    found.on_stored(Stored(1, MILLION, 0))
    assert view.header.sectionSize(0) == 40
    reader.close()


def test_the_row_found_by_a_filter_stays_current_without_it(view: EventView, capture: Capture, qtbot: QtBot) -> None:
    fill(view, capture, 300)
    fill(view, capture, 1, b"needle")
    fill(view, capture, 300)
    view.events.set_filter(parse("needle"))
    qtbot.waitUntil(lambda: len(view.events) == 1)
    view.set_current(0)
    view.events.set_filter(EVERYTHING)
    assert view.current == 300
    assert not view.following
    assert view.row_rect(300).top() in range(view.viewport().height())
