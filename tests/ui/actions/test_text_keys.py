"""Keys of text editing stay with the text that has the keyboard, and nothing is destroyed while one has it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtGui import QKeySequence
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import (
    QApplication,
    QComboBox,
    QDoubleSpinBox,
    QLineEdit,
    QMainWindow,
    QPlainTextEdit,
    QPushButton,
    QSpinBox,
    QTableWidget,
    QTableWidgetItem,
    QTextBrowser,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app import events
from app.events import Event
from tests.ui.desk import settle
from ui.actions.action import Place, Situation
from ui.actions.build import Actions
from ui.actions.table import ACTIONS
from ui.actions.text_keys import MORE, STANDARD

DESTROY = {"remove_service", "disconnect", "stop_all", "clear"}

NOT_IN_A_TEXT = DESTROY | {
    "undo", "redo", "copy_rows", "select_all", "edit_service", "duplicate_service", "connect_lines", "send",
    "send_again", "copy_report",
}  # fmt: skip
"""Actions whose keys a text has a use for, or that destroy."""

FAILURE = Event(1, 0, events.FAILURE, "alpha", 7, None, 0, "", payload=b"x")

EVERYTHING = Situation(
    True, True, True, True, FAILURE, True, None, True, True, False, "a step", "a step", True,
    own=True, port=True, reachable=True,
)  # fmt: skip


def _table() -> QTableWidget:
    table = QTableWidget(1, 1)
    table.setItem(0, 0, QTableWidgetItem("some words"))
    return table


def _combo() -> QComboBox:
    box = QComboBox()
    box.setEditable(True)
    box.setEditText("some words")
    return box


def _edit_cell(table: QTableWidget) -> None:
    table.setCurrentCell(0, 0)
    table.editItem(table.item(0, 0))


TEXTS: dict[str, Callable[[], QWidget]] = {
    "line": lambda: QLineEdit("some words"),
    "plain text": lambda: QPlainTextEdit("some words"),
    "rich text": lambda: QTextEdit("some words"),
    "number": lambda: QSpinBox(),
    "fraction": lambda: QDoubleSpinBox(),
    "combo": _combo,
    "cell": _table,
}

READ_ONLY: dict[str, Callable[[], Any]] = {
    "line": lambda: QLineEdit("some words"),
    "plain text": lambda: QPlainTextEdit("some words"),
    "browser": lambda: QTextBrowser(),
}


class Desk:
    """A window with all actions, which lists those that were done, and one widget that has the keyboard."""

    def __init__(self, place: Place, widget: QWidget, qtbot: QtBot) -> None:
        self.fired: list[str] = []
        self._widget = widget
        self.window = QMainWindow()
        qtbot.addWidget(self.window)
        self.actions = Actions(self.window, place)
        self.actions.connect(self)
        self.actions.update(EVERYTHING)
        for action in self.actions.values():
            action.setEnabled(True)
        middle = QWidget()
        column = QVBoxLayout(middle)
        column.addWidget(widget)
        self.window.setCentralWidget(middle)
        with qtbot.waitActive(self.window):
            self.window.show()
        self._focus()

    def _focus(self) -> None:
        self._widget.setFocus()
        if isinstance(self._widget, QTableWidget):
            _edit_cell(self._widget)
        settle()

    def __getattr__(self, name: str) -> Callable[[], None]:
        return lambda: self.fired.append(name)

    def press(self, keys: QKeySequence) -> list[str]:
        """Press keys where the keyboard is; the actions that were done."""
        self.fired.clear()
        self._focus()  # Return has ended the editing of a cell
        focus = QApplication.focusWidget()
        assert focus is not None
        QTest.keyClick(
            focus, keys[0] & ~Qt.KeyboardModifierMask, Qt.KeyboardModifiers(keys[0] & Qt.KeyboardModifierMask)
        )  # type: ignore[call-overload]
        settle()
        return list(self.fired)

    def with_keys(self) -> set[str]:
        return {name for name, action in self.actions.items() if action.shortcuts()}

    def all_pressed(self) -> set[str]:
        """What can be done by keys."""
        done: set[str] = set()
        for action in self.actions.values():
            for keys in action.shortcuts():
                done.update(self.press(keys))
        return done


@pytest.mark.parametrize("place", [Place.MAIN, Place.CAPTURE])
def test_every_shortcut_works_where_no_text_has_the_keyboard(place: Place, qtbot: QtBot) -> None:
    desk = Desk(place, QPushButton("here"), qtbot)
    assert desk.all_pressed() == desk.with_keys()


@pytest.mark.parametrize("place", [Place.MAIN, Place.CAPTURE])
@pytest.mark.parametrize("kind", TEXTS)
def test_in_a_text_only_keys_that_are_no_text_keys_do_something_else(kind: str, place: Place, qtbot: QtBot) -> None:
    desk = Desk(place, TEXTS[kind](), qtbot)
    assert desk.with_keys() - desk.all_pressed() == NOT_IN_A_TEXT & set(desk.actions)


@pytest.mark.parametrize("kind", TEXTS)
def test_no_text_key_of_the_platform_does_anything_else(kind: str, qtbot: QtBot) -> None:
    desk = Desk(Place.MAIN, TEXTS[kind](), qtbot)
    for keys in (*MORE, *(keys for standard in STANDARD for keys in QKeySequence.keyBindings(standard))):
        assert desk.press(keys) == [], keys.toString()


@pytest.mark.parametrize("kind", READ_ONLY)
def test_nothing_is_destroyed_while_a_text_is_read(kind: str, qtbot: QtBot) -> None:
    widget = READ_ONLY[kind]()
    widget.setReadOnly(True)
    done = Desk(Place.MAIN, widget, qtbot).all_pressed()
    assert not done & (DESTROY | {"copy_rows", "select_all"})
    assert {"palette", "edit_service", "undo"} <= done


def test_what_destroys_is_declared(qtbot: QtBot) -> None:
    assert {action.name for action in ACTIONS if action.destroys} == DESTROY


def test_a_text_does_with_its_keys_what_it_always_does(qtbot: QtBot) -> None:
    line = QLineEdit("some words")
    desk = Desk(Place.MAIN, line, qtbot)
    desk.press(QKeySequence("Ctrl+Backspace"))
    assert line.text() == "some "
    desk.press(QKeySequence("Ctrl+Z"))
    assert line.text() == "some words"
    line.setCursorPosition(0)
    desk.press(QKeySequence("Ctrl+Del"))
    assert line.text() == "words"


@pytest.mark.parametrize("widget", [QPushButton, lambda: QLineEdit("words")])
def test_keys_of_what_cannot_be_done_now_say_why(widget: Callable[[], QWidget], qtbot: QtBot) -> None:
    desk = Desk(Place.MAIN, widget(), qtbot)
    said: list[str] = []
    desk.actions.say_why(said.append)
    desk.actions.update(Situation())
    for keys, words in (
        ("Ctrl+J", "Select a request, a message or bytes first"), ("Ctrl+Alt+M", "Select a request or a message first"),
    ):  # fmt: skip
        assert desk.press(QKeySequence(keys)) == []
        assert said.pop() == words
    desk.actions["open_in_send"].setEnabled(True)
    assert desk.press(QKeySequence("Ctrl+J")) == ["open_in_send"]
    assert said == []
