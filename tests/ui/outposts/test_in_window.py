"""Outposts in the whole window: what leads from their menus to other rooms, and from a service here to them."""

from __future__ import annotations

import pytest
from PyQt5.QtWidgets import QApplication, QMenu

from app.outposts.console import Console
from tests.ui.conftest import Open
from tests.ui.desk import settle
from tests.ui.outposts.test_dock import Pi
from ui.window.main_window import MainWindow

pytestmark = [
    pytest.mark.usefixtures("dark"),
    pytest.mark.qt_log_ignore(r"^This plugin does not support (raise\(\)|grabbing the keyboard)$"),
]


def followed(window: MainWindow) -> Pi:
    """The way to an outpost that the window reads."""
    carrier = Pi("change")
    carrier.target = "pi@bench-3"
    console = Console(window._post.sender.reactor, window._post, "desk")
    window.outposts.console = console
    console.add("pi", carrier).open(None, [])  # type: ignore[arg-type]
    window.actions_["outposts"].trigger()
    return carrier


def test_what_an_outpost_has_is_filtered_sent_to_watched_copied_and_changed(open_window: Open) -> None:
    window = open_window()
    carrier = followed(window)
    do = window.outposts.do
    for what, pane in (("failures", "failures"), ("conversations", "conversations"), ("events", "all")):
        do(what, "pi", "echo")
        assert window.panes.current() is getattr(window.panes, pane)
        assert window.filter.text() == "service == pi/echo"
    do("send", "pi", "echo")
    assert window.sending.dock.form.url.text() == "tcp://bench-3:9007"
    do("watch", "pi", "echo")
    assert window.watches.dialog is not None
    assert window.watches.dialog.form.options()["target"] == "pi/echo"
    window.watches.dialog.cancel()
    do("change", "pi", "echo")
    assert window.elsewhere.dialog is not None
    window.elsewhere.dialog.cancel()
    do("take", "pi", "echo")
    settle()
    assert [service.name for service in window.edits.state.services] == ["alpha", "beta", "echo"]
    window.edits.undo()
    assert len(window.edits.state.services) == 2
    assert carrier.asked


def test_a_service_here_is_copied_to_an_outpost(open_window: Open) -> None:
    window = open_window()
    window.services.select("alpha")
    window.actions_["copy_to_outpost"].trigger()
    assert "There is no outpost yet" in window.notices.notice.label.text()
    followed(window)
    window.actions_["copy_to_outpost"].trigger()
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    [action] = menu.actions()
    action.trigger()
    menu.close()
    dialog = window.elsewhere.dialog
    assert dialog is not None
    assert (dialog.title(), dialog.config()) == ("New service on pi", window.edits.state.services[0])
    dialog.cancel()
