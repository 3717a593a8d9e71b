"""Captures besides the live one: opened, saved, recovered; and the dialog Capture."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PyQt5.QtCore import QMimeData, QPoint, Qt, QUrl
from PyQt5.QtGui import QDropEvent
from PyQt5.QtWidgets import QApplication, QMessageBox
from pytestqt.qtbot import QtBot
from twisted.internet import defer

from app import events
from app.capture.keeping.about import about
from app.capture.keeping.wanted import CancelledError
from app.capture.recorder import Loss
from tests.app.capture.captures import event, make, opened
from tests.app.capture.keeping.test_retention import kill
from tests.ui.conftest import Open
from tests.ui.desk import config, do, memory_post, pressing, settle
from ui.captures.save_dialog import SaveDialog
from ui.captures.settings_dialog import GB, CaptureDialog
from ui.captures.window import CaptureWindow
from ui.panes.notes import ONLY_LIVE
from ui.settings import Settings
from ui.window.main_window import MainWindow
from ui.window.recovery_bar import RecoveryBar


def at_once(call: Callable[..., Any], *args: Any) -> defer.Deferred[Any]:
    return defer.maybeDeferred(call, *args)


@pytest.fixture
def beside(open_window: Open) -> Iterator[MainWindow]:
    """A main window whose threads answer at once."""
    post, _ = memory_post(config("alpha"))
    post.sender.in_thread = at_once  # type: ignore[method-assign, assignment]
    window = open_window(config("alpha"), post=post)
    yield window
    window.captures.close()
    settle()


@pytest.fixture
def other(tmp_path: Path) -> Path:
    traceback = {"group": "g", "type": "E", "message": "", "frames": [], "notes": [], "relation": "", "cause": None}
    return make(
        tmp_path / "other.lpost", opened(1), event(b"hello", conn=1), event(b"world", conn=1),
        event(b"bytes", events.FAILURE, 1, summary="E", detail=traceback),
    )  # fmt: skip


def shown(beside: MainWindow, path: Path, qtbot: QtBot) -> CaptureWindow:
    beside.captures.open_path(path)
    window = beside.captures.windows[path.resolve()]
    qtbot.waitUntil(lambda: len(window.panes.current().events) > 0)
    return window


def test_a_capture_opens_in_a_window_of_its_own(beside: MainWindow, other: Path, qtbot: QtBot) -> None:
    window = shown(beside, other, qtbot)
    assert window.windowTitle() == "other.lpost (read only) - Listening Post"
    tabs = [window.panes.tabText(index) for index in range(window.panes.count())]
    assert tabs == ["All", "HTTP", "Conversations", "Failures 1", "echo"]
    assert len(window.panes.all.events) == 4
    window.panes.all.view.set_current(1)
    qtbot.waitUntil(lambda: window.detail.event_shown() is not None)
    assert window.detail.event_shown().payload == b"hello"  # type: ignore[union-attr]


def test_a3_what_it_lacks_is_said_in_words(beside: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    summary, detail = Loss(1234, 10**18, 10**18, "too fast").recorded()
    lost = [*event(None, events.LOST, summary=summary)[:7], detail]
    window = shown(beside, make(tmp_path / "lacking.lpost", event(b"x"), lost), qtbot)
    assert window._lost.text() == "1,234 lost"
    assert window._lost.property("role") == "error"
    for words in (window._lost.toolTip(), window.notice.label.text()):
        assert "1,234 events that happened are missing here, of 2001-09-09 01:46:40 UTC: too fast" in words
        assert "kind == events.lost" in words
    whole = shown(beside, make(tmp_path / "whole.lpost", event(b"x")), qtbot)
    assert whole._lost.isHidden()


def test_its_filter_is_its_own(beside: MainWindow, other: Path, qtbot: QtBot) -> None:
    window = shown(beside, other, qtbot)
    window.filter.setText("payload contains world")
    assert window.filter.apply()
    qtbot.waitUntil(lambda: len(window.panes.all.events) == 1)
    assert beside.filter.text() == ""


@pytest.mark.qt_log_ignore("does not support raise", extend=True)
def test_several_are_open_and_none_twice(beside: MainWindow, other: Path, qtbot: QtBot, tmp_path: Path) -> None:
    second = make(tmp_path / "second.lpost", event())
    first = shown(beside, other, qtbot)
    shown(beside, second, qtbot)
    beside.captures.open_path(other)
    assert len(beside.captures.windows) == 2
    first.close()
    assert list(beside.captures.windows) == [second.resolve()]


def test_what_cannot_be_opened_is_said_in_words(beside: MainWindow, tmp_path: Path) -> None:
    (tmp_path / "no.lpost").write_text("this is no capture at all" * 200)
    beside.captures.open_path(tmp_path / "no.lpost")
    assert "is not a capture of Listening Post" in beside.notices.notice.label.text()
    beside.captures.open_path(tmp_path / "gone.lpost")
    assert "There is no capture at" in beside.notices.notice.label.text()


def test_a_file_that_is_dropped_on_the_window_opens(beside: MainWindow, other: Path, tmp_path: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(other)), QUrl.fromLocalFile(str(tmp_path / "x.txt"))])
    beside.dropEvent(QDropEvent(QPoint(5, 5), Qt.CopyAction, data, Qt.LeftButton, Qt.NoModifier))
    assert list(beside.captures.windows) == [other.resolve()]


SEND = "open_in_send"  # a test of its own: not every event has what can be sent


def test_every_action_of_its_menus_does_something(beside: MainWindow, other: Path, qtbot: QtBot) -> None:
    window = shown(beside, other, qtbot)
    window.panes.all.view.set_current(1)
    qtbot.waitUntil(lambda: window.detail.event_shown() is not None)
    clipboard = QApplication.clipboard()
    do(window, "copy_payload")
    assert clipboard.text() == "hello"
    for name in window.actions_:
        if name not in (
            "open_capture",
            "close_window",
            "export",
            "follow_stream",
            "save_capture_as",
            "copy_payload",
            SEND,
        ):
            do(window, name)
    do(window, "note")
    assert window.notice.label.text() == ONLY_LIVE
    do(window, "save_capture_as")
    dialog = window.findChild(SaveDialog)
    assert dialog is not None
    assert dialog._source == other.resolve()
    dialog.close()
    do(window, "close_window")
    assert not beside.captures.windows


def test_a_run_that_was_killed_is_told_though_its_writer_has_closed_the_capture(beside: MainWindow) -> None:
    told: list[str] = []
    beside.captures.failed.connect(told.append)
    beside.captures.look_for_cut_off()
    assert told == []
    beside.captures.look_for_cut_off(killed=True)
    assert told == ["Last time, Listening Post ended unexpectedly. Its capture is complete."]


def test_a_capture_that_was_cut_off_says_what_became_of_its_connections(
    beside: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    window = shown(beside, kill(tmp_path / "cut.lpost"), qtbot)
    assert "ended before it could close it" in window.notice.label.text()
    assert "1 connection was open, and ended with the program" in window.notice.label.text()


def test_after_a_crash_the_capture_is_offered_and_opens(beside: MainWindow, tmp_path: Path) -> None:
    beside._post.capturing.folder = tmp_path / "data"
    path = kill(tmp_path / "data" / "2026-11-20 10.00.00.lpost")
    beside.captures.look_for_cut_off()
    assert beside.notices.recovery.isVisible()
    assert str(path) in beside.notices.recovery.capture_label.text()
    assert "2 events" in beside.notices.recovery.capture_label.text()
    beside.notices.recovery.open_button.click()
    assert not beside.notices.recovery.isVisible()
    assert list(beside.captures.windows) == [path.resolve()]


def test_without_a_crash_nothing_is_offered(beside: MainWindow, tmp_path: Path) -> None:
    beside._post.capturing.folder = tmp_path / "data"
    make(tmp_path / "data" / "2026-11-20 10.00.00.lpost", event())
    beside.captures.look_for_cut_off()
    assert not beside.notices.recovery.isVisible()


def test_not_now_leaves_it_be(qtbot: QtBot, tmp_path: Path) -> None:
    bar = RecoveryBar()
    qtbot.addWidget(bar)
    bar.offer(about(kill(tmp_path / "2026-11-20 10.00.00.lpost")))
    bar.later.click()
    assert not bar.isVisible()


def test_the_windows_close_with_the_main_one(beside: MainWindow, other: Path, qtbot: QtBot) -> None:
    window = shown(beside, other, qtbot)
    beside.captures.close()
    assert not window.isVisible()
    assert not beside.captures.windows


def test_limits_and_retention_are_kept(beside: MainWindow, settings: Settings, tmp_path: Path) -> None:
    assert (settings.capture_limit, settings.keep_days, settings.keep_total) == (2_000_000_000, 0, 0)
    beside._post.capturing.folder = tmp_path / "none"
    do(beside, "capture")
    dialog = beside.findChild(CaptureDialog)
    assert dialog is not None
    assert "Now 0 captures take 0 B" in dialog.taken.text()
    dialog.limit.setValue(0.5)
    dialog.days.setValue(30)
    dialog.total.setValue(20)
    dialog.accept()
    assert (settings.capture_limit, settings.keep_days, settings.keep_total) == (GB // 2, 30, 20 * GB)


def test_settings_that_make_no_sense_are_the_defaults(settings: Settings) -> None:
    settings._store.setValue("capture_limit", "much")
    settings._store.setValue("keep_days", "-3")
    assert (settings.capture_limit, settings.keep_days) == (2_000_000_000, 0)


def test_quitting_asks_before_it_breaks_off_a_copy(beside: MainWindow, tmp_path: Path) -> None:
    waiting: defer.Deferred[Any] = defer.Deferred()
    source = make(tmp_path / "x.lpost", event())
    beside.captures._in_thread = lambda *_: waiting  # type: ignore[assignment]
    beside.captures.save_as(source)
    dialog = beside.findChild(SaveDialog)
    assert dialog is not None
    dialog.save(tmp_path / "copy.lpost")
    answer = pressing(QMessageBox.Cancel)
    do(beside, "quit")
    assert answer.asked == ["Quit before “copy.lpost” is complete?"]
    assert beside.isVisible()
    answer = pressing(QMessageBox.Ok)
    do(beside, "quit")
    assert not beside.isVisible()
    waiting.errback(CancelledError())


@pytest.mark.qt_log_ignore(r"^This plugin does not support raise\(\)$")
def test_quitting_asks_before_it_breaks_off_an_export(beside: MainWindow, tmp_path: Path) -> None:
    do(beside, "export")
    dialog = beside.capture_commands.export_dialog
    assert dialog is not None
    dialog._in_thread = lambda *_: defer.Deferred()
    dialog.file.setText(str(tmp_path / "all.jsonl"))
    dialog.start()
    assert beside.capture_commands.unfinished() == "all.jsonl"
    dialog.close()
    assert beside.capture_commands.unfinished() == ""


@pytest.mark.qt_log_ignore(r"^This plugin does not support raise\(\)$", extend=True)
def test_what_an_opened_capture_has_is_opened_in_send(beside: MainWindow, other: Path, qtbot: QtBot) -> None:
    """From its panes, and from the stream that is followed there; the dock is that of the main window."""
    window = shown(beside, other, qtbot)
    assert not window.actions_["open_in_send"].isEnabled()
    window.panes.all.view.set_current(1)
    qtbot.waitUntil(lambda: window.actions_["open_in_send"].isEnabled())
    window.actions_["open_in_send"].trigger()
    qtbot.waitUntil(lambda: beside.sending.made and beside.sending.dock.form.editor.toPlainText() == "hello")
    assert beside.sending.dock.isVisible()
    window.open_in_send(3)
    qtbot.waitUntil(lambda: beside.sending.dock.form.editor.toPlainText() == "world")
    window.open_in_send(1)  # the opening of a connection, which nothing was sent with
    qtbot.waitUntil(lambda: "not in the capture" in beside.sending.dock.note.text())
