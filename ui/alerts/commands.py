"""The dock of alerts, their forms, and what the actions on alerts do. Each method has the name of its action."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from PyQt5.QtCore import QCoreApplication
from PyQt5.QtWidgets import QApplication, QMainWindow
from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure

from app.alerts import password
from app.alerts.actions import brief
from app.alerts.alert import Alert
from app.alerts.errors import AlertError
from app.alerts.mail import Mail
from app.post import Post
from ui.alerts.changes import AlertChanges
from ui.alerts.desktop import Desktop
from ui.bridge import Bridge
from ui.edits import Edits
from ui.parts.docks import add_below

if TYPE_CHECKING:
    from ui.alerts.dock import AlertsDock

HEIGHT = 240
"""Pixels of the dock when it is shown first."""

Verdict = Callable[[str, bool], object]


class AlertCommands:
    """Makes the dock when it is first wanted, and shows what alerts tell."""

    def __init__(
        self,
        post: Post,
        edits: Edits,
        bridge: Bridge,
        window: QMainWindow,
        say: Callable[[str], object],
        typed: Callable[[], str],
        show_filtered: Callable[[str], object],
    ) -> None:
        """``say`` shows a line in the window; ``typed()`` is the filter in use; ``show_filtered`` applies one."""
        self._post, self._bridge, self._window = post, bridge, window
        self._say, self._typed, self._show_filtered = say, typed, show_filtered
        self.changes = AlertChanges(edits, window)
        self.desktop = Desktop(say, window)
        post.alerts.means.show = self.desktop.show
        post.alerts.means.beep = QApplication.beep
        edits.changed.connect(self._on_changed)
        bridge.alerts_changed.connect(self._on_changed)

    @cached_property
    def dock(self) -> AlertsDock:
        """The dock, hidden at first."""
        from ui.alerts.dock import AlertsDock

        dock = AlertsDock(self._post.alerts, self.changes, self._window)
        add_below(self._window, dock, HEIGHT)
        dock.edit_wanted.connect(self.edit)
        dock.try_wanted.connect(self._try)
        dock.events_wanted.connect(self._show_events)
        dock.mail_wanted.connect(self.mail_settings)
        return dock

    def _on_changed(self) -> None:
        if "dock" in vars(self):
            self.dock.refresh()

    # -- the actions

    def alerts(self) -> None:
        dock = self.dock
        if dock.isVisible():
            dock.close()
            return
        dock.open()
        dock.refresh()
        dock.begin()

    def alert_on_filter(self) -> None:
        """Make an alert of the filter in use."""
        self.edit("", self._typed().strip())

    def mail_settings(self) -> None:
        from ui.alerts.mail_dialog import MailDialog

        dialog = MailDialog(self.changes.mail, self._try_mail, self._window)
        dialog.given.connect(self._set_mail)
        dialog.open()

    def edit(self, name: str, when: str = "") -> None:
        """Show the form of the alert of this name; "": of a new one, with the filter ``when``."""
        from ui.alerts.dialog import AlertDialog

        alert = next((one for one in self.changes.alerts if one.name == name), None)
        dialog = AlertDialog(alert, when, self.changes, self.attempt, self._window)
        dialog.given.connect(lambda given: self._put(given, alert.name if alert is not None else ""))
        dialog.open()

    def _put(self, alert: Alert, before: str) -> None:
        self.changes.put(alert, before)
        if not self.dock.isVisible():
            self.alerts()

    def _show_events(self, name: str) -> None:
        alert = next((one for one in self.changes.alerts if one.name == name), None)
        if alert is not None:
            self._show_filtered(alert.when)

    # -- trying

    def attempt(self, alert: Alert, verdict: Verdict) -> None:
        """Do all actions of an alert as a test; ``verdict`` gets the words for each, and whether all went well."""

        async def attempt() -> None:
            lines, well = [], True
            for action in dict.fromkeys(alert.then):
                outcome = await self._post.alerts.attempt(alert, action)
                well = well and outcome.done
                lines.append(f"{'✓' if outcome.done else '✗'} {brief(action)}: {outcome.words}")
            nothing = QCoreApplication.translate("AlertCommands", "This alert does nothing. Give it an action.")
            verdict("\n".join(lines) or nothing, well)

        Deferred.fromCoroutine(attempt())

    def _try(self, name: str) -> None:
        alert = next((one for one in self.changes.alerts if one.name == name), None)
        if alert is not None:
            self.dock.tell(QCoreApplication.translate("AlertCommands", "{name} is being tried…").format(name=name))
            self.attempt(alert, lambda words, well: self.dock.tell(words, well=well))

    def _try_mail(self, mail: Mail, typed: str, to: str, verdict: Verdict) -> None:
        alerts = self._post.alerts
        means = replace(alerts.means, mail=mail)
        if typed:
            means.password = lambda server, user: succeed(typed)
        tested = Alert(QCoreApplication.translate("AlertCommands", "mail settings"), "failure")

        async def attempt() -> None:
            outcome = await alerts.attempt(tested, f"mail {to}", means)
            verdict(outcome.words, outcome.done)

        Deferred.fromCoroutine(attempt())

    # -- mail

    def _set_mail(self, mail: Mail | None, typed: str) -> None:
        self.changes.set_mail(mail)
        if mail is not None and mail.user and typed:
            keeping = password.keep(self._post.alerts.means.reactor, mail.server, mail.user, typed)
            keeping.addErrback(self._on_not_kept)

    def _on_not_kept(self, failure: Failure) -> None:
        failure.trap(AlertError)
        self._say(failure.getErrorMessage())

    # -- the keyboard
