"""Editing a list of tables: rows in their order, and a form for the one that is chosen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from PyQt5.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from app.options import Option
from ui.form import OptionForm, title
from ui.table_editor import TableEditor

RULES = Option(
    "rules", list, [], "Rules",
    of=(
        Option("when", str, "connected", "When", choices=("connected", "text")),
        Option("match", str, "", "Match"),
        Option("nth", int, 0, "Only this one", minimum=0),
        Option("then", list, [], "Then"),
    ),
)  # fmt: skip

TWO = [{"when": "text", "match": "PING", "then": ["send PONG", "close"]}, {"nth": 3}]

Open = Callable[..., TableEditor]


@pytest.fixture
def opened(qtbot: QtBot) -> Open:
    def make(tables: list[dict[str, Any]] = TWO) -> TableEditor:
        editor = TableEditor(RULES, tables)
        qtbot.addWidget(editor)
        editor.show()
        return editor

    return make


def rows(editor: TableEditor) -> list[str]:
    return [editor.list.item(i).text() for i in range(editor.list.count())]


def press(editor: TableEditor, name: str) -> None:
    editor._buttons[name].click()


def test_a_row_says_the_first_option_and_what_differs_from_the_defaults(opened: Open) -> None:
    assert rows(opened()) == ["1  text   PING   send PONG; close", "2  connected   nth 3"]


def test_what_was_given_comes_back(opened: Open) -> None:
    assert opened().value() == TWO


def test_an_edit_changes_the_chosen_table_only(opened: Open, qtbot: QtBot) -> None:
    editor = opened()
    editor.list.setCurrentRow(1)
    assert editor._form is not None
    with qtbot.waitSignal(editor.changed):
        editor._form._rows["match"][0].setText("BYE")
    assert editor.value() == [TWO[0], {"nth": 3, "match": "BYE"}]
    assert rows(editor)[1] == "2  connected   BYE   nth 3"


def test_one_is_added_behind_the_chosen_one(opened: Open) -> None:
    editor = opened()
    press(editor, "add")
    assert editor.value() == [TWO[0], {}, TWO[1]]
    assert editor.list.currentRow() == 1


def test_one_is_copied_and_the_copy_is_its_own(opened: Open) -> None:
    editor = opened()
    press(editor, "copy")
    assert editor._form is not None
    editor._form._rows["match"][0].setText("PANG")
    assert [table.get("match") for table in editor.value()] == ["PING", "PANG", None]


def test_they_move_up_and_down_to_the_ends(opened: Open) -> None:
    editor = opened()
    assert not editor._buttons["up"].isEnabled()
    press(editor, "down")
    assert editor.value() == TWO[::-1]
    assert editor.list.currentRow() == 1
    assert not editor._buttons["down"].isEnabled()
    press(editor, "up")
    assert editor.value() == TWO


def test_without_any_it_says_so_and_only_adding_is_possible(opened: Open) -> None:
    editor = opened()
    press(editor, "remove")
    press(editor, "remove")
    assert editor.value() == []
    shown = [label.text() for label in editor.findChildren(QLabel) if label.isVisible()]
    assert shown == ["There are none yet."]
    assert [name for name, button in editor._buttons.items() if button.isEnabled()] == ["add"]


def test_a_form_says_which_table_has_a_problem(qtbot: QtBot) -> None:
    form = OptionForm((RULES,), {"rules": [{"when": "text"}, {"nth": -1}]})
    qtbot.addWidget(form)
    assert not form.check()
    assert form._rows["rules"][1].text() == "Number 2: nth must be at least 0."


@pytest.mark.parametrize(
    ("name", "words"), [("client_ca", "Client CA"), ("cors", "CORS"), ("ping_seconds", "Ping seconds")]
)
def test_labels_are_words(name: str, words: str) -> None:
    assert title(name) == words
