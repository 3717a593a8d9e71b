"""The names of values are offered in a line and in a text alike."""

from __future__ import annotations

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.capture.filters.completion import Suggestion
from ui.parts.completions import Completions
from ui.workbench.rule_form.template_line import TemplateLine
from ui.workbench.rule_form.template_text import TemplateText

NAMES = ("path.id", "path.", "method")


def offers(begun: str, filter: bool) -> list[Suggestion]:
    names = ("upper",) if filter else NAMES
    return [Suggestion(0, name, "") for name in names if name.startswith(begun)]


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    return made


@pytest.fixture(params=[TemplateLine, TemplateText])
def field(request: pytest.FixtureRequest, window: QWidget) -> TemplateLine | TemplateText:
    made: TemplateLine | TemplateText = request.param("", offers)
    column = QVBoxLayout(window)
    column.addWidget(made)
    column.addWidget(QLineEdit())
    window.show()
    QApplication.setActiveWindow(window)
    made.setFocus()
    return made


def typed(field: TemplateLine | TemplateText) -> str:
    return field.text() if isinstance(field, TemplateLine) else field.typed()


def shown(field: QWidget) -> bool:
    return any(names.isVisible() for names in field.window().findChildren(Completions))


def test_tab_takes_a_name_and_closes_its_braces(field: TemplateLine | TemplateText) -> None:
    QTest.keyClicks(field, "a {{me")
    assert shown(field)
    QTest.keyClick(field, Qt.Key_Tab)
    assert (typed(field), shown(field), field.hasFocus()) == ("a {{method}}", False, True)
    QTest.keyClicks(field, "{{x | u")
    QTest.keyClick(field, Qt.Key_Tab)
    assert typed(field) == "a {{method}}{{x | upper}}"


def test_more_is_offered_behind_a_name_that_goes_on(field: TemplateLine | TemplateText) -> None:
    QTest.keyClicks(field, "{{pa")
    QTest.keyClick(field, Qt.Key_Down)
    QTest.keyClick(field, Qt.Key_Down)
    QTest.keyClick(field, Qt.Key_Return)
    assert (typed(field), shown(field)) == ("{{path.", True)


def test_escape_is_for_the_list_while_it_is_there(field: TemplateLine | TemplateText) -> None:
    QTest.keyClicks(field, "{{pa")
    QTest.keyClick(field, Qt.Key_Escape)
    assert (typed(field), shown(field)) == ("{{pa", False)
    QTest.keyClick(field, Qt.Key_Tab)
    assert (typed(field), field.hasFocus()) == ("{{pa", False)
