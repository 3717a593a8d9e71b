"""The send dialog: the bytes sent, its messages, and its history."""

from __future__ import annotations

import pytest
from PyQt5.QtCore import Qt
from pytestqt.qtbot import QtBot

from ui.sending.dialog import SendDialog


@pytest.fixture
def dialog(qtbot: QtBot) -> SendDialog:
    widget = SendDialog(7, "127.0.0.1:51234")
    # It deletes itself when it is closed.
    qtbot.addWidget(widget, before_close_func=lambda w: w.setAttribute(Qt.WA_DeleteOnClose, False))
    with qtbot.waitExposed(widget):
        widget.show()
    return widget


def send(dialog: SendDialog, text: str) -> None:
    dialog.editor.setPlainText(text)
    dialog.button.click()


def test_it_says_whom_it_sends_to_and_lets_the_window_work_on(dialog: SendDialog) -> None:
    assert dialog.windowTitle() == "Send to #7 127.0.0.1:51234"
    assert not dialog.isModal()
    assert dialog.focusWidget() is dialog.editor


@pytest.mark.parametrize(
    ("text", "ending", "sent"),
    [
        ("héllo", 0, "héllo".encode()),
        ("a\\x00\\\\", 1, b"a\x00\\\n"),
        ("GET / HTTP/1.1", 2, b"GET / HTTP/1.1\r\n"),
        ("two\nlines", 0, b"two\nlines"),
        ("", 1, b"\n"),
    ],
)
def test_text_goes_out_with_its_escapes_and_ending(
    dialog: SendDialog, qtbot: QtBot, text: str, ending: int, sent: bytes
) -> None:
    dialog.ending.setCurrentIndex(ending)
    with qtbot.waitSignal(dialog.send) as signal:
        send(dialog, text)
    assert signal.args == [sent]
    assert dialog.isVisible()
    assert dialog.editor.toPlainText() == ""


def test_hex_goes_out_as_it_is(dialog: SendDialog, qtbot: QtBot) -> None:
    dialog.ending.setCurrentIndex(2)
    dialog.hex.setChecked(True)
    assert not dialog.ending.isEnabled()
    with qtbot.waitSignal(dialog.send) as signal:
        send(dialog, "48 65:6c, 0x6c\n6F")
    assert signal.args == [b"Hello"]


def test_the_size_is_counted_while_it_is_written(dialog: SendDialog) -> None:
    assert dialog.count.text() == "0 bytes"
    assert not dialog.button.isEnabled()
    dialog.editor.setPlainText("é\\n")
    assert dialog.count.text() == "3 bytes"
    dialog.ending.setCurrentIndex(2)
    assert dialog.count.text() == "5 bytes"
    assert dialog.button.isEnabled()


@pytest.mark.parametrize(
    ("is_hex", "text", "words"),
    [
        (False, "a\\q", r"\q is not an escape. Use \n \r \t \0 \e \xNN, or \\ for a backslash."),
        (True, "4", "Hex needs pairs of digits 0-9 and a-f, as in 48 65 6c 6c 6f."),
        (True, "zz", "Hex needs pairs of digits 0-9 and a-f, as in 48 65 6c 6c 6f."),
    ],
)
def test_what_cannot_be_sent_is_told_in_words(
    dialog: SendDialog, qtbot: QtBot, is_hex: bool, text: str, words: str
) -> None:
    dialog.hex.setChecked(is_hex)
    with qtbot.assertNotEmitted(dialog.send):
        send(dialog, text)
        qtbot.keyClick(dialog.editor, Qt.Key_Return, Qt.ControlModifier)
    assert dialog.words.text() == words
    assert dialog.words.property("role") == "error"
    assert dialog.editor.property("invalid")
    assert dialog.editor.toPlainText() == text
    dialog.editor.setPlainText("41")
    assert not dialog.editor.property("invalid")


@pytest.mark.parametrize("key", [Qt.Key_Return, Qt.Key_Enter])
def test_control_enter_sends(dialog: SendDialog, qtbot: QtBot, key: int) -> None:
    dialog.editor.setPlainText("x")
    dialog.activateWindow()
    with qtbot.waitSignal(dialog.send) as signal:
        qtbot.keyClick(dialog.editor, key, Qt.ControlModifier)
    assert signal.args == [b"x"]
    qtbot.keyClick(dialog.editor, Qt.Key_Return)
    assert dialog.editor.toPlainText() == "\n"


def test_up_and_down_go_through_what_was_sent(dialog: SendDialog, qtbot: QtBot) -> None:
    dialog.ending.setCurrentIndex(1)
    send(dialog, "first")
    dialog.hex.setChecked(True)
    send(dialog, "41 42")
    dialog.text.setChecked(True)
    dialog.ending.setCurrentIndex(2)
    dialog.editor.setPlainText("draft")
    qtbot.keyClick(dialog.editor, Qt.Key_Up)
    assert (dialog.editor.toPlainText(), dialog.hex.isChecked()) == ("41 42", True)
    for _ in range(3):
        qtbot.keyClick(dialog.editor, Qt.Key_Up)
    assert (dialog.editor.toPlainText(), dialog.text.isChecked(), dialog.ending.currentIndex()) == ("first", True, 1)
    for _ in range(3):
        qtbot.keyClick(dialog.editor, Qt.Key_Down)
    assert (dialog.editor.toPlainText(), dialog.text.isChecked(), dialog.ending.currentIndex()) == ("draft", True, 2)


def test_up_moves_within_several_lines_first(dialog: SendDialog, qtbot: QtBot) -> None:
    send(dialog, "first")
    dialog.editor.setPlainText("a\nb")
    cursor = dialog.editor.textCursor()
    cursor.movePosition(cursor.End)
    dialog.editor.setTextCursor(cursor)
    qtbot.keyClick(dialog.editor, Qt.Key_Up)
    assert dialog.editor.toPlainText() == "a\nb"
    qtbot.keyClick(dialog.editor, Qt.Key_Up)
    assert dialog.editor.toPlainText() == "first"


def test_what_was_sent_is_listed_newest_first_and_can_be_taken_again(dialog: SendDialog) -> None:
    assert not dialog.past.isVisible()
    send(dialog, "first\\x00")
    send(dialog, "second")
    shown = [dialog.past.item(row).text() for row in range(dialog.past.count())]
    assert [text.split("  ", 1)[1].strip() for text in shown] == ["6 bytes  second", "6 bytes  first\\0"]
    dialog.past.itemActivated.emit(dialog.past.item(1))
    assert dialog.editor.toPlainText() == "first\\x00"
    assert [entry.data for entry in dialog.history()] == [b"first\0", b"second"]


def test_a_connection_that_has_ended_takes_nothing_more(dialog: SendDialog, qtbot: QtBot) -> None:
    send(dialog, "first")
    dialog.editor.setPlainText("unsent")
    dialog.set_ended("reset by the peer")
    assert dialog.words.text() == "Connection #7 has ended: reset by the peer."
    assert not dialog.editor.isEnabled()
    with qtbot.assertNotEmitted(dialog.send):
        dialog.button.click()
        qtbot.keyClick(dialog, Qt.Key_Return, Qt.ControlModifier)
    dialog.past.itemActivated.emit(dialog.past.item(0))
    assert dialog.editor.toPlainText() == "unsent"


def test_escape_closes_it(dialog: SendDialog, qtbot: QtBot) -> None:
    dialog.setAttribute(Qt.WA_DeleteOnClose, False)
    with qtbot.waitSignal(dialog.finished):
        qtbot.keyClick(dialog.editor, Qt.Key_Escape)
    assert not dialog.isVisible()
