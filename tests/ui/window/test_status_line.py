"""The status bar: figures that are the Post's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QAction, QApplication, QLabel
from pytestqt.qtbot import QtBot

from app.capture.recorder import Stored
from app.events import LOG
from app.post import Post
from tests.ui.desk import Peer, config, memory_post, settle
from ui.bridge import Bridge
from ui.parts.copying import copy
from ui.window.status_line import StatusLine


@pytest.fixture
def post() -> Post:
    return memory_post(config("alpha"), config("beta", 9008))[0]


@pytest.fixture
def show_failures(qapp: QApplication) -> QAction:
    return QAction(None)


@pytest.fixture
def line(post: Post, show_failures: QAction, qtbot: QtBot) -> Iterator[StatusLine]:
    bridge = Bridge(post)
    made = StatusLine(post, bridge, show_failures)
    qtbot.addWidget(made)
    yield made
    bridge.close()


def texts(line: StatusLine) -> list[str]:
    return [label.text() for label in line.findChildren(QLabel)]


def test_at_first_everything_is_nought(line: StatusLine) -> None:
    assert texts(line)[:7] == [
        "0 of 2 listening", "0 connections", "seen 0", "stored 0", "lost 0", "paused 0", "loop 0.0 ms",
    ]  # fmt: skip


def test_it_counts_what_listens_and_who_is_connected(line: StatusLine, post: Post) -> None:
    post.services["alpha"].connections[1] = Peer(1)
    post.start_all()
    assert texts(line)[:2] == ["2 of 2 listening", "1 connection"]
    post.services["beta"].connections.update({i: Peer(i) for i in range(2, 1201)})
    post.services_changed.emit(post)
    assert texts(line)[1] == "1,200 connections"


def test_seen_stored_and_lost_are_the_recorders(line: StatusLine, post: Post) -> None:
    for _ in range(3):
        post.recorder.record(1)
    post.recorder.flush()
    post.recorder.record(1)
    post.recorder.on_stored(1, Stored(1, 3, 2_500_000))
    line.refresh()
    assert texts(line)[2:5] == ["seen 4", "stored 3", "lost 0"]
    assert texts(line)[7] == "2.5 MB"


def test_a_loss_stands_out_until_there_is_none(line: StatusLine, post: Post) -> None:
    post.recorder.lost_before(1234)
    line.refresh()
    assert texts(line)[4] == "lost 1,234"
    assert line._lost.property("role") == "error"
    assert "1,234: the system&#x27;s receive buffer was full" in line._lost.toolTip()
    assert "kind == events.lost" in line._lost.toolTip()
    post.recorder.losses.total = 0
    line.refresh()
    assert line._lost.property("role") == ""


def test_failures_are_counted_once_there_are_some(
    line: StatusLine, post: Post, show_failures: QAction, qtbot: QtBot
) -> None:
    assert line.failures.isHidden()
    post.recorder.record_failure(ValueError("one"))
    line.refresh()
    assert not line.failures.isHidden()
    assert line.failures.text() == "1 failure"
    for i in range(1233):
        post.recorder.record_failure(ValueError(i))
    line.refresh()
    assert line.failures.text() == "1,234 failures"
    assert line.failures.property("role") == "error"
    with qtbot.waitSignal(show_failures.triggered):
        line.failures.click()


def test_it_names_the_capture_with_its_whole_path_in_the_tip(
    line: StatusLine, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Post, "capture", Path("/tmp/<b>x</b>/one.lpost"))
    line.refresh()
    assert line._file.text() == "one.lpost"
    assert line._file.toolTip() == "<span>/tmp/&lt;b&gt;x&lt;/b&gt;/one.lpost</span>"


def test_every_figure_has_a_tip_and_is_plain_text(line: StatusLine) -> None:
    labels = line.findChildren(QLabel)
    assert len(labels) == 9
    assert all(label.toolTip() for label in labels[:8])
    assert all(label.textFormat() == Qt.PlainText for label in labels)


def test_the_loop_says_how_late_it_was(line: StatusLine, post: Post) -> None:
    line._bridge.lateness = 0.0123
    line.refresh()
    assert texts(line)[6] == "loop 12.3 ms"


def test_what_was_not_stored_during_pauses_is_counted_once_there_is_some(line: StatusLine, post: Post) -> None:
    line.resize(2000, 24)
    line.refresh()
    assert line._passed.isHidden()
    post.recorder.pause()
    post.recorder.record(LOG)
    line.refresh()
    assert not line._passed.isHidden()
    assert line._passed.text() == "paused 1"


@pytest.mark.parametrize("width", [300, 500, 700, 900, 1366, 2000])
def test_a_figure_is_shown_whole_or_not_at_all(line: StatusLine, post: Post, width: int, qtbot: QtBot) -> None:
    post.recorder.lost_before(1_234_567)
    post.recorder.record_failure(ValueError())
    line.resize(width, 24)
    line.show()
    line.refresh()
    settle()
    parts = [part for part in (*line.findChildren(QLabel), line.failures) if part.isVisible()]
    assert parts
    for part in parts:
        assert part.width() >= part.sizeHint().width()
        assert line.rect().contains(part.geometry())
    assert line.minimumSizeHint().width() == 0
    left_out = [label.text() for label in line.findChildren(QLabel) if label.isHidden() and label is not line._passed]
    assert all(text in line.toolTip() for text in left_out)
    assert not line._lost.isHidden()


def test_failures_that_are_resolved_are_no_longer_red(line: StatusLine, post: Post) -> None:
    post.recorder.failures = 7
    line.refresh()
    assert (line.failures.text(), line.failures.property("role")) == ("7 failures", "error")
    line.show_unresolved(1)
    assert (line.failures.text(), line.failures.property("role")) == ("1 failure", "error")
    line.show_unresolved(0)
    assert (line.failures.text(), line.failures.property("role")) == ("7 failures, resolved", "dim")


def test_what_is_copied_is_said_for_a_while(line: StatusLine) -> None:
    copy("text", "Copied 3 rows")
    assert line.currentMessage() == "Copied 3 rows"
    clipboard = QApplication.clipboard()
    assert clipboard is not None
    assert clipboard.text() == "text"
