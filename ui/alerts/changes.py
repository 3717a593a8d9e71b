"""Changes of the alerts of the workspace and of its mail settings, as steps that can be undone."""

from __future__ import annotations

from dataclasses import replace

from PyQt5.QtCore import QObject

from app.alerts.alert import Alert
from app.alerts.mail import Mail
from ui.edits import Edits, put_among


class AlertChanges(QObject):
    """Adds, changes and removes alerts."""

    def __init__(self, edits: Edits, parent: QObject) -> None:
        super().__init__(parent)
        self._edits = edits

    @property
    def alerts(self) -> tuple[Alert, ...]:
        return self._edits.state.alerts

    @property
    def mail(self) -> Mail | None:
        return self._edits.state.mail

    @property
    def services(self) -> list[str]:
        """The names of the services."""
        return [service.name for service in self._edits.state.services]

    def put(self, alert: Alert, before: str = "") -> None:
        """Add an alert, or put it in the place of the one called ``before``."""
        text = self.tr("editing the alert “{name}”") if before else self.tr("adding the alert “{name}”")
        self._change(text.format(name=before or alert.name), put_among(self.alerts, alert, before))

    def remove(self, name: str) -> None:
        """Remove the alert of this name."""
        text = self.tr("removing the alert “{name}”").format(name=name)
        self._change(text, tuple(one for one in self.alerts if one.name != name))

    def set_mail(self, mail: Mail | None) -> None:
        """Send mail so from now on; None: there is no mail."""
        self._edits.change(self.tr("mail settings"), replace(self._edits.state, mail=mail))

    def _change(self, text: str, alerts: tuple[Alert, ...]) -> None:
        self._edits.change(text, replace(self._edits.state, alerts=alerts))
