"""Completions below a field."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from ui.parts.offers import Offers

pytestmark = pytest.mark.qt_log_ignore(
    r"^This plugin does not support (grabbing the keyboard|raise\(\)|propagateSizeHints\(\))"
)

ECHO, ECHOES, WEB = "tcp://127.0.0.1:9007", "tcp://127.0.0.1:90071", "http://127.0.0.1:9080/"


@pytest.fixture
def shown(qtbot: QtBot) -> Callable[..., list[str]]:
    """What is offered for a text that is typed; empty where no list is open."""

    def type_(text: str, *offered: str) -> list[str]:
        field = QLineEdit()
        offers = Offers(offered, field)
        field.setCompleter(offers)
        qtbot.addWidget(field)
        with qtbot.waitExposed(field):
            field.show()
        field.setFocus()
        QTest.keyClicks(field, text)
        popup = offers.popup()
        found = [popup.model().index(row, 0).data() for row in range(popup.model().rowCount())]
        return found if popup.isVisible() else []

    return type_


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("900", [ECHO]),
        ("HTTP", [WEB]),
        ("127", [ECHO, WEB]),
        ("nothing", []),
        (ECHO, []),  # it is complete: a list that stayed open would take the next click for itself
        (ECHO.upper(), []),
        (ECHO + "/x", []),
    ],
)
def test_what_contains_the_text_is_offered_until_it_is_typed_out(
    shown: Callable[..., list[str]], text: str, found: list[str]
) -> None:
    assert shown(text, ECHO, WEB) == found


def test_a_text_that_another_goes_on_from_leaves_that_one_to_choose(shown: Callable[..., list[str]]) -> None:
    assert shown(ECHO, ECHO, ECHOES) == [ECHO, ECHOES]
