"""The forms of an alert and of mail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QDialogButtonBox
from pytestqt.qtbot import QtBot

from app.alerts.actions import all_actions
from app.alerts.alert import Alert
from app.alerts.mail import Mail
from app.alerts.password import VARIABLE
from ui.alerts.dialog import EXAMPLE, AlertDialog
from ui.alerts.mail_dialog import MailDialog


class Changes:
    """In the place of the workspace."""

    alerts = (Alert("taken", "failure"),)
    services = ("echo",)


@pytest.fixture
def opened(qtbot: QtBot) -> Callable[..., AlertDialog]:
    def open_(alert: Alert | None = None, when: str = "", attempt: Any = None) -> AlertDialog:
        changes: Any = Changes()
        dialog = AlertDialog(alert, when, changes, attempt)
        dialog.setAttribute(Qt.WA_DeleteOnClose, False)
        qtbot.addWidget(dialog)
        dialog.show()
        return dialog

    return open_


def ok(dialog: Any) -> Any:
    return dialog.buttons.button(QDialogButtonBox.Ok)


def fill(dialog: Any, name: str, text: str) -> None:
    editor = dialog.form._rows[name][0]
    getattr(editor, "setPlainText", getattr(editor, "setText", None))(text)


def test_a_new_one_can_be_kept_as_it_is(opened: Callable[..., AlertDialog]) -> None:
    dialog = opened()
    assert dialog.alert() == Alert(EXAMPLE, EXAMPLE)
    assert ok(dialog).isEnabled()


def test_the_name_is_one_that_no_other_has(opened: Callable[..., AlertDialog]) -> None:
    assert opened(when="taken").alert().name == "taken 2"


def test_the_name_goes_with_the_filter_until_another_is_typed(opened: Callable[..., AlertDialog]) -> None:
    dialog = opened()
    fill(dialog, "when", "kind == watch.failed")
    assert dialog.alert() == Alert("kind == watch.failed", "kind == watch.failed")
    fill(dialog, "name", "down")
    fill(dialog, "when", "failure")
    assert dialog.alert() == Alert("down", "failure")
    kept = opened(Alert("failure", "failure"))
    fill(kept, "when", "kind == watch.failed")
    assert kept.alert().name == "failure"


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("name", "taken", "Another alert is called taken"),
        ("when", "size >", "at character 7"),
        ("when", "time > -5m", "is looked at once"),
        ("then", "stop nothing", "There is no service called nothing"),
        ("then", "fax 123", "Fax 123 is nothing that an alert can do"),
        ("then", "mail me", "must be an address"),
        ("then", "webhook ftp://x", "must begin with"),
        ("count", "0", "at least 1"),
    ],
)
def test_what_is_wrong_is_told_and_cannot_be_kept(
    opened: Callable[..., AlertDialog], name: str, text: str, words: str
) -> None:
    dialog = opened()
    fill(dialog, name, text)
    told = f"{dialog.words.text()} {dialog.form._rows[name][1].text()}"
    assert words in told
    assert not ok(dialog).isEnabled()
    assert not dialog.try_it.isEnabled()


def test_what_is_typed_can_be_tried_before_it_is_kept(opened: Callable[..., AlertDialog]) -> None:
    tried: list[Alert] = []

    def attempt(alert: Alert, verdict: Callable[[str, bool], object]) -> None:
        tried.append(alert)
        verdict("✗ notify: nobody is here", False)

    dialog = opened(attempt=attempt)
    QTest.mouseClick(dialog.try_it, Qt.LeftButton)
    assert tried == [dialog.alert()]
    assert dialog.focusWidget() is dialog.try_it  # Return tries it again, and does not cancel
    assert dialog.words.text() == "✗ notify: nobody is here"
    assert dialog.try_it.isEnabled()


def test_every_action_is_named(opened: Callable[..., AlertDialog]) -> None:
    from PyQt5.QtWidgets import QLabel

    dialog = opened()
    text = "\n".join(label.text() for label in dialog.findChildren(QLabel))
    assert all(f"{action.name} {action.argument}".strip() + ": " in text for action in all_actions().values())


def test_mail_settings(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    sent: list[tuple[Mail, str, str]] = []
    given: list[tuple[Any, str]] = []

    def attempt(mail: Mail, typed: str, to: str, verdict: Callable[[str, bool], object]) -> None:
        sent.append((mail, typed, to))
        verdict("mail.example.org:587 took the mail to qa@example.org", True)

    dialog = MailDialog(None, attempt)
    dialog.setAttribute(Qt.WA_DeleteOnClose, False)
    qtbot.addWidget(dialog)
    dialog.given.connect(lambda mail, typed: given.append((mail, typed)))
    dialog.show()
    assert not ok(dialog).isEnabled()
    fill(dialog, "server", "mail.example.org")
    fill(dialog, "from", "post@example.org")
    assert ok(dialog).isEnabled()
    assert not dialog.password.isEnabled()
    fill(dialog, "user", "post")
    dialog.password.setText("s3cret")
    dialog.to.setText("qa")
    assert not dialog.test.isEnabled()
    dialog.to.setText("qa@example.org")
    QTest.mouseClick(dialog.test, Qt.LeftButton)
    mail = Mail("mail.example.org", "post@example.org", user="post")
    assert sent == [(mail, "s3cret", "qa@example.org")]
    assert "took the mail" in dialog.words.text()
    dialog.form._rows["tls"][0].setCurrentIndex(2)
    assert "for all to read" in dialog.words.text()
    assert not ok(dialog).isEnabled()
    dialog.form._rows["tls"][0].setCurrentIndex(0)
    ok(dialog).click()
    assert given == [(mail, "s3cret")]
