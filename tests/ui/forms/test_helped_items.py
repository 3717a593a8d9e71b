"""Choices with a help text beside each."""

from __future__ import annotations

import pytest
from PyQt5.QtCore import QPoint, QPointF, Qt
from PyQt5.QtGui import QWheelEvent
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QComboBox, QWidget
from pytestqt.qtbot import QtBot

from app import responders
from app.services.protocols import PROTOCOLS
from tests.ui.desk import settle
from ui.forms.helped_items import HELP, HelpedChoice
from ui.services.dialog import ServiceDialog

pytestmark = [
    pytest.mark.usefixtures("dark"),
    pytest.mark.qt_log_ignore(
        r"^This plugin does not support (grabbing the keyboard|raise\(\)|propagateSizeHints\(\))"
    ),
]


@pytest.fixture
def choice(qtbot: QtBot) -> HelpedChoice:
    made = HelpedChoice()
    qtbot.addWidget(made)
    made.add("echo", "e", "Sends back what it receives")
    made.add("discard", "d", "Reads <everything> and answers nothing")
    made.show()
    return made


def test_closed_it_shows_the_name_and_open_what_each_does(choice: HelpedChoice) -> None:
    assert choice.currentText() == "echo"
    assert choice.currentData() == "e"
    assert choice.itemData(1, Qt.ToolTipRole) == "<span>Reads &lt;everything&gt; and answers nothing</span>"
    assert choice.itemData(1, Qt.AccessibleTextRole) == "discard: Reads <everything> and answers nothing"
    narrow = choice.width()
    choice.showPopup()
    settle()
    assert choice.view().width() > narrow
    QTest.keyClick(choice.view(), Qt.Key_Down)
    QTest.keyClick(choice.view(), Qt.Key_Return)
    assert choice.currentData() == "d"


def turn(widget: QWidget) -> QWheelEvent:
    """Turn the wheel by a notch over a widget, towards the user."""
    at = QPointF(widget.rect().center())
    pixels, notch = QPoint(), QPoint(0, -120)
    event = QWheelEvent(at, at, pixels, notch, Qt.NoButton, Qt.NoModifier, Qt.NoScrollPhase, False)
    QApplication.sendEvent(widget, event)
    return event


def test_the_wheel_scrolls_the_form_and_changes_no_choice(choice: HelpedChoice) -> None:
    for focus in (False, True):
        if focus:
            choice.setFocus()
        assert not turn(choice).isAccepted()
        assert choice.currentData() == "e"


@pytest.mark.parametrize("protocol", list(PROTOCOLS))
def test_no_choice_of_the_dialog_of_a_service_is_changed_by_the_wheel(qtbot: QtBot, protocol: str) -> None:
    dialog = ServiceDialog(None, [], None, protocol)
    qtbot.addWidget(dialog)
    before = dialog.config()
    for box in dialog.findChildren(QComboBox):
        turn(box)
    assert dialog.config() == before


@pytest.mark.parametrize("protocol", list(PROTOCOLS))
def test_the_dialog_of_a_service_says_what_each_responder_does(qtbot: QtBot, protocol: str) -> None:
    dialog = ServiceDialog(None, [], None, protocol)
    qtbot.addWidget(dialog)
    box = dialog.responder
    said = {box.itemText(at): box.itemData(at, HELP) for at in range(box.count())}
    assert said == {one.name: one.help for one in responders.serving(protocol)}
    assert all(said.values())
