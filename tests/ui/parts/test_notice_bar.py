"""The strip that says what went wrong."""

from __future__ import annotations

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QToolButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from tests.ui.desk import settle
from ui.looks import theme
from ui.parts.notice_bar import NoticeBar

pytestmark = pytest.mark.usefixtures("dark")


@pytest.fixture
def room(qtbot: QtBot) -> QWidget:
    widget = QWidget()
    QVBoxLayout(widget)
    qtbot.addWidget(widget)
    widget.resize(300, 200)
    with qtbot.waitExposed(widget):
        widget.show()
    return widget


def bar(room: QWidget, *, closable: bool = True) -> NoticeBar:
    made = NoticeBar("warning", closable=closable)
    layout = room.layout()
    assert layout is not None
    layout.addWidget(made)
    return made


def test_it_is_hidden_until_there_is_something_to_say(room: QWidget) -> None:
    notice = bar(room)
    assert not notice.isVisible()
    notice.say("The disk is full.")
    assert notice.isVisible()
    assert notice.label.text() == "The disk is full."
    notice.say("")
    assert not notice.isVisible()


def test_it_is_dismissed_by_its_button_and_comes_back_with_the_next_words(room: QWidget) -> None:
    notice = bar(room)
    notice.say("One.")
    button = notice.findChild(QToolButton)
    assert button is not None
    assert (button.toolTip(), button.accessibleName()) == ("Dismiss", "Dismiss")
    QTest.mouseClick(button, Qt.LeftButton)
    assert not notice.isVisible()
    notice.say("Two.")
    assert notice.isVisible()


def test_one_that_lasts_has_no_button(room: QWidget) -> None:
    assert bar(room, closable=False).findChild(QToolButton) is None


def test_tags_are_only_text_and_can_be_selected(room: QWidget) -> None:
    notice = bar(room)
    notice.say("<b>/tmp/x</b>")
    assert notice.label.textFormat() == Qt.PlainText
    assert notice.label.textInteractionFlags() & Qt.TextSelectableByMouse


def test_long_words_take_more_lines_and_not_a_wider_window(room: QWidget) -> None:
    notice = bar(room)
    notice.say("one problem after the other " * 20)
    settle()
    assert room.width() <= 320
    assert notice.height() > 60


def test_its_mark_takes_on_another_theme(room: QWidget, qapp: QApplication) -> None:
    notice = bar(room)
    before = notice._mark.pixmap().toImage()  # type: ignore[union-attr]
    theme.apply(qapp, theme.LIGHT)
    assert notice._mark.pixmap().toImage() != before  # type: ignore[union-attr]


def test_one_that_is_gone_does_not_mind_another_theme(qtbot: QtBot, qapp: QApplication) -> None:
    notice = NoticeBar("bad", closable=True)
    notice.deleteLater()
    settle()
    theme.apply(qapp, theme.LIGHT)
    assert theme.current() is theme.LIGHT
