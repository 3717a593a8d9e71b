"""The window that follows a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtGui import QColor
from PyQt5.QtTest import QTest
from pytestqt.qtbot import QtBot
from twisted.internet.defer import Deferred, succeed

from app import events
from tests.app.capture.captures import event, opened
from tests.ui.desk import Capture, InstantReader, settle
from ui.looks import theme
from ui.streams import view as stream_view
from ui.streams.view import StreamView

pytestmark = pytest.mark.usefixtures("dark")

Open = Callable[..., StreamView]


class Connection:
    """Connection 1 of a capture. The test adds its data."""

    def __init__(self, capture: Capture) -> None:
        self.capture = capture
        self._store(opened(1))

    def _store(self, *rows: list[Any]) -> None:
        self.capture.store([value for row in rows for value in row])

    def received(self, *data: bytes) -> None:
        self._store(*(event(part, events.DATA_RECEIVED, 1) for part in data))

    def sent(self, *data: bytes) -> None:
        self._store(*(event(part, events.DATA_SENT, 1) for part in data))

    def note(self, kind: int, detail: dict[str, Any], payload: bytes | None = None) -> None:
        self._store(event(payload, kind, 1, detail=detail, summary="note"))


@pytest.fixture
def connection(capture: Capture) -> Connection:
    return Connection(capture)


@pytest.fixture
def open_view(reader: InstantReader, qtbot: QtBot) -> Iterator[Open]:
    def run(call: Callable[..., Any], *args: Any) -> Deferred[Any]:
        return succeed(call(*args))

    def make(asked: tuple[int, bool] = (1, False), in_thread: Any = run, shown: bool = True) -> StreamView:
        view = StreamView(asked, reader, in_thread)  # type: ignore[arg-type]
        view.setAttribute(Qt.WA_DeleteOnClose, False)
        qtbot.addWidget(view)
        if shown:
            with qtbot.waitExposed(view):
                view.show()
            lay_out(view, qtbot)
        return view

    return make


def lay_out(view: StreamView, qtbot: QtBot) -> str:
    """Wait until all is laid out. Returns the text."""
    qtbot.waitUntil(lambda: not view._layout_timer.isActive())
    return view.text.toPlainText()


def choose(box: Any, index: int) -> None:
    box.setCurrentIndex(index)
    box.activated.emit(index)


def test_both_sides_are_shown_in_their_colours(connection: Connection, open_view: Open, qtbot: QtBot) -> None:
    connection.received(b"ping\n")
    connection.sent(b"pong\n")
    view = open_view()
    assert view.text.toPlainText() == "ping\npong\n"
    document = view.text.document()
    colors = [document.findBlockByNumber(n).begin().fragment().charFormat().foreground().color() for n in (0, 1)]
    assert colors == [QColor(theme.DARK.received), QColor(theme.DARK.sent)]
    assert view.state.text().split() == ["←", "5", "B", "received", "→", "5", "B", "sent"]


def test_what_comes_later_is_added(connection: Connection, open_view: Open, qtbot: QtBot) -> None:
    view = open_view()
    assert view.text.placeholderText() == "Nothing has passed yet."
    connection.received(b"one ")
    view.on_stored()
    connection.received(b"two")
    view.on_stored()
    assert lay_out(view, qtbot) == "one two"


def test_nothing_is_read_while_nobody_looks(connection: Connection, open_view: Open, qtbot: QtBot) -> None:
    connection.received(b"one")
    view = open_view(shown=False)
    view.on_stored()
    assert not view._pieces
    view.show()
    assert lay_out(view, qtbot) == "one"


def test_hex_and_one_side_are_a_choice(connection: Connection, open_view: Open, qtbot: QtBot) -> None:
    connection.received(b"ping")
    connection.sent(b"pong")
    view = open_view()
    choose(view.side, 2)
    assert lay_out(view, qtbot) == "pong"
    choose(view.look, 1)
    assert lay_out(view, qtbot).strip().startswith("00000000  70 6f 6e 67")


def test_only_the_end_of_a_long_stream_is_shown_and_the_rest_counted(
    connection: Connection, open_view: Open, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_view, "AS_TEXT", 1000)
    view = open_view()
    for number in range(10):
        connection.received(b"%d" % number * 500)
        view.on_stored()
    assert lay_out(view, qtbot).endswith("9" * 500)
    assert len(lay_out(view, qtbot)) <= 2001
    assert view.skipped_label.isVisible()
    assert view.skipped_label.text().endswith("are not shown here. Save has all of it.")
    assert sum(view._skipped) + view._size == 5000


def test_other_colours_are_taken_on(connection: Connection, open_view: Open, qtbot: QtBot) -> None:
    connection.received(b"ping")
    view = open_view()
    theme.notifier.theme = theme.LIGHT
    theme.notifier.changed.emit(theme.LIGHT)
    lay_out(view, qtbot)
    color = view.text.document().firstBlock().begin().fragment().charFormat().foreground().color()
    theme.notifier.theme = theme.DARK
    assert color == QColor(theme.LIGHT.received)


def test_messages_of_a_websocket_are_the_form_to_begin_with(
    connection: Connection, open_view: Open, qtbot: QtBot
) -> None:
    connection.note(events.WS_OPENED, {})
    connection.note(events.WS_MESSAGE, {"opcode": "text", "direction": "received"}, b"hello")
    connection.received(b"\x81\x85raw")
    view = open_view()
    assert [view.form.itemText(index) for index in range(view.form.count())] == ["Messages", "Bytes"]
    assert "← text" in view.text.toPlainText()
    assert "hello" in view.text.toPlainText()
    choose(view.form, 1)
    assert "hello" not in lay_out(view, qtbot)
    assert "raw" in view.text.toPlainText()


def test_a_connection_that_is_not_there_is_said_and_asked_for_again(
    capture: Capture, open_view: Open, qtbot: QtBot
) -> None:
    capture.add([b"x"])
    view = open_view()
    assert "not in the capture" in view.state.text()
    connection = Connection(capture)
    connection.received(b"now")
    view.on_stored()
    assert lay_out(view, qtbot) == "now"


def test_a_text_is_found_again_and_again(connection: Connection, open_view: Open, qtbot: QtBot) -> None:
    connection.received(b"one two one two")
    view = open_view()
    bar = view.find_bar
    QTest.keyClick(view.text, Qt.Key_F, Qt.ControlModifier)
    QTest.keyClicks(bar.field, "two")
    qtbot.waitUntil(lambda: bar.words.text() == "1 of 2")
    found = [view.text.textCursor().selectionStart()]
    for modifiers in (Qt.NoModifier, Qt.NoModifier, Qt.ShiftModifier):
        QTest.keyClick(bar.field, Qt.Key_Return, modifiers)
        settle()
        found.append(view.text.textCursor().selectionStart())
    assert found == [4, 12, 4, 12]
    QTest.keyClicks(bar.field, "x")
    qtbot.waitUntil(lambda: bar.words.text() == "Not found")
    assert bar.field.property("invalid")
    QTest.keyClick(bar.field, Qt.Key_Escape)
    assert not bar.isVisible()
    assert view.isVisible()


def test_what_arrives_is_counted_while_it_is_searched_for(
    connection: Connection, open_view: Open, qtbot: QtBot
) -> None:
    connection.received(b"one two")
    view = open_view()
    view.find_bar.open()
    QTest.keyClicks(view.find_bar.field, "two")
    qtbot.waitUntil(lambda: view.find_bar.words.text() == "1 of 1")
    connection.received(b" two")
    view.on_stored()
    qtbot.waitUntil(lambda: view.find_bar.words.text() == "1 of 2")


@pytest.mark.parametrize(("side", "data"), [(True, b"ping ping"), (False, b"pong")])
def test_a_side_is_saved_whole(
    connection: Connection, open_view: Open, tmp_path: Path, side: bool, data: bytes
) -> None:
    connection.received(b"ping ", b"ping")
    connection.sent(b"pong")
    view = open_view()
    view.save(side, tmp_path / "side.bin")
    assert (tmp_path / "side.bin").read_bytes() == data
    assert view.state.text() == f"Saved {len(data)} B to {tmp_path / 'side.bin'}."


def test_what_cannot_be_saved_is_said(connection: Connection, open_view: Open, tmp_path: Path) -> None:
    view = open_view()
    view.save(True, tmp_path / "nowhere" / "side.bin")
    assert view.state.text().startswith("Cannot save to ")
    assert view.state.property("role") == "error"
    assert view.save_button.isEnabled()


def test_closing_stops_what_is_being_saved(connection: Connection, open_view: Open, tmp_path: Path) -> None:
    waiting: list[Any] = []

    def later(call: Callable[..., Any], *args: Any) -> Deferred[Any]:
        waiting.append((call, args, Deferred()))
        deferred: Deferred[Any] = waiting[-1][2]
        return deferred

    connection.received(b"ping")
    view = open_view(in_thread=later)
    view.save(True, tmp_path / "side.bin")
    view.close()
    [(call, args, done)] = waiting
    done.callback(call(*args))
    assert not (tmp_path / "side.bin").exists()


def test_answers_that_come_after_the_end_come_to_nobody(
    connection: Connection, open_view: Open, reader: InstantReader
) -> None:
    view = open_view()
    connection.received(b"late")
    reader.holding = True
    view.on_stored()
    view.close()
    reader.release()
    assert view.text.toPlainText() == ""


def test_what_passed_at_the_cursor_is_opened_in_send(connection: Connection, open_view: Open, qtbot: QtBot) -> None:
    connection.received(b"ping\n", b"READ 7\n")
    connection.sent(b"pong\n")
    view = open_view()
    ids = [piece.event for piece in view._pieces]
    wanted: list[int] = []
    view.send_wanted.connect(wanted.append)
    for word in ("ping", "READ", "pong"):
        at = view.text.toPlainText().index(word) + 2
        cursor = view.text.textCursor()
        cursor.setPosition(at)
        view.text.setTextCursor(cursor)
        QTest.keyClick(view.text, Qt.Key_J, Qt.ControlModifier)
    assert wanted == ids
    choose(view.look, 1)  # hex
    lay_out(view, qtbot)
    QTest.mouseClick(view.send_button, Qt.LeftButton)
    assert wanted[3:] == ids[-1:]  # laid out anew, the cursor is at the end


def test_without_anything_that_passed_nothing_is_opened_in_send(open_view: Open, connection: Connection) -> None:
    view = open_view()
    wanted: list[int] = []
    view.send_wanted.connect(wanted.append)
    QTest.mouseClick(view.send_button, Qt.LeftButton)
    assert wanted == []
