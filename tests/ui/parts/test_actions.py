"""The table of actions: each in a menu, explained, and with keys of its own."""

from __future__ import annotations

from collections import Counter

import pytest
from PyQt5.QtWidgets import QAction, QLabel, QMainWindow, QMenu, QTabBar
from pytestqt.qtbot import QtBot

from ui.parts import actions
from ui.parts.actions import SPECS, Spec

WITHOUT_KEYS = {"open_demo", "open_showcase", "capture", "trust", "about"}
"""Rarely used."""


@pytest.fixture
def called() -> list[str]:
    return []


@pytest.fixture
def window(qtbot: QtBot, called: list[str]) -> QMainWindow:
    made = QMainWindow()
    qtbot.addWidget(made)
    made.actions_ = actions.build(made, lambda name: lambda: called.append(name))  # type: ignore[attr-defined]
    return made


def built(window: QMainWindow) -> dict[str, QAction]:
    return window.actions_  # type: ignore[attr-defined, no-any-return]


def specs() -> list[Spec]:
    return [spec for spec in SPECS if isinstance(spec, Spec)]


def menus(window: QMainWindow) -> dict[str, QMenu]:
    found = {action.text(): action.menu() for action in window.menuBar().actions()}
    return {text: menu for text, menu in found.items() if menu is not None}


def test_every_action_stands_once_in_the_menu_it_names(window: QMainWindow) -> None:
    found = {
        action.objectName(): text.replace("&", "")
        for text, menu in menus(window).items()
        for action in menu.actions()
        if not action.isSeparator()
    }
    assert found == {spec.name: spec.menu for spec in specs()}


def test_every_action_says_what_it_does_and_by_which_keys(window: QMainWindow) -> None:
    for spec in specs():
        tip = built(window)[spec.name].toolTip()
        assert tip.startswith(spec.tip)
        assert tip.endswith(f"({spec.keys})") == bool(spec.keys)


def test_every_action_calls_its_handler(window: QMainWindow, called: list[str]) -> None:
    for action in built(window).values():
        action.trigger()
    assert called == [spec.name for spec in specs()]


def test_only_what_is_rarely_used_has_no_keys(window: QMainWindow) -> None:
    assert {name for name, action in built(window).items() if action.shortcut().isEmpty()} == WITHOUT_KEYS


def test_no_two_actions_share_keys(window: QMainWindow) -> None:
    keys = Counter(action.shortcut().toString() for action in built(window).values() if not action.shortcut().isEmpty())
    assert [key for key, count in keys.items() if count > 1] == []


def test_no_two_entries_of_a_menu_share_a_letter(window: QMainWindow) -> None:
    for texts in (
        [action.text() for action in window.menuBar().actions()],
        *([action.text() for action in menu.actions() if action.text()] for menu in menus(window).values()),
    ):
        letters = [text.replace("&&", "")[text.index("&") + 1].lower() for text in texts if "&" in text]
        assert sorted(letters) == sorted(set(letters)), texts


def test_only_following_has_two_states(window: QMainWindow) -> None:
    assert [name for name, action in built(window).items() if action.isCheckable()] == ["follow"]


@pytest.mark.parametrize("name", ["a & b", "&&", "R&D && more", "plain"])
def test_unmarked_shows_every_ampersand(qtbot: QtBot, name: str) -> None:
    bar = QTabBar()
    qtbot.addWidget(bar)
    bar.addTab(actions.unmarked(name))
    assert bar.tabText(0).replace("&&", "&") == name


def test_plain_shows_tags_as_they_are_written(qtbot: QtBot) -> None:
    label = QLabel(actions.plain("<b>x</b> & y"))
    qtbot.addWidget(label)
    assert label.text() == "<span>&lt;b&gt;x&lt;/b&gt; &amp; y</span>"
