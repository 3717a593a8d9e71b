"""Editors of single options: what is typed, what comes back, what is offered and what is hidden."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtGui import QImage
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app import responders
from app.options import Option
from app.responders.mock.rules import RULE
from app.services.settings import TLS
from tests.ui.desk import choosing
from ui.forms.registry import editor_for

BODY = Option("body", str, "", "Body", multiline=True)
SECRET = Option("password", str, "", "Password", secret=True)

Make = Callable[[Option, Any], Any]


@pytest.fixture
def make(qtbot: QtBot) -> Make:
    """Makes an editor above a field that can take the keyboard from it."""
    kept: list[QWidget] = []

    def made(option: Option, value: Any) -> Any:
        whole = QWidget()
        editor = editor_for(option, value)
        column = QVBoxLayout(whole)
        column.addWidget(editor)
        column.addWidget(QLineEdit())
        qtbot.addWidget(whole)
        kept.append(whole)
        with qtbot.waitActive(whole):
            whole.show()
        editor.setFocus()
        return editor

    return made


def named(options: tuple[Option, ...], name: str) -> Option:
    return next(option for option in options if option.name == name)


# -- texts of several lines


def test_a_text_of_several_lines_is_typed_in_lines(make: Make, qtbot: QtBot) -> None:
    editor = make(BODY, "")
    with qtbot.waitSignal(editor.changed):
        QTest.keyClicks(editor, "one")
    QTest.keyClick(editor, Qt.Key_Return)
    QTest.keyClicks(editor, "two")
    assert editor.value() == "one\ntwo"


def test_tab_leaves_it_and_undo_takes_back(make: Make) -> None:
    editor = make(BODY, "one\n")
    QTest.keyClicks(editor, "x")
    QTest.keyClick(editor, Qt.Key_Z, Qt.ControlModifier)
    assert editor.value() == "one\n"
    QTest.keyClick(editor, Qt.Key_Tab)
    assert not editor.hasFocus()


@pytest.mark.parametrize("text", ["a\r\nb\r\n", "a\rb", "a\u00a0b", "a\u2028b\u2029c", " \t\n", "\N{BOM}a"])
def test_while_nothing_is_edited_a_text_comes_back_as_it_was(make: Make, text: str) -> None:
    assert make(BODY, text).value() == text


def test_an_edit_leaves_the_ends_of_lines_and_blanks_as_they_were(make: Make) -> None:
    editor = make(BODY, "a\r\nb\u00a0c")
    QTest.keyClicks(editor, "x")
    assert editor.value() == "xa\r\nb\u00a0c"


def test_items_of_a_list_that_have_lines_come_back_while_nothing_is_edited(make: Make) -> None:
    steps = ["send a\nb", "close"]
    assert make(Option("then", list, [], "Steps"), steps).value() == steps


@pytest.mark.parametrize(
    "option",
    [
        named(RULE, "body"),
        named(RULE, "body_is"),
        named(responders.find("sse").options, "data"),  # type: ignore[union-attr]
    ],
    ids=["answer", "request", "event"],
)
def test_bodies_and_events_have_lines(make: Make, option: Option) -> None:
    assert isinstance(make(option, "a\nb"), QPlainTextEdit)


# -- secrets


@pytest.mark.parametrize(("text", "readable"), [("", True), ("auto", True), ("automatic", False), ("hunter2", False)])
def test_a_secret_is_hidden_unless_it_says_that_there_is_none(make: Make, text: str, readable: bool) -> None:
    assert (make(SECRET, text).displayText() == text) is readable


def test_a_secret_is_hidden_once_it_is_typed(make: Make) -> None:
    editor = make(SECRET, "auto")
    editor.selectAll()
    QTest.keyClicks(editor, "autobahn")
    QTest.keyClick(editor, Qt.Key_Tab)
    assert editor.value() == "autobahn"
    assert "auto" not in editor.displayText()


def test_auto_in_the_place_of_a_secret_is_readable_once_it_is_typed(make: Make) -> None:
    editor = make(SECRET, "hunter2")
    editor.selectAll()
    QTest.keyClicks(editor, "auto")
    QTest.keyClick(editor, Qt.Key_Tab)
    assert editor.displayText() == "auto"


TOKENS = Option("tokens", list, [], "Tokens", secret=True)


def picture(editor: QPlainTextEdit) -> QImage:
    """What stands in it, without the caret."""
    editor.setCursorWidth(0)
    return editor.viewport().grab().toImage()


def click(editor: QPlainTextEdit) -> None:
    QTest.mouseClick(editor.viewport(), Qt.LeftButton)


def type_home(editor: QPlainTextEdit) -> None:
    QTest.keyClick(editor, Qt.Key_Home)


@pytest.mark.parametrize("reveal", [click, type_home])
def test_a_list_of_secrets_is_read_only_while_it_is_edited(make: Make, reveal: Callable[[Any], None]) -> None:
    hidden = picture(make(TOKENS, ["swordfish", "x"]))
    editor = make(TOKENS, ["hunter2", "abc"])
    assert picture(editor) == hidden
    reveal(editor)
    assert picture(editor) != hidden
    QTest.keyClick(editor, Qt.Key_Tab)
    assert picture(editor) == hidden
    assert editor.value() == ["hunter2", "abc"]


def test_what_is_no_secret_can_be_read(make: Make) -> None:
    names = Option("names", list, [], "Names")
    assert picture(make(names, ["a"])) != picture(make(names, ["b"]))


# -- files and folders


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (named(responders.find("static").options, "root"), "Choose a folder…"),  # type: ignore[union-attr]
        (named(responders.find("manhole").options, "authorized_keys"), "Choose a file…"),  # type: ignore[union-attr]
        (named(responders.find("rest").options, "keep"), "Choose a file…"),  # type: ignore[union-attr]
        *((named(TLS, name), "Choose a file…") for name in ("certificate", "key", "client_ca", "key_log")),
    ],
    ids=lambda value: value.name if isinstance(value, Option) else "",
)
def test_what_names_a_file_or_folder_offers_to_choose_it(make: Make, option: Option, words: str) -> None:
    assert [action.toolTip() for action in make(option, "").actions()] == [words]


def test_a_file_that_is_not_there_yet_can_be_chosen(make: Make, tmp_path: Path) -> None:
    editor = make(named(TLS, "key_log"), str(tmp_path / "old"))
    answer = choosing(tmp_path / "keys.log")
    editor.actions()[0].trigger()
    assert answer.asked == []
    assert editor.value() == str(tmp_path / "keys.log")


def test_a_file_that_is_there_is_taken_without_a_question(make: Make, tmp_path: Path) -> None:
    (tmp_path / "keys.log").write_text("kept")
    editor = make(named(TLS, "key_log"), "")
    answer = choosing(tmp_path / "keys.log")
    editor.actions()[0].trigger()
    assert answer.asked == []
    assert editor.value() == str(tmp_path / "keys.log")


@pytest.mark.parametrize(("value", "shown"), [(10.0, "10"), (0.0, "0"), (0.5, "0.5"), (3, "3")])
def test_a_whole_number_is_shown_without_a_fraction(make: Make, value: float, shown: str) -> None:
    editor = make(Option("seconds", float, 1.0, "Seconds", "s"), value)
    assert (editor.text(), editor.value()) == (shown, value)


# -- numbers


@pytest.mark.parametrize("by_mouse", [False, True])
def test_what_is_typed_takes_the_place_of_a_number(make: Make, by_mouse: bool) -> None:
    editor = make(Option("times", int, 0, "How often"), 0)
    if by_mouse:
        editor.parentWidget().layout().itemAt(1).widget().setFocus()
        QTest.mouseClick(editor, Qt.LeftButton)
    QTest.keyClicks(editor, "12")
    assert editor.value() == 12
    QTest.mouseClick(editor, Qt.LeftButton)  # the next click places the cursor
    assert not editor.hasSelectedText()


def test_a_text_is_not_selected(make: Make) -> None:
    editor = make(Option("name", str, "", "Name"), "one")
    QTest.keyClicks(editor, " two")
    assert editor.value() == "one two"
