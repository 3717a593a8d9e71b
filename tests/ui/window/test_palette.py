"""The palette: finds by a few letters, does what was chosen, says why it cannot."""

from __future__ import annotations

from typing import Any

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.status import Listening
from tests.ui.conftest import Open
from tests.ui.desk import config, do, memory_post, settle
from ui.actions.table import SOME_RUNNING
from ui.settings import Settings
from ui.window.main_window import MainWindow
from ui.window.palette import Entry, Palette, found, rank


def shown(window: MainWindow) -> list[str]:
    return [entry.text for entry in window.command_palette._shown]


@pytest.fixture
def palette(window: MainWindow) -> Palette:
    do(window, "palette")
    return window.command_palette


def type_and_enter(palette: Palette, text: str) -> None:
    QTest.keyClicks(palette.field, text)
    QTest.keyClick(palette.field, Qt.Key_Return)
    settle()


@pytest.mark.parametrize(
    ("better", "worse", "typed"),
    [
        ("Start all", "Restart", "start"),
        ("Go to all", "Install", "all"),
        ("Install", "A long list", "all"),
        ("Stop all", "Start tcp-all", "sto"),
    ],
)
def test_beginnings_come_before_middles_and_those_before_letters_in_order(better: str, worse: str, typed: str) -> None:
    first, second = rank(typed, better), rank(typed, worse)
    assert first is not None
    assert second is None or first < second


@pytest.mark.parametrize("typed", ["", "   ", "all start", "STA", "stl"])
def test_words_fit_in_any_order_and_any_case(typed: str) -> None:
    assert rank(typed, "Start all") is not None


def test_what_is_not_there_does_not_fit() -> None:
    assert rank("start xyz", "Start all") is None


def test_of_equals_what_was_used_last_comes_first_and_what_cannot_be_done_last() -> None:
    entries = [
        Entry(key, f"Do {key}", "Menu", lambda: None, why_not=why)
        for key, why in zip("abcd", ("x", "", "", ""), strict=True)
    ]
    assert [entry.key for entry in found("do", entries, ["d", "b"])] == ["d", "b", "c", "a"]


def test_a_menu_finds_its_actions() -> None:
    assert found("view", [Entry("a", "Clear", "View", lambda: None)], [])


def test_it_offers_every_action_service_and_pane(palette: Palette, window: MainWindow) -> None:
    texts = shown(window)
    for name, action in window.actions_.items():
        if name != "palette":
            assert action.text().replace("&", "") in texts
    for text in ("Start alpha", "Edit beta", "Go to All", "Go to alpha", "Go to Failures", "New UDP service…"):
        assert text in texts


def test_it_takes_the_keyboard_and_gives_it_back(palette: Palette, window: MainWindow) -> None:
    assert palette.field.hasFocus()
    QTest.keyClick(palette.field, Qt.Key_Tab)
    assert palette.field.hasFocus()
    QTest.keyClick(palette.field, Qt.Key_Escape)
    assert not palette.isVisible()
    window.filter.setFocus()
    do(window, "palette")
    QTest.keyClick(palette.field, Qt.Key_Escape)
    assert window.filter.hasFocus()


def test_it_goes_when_something_else_takes_the_keyboard(palette: Palette, window: MainWindow) -> None:
    window.filter.setFocus()
    settle()
    assert not palette.isVisible()


def test_enter_does_it_and_it_comes_first_the_next_time(
    palette: Palette, window: MainWindow, settings: Settings
) -> None:
    type_and_enter(palette, "start beta")
    assert isinstance(window._post.services["beta"].status, Listening)
    assert settings.used == ["toggle beta"]
    do(window, "palette")
    assert shown(window)[0] == "Stop beta"


@pytest.mark.parametrize("used", [[], ["toggle beta"]])
def test_the_name_of_a_service_goes_to_it_and_stops_nothing(window: MainWindow, settings: Settings, used: Any) -> None:
    window.service_actions.start_all()
    for key in used:
        settings.add_used(key)
    do(window, "palette")
    type_and_enter(window.command_palette, "beta")
    assert window.panes.current() is window.panes.of("beta")
    assert isinstance(window._post.services["beta"].status, Listening)


def test_a_name_that_its_tab_cuts_is_found_whole(open_window: Open) -> None:
    name = "a-name-that-is-longer-than-any-tab"
    window = open_window(config(name), config(name[:-1], 9008))
    window.service_actions.start_all()
    do(window, "palette")
    type_and_enter(window.command_palette, name)
    assert window.panes.current() is window.panes.of(name)
    assert isinstance(window._post.services[name].status, Listening)


def test_arrows_go_round(palette: Palette) -> None:
    QTest.keyClicks(palette.field, "go to")
    QTest.keyClick(palette.field, Qt.Key_Up)
    assert palette.list.indexOfTopLevelItem(palette.list.currentItem()) == len(palette._shown) - 1
    QTest.keyClick(palette.field, Qt.Key_Down)
    assert palette.list.indexOfTopLevelItem(palette.list.currentItem()) == 0


def test_what_cannot_be_done_says_why_and_is_not_done(palette: Palette, window: MainWindow, settings: Settings) -> None:
    QTest.keyClicks(palette.field, "stop all")
    item = palette.list.topLevelItem(0)
    assert (item.text(0), item.text(1)) == ("Stop all", SOME_RUNNING.reason)
    QTest.keyClick(palette.field, Qt.Key_Return)
    assert palette.isVisible()
    assert settings.used == []


def test_nothing_found_is_said(palette: Palette) -> None:
    QTest.keyClicks(palette.field, "qqqq")
    assert palette.list.topLevelItem(0).text(0) == "No command, service or pane has this name."
    QTest.keyClick(palette.field, Qt.Key_Return)
    QTest.keyClick(palette.field, Qt.Key_Down)
    assert palette.isVisible()


def test_a_click_does_it(palette: Palette, window: MainWindow) -> None:
    QTest.keyClicks(palette.field, "go to beta")
    rect = palette.list.visualItemRect(palette.list.topLevelItem(0))
    QTest.mouseClick(palette.list.viewport(), Qt.LeftButton, pos=rect.center())
    assert window.panes.current() is window.panes.of("beta")


def test_every_action_that_is_disabled_at_first_has_its_reason(open_window: Open) -> None:
    window = open_window(post=memory_post()[0])
    disabled = {name for name, action in window.actions_.items() if not action.isEnabled()}
    assert disabled
    assert all(window.actions_.why_disabled(name) for name in disabled)


def test_names_of_services_with_marks_are_shown_as_they_are(palette: Palette, qtbot: QtBot) -> None:
    assert QApplication.focusWidget() is palette.field
    assert all("&" not in entry.text for entry in palette._all)


def test_an_action_has_the_name_that_it_has_now(window: MainWindow) -> None:
    def texts() -> list[str]:
        return [entry.text for entry in window.command_palette._entries()]

    assert "Pause capturing" in texts()
    do(window, "pause_capture")
    assert "Resume capturing" in texts()
    assert "Pause capturing" not in texts()
