"""What the window makes of an exchange: text for the clipboard, a mock."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PyQt5.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot
from twisted.internet.defer import succeed

from app import events
from app.events import Event
from tests.app.capture.captures import event, opened
from tests.app.capture.reading.test_streams import ANSWERED, ASKED, REQUEST, RESPONSE
from tests.ui.desk import Capture, InstantReader, config, do, memory_post, settle
from ui.bridge import Bridge
from ui.edits import Edits
from ui.panes.exchange_actions import ExchangeActions
from ui.programs.actions import ProgramActions
from ui.services.actions import ServiceActions
from ui.services.dialog import ServiceDialog
from ui.settings import Settings
from ui.window.main_window import MainWindow

pytestmark = [
    pytest.mark.usefixtures("dark"),
    pytest.mark.qt_log_ignore(r"^This plugin does not support raise\(\)$", extend=True),
]


class Desk:
    """Actions on a capture with one exchange: events 2 to 5, of connection 1."""

    def __init__(self, capture: Capture, reader: InstantReader, window: QWidget) -> None:
        rows = [
            opened(1), event(ASKED, events.DATA_RECEIVED, 1),
            event(None, events.HTTP_REQUEST, 1, detail=REQUEST, summary="POST /orders", size=4),
            event(ANSWERED, events.DATA_SENT, 1),
            event(None, events.HTTP_RESPONSE, 1, detail=RESPONSE, summary="201 Created", size=3),
            event(None, events.HTTP_RESPONSE, 1, detail={"status": 400, "refused": "no sense"}, summary="400"),
        ]  # fmt: skip
        capture.store([value for row in rows for value in row])
        self.post, _ = memory_post(config("alpha"))
        self.bridge = Bridge(self.post)
        edits = Edits(self.post, window)
        programs = ProgramActions(self.post, edits, Settings(capture.path.with_suffix(".ini")), window, print)
        self.services = ServiceActions(self.post, edits, self.bridge, window, programs)
        self.actions = ExchangeActions(reader, window)  # type: ignore[arg-type]
        self.copied: list[str] = []
        self.failed: list[str] = []
        self.said: list[str] = []
        self.actions.copied.connect(self._on_copied)
        self.actions.failed.connect(self.failed.append)
        self._reader = reader

    def _on_copied(self, text: str, words: str) -> None:
        self.copied.append(text)
        self.said.append(words)

    def event(self, id: int) -> Event:
        found: list[Any] = []
        self._reader.event(id, found.append)
        return found[0] or Event(id, 0, events.HTTP_REQUEST, "", None, None, 0, "")


@pytest.fixture
def desk(capture: Capture, reader: InstantReader, qtbot: QtBot) -> Iterator[Desk]:
    window = QWidget()
    qtbot.addWidget(window)
    made = Desk(capture, reader, window)
    yield made
    made.bridge.close()


@pytest.mark.parametrize("id", [3, 5])
def test_either_half_is_copied_as_the_whole(desk: Desk, id: int) -> None:
    for form in ("curl", "python", "text"):
        desk.actions.copy(desk.event(id), form)
    curl, python, text = desk.copied
    assert curl.startswith("curl http://127.0.0.1:9007/orders")
    assert "--data-raw body" in curl
    assert "data=b'body'" in python
    assert text.startswith("POST /orders HTTP/1.1\nHost: x\n\nbody\n\nHTTP/1.1 201 Created\n")
    assert desk.failed == []
    assert desk.said == ["Copied as curl", "Copied as Python", "Copied request and answer"]


def test_what_has_no_request_cannot_be_asked_again(desk: Desk) -> None:
    desk.actions.copy(desk.event(6), "curl")
    assert desk.copied == []
    assert "no request" in desk.failed[0]


def test_what_is_gone_is_said(desk: Desk) -> None:
    desk.actions.copy(desk.event(99), "curl")
    assert "not in the capture" in desk.failed[0]


def test_a_mock_is_offered_that_answers_the_same(desk: Desk) -> None:
    desk.actions.rule(desk.event(5), lambda rule: desk.services.create_ruled("http", "mock", rule))
    [dialog] = desk.services._window.findChildren(ServiceDialog)
    found = dialog.config()
    assert (found.protocol, found.responder, found.host) == ("http", "mock", "127.0.0.1")
    [rule] = found.options["rules"]
    assert (rule["method"], rule["path"], rule["status"], rule["body"]) == ("POST", "/orders", 201, "yes")
    dialog.accept()
    settle()
    assert found.name in desk.post.services


# -- in the window


@pytest.fixture
def on_capture(desk: Desk, capture: Capture, open_window: Callable[..., MainWindow], qtbot: QtBot) -> MainWindow:
    """A window on the capture, its HTTP pane in view with the first exchange current."""
    window = open_window(path=capture.path)
    window.panes.on_stored(capture.stored)
    do(window, "http")
    pane = window.panes.http
    qtbot.waitUntil(lambda: len(pane.events) == 2 and pane.events.row(0) is not None)
    pane.view.set_current(0)
    qtbot.waitUntil(lambda: window.actions_["copy_curl"].isEnabled())
    return window


def test_the_actions_are_those_of_an_exchange(window: MainWindow) -> None:
    for name in ("copy_curl", "copy_python", "copy_exchange", "answer_by_rule", "follow_stream"):
        assert not window.actions_[name].isEnabled()


def test_the_window_copies_the_current_exchange(on_capture: MainWindow, qtbot: QtBot) -> None:
    QApplication.clipboard().clear()
    do(on_capture, "copy_curl")
    qtbot.waitUntil(lambda: QApplication.clipboard().text().startswith("curl http://127.0.0.1:9007/orders"))
    subprocess.run(["bash", "-n", "-c", QApplication.clipboard().text()], check=True)


def test_the_window_follows_a_stream_once(on_capture: MainWindow, qtbot: QtBot) -> None:
    do(on_capture, "follow_stream")
    [stream] = on_capture.streams.open
    qtbot.waitUntil(lambda: "201 Created" in stream.text.toPlainText())
    do(on_capture, "follow_stream")
    assert on_capture.streams.open == [stream]
    stream.close()
    settle()
    assert on_capture.streams.open == []


def test_the_window_exports(
    on_capture: MainWindow, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender = on_capture._post.sender
    monkeypatch.setattr(sender, "in_thread", lambda call, *args: succeed(call(*args)))
    do(on_capture, "export")
    dialog = on_capture.capture_commands.export_dialog
    assert dialog is not None
    dialog.format.setCurrentIndex(dialog.format.findText("JSON lines"))
    dialog.file.setText(str(tmp_path / "out.jsonl"))
    assert "Connection #1" in [dialog.part.itemText(index) for index in range(dialog.part.count())]
    dialog.start()
    qtbot.waitUntil(lambda: dialog.state.text().startswith("Exported"))
    assert len([json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]) == 6
    dialog.close()
    settle()
    assert on_capture.capture_commands.export_dialog is None


def test_streams_are_closed_with_the_window(on_capture: MainWindow) -> None:
    do(on_capture, "follow_stream")
    on_capture.files._saved = on_capture.edits.state
    on_capture.close()
    assert on_capture.streams.open == []
