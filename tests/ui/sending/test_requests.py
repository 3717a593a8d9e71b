"""The send dock as an editor of requests: body, headers, variables, answers, and what was captured."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QLineEdit
from pytestqt.qtbot import QtBot
from twisted.internet.defer import ensureDeferred
from twisted.internet.threads import deferToThread

from app import events
from app.capture.reading.reader import Reader
from app.events import Event
from app.post import Post
from app.workspace.message import Message
from app.workspace.reading import Workspace
from tests.helpers import until
from tests.ui.conftest import Open
from tests.ui.desk import config, do, settle
from ui.looks import theme
from ui.looks.theme import Fonts
from ui.sending.dock import SendDock
from ui.sending.message_form import HEADERS, OPTIONS
from ui.sending.resend import reaching
from ui.sending.variables_dialog import VariablesDialog
from ui.window.main_window import MainWindow

ensure = pytest_twisted.ensureDeferred


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No history of another test."""
    monkeypatch.setenv("LISTENING_POST_DATA", str(tmp_path / "data"))


@pytest.fixture
def web() -> Iterator[tuple[str, list[Any]]]:
    """The URL of a server of Python's library, and what it got: method, path, headers, body."""
    got: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            got.append((self.command, self.path, dict(self.headers.items()), body))
            answer = gzip.compress(b'{"state": "accepted", "items": [1, 2]}')
            self.send_response(422 if self.path == "/bad" else 201)
            for name, value in (
                ("Content-Type", "application/json"), ("Content-Encoding", "gzip"),
                ("Content-Length", str(len(answer))), ("X-Trace", "t<7>"),
            ):  # fmt: skip
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = do_PUT = do_PURGE = handle_any

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", got
        server.shutdown()
        thread.join()


class Desk:
    """A window on a Post that captures, both real."""

    def __init__(self, window: MainWindow, post: Post) -> None:
        self.window, self.post = window, post

    @property
    def dock(self) -> SendDock:
        return self.window.sending.dock

    async def rest(self) -> None:
        """Wait until nothing is being sent."""
        await until(lambda: not self.dock.run.running, 30)
        await until(lambda: not self.dock._update_timer.isActive(), 30)

    async def open_in_send(self, wanted: Callable[[Event], bool]) -> None:
        """Select the first event that is wanted, in the pane of all, and press the key."""
        view = self.window.panes.all.view
        view.setFocus()

        async def found() -> bool:
            for row in range(len(self.window.panes.all.events)):
                view.set_current(row)
                await until(lambda: self.window.browser.current_event is not None)
                await until(lambda: self.window.browser.current_event.id == view._current_id)  # type: ignore[union-attr]
                if wanted(self.window.browser.current_event):  # type: ignore[arg-type]
                    return True
            return False

        rows = self.window.panes.all.events
        seen = len(rows)
        while not await found():
            await until(lambda: len(rows) > seen, 30)  # noqa: B023
            seen = len(rows)
        settle()
        QTest.keyClick(self.window, Qt.Key_J, Qt.ControlModifier)
        await until(lambda: self.window.sending.made and self.dock.isVisible() and self.dock.form.url.text())


@pytest.fixture
def desk(open_window: Open, threaded: Callable[[Path], Reader], tmp_path: Path, qapp: QApplication) -> Iterator[Desk]:
    from twisted.internet import reactor

    services = (config("echo", 0), config("web", 0, protocol="http", responder="inspector"))
    post = Post(reactor, Workspace(services, variables={"base": "http://127.0.0.1:9", "who": "Ann"}))
    path = tmp_path / "x.lpost"
    pytest_twisted.blockon(post.open(path))
    window = open_window(post=post, path=path)
    yield Desk(window, post)
    if window.sending.made:
        window.sending.dock.run.stop()
    pytest_twisted.blockon(ensureDeferred(post.shut_down()))


def shown(dock: SendDock) -> str:
    return dock.answer.body.code.toPlainText()


# -- requests and answers


@ensure
async def test_a_request_with_json_headers_and_variables_and_its_answer(desk: Desk, web: Any) -> None:
    url, got = web
    do(desk.window, "send_message")
    dock = desk.dock
    desk.window.edits.change("x", Workspace(desk.post.configs(), variables={"base": url, "who": "Ann"}))
    dock.form.url.setText("{{base}}/orders")
    assert dock.form.url_words.text() == f"{url}/orders"
    dock.form.body.type = "json"
    QTest.keyClicks(dock.form.editor, '{"name": "{{who}}", "n": 12}')
    dock.form.headers.set_lines(["x-lower: {{who}}", "# Off: 1"])
    assert dock.form.tabs.tabText(HEADERS) == "Headers (1)"
    QTest.keyClick(dock.form.editor, Qt.Key_Return, Qt.ControlModifier)
    await until(lambda: dock.answer.answered)
    [(method, path, headers, body)] = got
    assert (method, path, body) == ("POST", "/orders", b'{"name": "Ann", "n": 12}')
    assert (headers["x-lower"], headers["Content-Type"], "Off" in headers) == ("Ann", "application/json", False)
    assert dock.answer.status.text() == "201 Created"
    assert dock.answer.status.property("outcome") == "good"
    await until(lambda: '"state": "accepted"' in shown(dock))
    assert "gzip" in dock.answer.body.heading.text()
    assert "X-Trace\tt<7>" in dock.answer.headers.text()
    assert "first byte after" in dock.answer.timing.text()
    await desk.rest()


@ensure
async def test_an_answer_that_is_an_error_and_one_that_never_comes(desk: Desk, web: Any) -> None:
    url, _ = web
    do(desk.window, "send_message")
    dock = desk.dock
    dock.form.show_message(Message("", f"{url}/bad", method="PURGE"))
    assert dock.form.body.type == "none"
    dock.form.button.click()
    await until(lambda: dock.answer.answered)
    assert dock.answer.status.text() == "422 Unprocessable Entity"
    assert dock.answer.status.property("outcome") == "warning"
    await desk.rest()
    dock.form.url.setText("http://127.0.0.1:1/")
    dock.form.button.click()
    await until(lambda: "refused" in dock.state.text())
    assert not dock.answer.answered
    assert "refused" in dock.answer._words.text()
    await desk.rest()


@ensure
async def test_a_form_of_rows_is_sent_url_encoded(desk: Desk, web: Any) -> None:
    url, got = web
    do(desk.window, "send_message")
    dock = desk.dock
    dock.form.url.setText(url)
    dock.form.body.type = "form"
    dock.form.body.rows.paste("name={{who}} & co\nempty=")
    dock.form.button.click()
    await until(lambda: dock.answer.answered)
    assert got[0][3] == b"name=Ann+%26+co&empty="
    assert got[0][2]["Content-Type"] == "application/x-www-form-urlencoded"
    await desk.rest()


@ensure
async def test_a_form_with_a_file_is_sent(desk: Desk, web: Any, tmp_path: Path) -> None:
    url, got = web
    (tmp_path / "f.bin").write_bytes(b"\x00\xff")
    do(desk.window, "send_message")
    form = desk.dock.form
    form.folder = tmp_path
    form.show_message(Message("", url, "multipart", "who={{who}}\nfile=@f.bin", "POST"))
    assert form.body.type == "multipart"
    form.button.click()
    await until(lambda: desk.dock.answer.answered)
    _, _, headers, body = got[0]
    dividing = headers["Content-Type"].partition("boundary=")[2].encode()
    assert body.count(dividing) == 3
    assert b'filename="f.bin"' in body
    assert b"\r\n\r\n\x00\xff\r\n" in body
    await desk.rest()


def test_json_is_checked_and_put_on_lines(desk: Desk) -> None:
    do(desk.window, "send_message")
    form = desk.dock.form
    form.url.setText("http://127.0.0.1:9/")
    form.body.type = "json"
    form.editor.setPlainText('{"a":1.50,"b":[]}')
    form.body.format.click()
    assert form.body.data == '{\n  "a": 1.50,\n  "b": []\n}'
    form.editor.setPlainText('{"a": oh}')
    assert form.words.text().startswith("This is not valid JSON: ")
    assert form.words.property("role") == "warning"
    assert form.button.isEnabled()  # a server may be tried with broken JSON
    form.body.format.click()
    assert form.body.data == '{"a": oh}'


def test_an_unknown_variable_is_told_and_nothing_can_be_sent(desk: Desk) -> None:
    do(desk.window, "send_message")
    form = desk.dock.form
    form.show_message(Message("", "{{bse}}/x", "json", "{}", "PUT"))
    assert form.url_words.text().startswith("There is no variable bse: known are base, who.")
    assert not form.button.isEnabled()
    assert form.body.type == "json"  # what the form is for is not forgotten while the URL is wrong
    form.url.setText("{{base}}/x")
    assert form.button.isEnabled()
    form.headers.set_lines(["X: {{no}}"])
    assert "no variable no" in form.header_words.text()
    assert not form.button.isEnabled()
    assert not form.tabs.tabIcon(HEADERS).isNull()
    form.headers.set_lines([])
    form.editor.setPlainText("{{no}}")
    assert not form.button.isEnabled()


def test_braces_that_are_sent_as_they_are_are_pointed_out(desk: Desk) -> None:
    do(desk.window, "send_message")
    form = desk.dock.form
    form.url.setText("tcp://127.0.0.1:9")
    form.editor.setPlainText("{{who}}")
    assert "is sent as it is" in form.words.text()
    form.body.type = "template"
    assert "is sent as it is" not in form.words.text()


# -- variables


def test_variables_are_edited_in_a_dialog_and_can_be_undone(desk: Desk, qtbot: QtBot) -> None:
    do(desk.window, "send_message")
    dock = desk.dock
    dock.variables_button.click()
    dialog = dock.findChild(VariablesDialog)
    assert dialog is not None
    assert dialog.variables() == {"base": "http://127.0.0.1:9", "who": "Ann"}
    rows = dialog.rows
    QTest.mouseClick(rows.viewport(), Qt.LeftButton, Qt.NoModifier, rows.visualRect(rows.model().index(2, 1)).center())
    settle()
    [cell] = [cell for cell in rows.findChildren(QLineEdit) if cell.isVisible()]
    QTest.keyClicks(cell, "counter")
    QTest.keyClick(cell, Qt.Key_Return)
    settle()
    assert "counter is taken" in dialog.words.text()
    rows.set_lines(["base=x", "id=7"])
    QTest.mouseClick(dialog.buttons.button(dialog.buttons.Ok), Qt.LeftButton)
    settle()
    assert desk.window.edits.state.variables == {"base": "x", "id": "7"}
    assert desk.window.isWindowModified()
    do(desk.window, "undo")
    assert desk.window.edits.state.variables == {"base": "http://127.0.0.1:9", "who": "Ann"}


def test_variables_are_saved_with_the_workspace(desk: Desk, tmp_path: Path) -> None:
    from app.workspace.reading import load

    desk.window.files._save(tmp_path / "w.toml")
    assert load(tmp_path / "w.toml").variables == {"base": "http://127.0.0.1:9", "who": "Ann"}


# -- the history


@ensure
async def test_ctrl_up_brings_back_what_was_sent(desk: Desk, web: Any) -> None:
    url, _ = web
    do(desk.window, "send_message")
    dock = desk.dock
    for path in ("/a", "/b"):
        dock.form.url.setText(url + path)
        dock.form.button.click()
        await until(lambda: dock.answer.answered)
        await desk.rest()
    dock.form.url.setText("tcp://127.0.0.1:9")
    QTest.keyClick(dock.form.url, Qt.Key_Up, Qt.ControlModifier)
    QTest.keyClick(dock.form.url, Qt.Key_Up, Qt.ControlModifier)
    assert dock.form.url.text() == f"{url}/a"
    QTest.keyClick(dock.form.editor, Qt.Key_Down, Qt.ControlModifier)
    QTest.keyClick(dock.form.editor, Qt.Key_Down, Qt.ControlModifier)
    assert dock.form.url.text() == "tcp://127.0.0.1:9"
    assert [past.outcome for past in dock.history.past] == ["201 Created", "201 Created"]


# -- keys, focus and room


def test_escape_closes_the_dock_and_gives_the_keyboard_back(desk: Desk) -> None:
    view = desk.window.panes.current().view
    view.setFocus()
    settle()
    before = QApplication.focusWidget()
    tabs = {"headers": HEADERS, "times": OPTIONS, "keep": OPTIONS}
    for part in ("url", "method", "editor", "types", "headers", "times", "keep", "transcript"):
        do(desk.window, "send_message")
        form = desk.dock.form
        form.url.setText("http://127.0.0.1:9/")
        form.body.type = "json"
        form.tabs.setCurrentIndex(tabs.get(part, 0))
        widget = desk.dock.transcript if part == "transcript" else getattr(form, part)
        widget.setFocus()
        settle()
        assert desk.dock.isVisible(), part
        assert desk.dock.isAncestorOf(QApplication.focusWidget()), part
        QTest.keyClick(QApplication.focusWidget(), Qt.Key_Escape)
        settle()
        assert not desk.dock.isVisible(), part
        assert QApplication.focusWidget() is before, part


def test_tab_goes_through_the_form_as_it_is_read(desk: Desk) -> None:
    do(desk.window, "send_message")
    form = desk.dock.form
    form.show_message(Message("", "http://127.0.0.1:9/", "json", "{}", "PUT"))
    form.method.setFocus()
    passed = []
    for _ in range(6):
        passed.append(QApplication.focusWidget())
        QTest.keyClick(QApplication.focusWidget(), Qt.Key_Tab)
    assert passed == [form.method, form.url, form.button, form.tabs.tabBar(), form.editor, form.types]


def test_what_is_opened_and_closed_leaves_nothing_behind(desk: Desk) -> None:
    do(desk.window, "send_message")
    dock = desk.dock
    form = dock.form

    def round_() -> None:
        dock.edit_variables()
        dock.findChild(VariablesDialog).reject()
        dock._fill_menu()
        form.show_message(Message("", "http://127.0.0.1:9/", "form", "a=1", "PUT", ["A: 1"]))
        form.show_message(Message("", "tcp://127.0.0.1:9", "hex", "00"))
        do(desk.window, "send_message")
        do(desk.window, "send_message")

    for _ in range(3):
        round_()
    settle()
    before = len(QApplication.allWidgets())
    for _ in range(20):
        round_()
    settle()
    assert len(QApplication.allWidgets()) <= before


@ensure
async def test_enter_in_a_number_sends(desk: Desk, web: Any) -> None:
    url, got = web
    do(desk.window, "send_message")
    form = desk.dock.form
    form.url.setText(url)
    form.tabs.setCurrentIndex(OPTIONS)
    form.times.setFocus()
    form.times.selectAll()
    QTest.keyClicks(form.times, "3")
    QTest.keyClick(form.times, Qt.Key_Return)
    await until(lambda: len(got) == 3)
    await desk.rest()


@ensure
async def test_all_messages_of_a_connection_are_counted(desk: Desk) -> None:
    service = desk.post.services["echo"]
    await service.start()
    do(desk.window, "send_message")
    dock = desk.dock
    dock.form.url.setText(str(reaching(service)))
    dock.form.keep.setChecked(True)
    for text in ("one", "two"):
        dock.form.editor.setPlainText(text)
        dock.form.button.click()
        await desk.rest()
    await until(lambda: dock.state.text() == "Connected: sent 2, received 6 B")


@pytest.mark.usefixtures("dark")
@pytest.mark.parametrize(("size", "width", "height"), [(10, 900, 600), (15, 1280, 720)])
def test_opening_the_dock_does_not_make_the_window_grow(
    open_window: Open, qapp: QApplication, size: int, width: int, height: int
) -> None:
    theme.apply(qapp, theme.LIGHT, Fonts(size, "", size))
    window = open_window()
    window.resize(width, height)
    settle()
    assert (window.width(), window.height()) == (width, height)
    do(window, "send_message")
    window.sending.dock.form.show_message(
        Message("", "http://127.0.0.1:9/a", "json", "{}", "POST", ["A: 1"], times=1000)
    )
    settle()
    assert (window.width(), window.height()) == (width, height)
    theme.apply(qapp, theme.DARK)


# -- what was captured


async def send_raw(post: Post, name: str, data: bytes) -> str:
    """Start the service and send it bytes; its address."""
    service = post.services[name]
    await service.start()
    host, _, port = service.status.host.rpartition(":")  # type: ignore[union-attr]

    def talk() -> None:
        with socket.create_connection((host, int(port)), 60) as client:
            client.sendall(data)
            assert client.recv(65536)

    await deferToThread(talk)
    return f"{host}:{port}"


def count(post: Post, name: str) -> int:
    return post.services[name].opened


@ensure
async def test_a_captured_request_is_opened_changed_and_sent(desk: Desk) -> None:
    head = "PUT /a?b={{c}} HTTP/1.1\r\nHost: hook.example\r\nX-Sign: {{s}}\r\nConnection: close\r\n"
    body = b'{"total": 42}'
    data = f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    to = await send_raw(desk.post, "web", data)
    await desk.open_in_send(lambda event: event.kind == events.HTTP_RESPONSE)
    form = desk.dock.form
    assert form.url.text() == f"http://{to}/a?b=\\{{{{c}}}}"
    assert form.url.cursorPosition() == len(form.url.text())  # what is typed now is a query
    assert (form.method.currentText(), form.body.type, form.body.data) == ("PUT", "json", '{"total": 42}')
    assert form.headers.lines() == [
        "X-Sign: \\{{s}}", "Content-Type: application/json", "# Host: hook.example"
    ]  # fmt: skip
    assert "Left out, because they belong to the connection: Connection." in desk.dock.note.text()
    form.editor.setPlainText('{"total": 43}')
    form.button.click()
    await until(lambda: desk.dock.answer.answered)
    assert desk.dock.answer.status.text() == "200 OK"
    await until(lambda: '"{\\"total\\": 43}"' in shown(desk.dock))
    await desk.rest()


@ensure
async def test_captured_bytes_are_opened_as_they_were(desk: Desk) -> None:
    data = b"\x01\x03\xff\xfe\x00"
    to = await send_raw(desk.post, "echo", data)
    await desk.open_in_send(lambda event: event.kind == events.DATA_RECEIVED)
    form = desk.dock.form
    assert (form.url.text(), form.body.type, form.body.data) == (f"tcp://{to}", "hex", "01 03 ff fe 00")


@ensure
async def test_more_than_a_form_can_hold_is_sent_by_reference(desk: Desk, web: Any) -> None:
    url, got = web
    body = bytes(range(256)) * 400
    data = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    await send_raw(desk.post, "web", data)
    await desk.open_in_send(lambda event: event.kind == events.HTTP_REQUEST)
    form = desk.dock.form
    assert form.body.type == "attached"
    assert "102,400 bytes (102 kB), from event" in form.body.note.text()
    form.url.setText(url)
    form.button.click()
    await until(lambda: desk.dock.answer.answered)
    assert got[0][3] == body
    assert desk.dock.history.past == ()
    desk.dock.saved.save_button.click()
    assert "too large to be saved" in desk.dock.note.text()
    form.body.type = "none"
    form.button.click()
    await until(lambda: len(got) == 2)
    assert got[1][3] == b""
    await desk.rest()


@ensure
async def test_an_event_without_bytes_cannot_be_opened(desk: Desk) -> None:
    await desk.post.services["echo"].start()
    view = desk.window.panes.all.view
    await until(lambda: len(desk.window.panes.all.events) > 0)
    view.set_current(0)
    await until(lambda: desk.window.browser.current_event is not None)
    assert not desk.window.actions_["open_in_send"].isEnabled()
