"""The question whether a plugin may run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest
from pytestqt.qtbot import QtBot
from twisted.internet.defer import ensureDeferred

from app import responders
from app.plugin_loader import errors, table
from app.plugin_loader.table import Plugin
from app.post import Post
from app.responders import Option, Responder
from app.services.protocols import PROTOCOLS
from app.signal import Signal
from app.status import Failed, Listening
from app.workspace.reading import Workspace
from tests.helpers import until
from tests.ui.conftest import Open
from tests.ui.desk import config, settle
from ui.services.dialog import ServiceDialog
from ui.window.plugin_question import PluginQuestion

pytestmark = pytest.mark.usefixtures("dark")


def plugin(name: str) -> Plugin:
    path = Path(f"/home/me/plugins/{name}.py")
    problem = errors.PluginWaitingError(path=path)
    return Plugin(path, (0, 0, 0), (Responder(name, "", {}, missing=problem),), problem)


class Plugins:
    """Stands for those of a Post."""

    def __init__(self, *names: str) -> None:
        self.waiting = [plugin(name) for name in names]
        self.words = ""
        self.changed: Signal[Any] = Signal()
        self.answers: list[tuple[str, str]] = []

    def answer(self, path: Path, answer: str) -> None:
        self.answers.append((path.name, answer))
        del self.waiting[0]

    def postpone(self, path: Path) -> None:
        self.answer(path, "later")
        self.changed.emit(self)


def ask(qtbot: QtBot, plugins: Any) -> PluginQuestion:
    question = PluginQuestion(plugins)
    plugins.changed.connect(lambda _: question.refresh())
    qtbot.addWidget(question)
    question.resize(600, 100)
    with qtbot.waitExposed(question):
        question.show()
    return question


def test_it_names_the_file_and_what_it_brings(qtbot: QtBot) -> None:
    question = ask(qtbot, Plugins("shout", "other"))
    assert "/home/me/plugins/shout.py" in question.label.text()
    assert "brings the responder shout" in question.label.text()
    assert "1 more" in question.label.text()
    assert question.label.textFormat() == Qt.PlainText


def test_each_answer_is_given_once_and_the_next_question_follows(qtbot: QtBot) -> None:
    plugins = Plugins("a", "b", "c")
    question = ask(qtbot, plugins)
    for button in (question.later, question.load, question.never):
        QTest.mouseClick(button, Qt.LeftButton)
        question.refresh()
    assert plugins.answers == [("a.py", "later"), ("b.py", "load"), ("c.py", "never")]
    assert not question.strip.isVisible()


def test_after_an_answer_nothing_can_be_clicked_until_there_is_news(qtbot: QtBot) -> None:
    question = ask(qtbot, Plugins("a", "b"))
    QTest.mouseClick(question.load, Qt.LeftButton)
    assert not question.strip.isVisible()


def test_trouble_is_told_until_it_is_dismissed_or_mended(qtbot: QtBot) -> None:
    plugins = Plugins()
    question = ask(qtbot, plugins)
    assert not question.strip.isVisible()
    plugins.words = "The plugin x is broken."
    question.refresh()
    assert question.trouble.isVisible()
    question.trouble.hide()
    question.refresh()
    assert not question.trouble.isVisible()
    plugins.words = ""
    question.refresh()
    plugins.words = "The plugin x is broken."
    question.refresh()
    assert question.trouble.isVisible()


def test_the_window_shows_it_and_hides_it_while_there_is_none(open_window: Open) -> None:
    window = open_window()
    assert not window.notices.plugin_question.strip.isVisible()
    assert window.notices.plugin_question.height() == 0 or not window.notices.plugin_question.trouble.isVisible()


@pytest.fixture
def shout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Post]:
    """A Post of a workspace that names a plugin beside it."""
    from twisted.internet import reactor

    monkeypatch.setattr(table, "data_folder", lambda: tmp_path / "data")
    file = tmp_path / "plugins" / "shout.py"
    file.parent.mkdir()
    file.write_text("from app.plugin import responder\n@responder('shout')\ndef shout(data): return data.upper()\n")
    post = Post(reactor, Workspace((config(responder="shout", port=0),), tmp_path / "w.toml"))
    yield post
    file.unlink()
    pytest_twisted.blockon(ensureDeferred(post.shut_down()))
    table.TABLE.enter(None)


@pytest_twisted.ensureDeferred
async def test_one_click_loads_the_plugin_and_starts_what_waited_for_it(
    shout: Post, open_window: Open, tmp_path: Path
) -> None:
    await shout.open(tmp_path / "x.lpost")
    window = open_window(post=shout, path=tmp_path / "x.lpost")
    await shout.start_all()
    assert isinstance(shout.services["echo"].status, Failed)
    assert window.notices.plugin_question.strip.isVisible()
    QTest.mouseClick(window.notices.plugin_question.load, Qt.LeftButton)
    await until(lambda: isinstance(shout.services["echo"].status, Listening))
    assert not window.notices.plugin_question.strip.isVisible()
    assert window.notices.plugin_question.trouble.isHidden()


def test_a_plugins_options_have_a_form_and_those_of_a_waiting_one_are_kept(qtbot: QtBot) -> None:
    loaded = Responder("mine", "Mine", {"tcp": lambda *_: None}, (Option("times", int, 1, "How often"),))
    waiting = Responder("waits", "Waits", {"tcp": lambda *_: None}, missing=errors.PluginWaitingError(path="x"))
    for responder in (loaded, waiting):
        responders.add(responder)
    try:
        for name in ("mine", "waits"):
            before = config(responder=name, options={"times": 3})
            dialog = ServiceDialog(before, [before])
            qtbot.addWidget(dialog)
            settle()
            assert dialog.config().options == {"times": 3}
            assert dialog.config().responder == name
            assert ("times" in dialog.options._rows) is (name == "mine")
    finally:
        for responder in (loaded, waiting):
            responders.remove(responder.name)


def test_a_new_ssh_service_can_be_made(qtbot: QtBot) -> None:
    dialog = ServiceDialog(None, [], protocol="ssh")
    qtbot.addWidget(dialog)
    made = dialog.config()
    assert (made.protocol, made.responder, made.port, made.host) == ("ssh", "manhole", 9022, "127.0.0.1")
    assert made.protocol in PROTOCOLS
