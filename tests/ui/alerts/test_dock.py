"""The dock of alerts, and what it leads to."""

from __future__ import annotations

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication
from twisted.internet.defer import Deferred

from app.alerts.alert import Alert
from app.alerts.lanes import Outcome
from app.alerts.mail import Mail
from app.workspace.reading import Workspace
from tests.ui.conftest import Open
from tests.ui.desk import config, do, settle
from tests.ui.test_accessible import nameless
from ui.alerts.dialog import AlertDialog
from ui.alerts.dock import AlertsDock
from ui.alerts.mail_dialog import MailDialog
from ui.manual.places import explained_by
from ui.window.main_window import MainWindow

pytestmark = pytest.mark.usefixtures("dark")

ERRORS = Alert("errors", "http.status >= 500", 10, then=("notify", "stop alpha", "mail qa@example.org"))
FAILS = Alert("fails", "failure")


@pytest.fixture
def window(open_window: Open) -> MainWindow:
    window = open_window(config("alpha"))
    window.edits.change("alerts", Workspace(window.edits.state.services, alerts=(ERRORS, FAILS)))
    settle()
    do(window, "alerts")
    return window


def dock_of(window: MainWindow) -> AlertsDock:
    return window.alerts.dock


def test_each_alert_has_a_row_with_its_state(window: MainWindow) -> None:
    dock = dock_of(window)
    assert dock.isVisible()
    assert [(row.name.text(), row.condition.text(), row.state.text()) for row in dock.rows.values()] == [
        ("errors", "http.status >= 500 · 10 within 60 s", "armed"), ("fails", "failure", "armed"),
    ]  # fmt: skip
    assert dock.rows["errors"].done.text() == "notify · stop alpha · mail qa@example.org"
    assert dock.figures.text() == "2 armed, 0 raised"
    alerts = window._post.alerts
    watched = alerts.watched["errors"]
    watched.state, watched.quiet_until, watched.raised_at = "raised", alerts.now + 300, 1_700_000_000_000_000_000
    alerts.lanes.outcomes["errors", "notify"] = Outcome(True, "shown")
    alerts.lanes.outcomes["errors", "mail qa@example.org"] = Outcome(False, "It is down.", 20)
    alerts.changed.emit(alerts)
    assert "quiet for 300 s more" in dock.rows["errors"].state.text()
    assert dock.rows["errors"].done.text() == (
        "notify ✓ · stop alpha · mail qa@example.org will be tried again: It is down"
    )
    assert dock.figures.text() == "1 armed, 1 raised"
    assert nameless(dock) == []
    assert explained_by(dock) == "alerts"


def test_what_the_buttons_lead_to(window: MainWindow) -> None:
    dock = dock_of(window)
    QTest.mouseClick(dock.rows["errors"].events, Qt.LeftButton)
    assert window.filter.text() == "http.status >= 500"
    QTest.mouseClick(dock.rows["errors"].edit, Qt.LeftButton)
    dialog = QApplication.activeModalWidget()
    assert isinstance(dialog, AlertDialog)
    assert nameless(dialog) == []
    assert dialog.alert() == ERRORS
    dialog.cancel()
    QTest.mouseClick(dock.mail, Qt.LeftButton)
    dialog = QApplication.activeModalWidget()
    assert isinstance(dialog, MailDialog)
    assert nameless(dialog) == []
    dialog.given.emit(Mail("mail.example.org", "post@example.org"), "")
    dialog.cancel()
    assert window.edits.state.mail == Mail("mail.example.org", "post@example.org")
    QTest.mouseClick(dock.rows["fails"].remove, Qt.LeftButton)
    settle()
    assert window.edits.state.alerts == (ERRORS,)
    assert list(dock.rows) == ["errors"]
    do(window, "undo")
    settle()
    assert list(dock.rows) == ["errors", "fails"]
    assert list(window._post.alerts.watched) == ["errors", "fails"]


def test_an_alert_is_made_of_the_filter_in_use_in_any_pane(window: MainWindow) -> None:
    window.panes.setCurrentWidget(window.panes.http)
    window.filter.setText('service == "alpha"')
    window.filter.apply()
    menu = window.filter.saved_menu()
    next(action for action in menu.actions() if action.text() == "Alert on this filter…").trigger()
    menu.close()
    dialog = QApplication.activeModalWidget()
    assert isinstance(dialog, AlertDialog)
    assert dialog.alert() == Alert('service == "alpha"', 'service == "alpha"')
    dialog._accept()
    settle()
    assert window.edits.state.alerts[-1].when == 'service == "alpha"'
    assert window.edits.stack.undoText() == 'adding the alert “service == "alpha"”'


def test_trying_says_the_verdict_of_each_action(window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting: list[Deferred[Outcome]] = []

    def attempt(alert: Alert, action: str, means: object = None) -> Deferred[Outcome]:
        waiting.append(Deferred())
        return waiting[-1]

    monkeypatch.setattr(window._post.alerts, "attempt", attempt)
    dock = dock_of(window)
    QTest.mouseClick(dock.rows["errors"].try_it, Qt.LeftButton)
    assert dock.verdict.text() == "errors is being tried…"
    for outcome in (Outcome(True, "shown"), Outcome(True, "would stop alpha"), Outcome(False, "It is down.")):
        waiting[-1].callback(outcome)
    assert dock.verdict.text().splitlines() == [
        "✓ notify: shown", "✓ stop alpha: would stop alpha", "✗ mail qa@example.org: It is down.",
    ]  # fmt: skip
    assert dock.verdict.property("role") == "error"
    QTest.keyClick(dock, Qt.Key_Escape)
    assert not dock.isVisible()
