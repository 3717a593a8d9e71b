"""The actions of a window: each in a menu, explained, with keys of its own, and enabled when it can be done."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from PyQt5.QtWidgets import QMainWindow, QMenu
from pytestqt.qtbot import QtBot

from app import events
from app.events import Event
from ui.actions.action import Place, Situation
from ui.actions.build import Actions, standing_in
from ui.actions.table import ACTIONS

WITHOUT_KEYS = {
    "whats_new", "open_demo", "open_showcase", "capture", "trust", "about", "program", "kill_program",
    "copy_to_outpost",
}  # fmt: skip
"""Rarely used."""

STRIKES = {"fault_reset", "fault_stall", "fault_cut", "fault_slow", "fault_hang", "fault_freeze", "fault_lift"}
"""What harms a connection at once has no keys that could be pressed by mistake."""

WINDOWS = [Place.MAIN, Place.CAPTURE]

EVENT = Event(1, 0, events.DATA_RECEIVED, "alpha", 7, None, 0, "", payload=None)
REQUEST = replace(EVENT, kind=events.HTTP_REQUEST)
FAILURE = replace(EVENT, kind=events.FAILURE)
HIT = replace(EVENT, kind=events.FAULT_APPLIED, detail={"fault": "slow", "seed": 7})
STARTED = replace(EVENT, kind=events.SERVICE_STARTED, detail={"host": "127.0.0.1:9", "seed": 7})


class Recorder:
    """Has a method for each action, which lists its name in ``called``."""

    def __init__(self) -> None:
        self.called: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return lambda: self.called.append(name)


@pytest.fixture(params=WINDOWS, ids=lambda place: place.name)
def place(request: pytest.FixtureRequest) -> Place:
    found: Place = request.param
    return found


@pytest.fixture
def window(qtbot: QtBot) -> QMainWindow:
    made = QMainWindow()
    qtbot.addWidget(made)
    return made


@pytest.fixture
def made(window: QMainWindow, place: Place) -> Actions:
    return Actions(window, place)


@pytest.fixture
def main(window: QMainWindow) -> Actions:
    return Actions(window, Place.MAIN)


def menus(window: QMainWindow) -> dict[str, QMenu]:
    found = {action.text(): action.menu() for action in window.menuBar().actions()}
    return {text: menu for text, menu in found.items() if menu is not None}


def names(menu: QMenu) -> list[str]:
    """The entries of a menu, "" for a separator."""
    return [action.objectName() for action in menu.actions()]


def enabled(actions: Actions) -> set[str]:
    return {name for name, action in actions.items() if action.isEnabled()}


def test_every_action_stands_once_in_the_menu_it_names(window: QMainWindow, made: Actions, place: Place) -> None:
    found = [
        (action.objectName(), text.replace("&", ""))
        for text, menu in menus(window).items()
        for action in menu.actions()
        if not action.isSeparator()
    ]
    assert sorted(found) == sorted((action.name, action.menu) for action in ACTIONS if place in action.groups)


def test_every_action_is_in_some_window(window: QMainWindow) -> None:
    assert all(any(place in action.groups for place in WINDOWS) for action in ACTIONS)


def test_separators_divide_the_groups(window: QMainWindow, main: Actions) -> None:
    assert names(menus(window)["&File"]) == [
        "new_workspace", "open_workspace", "save_workspace", "save_workspace_as", "open_demo", "open_showcase", "",
        "run_program", "", "open_capture", "save_capture_as", "export", "capture", "pause_capture",
        "new_capture", "", "quit",
    ]  # fmt: skip


def test_every_action_says_what_it_does_and_by_which_keys(made: Actions) -> None:
    for name, declared in made.declared.items():
        tip = made[name].toolTip()
        assert tip.startswith(declared.tip)
        assert tip.endswith(f"({declared.keys})") == bool(declared.keys)


def test_every_action_calls_the_method_of_its_name(made: Actions) -> None:
    commands = Recorder()
    made.connect(commands)
    for action in made.values():
        action.trigger()
    assert commands.called == list(made)


def test_an_action_without_a_method_or_with_two_is_refused(made: Actions) -> None:
    with pytest.raises(TypeError, match="0 of the command classes have a method"):
        made.connect(object())
    with pytest.raises(TypeError, match="2 of the command classes have a method"):
        made.connect(Recorder(), Recorder())


def test_only_what_is_rarely_used_has_no_keys(main: Actions) -> None:
    assert {name for name, action in main.items() if action.shortcut().isEmpty()} == WITHOUT_KEYS | STRIKES


def test_no_two_actions_share_keys(made: Actions) -> None:
    keys = Counter(action.shortcut().toString() for action in made.values() if not action.shortcut().isEmpty())
    assert [key for key, count in keys.items() if count > 1] == []


def test_no_two_entries_of_a_menu_share_a_letter(window: QMainWindow, made: Actions) -> None:
    for texts in (
        [action.text() for action in window.menuBar().actions()],
        *([action.text() for action in menu.actions() if action.text()] for menu in menus(window).values()),
    ):
        letters = [text.replace("&&", "")[text.index("&") + 1].lower() for text in texts if "&" in text]
        assert len(letters) == len(texts)
        assert len(set(letters)) == len(letters), texts


def test_these_have_two_states(main: Actions) -> None:
    assert [name for name, action in main.items() if action.isCheckable()] == [
        "toggle_tls",
        "follow",
        "show_checks",
        "compact_services",
    ]
    main.update(Situation(following=True))
    assert main["follow"].isChecked()
    main.update(Situation())
    assert not main["follow"].isChecked()


def test_undo_and_redo_name_the_step(main: Actions) -> None:
    main.update(Situation(undo="removing “a & b”", redo="editing “c”"))
    assert (main["undo"].text(), main["redo"].text()) == ("&Undo removing “a && b”", "Re&do editing “c”")
    main.update(Situation())
    assert (main["undo"].text(), main["redo"].text()) == ("&Undo", "Re&do")


# -- enabled


@pytest.mark.parametrize(
    ("now", "names"),
    [
        (Situation(service=True), {"toggle_service", "edit_service", "remove_service"}),
        (Situation(own=True), {"duplicate_service", "copy_to_outpost"}),
        (Situation(port=True), {"edit_faults"}),
        (Situation(reachable=True), {"send_to_service", "connect_lines", "watch_service"}),
        (Situation(tls=False), {"toggle_tls"}),
        (Situation(connection=True), {"send", "disconnect"}),
        (Situation(stopped=True), {"start_all"}),
        (Situation(running=True), {"stop_all"}),
        (Situation(stream=True), {"follow_stream", *STRIKES}),
        (Situation(event=HIT), {"note", "edit_service_of_event", "fault_of_event", "fault_hits", "repeat_seed"}),
        (Situation(event=STARTED), {"note", "edit_service_of_event", "repeat_seed"}),
        (Situation(seeded=True), {"repeat_run"}),
        (Situation(event=EVENT), {"note", "edit_service_of_event", "answer_by_rule", "try_on_rules"}),
        (
            Situation(event=replace(EVENT, payload=b"")),
            {"note", "edit_service_of_event", "answer_by_rule", "try_on_rules", "copy_payload", "open_in_send"},
        ),
        (
            Situation(event=REQUEST),
            {
                "note", "edit_service_of_event", "copy_curl", "copy_python", "copy_exchange", "open_in_send",
                "answer_by_rule",
                "try_on_rules",
            },
        ),
        (Situation(event=FAILURE), {"note", "edit_service_of_event", "save_report", "copy_report"}),
        (Situation(page=True), {"close_page"}),
        (Situation(can_resend=True), {"send_again"}),
        (Situation(undo="adding “a”"), {"undo"}),
        (Situation(redo="adding “a”"), {"redo"}),
    ],
)  # fmt: skip
def test_what_a_situation_enables(main: Actions, now: Situation, names: set[str]) -> None:
    main.update(Situation())
    always = enabled(main)
    main.update(now)
    assert enabled(main) - always == names


def test_what_is_disabled_says_why(main: Actions) -> None:
    main.update(Situation())
    disabled = set(main) - enabled(main)
    assert disabled
    assert all(main.why_disabled(name) for name in disabled)
    assert not any(main.why_disabled(name) for name in enabled(main))


def test_where_it_is_read_only_the_note_says_so_itself(window: QMainWindow) -> None:
    actions = Actions(window, Place.CAPTURE)
    actions.update(Situation(read_only=True))
    assert actions["note"].isEnabled()


# -- context menus


def test_a_context_menu_has_separators_between_groups_only(window: QMainWindow, main: Actions) -> None:
    main.update(Situation(event=REQUEST))
    menu = QMenu(window)
    main.fill(menu, Place.EVENTS)
    assert names(menu) == [
        "copy_curl", "copy_python", "copy_exchange", "open_in_send", "answer_by_rule", "try_on_rules", "",
        "note", "edit_service_of_event", "", "follow_stream", "",
        "copy_rows", "copy_payload", "", "select_all", "", "follow", "clear", "show_all",
    ]  # fmt: skip
    main.update(Situation(event=EVENT))
    menu = QMenu(window)
    main.fill(menu, Place.EVENTS, leave_out=("note",))
    assert names(menu)[:4] == ["answer_by_rule", "try_on_rules", "", "edit_service_of_event"]


def test_a_context_menu_has_only_actions_of_its_window(window: QMainWindow) -> None:
    actions = Actions(window, Place.CAPTURE)
    menu = QMenu(window)
    actions.fill(menu, Place.EVENTS)
    assert names(menu) == [
        "open_in_send", "", "note", "", "follow_stream", "", "copy_rows", "copy_payload", "", "select_all",
    ]  # fmt: skip


@pytest.mark.parametrize("place", Place)
def test_every_place_has_actions(place: Place) -> None:
    assert standing_in(place)
