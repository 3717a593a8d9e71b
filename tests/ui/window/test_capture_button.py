"""The button of the capture: what it says, its menu, pauses and new captures."""

from __future__ import annotations

from pathlib import Path

import pytest
import pytest_twisted
from PyQt5.QtCore import Qt, QTimer
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QAction, QApplication

from app import events
from app.post import Post
from app.workspace.reading import Workspace
from tests.helpers import until
from tests.ui.conftest import Open
from tests.ui.desk import config, do
from ui.window.main_window import MainWindow

pytestmark = [
    # Of the offscreen platform, when a menu opens.
    pytest.mark.qt_log_ignore(r"^This plugin does not support (grabbing the keyboard|raise\(\))$"),
]


def entries(window: MainWindow) -> dict[str, QAction]:
    """What the menu holds now, by its text."""
    window.capture_button.fill()
    actions = window.capture_button.menu().actions()
    return {action.text().replace("&", ""): action for action in actions if action.text()}


def test_it_says_whether_events_are_stored(window: MainWindow) -> None:
    button, recorder = window.capture_button, window._post.recorder
    assert button.text().strip() == "Capturing"
    do(window, "pause_capture")
    assert (button.text().strip(), button.property("capture")) == ("Paused", "paused")
    assert button.accessibleName() == "Capture: Paused"
    recorder.on_trouble("no room left")
    assert button.text().strip() == "Not capturing"
    recorder.on_stored(0, recorder.range)
    do(window, "pause_capture")
    assert button.text().strip() == "Capturing"


def test_a_click_opens_its_menu(window: MainWindow) -> None:
    menu = window.capture_button.menu()
    found: list[object] = []

    def look() -> None:  # the press returns when the menu is closed
        found.extend(menu.actions())
        menu.close()

    menu.aboutToShow.connect(lambda: QTimer.singleShot(0, look))
    QTest.mousePress(window.capture_button, Qt.LeftButton, Qt.NoModifier)
    assert found[0] is window.actions_["pause_capture"]


def test_its_keys_pause_and_resume_and_a_bar_says_so(window: MainWindow) -> None:
    bar, recorder = window.notices.paused, window._post.recorder
    QTest.keyClick(window, Qt.Key_P, Qt.ControlModifier)
    assert recorder.paused
    assert bar.isVisible()
    for _ in range(1_234):
        recorder.record(events.DATA_RECEIVED, payload=b"x")
    window.bridge.measured.emit()
    assert "1,234 events were not stored" in bar.label.text()
    assert window.actions_["pause_capture"].text() == "Res&ume capturing"
    QTest.mouseClick(bar.button, Qt.LeftButton)
    assert not recorder.paused
    assert not bar.isVisible()
    assert recorder.seen == 1_236  # and both marks
    assert "1,234 events not stored during pauses" not in entries(window)  # nothing is captured into a file here


@pytest_twisted.ensureDeferred
async def test_a_new_capture_is_shown_in_the_panes_and_the_one_before_can_be_opened(
    open_window: Open, tmp_path: Path
) -> None:
    from twisted.internet import reactor

    post = Post(reactor, Workspace((config("alpha", 0),)))
    post.capturing.folder = tmp_path / "captures"
    await post.open(tmp_path / "first.lpost")
    window = open_window(post=post, path=tmp_path / "first.lpost")
    post.recorder.record(events.LOG, summary="in the first")
    post.recorder.flush()
    await until(lambda: len(window.panes.all.events) == 1)
    do(window, "new_capture")
    await until(lambda: post.capture != tmp_path / "first.lpost" and not post.capturing.renewing)
    post.recorder.record(events.LOG, summary="in the second")
    post.recorder.flush()
    shown = window.panes.all.events

    def summaries() -> list[str]:
        rows = [shown.row(index) for index in range(len(shown))]
        return [row.summary for row in rows if row is not None]

    await until(lambda: summaries()[-1:] == ["in the second"])
    assert summaries() == [f"the capture follows {tmp_path / 'first.lpost'}", "in the second"]
    found = entries(window)
    assert "Open the capture before: first.lpost" in found
    found["Copy path of the capture"].trigger()
    assert QApplication.clipboard().text() == str(post.capture)
    found["Open the capture before: first.lpost"].trigger()
    await until(lambda: bool(window.captures.windows))
    [opened] = window.captures.windows.values()
    await until(lambda: len(opened.browser.panes.all.events) == 2)
    opened.close()
    await post.shut_down()
