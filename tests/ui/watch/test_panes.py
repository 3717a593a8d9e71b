"""Panes leave checks out until they are asked for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.watch.config import WatchConfig
from tests.ui.conftest import Open
from tests.ui.desk import config, do

pytestmark = pytest.mark.usefixtures("dark")


def test_panes_leave_checks_out_until_they_are_asked_for(open_window: Open) -> None:
    window = open_window(config("echo", 9001))

    def hidden() -> bool:
        return "watch" in window.panes.all.events.base.sql

    assert not hidden()  # there are none
    state = window.edits.state
    window.edits.change("a", replace(state, watches=(WatchConfig("a", "tcp://127.0.0.1:1"),)))
    window.bridge._tick()
    assert hidden()
    assert window.panes.conversations.events.base.sql
    window.filter.setText('watch.name == "a"')
    window.filter.apply()
    assert not hidden()
    window.filter.setText("")
    window.filter.apply()
    assert hidden()
    do(window, "show_checks")
    assert not hidden()
    assert window.actions_["show_checks"].isChecked()
    do(window, "show_checks")
    assert hidden()
    do(window, "undo")
    window.bridge._tick()
    assert not hidden()
