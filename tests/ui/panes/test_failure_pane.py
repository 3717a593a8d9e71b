"""The failures: their groups, what is shown of one, and what is done about it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from PyQt5.QtCore import QPoint, QRect, Qt
from PyQt5.QtGui import QFontMetrics
from PyQt5.QtWidgets import QApplication, QMenu, QToolButton
from pytestqt.qtbot import QtBot
from twisted.internet.defer import maybeDeferred

from app import events
from app.capture.recorder import Loss, Recorder, Stored
from app.events import Event
from app.failures.blocked import Block, described
from app.failures.fingerprint import fingerprint
from app.failures.record import FailureRecord, Frame
from tests.helpers import until
from tests.ui.desk import BASE, Capture, InstantReader, do, memory_post, settle
from ui.detail.page import Subject
from ui.detail.pages.traceback import TracebackPage
from ui.looks import theme
from ui.panes.event_header import PAD
from ui.panes.failure_pane import FailurePane
from ui.panes.group_table import COLUMNS
from ui.window.main_window import MainWindow

pytestmark = [
    pytest.mark.usefixtures("dark"),
    # The offscreen platform says so of every menu.
    pytest.mark.qt_log_ignore(r"^This plugin does not support (raise\(\)|grabbing the keyboard)$", extend=True),
]

FRAME = Frame("/srv/plugins/meter.py", 38, "handle", ((38, "raise ValueError"),), (("n", "7"),))
BAD = FailureRecord("ValueError", "bad 17", (FRAME,))
OTHER = FailureRecord("KeyError", "'temp'", (Frame("/srv/plugins/meter.py", 50, "look", ((50, "d[k]"),)),))
NASTY = FailureRecord("plugins.Ünfug", "<b>x</b> \u202e\n2", ())


def rows(*records: FailureRecord) -> list[Any]:
    flat: list[Any] = []
    for number, record in enumerate(records):
        detail = json.dumps({"group": fingerprint(record), **record.as_json()})
        flat += [BASE + number * 10**9, events.FAILURE, 1, 0, None, b"bytes", record.summary, detail]
    return flat


def resolved(record: FailureRecord) -> list[Any]:
    return [BASE, events.FAILURE_RESOLVED, 0, 0, None, None, "resolved", json.dumps({"group": fingerprint(record)})]


@pytest.fixture
def pane(reader: InstantReader, qtbot: QtBot) -> Iterator[FailurePane]:
    post, _ = memory_post()
    pane = FailurePane(post.recorder, reader)  # type: ignore[arg-type]
    qtbot.addWidget(pane)
    pane.resize(1000, 500)
    pane.events.activate(True)
    with qtbot.waitExposed(pane):
        pane.show()
    yield pane
    pane.let_go()
    post.recorder.abandon()


def feed(pane: FailurePane, stored: Stored, qtbot: QtBot) -> None:
    """Have it read what was stored."""
    before = pane._mark
    pane.on_stored(stored)
    qtbot.waitUntil(lambda: pane._mark != before)


def shown(pane: FailurePane) -> list[tuple[str, ...]]:
    return [tuple(column.text(group) for column in COLUMNS[:4]) for group in pane.table.groups.groups]


def ids(pane: FailurePane) -> list[int]:
    return [pane.events.id_at(i) for i in range(len(pane.events))]


def test_without_a_failure_there_is_only_what_to_expect(pane: FailurePane) -> None:
    assert not pane.table.isVisible()
    assert not pane.bar.isVisible()
    assert "No failure so far" in pane.view._placeholder


def test_groups_stand_above_all_failures(pane: FailurePane, capture: Capture, qtbot: QtBot) -> None:
    feed(pane, capture.store(rows(BAD, OTHER, BAD)), qtbot)
    qtbot.waitUntil(lambda: ids(pane) == [1, 2, 3])
    assert shown(pane) == [
        ("open", "2", "ValueError", "bad <number>"),
        ("open", "1", "KeyError", "'temp'"),  # generalised it would say nothing
    ]
    assert pane.table.isVisible()
    assert pane.title.text() == "All 3 failures"


def test_what_blocked_the_reactor_stands_among_them_named_by_its_line(
    pane: FailurePane, capture: Capture, qtbot: QtBot
) -> None:
    flat = rows(BAD)
    for number, seconds in enumerate((0.3, 1.4), 1):
        summary, detail = described(Block(seconds, (FRAME,)))
        flat += [BASE + number * 10**9, events.LOOP_BLOCKED, 0, 0, None, None, summary, detail]
    feed(pane, capture.store(flat), qtbot)
    qtbot.waitUntil(lambda: ids(pane) == [1, 2, 3])
    assert shown(pane)[0] == ("open", "2", "blocked", "every service for 1.4 s, in plugins/meter.py:38")
    group = pane.table.groups.groups[0]
    assert COLUMNS[4].text(group) == "meter.py:38 handle"
    pane.table.choose(group.fingerprint)
    qtbot.waitUntil(lambda: ids(pane) == [2, 3])
    event = Event(3, BASE, events.LOOP_BLOCKED, "", None, None, None, summary, detail=json.loads(detail))
    assert TracebackPage.fits(Subject(event))
    assert "meter.py" in pane.report(event)


def test_a_group_that_is_selected_shows_its_failures_and_the_newest_of_them(
    pane: FailurePane, capture: Capture, qtbot: QtBot
) -> None:
    feed(pane, capture.store(rows(BAD, OTHER, BAD)), qtbot)
    with qtbot.waitSignal(pane.current_changed, check_params_cb=lambda id: id == 3):
        pane.table.choose(fingerprint(BAD))
    assert ids(pane) == [1, 3]
    assert pane.title.text() == "ValueError: bad <number> · 2 times"
    qtbot.keyClick(pane.table, Qt.Key_Escape)
    qtbot.waitUntil(lambda: ids(pane) == [1, 2, 3])
    assert pane.group() is None


def test_who_asks_for_failures_by_key_is_at_the_first_group_or_at_the_one_that_is_selected(
    pane: FailurePane, capture: Capture, qtbot: QtBot
) -> None:
    pane.begin()
    assert not pane.table.hasFocus()
    feed(pane, capture.store(rows(BAD, OTHER, BAD)), qtbot)
    pane.begin()
    assert pane.table.hasFocus()
    assert pane.group() == pane.table.groups.groups[0]
    pane.table.choose(fingerprint(OTHER))
    pane.begin()
    assert pane.group() is not None
    assert pane.group().fingerprint == fingerprint(OTHER)  # type: ignore[union-attr]


def test_a_group_stays_selected_while_others_come(pane: FailurePane, capture: Capture, qtbot: QtBot) -> None:
    feed(pane, capture.store(rows(BAD)), qtbot)
    pane.table.choose(fingerprint(BAD))
    pane.on_stored(capture.store(rows(OTHER, BAD)))
    qtbot.waitUntil(lambda: len(shown(pane)) == 2)
    group = pane.group()
    assert group is not None
    assert (group.type, group.count) == ("ValueError", 2)
    qtbot.waitUntil(lambda: ids(pane) == [1, 3])
    assert len(pane.table.selectionModel().selectedRows()) == 1


def test_state_is_told_by_icon_and_word_and_what_is_resolved_comes_last(
    pane: FailurePane, capture: Capture, qtbot: QtBot
) -> None:
    pane.on_stored(capture.store(rows(BAD, OTHER) + resolved(OTHER)))
    qtbot.waitUntil(lambda: [row[0] for row in shown(pane)] == ["open", "resolved"])
    icons = {pane.table.groups.index(row, 0).data(Qt.DecorationRole).cacheKey() for row in range(2)}
    assert len(icons) == 2
    pane.on_stored(capture.store(rows(OTHER)))
    qtbot.waitUntil(lambda: [row[0] for row in shown(pane)] == ["reopened", "open"])


def test_a_heading_sorts_by_its_column(pane: FailurePane, capture: Capture, qtbot: QtBot) -> None:
    feed(pane, capture.store(rows(BAD, OTHER, OTHER)), qtbot)
    pane.table.sortByColumn(1, Qt.DescendingOrder)
    assert [row[1] for row in shown(pane)] == ["2", "1"]
    pane.table.sortByColumn(1, Qt.AscendingOrder)
    assert [row[1] for row in shown(pane)] == ["1", "2"]


def test_what_a_peer_sent_is_never_markup(pane: FailurePane, capture: Capture, qtbot: QtBot) -> None:
    feed(pane, capture.store(rows(NASTY)), qtbot)
    [(_, _, kind, said)] = shown(pane)
    assert (kind, said) == ("Ünfug", r"<b>x</b> \xe2\x80\xae")
    tip = pane.table.groups.index(0, 3).data(Qt.ToolTipRole)
    assert "<b>" not in tip
    assert "\u202e" not in tip


def test_a_group_is_resolved_and_reopened_by_an_event(pane: FailurePane, capture: Capture, qtbot: QtBot) -> None:
    said: list[tuple[str, str, bool]] = []

    class Heard:
        failures = 0

        def resolve(self, group: str, summary: str, *, reopened: bool = False) -> None:
            said.append((group, summary, reopened))

    pane._recorder = Heard()  # type: ignore[assignment]
    pane.resolve()
    feed(pane, capture.store(rows(BAD)), qtbot)
    pane.table.choose(fingerprint(BAD))
    pane.resolve()
    pane.resolve(reopened=True)
    assert said == [
        (fingerprint(BAD), "ValueError: bad <number>", False),
        (fingerprint(BAD), "ValueError: bad <number>", True),
    ]


def test_its_report_tells_of_the_whole_group(
    pane: FailurePane, capture: Capture, reader: InstantReader, qtbot: QtBot
) -> None:
    feed(pane, capture.store(rows(BAD, BAD)), qtbot)
    found: list[Event | None] = []
    reader.event(2, found.append)
    assert found[0] is not None
    text = pane.report(found[0])
    assert "- Seen 2 times, from " in text
    assert "- Services: alpha" in text
    assert "n = 7" in text


def test_groups_are_not_read_while_nobody_looks(pane: FailurePane, capture: Capture, qtbot: QtBot) -> None:
    pane.hide()
    pane.on_stored(capture.store(rows(BAD)))
    assert shown(pane) == []
    pane.show()
    qtbot.waitUntil(lambda: len(shown(pane)) == 1)


# -- in the window


@pytest.fixture
def window(open_window: Any, capture: Capture, qtbot: QtBot) -> MainWindow:
    """On a capture with two groups, the first of them selected."""
    window: MainWindow = open_window(path=capture.path)
    window.panes.on_stored(capture.store(rows(BAD, OTHER)))
    do(window, "failures")
    qtbot.waitUntil(lambda: len(shown(window.panes.failures)) == 2)
    window.panes.failures.table.choose(fingerprint(BAD))
    qtbot.waitUntil(lambda: window.browser.current_event is not None)
    return window


def test_only_what_makes_sense_is_offered(window: MainWindow, capture: Capture, qtbot: QtBot) -> None:
    def offered() -> set[str]:
        names = ("resolve_group", "reopen_group", "send_again", "save_report", "copy_report")
        return {name for name in names if window.actions_[name].isEnabled()}

    assert offered() == {"resolve_group", "send_again", "save_report", "copy_report"}
    buttons = {button.defaultAction().objectName() for button in window.panes.failures.bar.findChildren(QToolButton)
               if button.isVisible()}  # fmt: skip
    assert buttons == {"resolve_group", "send_again", "save_report"}
    window.panes.on_stored(capture.store(resolved(BAD)))
    qtbot.waitUntil(lambda: "reopen_group" in offered())
    assert "resolve_group" not in offered()
    window.panes.setCurrentIndex(0)
    qtbot.waitUntil(lambda: not offered())


@pytest.mark.parametrize(("payload", "can"), [(b"", True), (b"x", True), (None, False)])
def test_c19_an_empty_message_can_be_sent_again(window: MainWindow, payload: bytes | None, can: bool) -> None:
    assert window.browser.current_event is not None
    event = replace(window.browser.current_event, payload=payload)
    assert window.failure_actions.can_send(event) is can


def test_a_group_is_resolved_from_the_menu(window: MainWindow) -> None:
    recorder: Recorder = window._post.recorder
    seen = recorder.seen
    do(window, "resolve_group")
    assert recorder.seen == seen + 1
    recorder.abandon()


def test_a_report_is_copied_and_the_status_line_says_so(window: MainWindow) -> None:
    do(window, "copy_report")
    clipboard = QApplication.clipboard()
    assert clipboard is not None
    assert clipboard.text().startswith("# ValueError: bad <number>\n")
    assert window._status_line.currentMessage() == "Copied the report"


@pytest_twisted.ensureDeferred
async def test_a_report_is_saved_or_it_says_why_not(window: MainWindow, tmp_path: Path) -> None:
    assert window.browser.current_event is not None
    window._post.sender.in_thread = maybeDeferred  # type: ignore[method-assign]
    await window.failure_actions.write_report(window.browser.current_event, "# text", tmp_path / "a.md")
    assert (tmp_path / "a.md").read_text() == "# text"
    assert window.panes.failures.words.text() == f"Saved to {tmp_path / 'a.md'}."
    await window.failure_actions.write_report(window.browser.current_event, "# text", tmp_path / "none" / "a.md")
    assert "Cannot save" in window.panes.failures.words.text()


@pytest_twisted.ensureDeferred
async def test_bytes_for_a_stopped_service_are_not_sent(window: MainWindow) -> None:
    do(window, "send_again")
    await until(lambda: "alpha is stopped. Start it first." in window.panes.failures.words.text())
    assert "alpha is stopped." in window.detail.pages["traceback"].view.toPlainText()  # type: ignore[attr-defined]


def test_the_menu_of_a_group_has_its_actions(window: MainWindow) -> None:
    window.panes.failures.group_menu_wanted.emit(QPoint(10, 10))
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    assert window.actions_["resolve_group"] in menu.actions()
    menu.close()
    settle()


def test_a3_its_report_says_that_events_around_it_are_missing(
    pane: FailurePane, capture: Capture, reader: InstantReader, qtbot: QtBot
) -> None:
    summary, detail = Loss(9, BASE, BASE + 1, "too fast").recorded()
    lost = [BASE, events.LOST, 0, 0, None, None, summary, detail]
    feed(pane, capture.store([*rows(BAD), *lost]), qtbot)
    found: list[Event | None] = []
    reader.event(1, found.append)
    assert found[0] is not None
    assert "- The capture is not complete around it: 9 events that happened are missing here" in pane.report(found[0])


def test_in_little_room_the_buttons_of_the_group_stay_and_the_failures_below_them_are_left_out(
    pane: FailurePane, capture: Capture, qtbot: QtBot
) -> None:
    feed(pane, capture.store(rows(BAD, OTHER)), qtbot)
    pane.resize(1000, pane.minimumSizeHint().height())
    settle()
    room = pane._room.viewport()
    bar = QRect(pane.bar.mapTo(room, QPoint(0, 0)), pane.bar.size())
    assert room.rect().contains(bar)
    assert not pane.view.isVisible()
    pane.resize(1000, 500)
    assert pane.view.isVisible()


def test_no_heading_is_cut_where_the_window_has_larger_letters_than_the_data(
    pane: FailurePane, capture: Capture, qtbot: QtBot
) -> None:
    feed(pane, capture.store(rows(BAD)), qtbot)
    before, app = theme.notifier.fonts, QApplication.instance()
    assert isinstance(app, QApplication)
    pane.resize(1600, 500)
    theme.apply(app, theme.current(), replace(before, size=2 * before.size))
    try:
        header = pane.table.horizontalHeader()
        settle()
        bold = header.font()
        bold.setBold(True)
        titles = [QFontMetrics(bold).horizontalAdvance(column.title) for column in COLUMNS]
        assert titles[1] > 6 * QFontMetrics(theme.mono_font()).horizontalAdvance("0")
        assert [at for at, title in enumerate(titles) if header.sectionSize(at) < title + 2 * PAD] == []
    finally:
        theme.apply(app, theme.current(), before)
