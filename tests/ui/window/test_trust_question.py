"""The question whether a workspace, and the plugins beside it, may do what they ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot
from twisted.internet.defer import ensureDeferred

from app import responders
from app.plugin_loader import errors, table
from app.post import Post
from app.responders import Option, Responder
from app.services.protocols import PROTOCOLS
from app.status import Failed, Held, Listening, Stopped
from app.workspace import reading
from app.workspace.reading import Workspace
from tests.helpers import until
from tests.ui.conftest import Open
from tests.ui.desk import config, pressing, settle
from ui.services.dialog import ServiceDialog
from ui.window.trust_question import TrustQuestion

HOSTILE = """version = 1
[[service]]
name = "shell"
protocol = "ssh"
listen = "127.0.0.1:9022"
responder = "manhole"
[service.options]
password = "known"
[[service]]
name = "plain"
protocol = "tcp"
listen = "127.0.0.1:0"
responder = "echo"
autostart = true
[[service]]
name = "door"
protocol = "tcp"
listen = "0.0.0.0:0"
responder = "relay"
autostart = true
[service.options]
upstream = "127.0.0.1:9022"
"""


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(table, "data_folder", lambda: tmp_path / "data")
    return tmp_path / "data"


@pytest.fixture
def post_of(tmp_path: Path, data: Path) -> Iterator[Callable[..., Post]]:
    """Makes Posts of a workspace file that somebody else wrote, on real sockets."""
    from twisted.internet import reactor

    made: list[Post] = []

    def make(text: str = HOSTILE) -> Post:
        path = tmp_path / "theirs" / "w.toml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        made.append(Post(reactor, reading.load(path)))
        return made[-1]

    yield make
    for post in made:
        pytest_twisted.blockon(ensureDeferred(post.shut_down()))
    table.TABLE.enter(None)


async def opened(post: Post, open_window: Open, tmp_path: Path) -> Any:
    await post.open(tmp_path / "x.lpost")
    window = open_window(post=post, path=tmp_path / "x.lpost")
    window.files._saved = window.edits.state
    await post.autostart()
    return window


@pytest_twisted.ensureDeferred
async def test_b1_one_question_lists_it_and_only_the_harmless_service_runs(
    post_of: Callable[..., Post], open_window: Open, tmp_path: Path
) -> None:
    post = post_of()
    window = await opened(post, open_window, tmp_path)
    question = window.notices.question
    assert question.isVisible()
    assert str(tmp_path / "theirs" / "w.toml") in question.label.text()
    assert question.label.textFormat() == Qt.PlainText
    assert question.list.toPlainText().splitlines() == [
        "• shell: whoever logs in can run any code, as you",
        "• door: listens on 0.0.0.0:0, for others on the network, and leads them to shell: "
        "whoever logs in can run any code, as you",
    ]
    assert isinstance(post.services["plain"].status, Listening)
    for name in ("door", "shell"):
        assert window.services.row(name).reason.startswith("Waiting until you trust it: ")
        assert isinstance(post.services[name].status, Held)


@pytest_twisted.ensureDeferred
async def test_b1_trusting_the_file_starts_what_was_to_start_and_the_next_start_does_not_ask(
    post_of: Callable[..., Post], open_window: Open, tmp_path: Path
) -> None:
    post = post_of()
    window = await opened(post, open_window, tmp_path)
    QTest.mouseClick(window.notices.question.trust_file, Qt.LeftButton)
    await until(lambda: isinstance(post.services["door"].status, Listening))
    assert not window.notices.question.isVisible()
    assert isinstance(post.services["shell"].status, Stopped)  # nobody asked for it
    assert post_of().question is None
    changed = post_of(HOSTILE.replace("known", "other"))
    assert changed.question is not None


@pytest_twisted.ensureDeferred
async def test_b1_trusting_the_folder_holds_for_what_is_written_there_later(
    post_of: Callable[..., Post], open_window: Open, tmp_path: Path
) -> None:
    post = post_of()
    window = await opened(post, open_window, tmp_path)
    assert str(tmp_path / "theirs") in window.notices.question.trust_folder.toolTip()
    QTest.mouseClick(window.notices.question.trust_folder, Qt.LeftButton)
    await until(lambda: isinstance(post.services["door"].status, Listening))
    assert post_of(HOSTILE.replace("known", "other")).question is None


@pytest_twisted.ensureDeferred
async def test_b1_not_now_hides_it_until_a_service_that_waits_is_started(
    post_of: Callable[..., Post], open_window: Open, tmp_path: Path
) -> None:
    post = post_of()
    window = await opened(post, open_window, tmp_path)
    QTest.mouseClick(window.notices.question.later, Qt.LeftButton)
    assert not window.notices.question.isVisible()
    window.service_actions.toggle("shell")
    assert isinstance(post.services["shell"].status, Held)
    assert window.notices.question.isVisible()
    window.notices.question.later.click()
    window.service_actions.start_all()
    assert window.notices.question.isVisible()
    assert not any(isinstance(post.services[name].status, Listening) for name in ("door", "shell"))


@pytest_twisted.ensureDeferred
async def test_b1_what_the_window_saved_is_trusted_and_saving_answers_no_question(
    post_of: Callable[..., Post], open_window: Open, tmp_path: Path
) -> None:
    post = post_of(HOSTILE.partition("[[service]]")[0])
    window = await opened(post, open_window, tmp_path)
    post.add(config("mine", 0, "0.0.0.0"))
    assert post.question is None
    assert isinstance(await post.services["mine"].start(), Listening)
    window.files.path = tmp_path / "theirs" / "w.toml"
    assert window.files.save()
    await until(lambda: (tmp_path / "data" / "trust.json").exists())
    text = (tmp_path / "theirs" / "w.toml").read_text()
    assert post_of(text).question is None
    assert post_of(text.replace("echo", "discard")).question is not None

    other = post_of()
    assert other.question is not None
    other.add(config("mine", 0, "0.0.0.0"))
    assert [ask.service for ask in other.question.asks] == ["shell", "door", "mine"]
    await other.saved(Workspace(other.configs(), tmp_path / "theirs" / "w.toml", digest="of what was saved"))
    assert other.question is not None


@pytest_twisted.ensureDeferred
async def test_b1_a_workspace_opened_in_a_running_window_is_asked_about_as_well(
    post_of: Callable[..., Post], open_window: Open, tmp_path: Path
) -> None:
    post = post_of("version = 1\n")
    window = await opened(post, open_window, tmp_path)
    assert not window.notices.question.isVisible()
    other = tmp_path / "other.toml"
    other.write_text(HOSTILE)
    window.files.open_path(other, start=True)
    await until(lambda: isinstance(post.services.get("plain") and post.services["plain"].status, Listening))
    await until(lambda: window.notices.question.isVisible())
    assert isinstance(post.services["door"].status, Held)
    answer = pressing(QMessageBox.Ok)
    window.files.open_showcase()
    assert not answer.isActive()
    await until(lambda: "banner" in post.services)
    assert post.question is None
    assert not window.notices.question.isVisible()


def test_the_list_is_as_long_as_it_is_and_is_scrolled(post_of: Callable[..., Post], open_window: Open) -> None:
    one = '[[service]]\nname = "s{n}"\nprotocol = "tcp"\nlisten = "0.0.0.0:{n}"\nresponder = "echo"\n'
    post = post_of("version = 1\n" + "".join(one.format(n=n) for n in range(1000, 1300)))
    question = open_window(post=post).notices.question
    assert question.list.document().blockCount() == 300
    assert question.list.verticalScrollBar().isVisible()
    assert question.height() < 300


def test_a_short_list_is_seen_whole(post_of: Callable[..., Post], open_window: Open) -> None:
    question = open_window(post=post_of()).notices.question
    settle()
    assert question.list.document().blockCount() == 2
    assert not question.list.verticalScrollBar().isVisible()


def test_the_window_hides_it_while_there_is_none(open_window: Open) -> None:
    window = open_window()
    assert not window.notices.question.isVisible()


def test_trouble_with_plugins_is_told_until_it_is_dismissed_or_mended(
    open_window: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    notices = open_window().notices
    words = ""
    monkeypatch.setattr(type(notices._plugins), "words", property(lambda _: words))
    assert not notices.plugin_trouble.isVisible()
    words = "The plugin x is broken."
    notices._on_plugins()
    assert notices.plugin_trouble.isVisible()
    notices.plugin_trouble.hide()
    notices._on_plugins()
    assert not notices.plugin_trouble.isVisible()
    words = ""
    notices._on_plugins()
    words = "The plugin x is broken."
    notices._on_plugins()
    assert notices.plugin_trouble.isVisible()


@pytest.fixture
def shout(tmp_path: Path, data: Path) -> Iterator[Post]:
    """A Post of a workspace that names a plugin beside it."""
    from twisted.internet import reactor

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
    question = window.notices.question
    assert question.isVisible()
    assert f"the plugin {tmp_path / 'plugins' / 'shout.py'} brings shout" in question.list.toPlainText()
    QTest.mouseClick(question.trust_file, Qt.LeftButton)
    await until(lambda: isinstance(shout.services["echo"].status, Listening))
    assert not question.isVisible()
    assert window.notices.plugin_trouble.isHidden()


def test_a_plugins_options_have_a_form_and_those_of_a_waiting_one_are_kept(qtbot: QtBot) -> None:
    loaded = Responder("mine", "Mine", {"tcp": lambda *_: None}, (Option("times", int, 1, "How often"),))
    waiting = Responder("waits", "Waits", {"tcp": lambda *_: None}, missing=errors.PluginWaitingError(path="x"))
    for responder in (loaded, waiting):
        responders.add(responder)
    try:
        for name in ("mine", "waits"):
            before = config(responder=name, options={"times": 3})
            dialog = ServiceDialog(before, [])
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


@pytest.mark.usefixtures("dark")
def test_the_list_is_as_tall_as_its_lines_when_they_are_wrapped(qtbot: QtBot, post_of: Callable[..., Post]) -> None:
    question = TrustQuestion(post_of())
    qtbot.addWidget(question)
    question.resize(1200, 200)
    question.show()
    settle()
    tall = question.list.height()
    question.resize(420, 200)
    settle()
    # Each resize of the list measures it again, and the layout follows when the event loop comes to it.
    qtbot.waitUntil(lambda: question.list.height() > tall and not question.list.verticalScrollBar().maximum())
