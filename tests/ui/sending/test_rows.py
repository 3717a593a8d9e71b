"""Rows of headers, typed and pasted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PyQt5.QtCore import QPoint, Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QLineEdit
from pytestqt.qtbot import QtBot

from tests.ui.desk import settle
from ui.sending.rows import NAME, ON, REMOVE, VALUE, Rows


@pytest.fixture
def rows(qtbot: QtBot) -> Iterator[Rows]:
    rows = Rows(":")
    rows.complete(["Accept", "Content-Type"], {"content-type": ["application/json"]})
    qtbot.addWidget(rows)
    rows.resize(600, 300)
    with qtbot.waitExposed(rows):
        rows.show()
    yield rows
    QApplication.clipboard().clear()


def at(rows: Rows, row: int, column: int) -> QPoint:
    return rows.visualRect(rows.model().index(row, column)).center()


def click(rows: Rows, row: int, column: int) -> None:
    QTest.mouseClick(rows.viewport(), Qt.LeftButton, Qt.NoModifier, at(rows, row, column))
    settle()


def type_(rows: Rows, text: str) -> None:
    """Type into the cell that is being edited."""
    [editor] = [cell for cell in rows.findChildren(QLineEdit) if cell.isVisible()]
    QTest.keyClicks(editor, text)
    QTest.keyClick(editor, Qt.Key_Return)
    settle()


def test_a_row_is_typed_cell_by_cell_with_enter(rows: Rows) -> None:
    click(rows, 0, NAME)
    type_(rows, "X-Trace")
    type_(rows, "a: b")
    assert rows.lines() == ["X-Trace: a: b"]
    assert rows.rowCount() == 2
    assert (rows.currentRow(), rows.currentColumn()) == (1, NAME)


def test_names_are_offered(rows: Rows) -> None:
    click(rows, 0, NAME)
    [editor] = [cell for cell in rows.findChildren(QLineEdit) if cell.isVisible()]
    completer = editor.completer()
    assert completer is not None
    completer.setCompletionPrefix("content")  # keys would show a popup, which the offscreen platform complains of
    assert completer.currentCompletion() == "Content-Type"


def test_values_that_a_header_often_has_are_offered(rows: Rows) -> None:
    rows.set_lines(["Content-Type: x"])
    click(rows, 0, VALUE)
    [editor] = [cell for cell in rows.findChildren(QLineEdit) if cell.isVisible()]
    completer = editor.completer()
    assert completer is not None
    completer.setCompletionPrefix("json")
    assert completer.currentCompletion() == "application/json"


@pytest.mark.parametrize("editing", [True, False])
def test_lines_that_are_pasted_become_rows(rows: Rows, editing: bool) -> None:
    rows.set_lines(["A: 1"])
    QApplication.clipboard().setText("B: 2\r\nC: x:y\n\n# D: 4\n")
    if editing:
        click(rows, 1, NAME)
        [target] = [cell for cell in rows.findChildren(QLineEdit) if cell.isVisible()]
    else:
        rows.setCurrentCell(1, NAME)
        target = rows  # type: ignore[assignment]
    QTest.keyClick(target, Qt.Key_V, Qt.ControlModifier)
    settle()
    assert rows.lines() == ["A: 1", "B: 2", "C: x:y", "# D: 4"]


def test_a_row_is_switched_off_and_removed(rows: Rows) -> None:
    rows.set_lines(["A: 1", "B: 2", "C: 3"])
    rows.setCurrentCell(0, NAME)
    QTest.keyClick(rows, Qt.Key_Space)
    assert rows.lines()[0] == "# A: 1"
    assert [row.on for row in rows.rows()] == [False, True, True]
    click(rows, 1, REMOVE)
    assert rows.lines() == ["# A: 1", "C: 3"]
    rows.setCurrentCell(1, NAME)
    QTest.keyClick(rows, Qt.Key_Delete)
    assert rows.lines() == ["# A: 1"]
    assert rows.item(0, ON).checkState() == Qt.Unchecked


def test_tab_leaves_the_rows(rows: Rows) -> None:
    assert not rows.tabKeyNavigation()
