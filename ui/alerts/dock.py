"""The dock with the alerts of the workspace."""

from __future__ import annotations

from PyQt5.QtCore import Qt, QTimer, pyqtSignal
from PyQt5.QtGui import QCloseEvent
from PyQt5.QtWidgets import QDockWidget, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from app.alerts.live import Alerts
from ui.alerts.changes import AlertChanges
from ui.alerts.row import AlertRow
from ui.forms.form import Words, Wrapped
from ui.parts.bottom_dock import BottomDock
from ui.parts.line import Line
from ui.parts.scrolled import Scrolled

LINES = 6
"""Lines of text for which there is always room."""

SECOND = 1_000
"""Milliseconds between two looks at the clock while an alert is raised."""


class AlertsDock(BottomDock):
    """A row for each alert, in the order of the workspace.

    Attributes:
        rows: by the name of the alert.
        add, mail: buttons of the title.
        verdict: what became of what the user tried.

    Signals:
        edit_wanted(str): the form of the alert of this name; "": of a new one.
        try_wanted(str), events_wanted(str): as of the rows.
        mail_wanted(): the mail settings.
    """

    edit_wanted = pyqtSignal(str)
    try_wanted = pyqtSignal(str)
    events_wanted = pyqtSignal(str)
    mail_wanted = pyqtSignal()

    def __init__(self, alerts: Alerts, changes: AlertChanges, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Alerts"))
        self.setObjectName("alerts dock")
        self.setAllowedAreas(Qt.BottomDockWidgetArea | Qt.TopDockWidgetArea)
        self.setFeatures(QDockWidget.DockWidgetClosable)
        self._alerts, self._changes = alerts, changes
        self.rows: dict[str, AlertRow] = {}
        self.figures = Line()
        self.add = QPushButton(self.tr("Add an alert…"))
        self.mail = QPushButton(self.tr("Mail settings…"))
        self.verdict = Words()
        self._clock = QTimer(self)
        self._clock.setInterval(SECOND)
        self._clock.timeout.connect(self.show_states)
        self._lay_out()
        self.add.clicked.connect(lambda: self.edit_wanted.emit(""))
        self.mail.clicked.connect(self.mail_wanted)
        self.refresh()

    def _lay_out(self) -> None:
        rows = QWidget()
        self._column = QVBoxLayout(rows)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addStretch(1)
        self._stack = QStackedWidget()
        for part in (rows, self._nothing()):
            part.setProperty("surface", "panel")
            part.setAttribute(Qt.WA_StyledBackground)
            self._stack.addWidget(Scrolled(part, LINES))
        self.verdict.setContentsMargins(12, 4, 12, 8)
        self.verdict.hide()
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._stack, 1)
        column.addWidget(self.verdict)
        self.setWidget(whole)
        self.set_title(self.tr("ALERTS"), self.figures, self.add, self.mail)

    def _nothing(self) -> QWidget:
        words = Wrapped(
            self.tr(
                "There is no alert yet. An alert counts the stored events that match its filter. When "
                "enough of them come within its time, it shows a notification, plays a sound, sends a "
                "mail, calls a webhook or stops a service."
            )
        )
        hint = Wrapped(self.tr("Or type a filter above the panes, and choose “Alert on this filter…” in its menu."))
        hint.setProperty("role", "dim")
        empty = QWidget()
        column = QVBoxLayout(empty)
        column.setContentsMargins(16, 8, 16, 12)
        column.setSpacing(8)
        column.addWidget(words)
        column.addWidget(hint)
        column.addStretch(1)
        return empty

    # -- what is shown

    def refresh(self) -> None:
        """Alerts, or what became of them, may be others."""
        alerts = self._changes.alerts
        if [row.alert for row in self.rows.values()] != list(alerts):
            for row in self.rows.values():
                self._column.removeWidget(row)
                row.hide()
                row.deleteLater()
            self.rows = {}
            for at, alert in enumerate(alerts):
                row = self.rows[alert.name] = AlertRow(alert)
                row.edit_wanted.connect(self.edit_wanted)
                row.try_wanted.connect(self.try_wanted)
                row.events_wanted.connect(self.events_wanted)
                row.remove_wanted.connect(self._changes.remove)
                self._column.insertWidget(at, row)
        self._stack.setCurrentIndex(0 if alerts else 1)
        mail = self._changes.mail
        self.mail.setToolTip(
            self.tr("Set the mail server that alerts use, and the login there")
            if mail is None
            else self.tr("Mail goes through {server}").format(server=mail.address)
        )
        self.show_states()

    def show_states(self) -> None:
        """States may be others, if only because time has passed."""
        now, lanes, watched = self._alerts.now, self._alerts.lanes, self._alerts.watched
        for name, row in self.rows.items():
            row.refresh(watched.get(name), lanes, now)
        raised = sum(one.state == "raised" for one in watched.values())
        words = self.tr("{armed} armed, {raised} raised").format(armed=len(watched) - raised, raised=raised)
        if lanes.waiting:
            words = self.tr("{words}, {count} to be sent").format(words=words, count=lanes.waiting)
        words = words if self.rows else ""
        if words != self.figures.text():
            self.figures.setText(words)
        if raised and self.isVisible():
            self._clock.start()
        else:
            self._clock.stop()

    def tell(self, text: str, *, well: bool = True) -> None:
        """Say below the alerts what became of what was tried; "": nothing."""
        self.verdict.setVisible(bool(text))
        self.verdict.say(text, "dim" if well else "error")

    # -- the dock itself

    def begin(self) -> None:
        """Take the keyboard."""
        first = next(iter(self.rows.values()), None)
        (self.add if first is None else first.edit).setFocus(Qt.ShortcutFocusReason)

    def closeEvent(self, event: QCloseEvent) -> None:
        self._clock.stop()
        self.tell("")
        super().closeEvent(event)
