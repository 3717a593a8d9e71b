"""Every dialog, page and dock is opened and closed many times, and nothing of it stays."""

from __future__ import annotations

import gc
import os
from collections import Counter
from collections.abc import Callable

import pytest
from PyQt5.QtCore import QCoreApplication, QEvent, QObject
from PyQt5.QtWidgets import QApplication, QDialog, QMenu, QWidget

from app.faults.presets import PRESETS
from tests.ui.conftest import Open
from tests.ui.desk import config, settle
from ui.actions.action import Place
from ui.looks import theme
from ui.window.main_window import MainWindow

FIRST = 3
"""Times that may leave something: what is made once and kept."""
TIMES = 200
"""Times in all."""
FEWER = int(os.environ.get("OPENINGS", "20"))
"""Times of what takes more than a few milliseconds: 20, and 200 in ``make openings``.

Objects are counted, so what one opening leaves is seen as well as what hundreds do.
"""

pytestmark = [
    pytest.mark.qt_log_ignore(r"^This plugin does not support (raise\(\)|grabbing the keyboard)$", extend=True),
    pytest.mark.usefixtures("qapp"),
]

DIALOGS = (
    "settings",
    "new_service",
    "edit_service",
    "capture",
    "export",
    "trust",
    "watch_service",
    "about",
    "connect_lines",
    "alert_on_filter",
    "run_program",
    "copy_to_outpost",
)
SLOW = ("new_service", "settings", "trust", "watch_service", "alert_on_filter", "run_program")
TOGGLED = ("send_message", "faults", "watches", "charts", "alerts", "compact_services")
PLACES = ("start_page", "http", "conversations", "failures", "manual", "palette", "find_service")


def objects(window: QWidget) -> Counter[str]:
    """The objects of Qt in the window and in the windows beside it, by class; and who hears of the theme."""
    QCoreApplication.sendPostedEvents(None, QEvent.DeferredDelete)
    settle()
    gc.collect()
    found: Counter[str] = Counter(type(child).__name__ for child in window.findChildren(QObject))
    for top in QApplication.topLevelWidgets():
        found[type(top).__name__] += 1
        if top is not window:
            found.update(type(child).__name__ for child in top.findChildren(QObject))
    for signal in (theme.notifier.changed, theme.notifier.fonts_changed):
        found[f"heard {signal.signal}"] = theme.notifier.receivers(signal)
    return found


def close_others(window: QWidget) -> None:
    # Not by findChildren, which goes through thousands of objects: what is a window of its own is listed here.
    for top in QApplication.topLevelWidgets():
        if top is not window and top.isVisible() and isinstance(top, QDialog | QMenu):
            top.close()


def stays(window: MainWindow, once: Callable[[], None], times: int = FEWER) -> dict[str, int]:
    """How many objects more of each class there are after many times than after the first few."""
    for _ in range(FIRST):
        once()
    before = objects(window)
    for _ in range(times - FIRST):
        once()
    after = objects(window)
    return {name: after[name] - before[name] for name in after if after[name] > before[name]}


@pytest.mark.parametrize("name", DIALOGS)
def test_no_dialog_leaves_anything(window: MainWindow, name: str) -> None:
    window.services.select("alpha")

    def once() -> None:
        window.actions_[name].trigger()
        settle()
        close_others(window)

    assert stays(window, once, FEWER if name in SLOW else TIMES) == {}


@pytest.mark.parametrize("name", TOGGLED)
def test_nothing_that_is_shown_and_hidden_leaves_anything(window: MainWindow, name: str) -> None:
    def once() -> None:
        for _ in range(2):
            window.actions_[name].trigger()
            settle()

    assert stays(window, once) == {}


def test_neither_the_dock_of_faults_nor_a_page_with_some_leaves_anything(open_window: Open) -> None:
    slow = {"kind": "delay", "name": "slow", "jitter_ms": 5.0}
    window = open_window(config("alpha", faults=(slow, {"kind": "reset", "nth": 2})), config("beta", 9008))
    alpha = window._post.services["alpha"].faults

    def once() -> None:
        window.actions_["faults"].trigger()
        window.workbench.show_faults("alpha", 1)
        settle()
        window.workbench.pages["alpha"].show_fault(0)
        alpha.switch(alpha.all[0], on=not alpha.all[0].enabled)
        settle()
        window.workbench.close("alpha")
        window.actions_["faults"].trigger()
        settle()

    assert stays(window, once) == {}


def test_a_network_that_comes_and_goes_leaves_nothing(open_window: Open) -> None:
    window = open_window(config("alpha"))
    window.services.select("alpha")
    window.actions_["faults"].trigger()
    dock = window.faults.dock

    def once() -> None:
        dock.put_preset(PRESETS[4])
        settle()
        assert len(dock.rows) == 4
        dock.put_preset(None)
        settle()
        assert not dock.rows

    assert stays(window, once) == {}


def test_no_pane_and_no_page_leaves_anything(window: MainWindow) -> None:
    def once() -> None:
        for name in PLACES:
            window.actions_[name].trigger()
            settle()

    assert stays(window, once) == {}


@pytest.mark.parametrize("place", [Place.SERVICE, Place.EVENTS, Place.CONNECTION, Place.STRIKES, Place.GROUP])
def test_no_context_menu_leaves_anything(window: MainWindow, place: Place) -> None:
    window.services.select("alpha")

    def once() -> None:
        window.actions_.popup(place, window.mapToGlobal(window.rect().center()))
        settle()
        close_others(window)

    assert stays(window, once, TIMES) == {}


def test_every_action_that_opens_something_is_among_these(window: MainWindow) -> None:
    """An action whose text ends in … opens a dialog: a new one is tried here, too."""
    asking = {name for name, action in window.actions_.declared.items() if action.text.endswith("…")}
    elsewhere = {
        "open_workspace", "save_workspace_as", "open_capture", "save_capture_as",  # the system's dialogs of files
        "save_report", "palette", "note", "send",  # need an event or a connection
    }  # fmt: skip
    assert asking - elsewhere <= {*DIALOGS, *PLACES}
