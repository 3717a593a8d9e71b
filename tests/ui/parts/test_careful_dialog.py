"""What was typed into a dialog is not thrown away by accident."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QDialogButtonBox, QMessageBox
from pytestqt.qtbot import QtBot

from app.events import Note
from tests.ui.desk import settle
from ui.panes.notes import NoteDialog
from ui.parts.careful_dialog import CarefulDialog
from ui.services.dialog import ServiceDialog

pytestmark = pytest.mark.usefixtures("dark")


@pytest.fixture(params=["service", "note"])
def dialog(request: pytest.FixtureRequest, qtbot: QtBot) -> Iterator[CarefulDialog]:
    made: CarefulDialog = NoteDialog(1, Note("before")) if request.param == "note" else ServiceDialog(None, [])
    made.setAttribute(Qt.WA_DeleteOnClose, False)
    qtbot.addWidget(made)
    with qtbot.waitExposed(made):
        made.open()
    yield made
    made.cancel()


def question(dialog: CarefulDialog) -> QMessageBox | None:
    settle()
    return next((box for box in dialog.findChildren(QMessageBox) if box.isVisible()), None)


def escape(dialog: CarefulDialog) -> None:
    QTest.keyClick(dialog.focusWidget() or dialog, Qt.Key_Escape)


def type_into(dialog: CarefulDialog) -> None:
    QTest.keyClicks(dialog.name if isinstance(dialog, ServiceDialog) else dialog.text, "typed")  # type: ignore[attr-defined]


def test_escape_closes_where_nothing_was_typed(dialog: CarefulDialog) -> None:
    escape(dialog)
    assert not dialog.isVisible()


@pytest.mark.parametrize("how", ["escape", "close"])
def test_escape_and_the_close_button_ask_where_something_was_typed(dialog: CarefulDialog, how: str) -> None:
    type_into(dialog)
    escape(dialog) if how == "escape" else dialog.close()
    box = question(dialog)
    assert box is not None
    assert box.text().startswith("Discard the ")
    QTest.keyClick(box, Qt.Key_Escape)
    assert question(dialog) is None
    assert dialog.isVisible()


def test_who_wants_to_discard_it_does(dialog: CarefulDialog) -> None:
    type_into(dialog)
    escape(dialog)
    box = question(dialog)
    assert box is not None
    QTest.mouseClick(box.button(QMessageBox.Discard), Qt.LeftButton)
    settle()
    assert not dialog.isVisible()


def test_cancel_does_not_ask(dialog: CarefulDialog) -> None:
    type_into(dialog)
    [buttons] = dialog.findChildren(QDialogButtonBox)
    QTest.mouseClick(buttons.button(QDialogButtonBox.Cancel), Qt.LeftButton)
    assert not dialog.isVisible()


def test_what_was_typed_and_taken_back_is_nothing(dialog: CarefulDialog) -> None:
    type_into(dialog)
    field = dialog.name if isinstance(dialog, ServiceDialog) else dialog.text  # type: ignore[attr-defined]
    while field.isUndoAvailable():
        field.undo()
    escape(dialog)
    assert not dialog.isVisible()
