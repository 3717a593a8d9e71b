"""Jobs as people do them, by keys and clicks, which are counted: a key, a click and a text that is typed are one each.

``before`` is what the job took when the window was first tried; none may need more than half of that.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PyQt5.QtCore import QPoint, Qt
from PyQt5.QtGui import QKeySequence
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.status import Listening
from tests.helpers import kept_port
from tests.ui.conftest import Open
from tests.ui.desk import Capture, settle
from tests.ui.panes.test_http_pane import Traffic
from tests.ui.workbench.bench import Bench, bench, shop
from ui.settings import Settings
from ui.window.main_window import MainWindow

pytestmark = [
    pytest.mark.usefixtures("dark"),
    pytest.mark.qt_log_ignore(r"^This plugin does not support (raise\(\)|grabbing the keyboard)$"),
]


class Walk:
    """What a user does with keyboard and mouse."""

    def __init__(self, window: MainWindow) -> None:
        self.window = window
        self.steps = 0

    def key(self, keys: str) -> None:
        self.steps += 1
        [combination] = [QKeySequence(keys)[0]]
        key, held = combination & 0x01FFFFFF, Qt.KeyboardModifiers(combination & 0xFE000000)
        QTest.keyClick(self._focused(), Qt.Key(key), held)
        settle()

    def text(self, text: str) -> None:
        self.steps += 1
        for letter in text:  # the first may give the keyboard to another widget
            QTest.keyClicks(self._focused(), letter)
        settle()

    def click(self, widget: QWidget, at: QPoint | None = None) -> None:
        self.steps += 1
        QTest.mouseClick(widget, Qt.LeftButton, Qt.NoModifier, at or widget.rect().center())
        settle()

    def _focused(self) -> QWidget:
        return QApplication.focusWidget() or self.window


@pytest.fixture
def rows(open_window: Open, capture: Capture) -> MainWindow:
    """A window on a capture of exchanges, with the HTTP pane in view."""
    traffic = Traffic(capture)
    for at in range(6):
        traffic.asked(at + 1, f"/{'users' if at % 2 else 'orders'}/{at}")
        stored = traffic.answered(at + 1)
    window = open_window(path=capture.path)
    window._post.recorder.range = stored
    window.bridge.ticked.emit(stored)
    window.panes.setCurrentWidget(window.panes.http)
    window.panes.http.setFocus()
    settle()
    return window


@pytest.fixture
def desk(open_window: Open, qtbot: QtBot) -> Iterator[Bench]:
    with bench(open_window, qtbot, shop()) as made:
        made.window.workbench.close("shop")
        made.window.services.list.setFocus()
        settle()
        yield made


def shown(window: MainWindow) -> int:
    return len(window.panes.current().events)


def test_a_filter_is_kept_and_used_again(rows: MainWindow, qtbot: QtBot) -> None:
    walk, before = Walk(rows), 7
    qtbot.waitUntil(lambda: shown(rows) == 6)
    walk.text("orders")
    qtbot.waitUntil(lambda: shown(rows) == 3)
    walk.key("Esc")
    qtbot.waitUntil(lambda: shown(rows) == 6)
    [chip] = rows.browser.chips.chips
    walk.click(chip)
    qtbot.waitUntil(lambda: shown(rows) == 3)
    assert rows.filter.text() == "orders"
    assert walk.steps <= before // 2


def test_what_a_filter_shows_is_exported_as_har(
    rows: MainWindow, settings: Settings, tmp_path: Path, qtbot: QtBot
) -> None:
    settings.remember_export("csv", tmp_path / "before.csv")
    walk, before = Walk(rows), 7
    walk.text("orders")
    qtbot.waitUntil(lambda: shown(rows) == 3)
    walk.key("Ctrl+Shift+E")
    walk.key("Return")
    [written] = tmp_path.glob("*.har")
    qtbot.waitUntil(lambda: written.stat().st_size > 0)
    entries = json.loads(written.read_text())["log"]["entries"]
    assert [entry["request"]["url"].rpartition("/orders/")[2] for entry in entries] == ["0", "2", "4"]
    assert settings.export_format == "har"
    assert walk.steps <= before // 2


def test_a_service_is_copied_to_a_port_of_ones_choice(desk: Bench) -> None:
    walk, before = Walk(desk.window), 6
    desk.start()
    walk.key("Ctrl+D")
    desk.qtbot.waitUntil(lambda: desk.window.services.address is not None)
    with kept_port() as port:
        walk.text(str(port))
        walk.key("Return")
        listening = Listening(f"127.0.0.1:{port}")
        desk.qtbot.waitUntil(lambda: desk.post.services["shop-2"].status == listening)
    assert desk.window.services.selected == "shop-2"
    assert walk.steps <= before // 2


def test_a_service_speaks_tls(desk: Bench) -> None:
    walk = Walk(desk.window)
    walk.key("Ctrl+Alt+X")
    desk.qtbot.waitUntil(lambda: desk.post.services["shop"].config.tls is not None)
    assert walk.steps == 1


def test_an_address_that_is_wrong_or_taken_is_told_in_its_row(desk: Bench) -> None:
    walk = Walk(desk.window)
    panel = desk.window.services
    walk.key("Ctrl+D")
    desk.qtbot.waitUntil(lambda: panel.address is not None)
    edit = panel.address
    assert edit is not None
    for typed, words in (("99999", "from 1 to 65535"), ("0.0.0.0:x", "address"), ("", "from 1 to 65535")):
        edit.selectAll()
        QTest.keyClicks(edit, typed) if typed else QTest.keyClick(edit, Qt.Key_Delete)
        walk.key("Return")
        assert words in edit._words.text()
        assert edit._words.isVisible()
    other = desk.post.services["shop"].config
    desk.window.edits.replace("shop", replace(other, port=9555))
    settle()
    edit.selectAll()
    QTest.keyClicks(edit, "9555")
    walk.key("Return")
    assert "is taken by" in edit._words.text()
    before = desk.post.services["shop-2"].config
    walk.key("Esc")
    assert panel.address is None
    assert desk.post.services["shop-2"].config == before
    assert panel.list.hasFocus()
