"""Rules as rows: switched, moved, copied, counted; their form; what is tried; a rule of what was captured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from PyQt5.QtCore import QPoint, QPointF, Qt
from PyQt5.QtGui import QContextMenuEvent, QWheelEvent
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QComboBox, QMenu
from pytestqt.qtbot import QtBot

from app.events import DATA_RECEIVED, Event
from tests.ui.conftest import Open
from tests.ui.desk import config, settle
from tests.ui.workbench.bench import FLAKY, REST, USERS, Bench, bench, drag_over, line_script, shop
from tests.ui.workbench.rule_form.test_offered_names import shown
from ui.services.dialog import ServiceDialog
from ui.workbench.rule_form.body import BodyRow
from ui.workbench.rule_form.steps import Grip, StepsRow
from ui.workbench.rules.delegate import row_height

READ = {"when": "regex", "match": r"^READ (?P<what>\w+)", "then": ["send {{what}} = 1"]}
BYE = {"when": "text", "match": "bye", "then": ["send BYE", "close"]}


@pytest.fixture
def desk(open_window: Open, qtbot: QtBot) -> Iterator[Bench]:
    with bench(open_window, qtbot, shop(), config("echo", 0)) as made:
        yield made


@pytest.fixture
def script(open_window: Open, qtbot: QtBot) -> Iterator[Bench]:
    with bench(open_window, qtbot, line_script(READ, BYE)) as made:
        yield made


def body_of(desk: Bench) -> BodyRow:
    body = desk.rules.form.body()
    assert body is not None
    return body


def steps_of(desk: Bench) -> StepsRow:
    [row] = [row for group in desk.rules.form.groups for row in group.rows if isinstance(row, StepsRow)]
    return row


# -- rows


def test_rows_say_what_rules_are(desk: Bench, script: Bench) -> None:
    rows = [desk.rules.rules.row(at) for at in range(3)]
    assert [(row.asks, row.does) for row in rows if row] == [
        ("GET /users/{id}", "200 json"), ("/flaky", "503 text"), ("any", "404 text"),
    ]  # fmt: skip
    assert "READ" in script.titles()[0]


def test_a_click_on_its_switch_switches_a_rule_off_and_on(desk: Bench) -> None:
    desk.start()
    assert desk.get("/flaky")[0] == 503
    switch = desk.rules.view.painter_.switch_rect(desk.rules.view.visualRect(desk.rules.rules.index(1)))
    QTest.mouseClick(desk.rules.view.viewport(), Qt.LeftButton, pos=switch.center())
    desk.until_rules(lambda rules: rules[1].get("on") is False)
    assert desk.get("/flaky")[0] == 404
    QTest.mouseClick(desk.rules.view.viewport(), Qt.LeftButton, pos=switch.center())
    desk.until_rules(lambda rules: "on" not in rules[1])
    assert desk.get("/flaky")[0] == 503


def test_a_row_is_dragged_to_another_place(desk: Bench) -> None:
    view = desk.rules.view.viewport()
    QTest.mousePress(view, Qt.LeftButton, pos=desk.row_point(0, 10))
    for point in (desk.row_point(0, 10) + QPoint(0, 20), desk.row_point(1, 10), desk.row_point(2, 10)):
        drag_over(view, point)
    assert desk.tables() == [USERS, FLAKY, REST]
    QTest.mouseRelease(view, Qt.LeftButton, pos=desk.row_point(2, 10))
    desk.until_rules(lambda rules: rules == [FLAKY, REST, USERS])
    assert desk.rules.view.at() == 2
    QTest.keyClick(desk.rules.view, Qt.Key_Z, Qt.ControlModifier)
    desk.until_rules(lambda rules: rules == [USERS, FLAKY, REST])
    assert desk.titles() == ["GET /users/{id}", "/flaky", "any"]


def test_alt_and_the_arrows_move_a_row(desk: Bench) -> None:
    desk.rules.view.choose(0)
    desk.rules.view.setFocus()
    QTest.keyClick(desk.rules.view, Qt.Key_Down, Qt.AltModifier)
    desk.until_rules(lambda rules: rules == [FLAKY, USERS, REST])
    QTest.keyClick(desk.rules.view, Qt.Key_Up, Qt.AltModifier)
    desk.until_rules(lambda rules: rules == [USERS, FLAKY, REST])


def test_keys_duplicate_remove_copy_and_paste(desk: Bench) -> None:
    view = desk.rules.view
    view.choose(1)
    view.setFocus()
    QTest.keyClick(view, Qt.Key_D, Qt.ControlModifier)
    desk.until_rules(lambda rules: rules == [USERS, FLAKY, FLAKY, REST])
    assert list(desk.post.services) == ["shop", "echo"]
    QTest.keyClick(view, Qt.Key_Delete)
    desk.until_rules(lambda rules: rules == [USERS, FLAKY, REST])
    QTest.keyClick(view, Qt.Key_Z, Qt.ControlModifier)
    desk.until_rules(lambda rules: rules == [USERS, FLAKY, FLAKY, REST])
    view.choose(0)
    QTest.keyClick(view, Qt.Key_C, Qt.ControlModifier)
    assert QApplication.clipboard().text().startswith("[[service.options.rules]]\n")
    view.choose(3)
    QTest.keyClick(view, Qt.Key_V, Qt.ControlModifier)
    desk.until_rules(lambda rules: rules == [USERS, FLAKY, FLAKY, REST, USERS])


def test_what_is_no_rule_is_refused_in_words(desk: Bench) -> None:
    QApplication.clipboard().setText("hello = [")
    desk.rules.view.setFocus()
    QTest.keyClick(desk.rules.view, Qt.Key_V, Qt.ControlModifier)
    assert desk.page._refused.isVisible()
    assert desk.tables() == [USERS, FLAKY, REST]


def test_hits_are_counted_in_the_rows(desk: Bench) -> None:
    desk.start()
    for _ in range(3):
        desk.get("/flaky")
    desk.window.bridge.ticked.emit(desk.post.recorder.range)
    rows = [desk.rules.rules.row(at) for at in range(3)]
    assert [row.hits for row in rows if row] == [0, 3, 0]
    changed: list[int] = []
    desk.rules.rules.dataChanged.connect(lambda first, last: changed.append(first.row()))
    desk.window.bridge.ticked.emit(desk.post.recorder.range)
    assert changed == []
    desk.get("/users/1")
    desk.window.bridge.ticked.emit(desk.post.recorder.range)
    assert changed == [0]


def test_a_rule_that_is_limited_answers_again_after_its_count_is_reset(
    open_window: Open, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    menus: list[QMenu] = []
    monkeypatch.setattr("ui.workbench.rules.view.show", lambda menu, at: menus.append(menu))
    once = {"path": "/once", "times": 1, "body": "here"}
    with bench(open_window, qtbot, shop(once, {"path": "/two", "times": 1}), config("echo", 0)) as desk:
        desk.start()

        def asked() -> list[int]:
            return [desk.get(path)[0] for path in ("/once", "/two")]

        def shown() -> list[int]:
            return [row.hits for at in range(2) if (row := desk.rules.rules.row(at)) is not None]

        assert (asked(), asked()) == ([200, 200], [404, 404])
        desk.rules.view.choose(0)
        point = desk.row_point(0)
        QApplication.sendEvent(
            desk.rules.view.viewport(),
            QContextMenuEvent(QContextMenuEvent.Mouse, point, desk.rules.view.viewport().mapToGlobal(point)),
        )
        [reset] = [action for action in menus[0].actions() if action.text() == "Reset count"]
        reset.trigger()
        assert shown() == [0, 1]
        assert asked() == [200, 404]
        QTest.mouseClick(desk.rules.reset_button, Qt.LeftButton)
        assert shown() == [0, 0]
        assert asked() == [200, 200]
        desk.window.workbench.close("shop")
        desk.window.services.select("shop")
        desk.window.actions_["reset_counts"].trigger()
        assert "“shop”" in desk.window.statusBar().currentMessage()
        assert asked() == [200, 200]
        desk.window.services.select("echo")
        assert not desk.window.actions_["reset_counts"].isEnabled()


def test_a_thousand_rules_have_rows_of_one_height_and_are_edited_at_once(open_window: Open, qtbot: QtBot) -> None:
    rules = [{"path": f"/{number}", "body": "x" * number} for number in range(1000)]
    with bench(open_window, qtbot, shop(*rules)) as desk:
        view = desk.rules.view
        assert {view.visualRect(desk.rules.rules.index(at)).height() for at in (0, 500, 999)} == {row_height()}
        view.choose(999)
        desk.type_into(desk.editor("path"), "/last")
        desk.until_rules(lambda tables: tables[999]["path"] == "/last")


# -- the form


def test_a_new_rule_is_added_behind_the_current_one_with_the_keyboard_in_its_form(desk: Bench) -> None:
    desk.rules.view.choose(0)
    [add] = [b for b in desk.rules.findChildren(type(desk.page.restart.discard)) if b.text() == "+ Rule"]
    QTest.mouseClick(add, Qt.LeftButton)
    desk.until_rules(lambda rules: rules == [USERS, {"path": "/"}, FLAKY, REST])
    assert desk.editor("path").hasFocus()
    QTest.keyClicks(QApplication.focusWidget(), "/new")
    desk.until_rules(lambda rules: rules[1] == {"path": "/new"})


def test_rare_options_are_folded_away_until_they_are_wanted(desk: Bench) -> None:
    desk.rules.view.choose(1)
    request = desk.rules.form.groups[0]
    assert [list(row.values()) for row in request.rows] == [["method", "path"]]
    request.offer.menu().aboutToShow.emit()
    [query] = [action for action in request.offer.menu().actions() if action.text().startswith("Query: ")]
    query.trigger()
    QTest.keyClicks(QApplication.focusWidget(), "page=2")
    desk.until_rules(lambda rules: rules[1].get("query") == ["page=2"])
    request.rows[-1].cleared.emit()  # type: ignore[union-attr]
    desk.until_rules(lambda rules: "query" not in rules[1])


def test_braces_without_template_are_pointed_out_with_a_way_to_switch_it_on(desk: Bench) -> None:
    desk.rules.view.choose(1)
    body = body_of(desk)
    desk.type_into(body.text, "{{path}}")
    assert body.switch_on.isVisible()
    QTest.mouseClick(body.switch_on, Qt.LeftButton)
    desk.until_rules(lambda rules: rules[1].get("template") is True and rules[1]["body"] == "{{path}}")
    assert not body.switch_on.isVisible()


def test_names_of_a_template_are_completed(desk: Bench) -> None:
    desk.rules.view.choose(0)
    body = body_of(desk)
    desk.type_into(body.text, "{{pa")
    assert shown(body.text)
    QTest.keyClick(body.text, Qt.Key_Tab)
    assert body.text.typed() == "{{path.id}}"
    assert not shown(body.text)
    QTest.keyClicks(body.text, " {{method | upp")
    QTest.keyClick(body.text, Qt.Key_Tab)
    assert body.text.typed() == "{{path.id}} {{method | upper}}"


def give(desk: Bench, **variables: str) -> None:
    """Give the workspace these variables."""
    desk.page.apply()
    desk.window.edits.change("variables", replace(desk.window.edits.state, variables=variables))
    settle()


def test_variables_of_the_workspace_are_completed_filled_in_and_pointed_out(desk: Bench) -> None:
    give(desk, city="Riga")
    desk.rules.view.choose(0)
    body = body_of(desk)
    desk.type_into(body.text, "{{ci")
    QTest.keyClick(body.text, Qt.Key_Tab)
    assert body.text.typed() == "{{var.city}}"
    desk.start()
    desk.until_rules(lambda rules: rules[0]["body"] == "{{var.city}}")
    assert desk.get("/users/7") == (200, "Riga")
    give(desk, town="Riga")
    assert "the workspace has no variable city. It has var.town" in body._words.text()
    assert body._words.isVisible()
    assert desk.get("/users/7")[0] == 500
    give(desk, city="Oslo")
    assert not body._words.isVisible()
    assert desk.get("/users/7") == (200, "Oslo")


def test_names_are_completed_in_the_steps_of_a_script(script: Bench) -> None:
    give(script, city="Riga")
    steps = steps_of(script)
    line = steps.steps[0].argument
    script.type_into(line, "{{va")
    QTest.keyClick(line, Qt.Key_Down)
    QTest.keyClick(line, Qt.Key_Return)
    QTest.keyClicks(line, " {{wh")
    QTest.keyClick(line, Qt.Key_Tab)
    QTest.keyClicks(line, " {{no")
    QTest.keyClick(line, Qt.Key_Escape)
    assert line.text() == "{{var.city}} {{what}} {{no"
    assert line.hasFocus()
    script.type_into(line, "{{var.city}}")
    give(script, town="Riga")
    assert "the workspace has no variable city. It has var.town" in steps._words.text()
    assert steps._words.isVisible()


def test_a_body_that_is_no_json_is_told_where(desk: Bench) -> None:
    desk.rules.view.choose(1)
    body = body_of(desk)
    desk.type_into(body.text, '{"a": }')
    assert "column 7" in body._state.text()
    desk.type_into(body.text, '{"a": 1}')
    assert "JSON" in body._state.text()
    assert body._state.property("role") == "good"


def test_no_choice_of_a_rule_is_changed_by_the_wheel(desk: Bench, script: Bench) -> None:
    for made in (desk, script):
        before = made.page.config()
        boxes = made.page.findChildren(QComboBox)
        assert boxes
        for box in boxes:
            at = QPointF(box.rect().center())
            turned = (at, at, QPoint(), QPoint(0, -120), Qt.NoButton, Qt.NoModifier, Qt.NoScrollPhase, False)
            QApplication.sendEvent(box, QWheelEvent(*turned))
        assert made.page.config() == before


# -- scripts


def test_a_new_rule_takes_nothing_from_others_before_it_says_what(script: Bench) -> None:
    script.start()
    script.rules._add()
    script.until_rules(lambda rules: rules[1] == {"when": "text", "then": ["send OK"]})
    assert script.ask(b"READ temp\n").startswith(b"temp = ")
    assert script.editor("match").hasFocus()
    QTest.keyClicks(QApplication.focusWidget(), "PING")
    script.until_rules(lambda rules: rules[1] == {"when": "text", "match": "PING", "then": ["send OK"]})
    assert script.ask(b"PING\n").startswith(b"OK\n")


def test_a_step_is_added_with_an_example_and_its_mistake_stands_at_it(script: Bench) -> None:
    script.start()
    steps = steps_of(script)
    QTest.mouseClick(steps.add_button, Qt.LeftButton)
    script.until_rules(lambda rules: rules[0]["then"] == ["send {{what}} = 1", "send OK {{count}}"])
    assert script.ask(b"READ temp\n").startswith(b"temp = 1\n")
    steps.steps[1].verb.setCurrentText("wait")
    script.until_rules(lambda rules: rules[0]["then"][1] == "wait 0.5")
    script.type_into(steps.steps[1].argument, "long")
    assert "seconds" in steps.steps[1].words.text()
    assert steps.steps[0].words.isHidden()
    script.page.apply()
    settle()
    assert script.tables()[0]["then"][1] == "wait 0.5"


def test_steps_are_moved_by_key_and_by_mouse(script: Bench) -> None:
    script.rules.view.choose(1)
    steps = steps_of(script)
    steps.steps[1].verb.setFocus()
    QTest.keyClick(steps.steps[1].verb, Qt.Key_Up, Qt.AltModifier)
    assert [step.value() for step in steps.steps] == ["close", "send BYE"]
    assert script.page.header.later.isVisible()  # nothing can follow close
    grip = steps.steps[0].findChild(Grip)
    QTest.mousePress(grip, Qt.LeftButton)
    drag_over(grip, QPoint(4, 60))
    QTest.mouseRelease(grip, Qt.LeftButton)
    assert [step.value() for step in steps.steps] == ["send BYE", "close"]
    assert not script.page.header.later.isVisible()


# -- the try


def test_a_try_says_which_rule_takes_it_and_why_the_others_do_not(desk: Bench) -> None:
    bar = desk.rules.bar
    desk.type_into(bar.line, "POST /flaky")
    desk.qtbot.waitUntil(lambda: "Rule 2" in bar.verdict.text())
    assert "503" in bar.verdict.text()
    rows = [desk.rules.rules.row(at) for at in range(3)]
    assert [row.takes for row in rows if row] == [False, True, False]
    assert rows[0] is not None
    assert rows[0].why == "the method is not GET"
    QTest.keyClick(bar.line, Qt.Key_Return)
    assert desk.rules.panel.isVisible()
    desk.qtbot.waitUntil(lambda: desk.rules.panel.answer.toPlainText().startswith("503"))
    assert desk.rules.panel.answer.toPlainText().endswith("no")
    assert desk.rules.panel.reasons.item(0).text() == "1  GET /users/{id}: the method is not GET"
    assert desk.post.services["shop"].hits() == (0, 0, 0)


def test_the_body_is_shown_rendered_for_what_is_tried(desk: Bench) -> None:
    desk.type_into(desk.rules.bar.line, "GET /users/7")
    body = body_of(desk)
    desk.qtbot.waitUntil(lambda: body.rendered.toPlainText() == '{"id": 7}')
    assert body.rendered.isVisible()
    desk.type_into(body.text, '{"me": {{path.id}}}')
    desk.qtbot.waitUntil(lambda: body.rendered.toPlainText() == '{"me": 7}')


def test_headers_and_body_are_tried_too_and_a_mistake_is_told(desk: Bench) -> None:
    bar = desk.rules.bar
    desk.type_into(bar.line, "nonsense")
    desk.qtbot.waitUntil(lambda: bar.verdict.property("role") == "error")
    bar.type_in("GET /flaky\nAccept: text/html\n\nbody")
    assert bar.more.isVisible()
    desk.qtbot.waitUntil(lambda: "Rule 2" in bar.verdict.text())


def test_a_message_is_tried_against_a_script(script: Bench) -> None:
    bar = script.rules.bar
    script.type_into(bar.line, "READ temp")
    script.qtbot.waitUntil(lambda: "Rule 1" in bar.verdict.text())
    assert "temp = 1" in script.rules.panel.answer.toPlainText()
    script.type_into(bar.line, "nothing")
    script.qtbot.waitUntil(lambda: bar.verdict.text().startswith("No rule"))


def test_all_that_a_rule_of_a_script_can_wait_for_is_offered_in_plain_words(script: Bench) -> None:
    script.rules.view.choose(1)
    when = script.rules.form.groups[0]
    menu = when.offer.menu()
    menu.aboutToShow.emit()
    assert [action.text().partition(":")[0] for action in menu.actions()] == [
        "Client connects", "Any message", "Message contains", "Message in hex is", "Message matches regex", "Silence",
        "Only number",
    ]  # fmt: skip
    kind = script.editor("when")
    assert (kind.currentText(), kind.count()) == ("Message is", 7)
    menu.actions()[2].trigger()
    assert QApplication.focusWidget() is script.editor("match")
    script.type_into(script.editor("match"), "GO")
    script.until_rules(lambda rules: rules[1] == {**BYE, "when": "contains", "match": "GO"})
    menu.aboutToShow.emit()
    [silence] = [action for action in menu.actions() if action.text() == "Silence"]
    silence.trigger()
    assert script.editor("after").isVisibleTo(script.rules.form)


# -- a rule of what was captured


def test_a_message_is_answered_by_a_rule_of_the_script_that_got_it(script: Bench) -> None:
    script.start()
    event = Event(5, 0, DATA_RECEIVED, "lines", 1, None, 6, "", payload=b"HELLO\n")
    script.window.workbench.close("lines")
    script.window.browser.current_event = event
    script.window.browser.changed.emit()
    script.window.actions_["answer_by_rule"].trigger()
    script.until_rules(lambda rules: rules[0] == {"when": "text", "match": "HELLO", "then": ["send OK"]})
    page = script.window.panes.page()
    assert page is script.window.workbench.pages["lines"]
    script.page = script.window.workbench.pages["lines"]
    assert script.rules.view.at() == 0
    assert script.ask(b"HELLO\n") == b"OK\n"


def test_a_message_to_any_other_service_offers_a_new_one_with_the_rule(desk: Bench) -> None:
    event = Event(5, 0, DATA_RECEIVED, "echo", 1, None, 6, "", payload=b"HELLO\n")
    desk.window.browser.current_event = event
    desk.window.browser.changed.emit()
    desk.window.actions_["answer_by_rule"].trigger()
    settle()
    [dialog] = desk.window.findChildren(ServiceDialog)
    assert dialog.config().responder == "script"
    assert dialog.config().options["rules"][0]["match"] == r"HELLO\n"
    dialog.reject()
    settle()


def test_enter_shows_the_rule_that_takes_it(desk: Bench) -> None:
    desk.rules.view.choose(0)
    desk.type_into(desk.rules.bar.line, "GET /nowhere")
    QTest.keyClick(desk.rules.bar.line, Qt.Key_Return)
    desk.qtbot.waitUntil(lambda: desk.rules.view.at() == 2)
    assert desk.rules.bar.line.hasFocus()


def test_braces_in_a_header_without_template_are_pointed_out_at_the_field(open_window: Open, qtbot: QtBot) -> None:
    with bench(open_window, qtbot, shop({"path": "/a", "answer_fields": ["X: {{path}}"]})) as desk:
        [words] = [
            row._words for row in desk.rules.form.groups[1].rows
            if not isinstance(row, BodyRow | StepsRow) and "answer_fields" in row.values()
        ]  # fmt: skip
        assert "template is off" in words.text()
        assert words.property("role") == "warning"
        assert body_of(desk).switch_on.isVisible()
        assert not desk.page.header.later.isVisible()


def test_a_captured_message_is_tried_on_the_rules_of_its_service(script: Bench) -> None:
    event = Event(5, 0, DATA_RECEIVED, "lines", 1, None, 6, "", payload=b"HELLO\n")
    script.window.workbench.close("lines")
    script.window.browser.current_event = event
    script.window.browser.changed.emit()
    script.window.actions_["try_on_rules"].trigger()
    script.page = script.window.workbench.pages["lines"]
    assert script.rules.panel.isVisible()
    assert script.rules.bar.line.text() == "HELLO"
    script.qtbot.waitUntil(lambda: script.rules.bar.verdict.text().startswith("No rule"))
    assert script.rules.panel.reasons.count() == 2
