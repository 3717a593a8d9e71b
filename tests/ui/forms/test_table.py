"""Editing a list of tables: rows in their order, and a form for the one that is chosen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from PyQt5.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from app.options import Option
from tests.ui.desk import settle
from ui.forms.form import OptionForm, title
from ui.forms.table import TableEditor

RULES = Option(
    "rules", list, [], "Rules",
    of=(
        Option("when", str, "connected", "When", choices=("connected", "text")),
        Option("match", str, "", "Match"),
        Option("nth", int, 0, "Only this one", minimum=0),
        Option("then", list, [], "Then"),
        Option("template", bool, False, "Template"),
        Option("on", bool, True, "On"),
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


def test_a_row_says_yes_and_no_in_words(opened: Open) -> None:
    assert rows(opened([{"template": True, "on": False}])) == ["1  connected   template   not on"]


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
    assert shown == ["No entries yet."]
    assert [name for name, button in editor._buttons.items() if button.isEnabled()] == ["add"]


def test_a_form_says_which_table_has_a_problem(qtbot: QtBot) -> None:
    form = OptionForm((RULES,), {"rules": [{"when": "text"}, {"nth": -1}]})
    qtbot.addWidget(form)
    assert not form.check()
    assert form._rows["rules"][1].text() == "Number 2: nth must be at least 0."


SENT = Option(
    "rules", list, [], "Rules", check=lambda tables: "number 1: answer_fields: no" if len(tables) == 3 else None,
    of=(
        Option("answer_fields", list, [], "Fields", check=lambda fields: "has bad" if "bad" in fields else None),
        Option("body", str, "", "Body"),
    ),
)  # fmt: skip


@pytest.fixture
def form(qtbot: QtBot) -> Callable[..., OptionForm]:
    made: list[OptionForm] = []

    def make(*tables: dict[str, Any]) -> OptionForm:
        form = OptionForm((SENT,), {"rules": list(tables)})
        form.changed.connect(form.check)  # as dialogs do
        qtbot.addWidget(form)
        form.show()
        made.append(form)
        return form

    return make


def said(form: OptionForm) -> list[str]:
    """All problems that can be read, from the top."""
    settle()
    labels = [label for label in form.findChildren(QLabel) if label.property("role") == "error" and label.isVisible()]
    return [label.text() for label in labels]


def test_what_the_shown_table_says_beneath_a_field_is_not_said_again_above_the_list(form: Any) -> None:
    assert said(form({"answer_fields": ["bad"]}, {})) == ["Number 1: see Answer headers below.", "Has bad."]


def test_a_problem_of_a_table_that_is_not_shown_is_told_by_label(form: Any) -> None:
    shown = form({}, {"answer_fields": ["bad"]})
    assert said(shown) == ["Number 2: Answer headers has bad."]
    shown.findChild(TableEditor).list.setCurrentRow(1)
    assert said(shown) == ["Number 2: see Answer headers below.", "Has bad."]


def test_a_problem_between_options_is_told_by_label_too(form: Any) -> None:
    assert said(form({}, {}, {})) == ["Number 1: Answer headers: no."]


def test_a_value_of_many_lines_is_one_line_of_the_list_and_is_cut(form: Any) -> None:
    editor = form({"body": "{\n  1,\n\t2\n}"}, {"body": "word " * 500}, {"body": "\n" * 500}).findChild(TableEditor)
    first, second, third = rows(editor)
    assert first == "1  []   { 1, 2 }"
    assert second.startswith("2  []   word word")
    assert second.endswith("…")
    assert len(second) < 80
    assert "\n" not in third
    heights = {editor.list.visualItemRect(editor.list.item(row)).height() for row in range(3)}
    assert len(heights) == 1


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("client_ca", "Client CA"),
        ("cors", "CORS"),
        ("ping_seconds", "Ping seconds"),
        ("ids", "IDs"),
        ("id", "ID"),
        ("http2", "HTTP/2"),
    ],
)
def test_labels_are_words(name: str, words: str) -> None:
    assert title(name) == words
