"""The find bar: with keys and mouse, in text, formatted text and bytes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QPlainTextEdit, QTextEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from ui.detail.find_hex import hex_target
from ui.detail.hex_view import HexView
from ui.parts.find_bar import FindBar, text_target

pytestmark = pytest.mark.usefixtures("dark")

LINES = "Apple\nbanana\napple 😀 pie\nAPPLE"


class Desk(QWidget):
    """A text, a formatted text and bytes above a find bar."""

    def __init__(self) -> None:
        super().__init__()
        self.text, self.rich, self.hex = QPlainTextEdit(), QTextEdit(), HexView()
        self.text.setPlainText(LINES)
        self.rich.setPlainText("nothing but pears")
        for view in (self.text, self.rich):
            view.setReadOnly(True)
        self.hex.set_data(b"\xde\xad read \xde\xad READ")
        self.bar = FindBar(self, lambda: [self.text, self.rich, self.hex], (hex_target, text_target))
        column = QVBoxLayout(self)
        for widget in (self.text, self.rich, self.hex, self.bar):
            column.addWidget(widget)


@pytest.fixture
def desk(qtbot: QtBot) -> Desk:
    made = Desk()
    qtbot.addWidget(made, before_close_func=lambda _: made.hide())
    with qtbot.waitActive(made):
        made.show()
    return made


@pytest.fixture
def find(desk: Desk, qtbot: QtBot) -> Callable[[QWidget, str, str], None]:
    """Presses Ctrl+F in a view, types, and waits for what the bar says."""

    def find(view: QWidget, typed: str, said: str) -> None:
        view.setFocus()
        QTest.keyClick(view, Qt.Key_F, Qt.ControlModifier)
        assert desk.bar.field.hasFocus()
        desk.bar.field.clear()
        QTest.keyClicks(desk.bar.field, typed)
        qtbot.waitUntil(lambda: desk.bar.words.text() == said)

    return find


def at(desk: Desk) -> tuple[int, str]:
    cursor = desk.text.textCursor()
    return cursor.selectionStart(), cursor.selectedText()


def test_keys_go_to_the_next_and_the_one_before_and_round(desk: Desk, find: Callable[..., None]) -> None:
    find(desk.text, "apple", "1 of 3")
    assert at(desk) == (0, "Apple")
    QTest.keyClick(desk.bar.field, Qt.Key_Return)
    assert at(desk) == (13, "apple")
    QTest.keyClick(desk.bar.field, Qt.Key_F3)
    assert at(desk) == (26, "APPLE")  # a character outside the first plane has two positions
    assert desk.bar.words.text() == "3 of 3"
    QTest.keyClick(desk.bar.field, Qt.Key_F3)
    assert at(desk)[0] == 0
    QTest.keyClick(desk.bar.field, Qt.Key_Return, Qt.ShiftModifier)
    assert at(desk)[0] == 26
    QTest.keyClick(desk.text, Qt.Key_F3, Qt.ShiftModifier)  # also in the view itself
    assert at(desk)[0] == 13
    QTest.mouseClick(desk.bar.next, Qt.LeftButton)
    assert at(desk)[0] == 26


def test_escape_closes_it_and_gives_the_focus_back(desk: Desk, find: Callable[..., None]) -> None:
    find(desk.rich, "pear", "1 of 1")
    QTest.keyClick(desk.bar.field, Qt.Key_Escape)
    assert not desk.bar.isVisible()
    assert desk.rich.hasFocus()
    assert desk.rich.textCursor().selectedText() == "pear"
    assert desk.rich.extraSelections() == []


def test_the_case_can_matter(desk: Desk, find: Callable[..., None], qtbot: QtBot) -> None:
    find(desk.text, "apple", "1 of 3")
    QTest.mouseClick(desk.bar.case, Qt.LeftButton)
    qtbot.waitUntil(lambda: desk.bar.words.text() == "1 of 1")
    assert at(desk) == (13, "apple")


def test_what_is_not_there_is_said(desk: Desk, find: Callable[..., None]) -> None:
    find(desk.text, "cherry", "Not found")
    assert desk.bar.field.property("invalid")
    assert not desk.bar.next.isEnabled()
    find(desk.text, "pie", "1 of 1")
    assert not desk.bar.field.property("invalid")


@pytest.mark.parametrize(
    ("typed", "said", "where"),
    [
        ("read", "1 of 2", range(3, 7)),
        ("de ad", "1 of 2  ·  bytes", range(2)),
        ("0xad20", "1 of 2  ·  bytes", range(1, 3)),
    ],
)
def test_bytes_are_found_as_text_and_as_hex(
    desk: Desk, find: Callable[..., None], typed: str, said: str, where: range
) -> None:
    find(desk.hex, typed, said)
    assert desk.hex.selection() == where


def test_what_is_selected_is_searched_for(desk: Desk, qtbot: QtBot) -> None:
    desk.text.setFocus()
    cursor = desk.text.textCursor()
    cursor.setPosition(6)
    cursor.movePosition(cursor.EndOfWord, cursor.KeepAnchor)
    desk.text.setTextCursor(cursor)
    QTest.keyClick(desk.text, Qt.Key_F, Qt.ControlModifier)
    assert desk.bar.field.text() == "banana"
    qtbot.waitUntil(lambda: desk.bar.words.text() == "1 of 1")


def test_it_searches_where_the_focus_goes_and_what_is_shown_there(
    desk: Desk, find: Callable[..., None], qtbot: QtBot
) -> None:
    find(desk.text, "read", "1 of 2")
    desk.rich.setFocus()
    qtbot.waitUntil(lambda: desk.bar.words.text() == "1 of 2")
    desk.text.setPlainText("read read read")
    qtbot.waitUntil(lambda: desk.bar.words.text() == "4 of 5")


def test_it_goes_through_all_views_and_marks_the_places_in_each(desk: Desk, find: Callable[..., None]) -> None:
    desk.text.setPlainText("one pear, two pears")
    desk.hex.set_data(b"pear")
    find(desk.rich, "pear", "3 of 4")
    assert desk.rich.textCursor().selectedText() == "pear"
    QTest.keyClick(desk.bar.field, Qt.Key_Return)
    assert (desk.bar.words.text(), desk.hex.selection()) == ("4 of 4", range(4))
    assert not desk.rich.textCursor().hasSelection()
    QTest.keyClick(desk.bar.field, Qt.Key_Return)
    assert (desk.bar.words.text(), at(desk)) == ("1 of 4", (4, "pear"))
    assert len(desk.hex.selection()) == 0
    assert [len(view.extraSelections()) for view in (desk.text, desk.rich)] == [2, 1]
    QTest.keyClick(desk.bar.field, Qt.Key_F3, Qt.ShiftModifier)
    QTest.keyClick(desk.bar.field, Qt.Key_Escape)
    assert desk.hex.hasFocus()
    assert desk.text.extraSelections() == []


def test_views_that_are_hidden_are_passed_over(desk: Desk, find: Callable[..., None], qtbot: QtBot) -> None:
    desk.rich.hide()
    find(desk.text, "pear", "Not found")
    desk.rich.show()
    desk.text.appendPlainText("other")
    qtbot.waitUntil(lambda: desk.bar.words.text() == "1 of 1")


def test_a_long_text_is_searched_in_slices_and_not_without_end(desk: Desk, qtbot: QtBot) -> None:
    desk.hex.set_data(b"needle" * 20_000)
    desk.hex.setFocus()
    QTest.keyClick(desk.hex, Qt.Key_F, Qt.ControlModifier)
    QTest.keyClicks(desk.bar.field, "needle")
    qtbot.waitUntil(lambda: desk.bar.words.text() == "1 of 10,000+")
    QTest.keyClick(desk.bar.field, Qt.Key_F3, Qt.ShiftModifier)
    qtbot.waitUntil(lambda: desk.hex.selection() == range(9_999 * 6, 10_000 * 6))
