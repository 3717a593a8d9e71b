"""The send dock: checks while typing, sending, receiving, and saved messages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QMainWindow
from pytestqt.qtbot import QtBot
from twisted.internet.defer import ensureDeferred

from app.post import Post
from app.services.config import ServiceConfig
from app.workspace.message import Message
from app.workspace.reading import Workspace, load
from app.workspace.saving import save
from tests.helpers import until
from tests.ui.conftest import Open
from tests.ui.desk import config, do, memory_post, settle
from ui.edits import Edits
from ui.looks import theme
from ui.parts.offers import Offers
from ui.sending.dock import SendDock
from ui.sending.message_form import HEADERS
from ui.sending.resend import reaching

ensure = pytest_twisted.ensureDeferred


@pytest.fixture
def post(qapp: QApplication) -> Iterator[Post]:
    """A Post with real sockets, and no capture."""
    from twisted.internet import reactor

    from app.commands.send.running import Nowhere

    post = Post(reactor, Workspace((config("echo", 0), config("http", 0, protocol="http", responder="inspector"))))
    Nowhere(post.recorder)
    yield post
    pytest_twisted.blockon(ensureDeferred(post.shut_down()))
    post.recorder.abandon()


@pytest.fixture
def dock(post: Post, qtbot: QtBot) -> Iterator[SendDock]:
    window = QMainWindow()
    dock = SendDock(post, Edits(post, window), window)
    dock.refresh()
    window.addDockWidget(Qt.BottomDockWidgetArea, dock)
    qtbot.addWidget(window)
    with qtbot.waitExposed(window):
        window.show()
    yield dock
    dock.run.stop()


def talk(dock: SendDock) -> str:
    """The transcript, without times and sizes."""
    lines = dock.transcript.toPlainText().splitlines()
    return "\n".join(line[13:14] + " " + line[14:].split("bytes", 1)[-1].split("byte", 1)[-1].strip() for line in lines)


async def start(post: Post, name: str) -> str:
    await post.services[name].start()
    url = reaching(post.services[name])
    assert url is not None
    return url


# -- as one types


def test_an_empty_form_complains_of_nothing_and_cannot_be_sent(dock: SendDock) -> None:
    assert not dock.form.url_words.isVisible()
    assert not dock.form.button.isEnabled()


@pytest.mark.parametrize(
    ("url", "words"),
    [("localhost:1", "It must begin with one of tcp://"), ("tcp://x", "The port is missing."), ("http://a b", "host")],
)
def test_what_is_wrong_with_the_url_is_said_beneath_it(dock: SendDock, url: str, words: str) -> None:
    dock.form.url.setText(url)
    assert words in dock.form.url_words.text()
    assert dock.form.url.property("invalid")
    assert not dock.form.button.isEnabled()


@pytest.mark.parametrize(
    ("form", "data", "words"),
    [
        ("text", r"\q", r"\q is not an escape"),
        ("hex", "4", "Hex needs pairs of digits"),
        ("template", "{{nothing 1 2}}", "is not a function"),
        ("file", "", "The name of a file is missing"),
    ],
)
def test_what_is_wrong_with_the_data_is_said_beneath_it(dock: SendDock, form: str, data: str, words: str) -> None:
    dock.form.url.setText("tcp://127.0.0.1:9")
    dock.form.body.type = form
    dock.form.editor.setPlainText(data)
    assert words in dock.form.words.text()
    assert not dock.form.button.isEnabled()


def test_what_means_nothing_for_a_scheme_is_not_shown(dock: SendDock) -> None:
    def shown(url: str) -> tuple[bool, ...]:
        dock.form.url.setText(url)
        form = dock.form
        return not form.method.isHidden(), form.tabs.isTabVisible(HEADERS), not form.verify.isHidden()

    assert shown("tcp://x:1") == (False, False, False)
    assert shown("tls://x:1") == (False, False, True)
    assert shown("ws://x:1") == (False, True, False)
    assert shown("https://x") == (True, True, True)


def test_a_header_that_is_none_is_told(dock: SendDock) -> None:
    dock.form.url.setText("http://127.0.0.1/")
    dock.form.headers.set_lines(["no colon"])
    assert dock.form.headers.property("invalid")
    assert "The header no colon:  cannot be sent" in dock.form.header_words.text()
    assert not dock.form.button.isEnabled()
    dock.form.headers.set_lines(["X: 1", "# no colon"])
    assert not dock.form.headers.property("invalid")


# -- what goes out and comes back


@ensure
async def test_a_message_is_sent_and_its_echo_shown(dock: SendDock, post: Post) -> None:
    dock.form.url.setText(await start(post, "echo"))
    dock.form.editor.setPlainText("hello\\n<b>")
    dock.form.keep.setChecked(True)
    dock.form.button.click()
    await until(lambda: "← hello\\n<b>" in talk(dock))
    assert "→ hello\\n<b>" in talk(dock)
    await until(lambda: dock.state.text() == "Connected: sent 1, received 9 B")
    dock.form.stop.click()
    await until(lambda: dock.state.text() == "Closed by us: sent 1, received 9 B.")
    assert not dock.form.stop.isEnabled()


@ensure
async def test_an_open_connection_carries_the_next_message(dock: SendDock, post: Post) -> None:
    dock.form.url.setText(await start(post, "echo"))
    dock.form.keep.setChecked(True)
    for word in ("one", "two"):
        dock.form.editor.setPlainText(word)
        dock.form.button.click()
        await until(lambda word=word: f"← {word}" in talk(dock) and not dock.run.running)
    assert post.services["echo"].opened == 1
    assert talk(dock).count("connected to") == 1


@ensure
async def test_a_kept_connection_that_is_lost_is_made_again_if_asked_to(dock: SendDock, post: Post) -> None:
    dock.show()
    dock.form.url.setText(await start(post, "echo"))
    assert not dock.form.reconnect.isEnabled()
    dock.form.keep.setChecked(True)
    dock.form.reconnect.setChecked(True)
    dock.form.editor.setPlainText("one")
    dock.form.button.click()
    await until(lambda: "← one" in talk(dock) and not dock.run.running)
    for connection in list(post.services["echo"].connections.values()):
        connection.abort()
    await until(lambda: dock.run.waiting)
    assert "Connects again in " in dock.state.text()
    assert dock.form.again.isVisible()
    assert dock.form.stop.isEnabled()
    assert dock._second.isActive()
    dock.form.again.click()
    await until(lambda: dock.run.open and post.services["echo"].connections)
    assert not dock.form.again.isVisible()
    assert not dock._second.isActive()
    assert talk(dock).count("→ one") == 1
    for connection in list(post.services["echo"].connections.values()):
        connection.abort()
    await until(lambda: dock.run.waiting)
    dock.form.stop.click()
    assert not dock.run.waiting


@ensure
async def test_without_data_it_only_connects(dock: SendDock, post: Post) -> None:
    dock.form.url.setText(await start(post, "echo"))
    assert dock.form.button.text().strip() == "Connect"
    dock.form.button.click()
    await until(lambda: dock.run.open and not dock.run.running)
    assert dock.form.button.text().strip() == "Send"


@ensure
async def test_an_http_answer_is_shown_with_its_status(dock: SendDock, post: Post) -> None:
    dock.form.url.setText(await start(post, "http") + "orders")
    dock.form.method.setCurrentText("PUT")
    dock.form.headers.set_lines(["X-Trace: 7"])
    dock.form.body.type = "plain"
    dock.form.editor.setPlainText("data")
    dock.form.button.click()
    await until(lambda: dock.run.conversation and dock.run.conversation.closed and not dock.run.running)
    await until(lambda: "· HTTP/1.1 200 OK" in talk(dock))
    assert "PUT" in talk(dock)


@ensure
async def test_repeating_can_be_paused_and_stopped(dock: SendDock, post: Post) -> None:
    dock.form.url.setText(await start(post, "echo"))
    dock.form.editor.setPlainText("x")
    dock.form.times.setValue(0)
    dock.form.every.setValue(1)
    dock.form.button.click()
    await until(lambda: dock.run.sending and dock.run.sending.sent > 2)
    dock.form.pause.click()
    assert dock.run.paused
    assert dock.form.pause.toolTip() == "Resume"
    dock.form.pause.click()
    sent = dock.run.sending.sent  # type: ignore[union-attr]
    await until(lambda: dock.run.sending.sent > sent)  # type: ignore[union-attr]
    dock.form.stop.click()
    await until(lambda: not dock.run.running)
    assert dock.run.conversation is not None
    await until(lambda: dock.run.conversation.closed)  # type: ignore[union-attr]


@ensure
async def test_a_refusal_is_told_in_words(dock: SendDock, post: Post) -> None:
    dock.form.url.setText(await start(post, "echo"))
    await post.services["echo"].stop()
    dock.form.editor.setPlainText("x")
    dock.form.button.click()
    await until(lambda: "refused the connection: nothing listens there" in dock.state.text())
    assert dock.state.property("role") == "error"


@ensure
async def test_a_file_that_is_not_there_is_told_in_words(dock: SendDock, tmp_path: Path) -> None:
    dock.form.url.setText("tcp://127.0.0.1:9")
    dock.form.folder = tmp_path
    dock.form.body.type = "file"
    dock.form.editor.setPlainText("none.bin")
    dock.form.button.click()
    await until(lambda: "Cannot read" in dock.state.text())


@ensure
async def test_much_traffic_keeps_the_transcript_short(dock: SendDock) -> None:
    for number in range(5000):
        dock.transcript.add("→", b"%d" % number)
    await until(lambda: "4999" in dock.transcript.toPlainText())
    assert "4,700 more in the capture" in dock.transcript.toPlainText()
    assert dock.transcript.blockCount() <= 1000


@pytest.mark.usefixtures("dark")
def test_a_dock_that_is_gone_does_not_mind_another_theme(qapp: QApplication, open_window: Open) -> None:
    window = open_window()
    do(window, "send_message")
    window.sending.dock.deleteLater()
    settle()
    theme.apply(qapp, theme.LIGHT)
    theme.apply(qapp, theme.DARK)


def test_control_enter_sends(dock: SendDock, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Message] = []
    monkeypatch.setattr(dock.run, "send", lambda message, **_: sent.append(message))
    dock.form.url.setText("tcp://127.0.0.1:9")
    dock.form.editor.setPlainText("x")
    qtbot.keyClick(dock.form.editor, Qt.Key_Return, Qt.ControlModifier)
    qtbot.keyClick(dock.form.url, Qt.Key_Return, Qt.ControlModifier)
    assert {message.data for message in sent} == {"x"}
    assert dock.form.editor.toPlainText() == "x"


# -- saved messages


WHOLE = Message("one", "https://localhost:8443/x", "hex", "41 42", "PUT", ["X: 1"], False, 5, 0.25)


def test_a_message_comes_back_as_it_was_saved(dock: SendDock) -> None:
    dock.form.show_message(WHOLE)
    assert dock.form.message("one") == WHOLE


def test_messages_are_saved_updated_renamed_and_removed(dock: SendDock, post: Post, qtbot: QtBot) -> None:
    dock.form.url.setText("tcp://127.0.0.1:9007")
    dock.form.editor.setPlainText("a")
    dock.saved.save_button.click()
    dock.saved.save_button.click()
    assert [m.name for m in post.messages] == ["127.0.0.1:9007", "127.0.0.1:9007 2"]
    dock.saved.list.item(1).setText(" ")
    assert dock.saved.list.item(1).text() == post.messages[1].name == "message"
    dock.saved.list.item(1).setText("second")
    dock.form.editor.setPlainText("b")
    dock.saved.list.setCurrentRow(1)
    dock.saved.update_button.click()
    assert [(m.name, m.data) for m in post.messages] == [("127.0.0.1:9007", "a"), ("second", "b")]
    dock.saved.list.setCurrentRow(0)
    dock.saved.remove_button.click()
    assert [m.name for m in post.messages] == ["second"]
    stack = dock.saved._edits.stack
    assert [stack.text(i) for i in range(stack.count())] == [
        "adding message “127.0.0.1:9007”", "adding message “127.0.0.1:9007 2”",
        "renaming message “127.0.0.1:9007 2”", "renaming message “message”", "changing message “second”",
        "removing message “127.0.0.1:9007”",
    ]  # fmt: skip
    dock.form.editor.clear()
    dock.saved.list.setCurrentRow(0)
    dock.saved.list.itemClicked.emit(dock.saved.list.item(0))
    assert dock.form.editor.toPlainText() == "b"


def test_saved_messages_change_the_workspace_and_are_saved_with_it(
    open_window: Open, tmp_path: Path, qtbot: QtBot
) -> None:
    path = save(Workspace((config("alpha"),)), tmp_path / "w.toml").path
    assert path is not None
    opened = load(path)
    window = open_window(post=memory_post(*opened.services)[0])
    window.files._take(opened, "w.toml")
    do(window, "send_message")
    dock = window.sending.dock
    dock.form.show_message(WHOLE)
    dock.saved.save_button.click()
    assert window.isWindowModified()
    assert window.files.save()
    assert not window.isWindowModified()
    assert load(path).messages == (Message(**{**_as_dict(WHOLE), "name": "PUT /x"}),)


def _as_dict(message: Message) -> dict[str, Any]:
    return {name: getattr(message, name) for name in Message.__slots__}


# -- in the window


def test_the_dock_is_hidden_until_it_is_asked_for(open_window: Open) -> None:
    window = open_window()
    assert not window.sending.made
    do(window, "send_message")
    assert window.sending.dock.isVisible()
    do(window, "send_message")
    assert not window.sending.dock.isVisible()


@pytest.mark.parametrize(
    ("service", "url"),
    [
        (config("a", 9007), "tcp://127.0.0.1:9007"),
        (config("a", 9007, "0.0.0.0", tls={}), "tls://127.0.0.1:9007"),
        (config("a", 9007, "::", protocol="udp"), "udp://[::1]:9007"),
        (config("a", 9007, protocol="http", responder="inspector", tls={}), "https://127.0.0.1:9007/"),
        (config("a", 9007, "localhost", protocol="websocket"), "ws://localhost:9007/"),
    ],
)
def test_send_to_this_service_fills_in_its_url(open_window: Open, service: ServiceConfig, url: str) -> None:
    window = open_window(service)
    do(window, "send_to_service")
    assert window.sending.dock.isVisible()
    assert window.sending.dock.form.url.text() == url


def test_own_services_complete_the_url(open_window: Open) -> None:
    window = open_window()
    do(window, "send_message")
    settle()
    completer = window.sending.dock.form.url.completer()
    assert isinstance(completer, Offers)
    assert completer.texts() == ["tcp://127.0.0.1:9007", "tcp://127.0.0.1:9008"]


def test_with_no_url_it_takes_the_selected_services(open_window: Open) -> None:
    window = open_window()
    window.services.select("beta")
    do(window, "send_message")
    url = window.sending.dock.form.url
    assert url.text() == "tcp://127.0.0.1:9008"
    do(window, "send_message")
    window.services.select("alpha")
    do(window, "send_message")
    assert url.text() == "tcp://127.0.0.1:9008"


def test_without_a_service_that_has_a_url_it_is_empty_and_says_what_belongs_there(open_window: Open) -> None:
    window = open_window(config("shell", protocol="ssh", responder="manhole"))
    do(window, "send_message")
    form = window.sending.dock.form
    assert form.url.text() == ""
    assert form.url.placeholderText() == "URL, such as tcp://127.0.0.1:9007"
    assert form.editor.placeholderText().startswith("What to send, such as ")


def test_the_conversation_is_searched_and_escape_closes_only_the_search(dock: SendDock, qtbot: QtBot) -> None:
    dock.transcript.add("→", b"READ 12")
    dock.transcript.add("←", b"read back")
    qtbot.waitUntil(lambda: "back" in dock.transcript.toPlainText())
    bar = dock.answer.find_bar
    dock.transcript.setFocus()
    QTest.keyClick(dock.transcript, Qt.Key_F, Qt.ControlModifier)
    QTest.keyClicks(bar.field, "read")
    qtbot.waitUntil(lambda: bar.words.text().endswith("of 2"))
    QTest.keyClick(bar.field, Qt.Key_Escape)
    assert not bar.isVisible()
    assert dock.isVisible()
