"""A message goes out again once the plugin that answers it was loaded anew: real window, real files, real sockets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest
from pytestqt.qtbot import QtBot
from twisted.internet import reactor
from twisted.internet.defer import Deferred

from app.commands.send.running import Nowhere
from app.plugin_loader import table
from app.post import Post
from app.services.config import ServiceConfig
from app.status import Listening
from app.workspace.reading import Workspace
from tests.helpers import kept_port
from tests.ui.conftest import Open
from tests.ui.desk import settle
from tests.ui.window.test_walk import Walk
from ui.sending.resend import MOST
from ui.settings import Settings
from ui.window.main_window import MainWindow

GREET = """
from app.plugin import responder

@responder("greet")
def greet(data):
    return b"helo " + data
"""

WRITES = """
    import pathlib

    file = pathlib.Path(__file__)
    file.write_text(file.read_text() + "#")
    return data
"""


def save(file: Path, source: str) -> None:
    """As editors do: beside it, then in its place."""
    new = file.with_suffix(".new")
    new.write_text(source)
    new.rename(file)


@pytest.fixture
def greeter(
    open_window: Open, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[MainWindow, Path]]:
    """A window on a service that answers by a plugin, whose folder is trusted; and the plugin's file."""
    monkeypatch.setattr(table, "data_folder", lambda: tmp_path / "data")
    file = tmp_path / "home" / "plugins" / "greet.py"
    file.parent.mkdir(parents=True)
    file.write_text(GREET)
    greeting = ServiceConfig("greeting", "tcp", "127.0.0.1", 0, "greet")
    post = Post(reactor, Workspace((greeting,), tmp_path / "home" / "w.toml"))
    Nowhere(post.recorder)
    window = open_window(post=post)
    post.plugins.open()
    try:
        qtbot.waitUntil(lambda: post.question is not None)
        Deferred.fromCoroutine(post.trust("folder"))
        Deferred.fromCoroutine(post.services["greeting"].start())
        qtbot.waitUntil(lambda: isinstance(post.services["greeting"].status, Listening))
        window.services.select("greeting")
        yield window, file
    finally:
        over: list[object] = []
        Deferred.fromCoroutine(post.shut_down()).addCallback(over.append)
        qtbot.waitUntil(lambda: bool(over))
        post.recorder.abandon()
        file.unlink()
        table.TABLE.enter(None)


def sent_by_hand(window: MainWindow, text: str) -> str:
    """Send a line from the dock. Returns what stands there once it was answered."""
    dock = window.sending.dock
    window.actions_["send_to_service"].trigger()
    settle()
    dock.form.body.editor.setPlainText(text)
    QTest.keyClick(dock.form.body.editor, Qt.Key_Return, Qt.ControlModifier)
    return text


def test_a_plugin_is_mended(greeter: tuple[MainWindow, Path], settings: Settings, qtbot: QtBot) -> None:
    window, file = greeter
    dock = window.sending.dock
    dock.form.resend.click()
    assert settings.sends_again
    sent_by_hand(window, "you")
    qtbot.waitUntil(lambda: "helo you" in dock.transcript.toPlainText())
    walk, before = Walk(window), 2
    save(file, GREET.replace("helo", "hello"))
    qtbot.waitUntil(lambda: "hello you" in dock.transcript.toPlainText())
    assert "The plugin of “greeting” was reloaded: sent again" in dock.transcript.toPlainText()
    assert walk.steps <= before // 2


def test_a_message_goes_out_again_over_a_new_connection(greeter: tuple[MainWindow, Path], qtbot: QtBot) -> None:
    """The old one belongs to the old version."""
    window, file = greeter
    dock = window.sending.dock
    dock.form.resend.setChecked(True)
    dock.form.keep.setChecked(True)
    sent_by_hand(window, "you")
    qtbot.waitUntil(lambda: "helo you" in dock.transcript.toPlainText())
    save(file, GREET.replace("helo", "hello"))
    qtbot.waitUntil(lambda: "hello you" in dock.transcript.toPlainText())
    assert dock.run.open


def test_nothing_goes_out_again_that_the_user_did_not_send_there(
    greeter: tuple[MainWindow, Path], qtbot: QtBot
) -> None:
    window, file = greeter
    dock, began, renewed = window.sending.dock, [], []
    dock.run.began.connect(lambda: began.append(1))
    window.bridge.plugin_renewed.connect(renewed.append)
    dock.form.resend.setChecked(True)

    save(file, GREET.replace("helo", "hello"))  # nothing was sent yet
    qtbot.waitUntil(lambda: renewed == ["greeting"])
    assert began == []

    with kept_port() as port:  # elsewhere
        window.actions_["send_to_service"].trigger()
        dock.form.url.setText(f"tcp://127.0.0.1:{port}")
        dock.form.body.editor.setPlainText("you")
        QTest.keyClick(dock.form.body.editor, Qt.Key_Return, Qt.ControlModifier)
        qtbot.waitUntil(lambda: began == [1] and not dock.run.running)
    save(file, GREET.replace("helo", "hey"))
    qtbot.waitUntil(lambda: len(renewed) == 2)
    assert began == [1]

    dock.form.url.clear()
    dock.form.resend.setChecked(False)  # there, but it is off
    sent_by_hand(window, "you")
    qtbot.waitUntil(lambda: "hey you" in dock.transcript.toPlainText())
    save(file, GREET.replace("helo", "ho"))
    qtbot.waitUntil(lambda: len(renewed) == 3)
    assert began == [1, 1]


def test_a_plugin_that_writes_its_own_file_is_asked_a_few_times_only(
    greeter: tuple[MainWindow, Path], qtbot: QtBot
) -> None:
    window, file = greeter
    dock, began = window.sending.dock, []
    save(file, GREET.replace('    return b"helo " + data\n', WRITES))
    dock.form.resend.setChecked(True)
    dock.run.began.connect(lambda: began.append(1))
    sent_by_hand(window, "you")
    qtbot.waitUntil(lambda: not dock.form.resend.isChecked(), timeout=20_000)
    assert len(began) == 1 + MOST
    assert "Perhaps the plugin writes its own file" in dock.note.text()


def test_the_next_window_still_sends_again(open_window: Open, settings: Settings) -> None:
    settings.sends_again = True
    dock = open_window().sending.dock
    assert dock.form.resend.isChecked()
    assert dock.resend.on
