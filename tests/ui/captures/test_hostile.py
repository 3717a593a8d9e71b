"""The window of a hostile capture (A11), and of one with what a terminal would obey (B6)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PyQt5.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from app.capture import untrusted
from tests.app.capture.hostile import CHANGES, LOOPED, hostile
from tests.ui.captures.test_files import at_once
from tests.ui.conftest import Open
from tests.ui.desk import config, memory_post, settle
from ui.window.main_window import MainWindow


@pytest.fixture
def beside(open_window: Open, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    """A main window whose threads answer at once."""
    monkeypatch.setattr(untrusted, "STEPS", 4_000_000)
    monkeypatch.setattr(untrusted, "STEPS_PER_BYTE", 1)
    post, _ = memory_post(config("alpha"))
    post.sender.in_thread = at_once  # type: ignore[method-assign, assignment]
    window = open_window(config("alpha"), post=post)
    yield window
    window.captures.close()
    settle()


@pytest.mark.parametrize("name", CHANGES)
def test_a11_a_hostile_capture_is_shown_or_refused_in_words(
    beside: MainWindow, tmp_path: Path, qtbot: QtBot, name: str
) -> None:
    said: list[str] = []
    beside.captures.failed.connect(said.append)
    path = hostile(tmp_path, name)
    beside.captures.open_path(path)
    window = beside.captures.windows.get(path.resolve())
    if window is None:
        assert said[-1].startswith("The capture was not opened.")
        return
    qtbot.waitUntil(lambda: len(window.panes.all.events) > 0 or bool(window.notice.label.text()))
    for index in range(window.panes.count()):
        window.panes.setCurrentIndex(index)
        settle()
    for row in range(min(8, len(window.panes.all.events))):
        window.panes.all.view.set_current(row)
        settle()
    texts = [window.panes.tabText(index) for index in range(window.panes.count())]
    texts += [label.text() for label in window.findChildren(QLabel)]
    assert all(line.isprintable() for text in texts for line in text.split("\n"))


def test_a11_the_window_says_in_words_what_cannot_be_read(beside: MainWindow, tmp_path: Path, qtbot: QtBot) -> None:
    path = hostile(tmp_path, LOOPED)
    beside.captures.open_path(path)
    window = beside.captures.windows[path.resolve()]
    window.filter.setText("payload contains world")
    assert window.filter.apply()
    qtbot.waitUntil(lambda: "reading it takes longer than its size explains" in window.notice.label.text())


def test_b6_the_window_shows_what_a_terminal_would_obey_as_escapes(
    beside: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    path = hostile(tmp_path, "what a terminal would obey")
    beside.captures.open_path(path)
    window = beside.captures.windows[path.resolve()]
    qtbot.waitUntil(lambda: len(window.panes.all.events) > 0)
    shown = r"\e]52;c;aGk=\x07\xc2\x9b31m\xe2\x80\xaegnp.exe\xe2\x80\xa8line\r\nnext"
    tabs = [window.panes.tabText(index) for index in range(window.panes.count())]
    assert any(tab.startswith(r"\e]52;c;aGk=\x07") for tab in tabs)
    window.panes.all.view.set_current(0)
    qtbot.waitUntil(lambda: window.detail.event_shown() is not None)
    event = window.detail.event_shown()
    assert event is not None
    assert (event.service, event.peer) == (shown, shown)
