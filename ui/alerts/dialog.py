"""The form of one alert."""

from __future__ import annotations

from collections.abc import Callable

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import QDialogButtonBox, QPushButton, QVBoxLayout, QWidget

from app.alerts.alert import ALERT, Alert, unknown_services
from ui.alerts.changes import AlertChanges
from ui.alerts.words import known_actions
from ui.forms.form import OptionForm, Words, Wrapped
from ui.parts.careful_dialog import CarefulDialog
from ui.parts.fitting import fit
from ui.parts.scrolled import Scrolled

EXAMPLE = "kind in {failure, service.failed, watch.failed}"
"""The filter of a new alert."""

Try = Callable[[Alert, Callable[[str, bool], object]], object]
"""Does all actions of an alert as a test, and calls its second argument with the verdict, and whether it is good."""


class AlertDialog(CarefulDialog):
    """Fills in an alert, which can be tried before it is kept.

    Attributes:
        form: its options.
        words: what is wrong with it as a whole, or what became of what was tried.
        try_it: tries what is typed.

    Signals:
        given(object): the Alert, as the user wants it.
    """

    given = pyqtSignal(object)

    def __init__(
        self, alert: Alert | None, when: str, changes: AlertChanges, attempt: Try, parent: QWidget | None = None
    ) -> None:
        """``alert`` is edited; None: a new one, with the filter ``when``, is made."""
        super().__init__(parent)
        when = when or EXAMPLE
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setWindowFlag(Qt.WindowContextHelpButtonHint, False)
        self.setWindowTitle(self.tr("New alert") if alert is None else self.tr("Alert {name}").format(name=alert.name))
        self._changes, self._attempt = changes, attempt
        self._before = alert.name if alert is not None else ""
        self._alive = True
        table = alert.as_table() if alert is not None else {"name": self._unused(when), "when": when}
        self._made = table["name"] if alert is None else None  # of the filter, and still the name
        self.form = OptionForm(ALERT, table)
        actions = Wrapped(known_actions())
        actions.setProperty("role", "dim")
        self.words = Words()
        self.buttons = QDialogButtonBox(QDialogButtonBox.Ok | QDialogButtonBox.Cancel)
        self.try_it = QPushButton(self.tr("&Try it"))
        self.try_it.setToolTip(self.tr("Send a test through each action of the alert; no service is stopped"))
        self.try_it.setAutoDefault(False)
        self.buttons.addButton(self.try_it, QDialogButtonBox.ActionRole)
        ok = self.buttons.button(QDialogButtonBox.Ok)
        ok.setText(self.tr("&Add") if alert is None else self.tr("&Apply"))
        ok.setProperty("primary", True)
        for button in self.buttons.buttons():
            button.setIcon(type(button.icon())())
        inside = QWidget()
        inside.setProperty("surface", "panel")
        inside.setAttribute(Qt.WA_StyledBackground)
        within = QVBoxLayout(inside)
        within.setContentsMargins(0, 0, 8, 0)
        within.addWidget(self.form)
        within.addWidget(actions)
        within.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(8)
        column.addWidget(Scrolled(inside, 16), 1)
        column.addWidget(self.words)
        column.addWidget(self.buttons)
        self.form.changed.connect(self._on_typed)
        self.buttons.accepted.connect(self._accept)
        self.buttons.rejected.connect(self.cancel)
        self.try_it.clicked.connect(self._try)
        self.finished.connect(self._on_finished)
        letter = self.fontMetrics().horizontalAdvance("0")
        self.resize(letter * 84, self.fontMetrics().lineSpacing() * 43)
        fit(self)
        self._check()
        self.untouched()

    def typed(self) -> object:
        return self.form.options()

    def lost(self) -> str:
        return self.tr("Discard what you typed for this alert?")

    def alert(self) -> Alert:
        """What is typed. It may have problems."""
        return Alert.of({"name": "", "when": ""} | self.form.options())

    def _unused(self, when: str) -> str:
        """A name that no other alert has, made of the filter."""
        taken = {one.name for one in self._changes.alerts}
        first = " ".join(when.split())[:50].strip() or self.tr("errors")
        names = (first, *(f"{first} {number}" for number in range(2, 1_000)))
        return next(name for name in names if name not in taken)

    def _problem(self) -> str:
        """What is wrong with it among the others; "": nothing."""
        alert = self.alert()
        if any(one.name == alert.name != self._before for one in self._changes.alerts):
            return self.tr("Another alert is called {name}. Choose another name.").format(name=alert.name)
        if unknown := unknown_services(alert, self._changes.services):
            return self.tr("There is no service called {name} to stop. Choose one of this workspace.").format(
                name=unknown[0]
            )
        return ""

    def _on_typed(self) -> None:
        """The name of a new one goes with the filter until another is typed."""
        typed = self.form.options()
        if self._made is not None and typed["name"] != self._made:
            self._made = None
        elif self._made is not None and (name := self._unused(typed["when"])) != self._made:
            self._made = name
            self.form.put("name", name)
        self._check()

    def _check(self) -> bool:
        right = self.form.check()
        problem = self._problem() if right else ""
        self.words.say(problem, "error")
        right = right and not problem
        self.buttons.button(QDialogButtonBox.Ok).setEnabled(right)
        self.try_it.setEnabled(right)
        return right

    def _accept(self) -> None:
        if self._check():
            self.given.emit(self.alert())
            self.accept()

    def _try(self) -> None:
        if self._check():
            self.try_it.setEnabled(False)
            self.words.say(self.tr("Trying the alert…"))
            self._attempt(self.alert(), self._on_tried)

    def _on_tried(self, verdict: str, well: bool) -> None:
        if self._alive:
            self.try_it.setEnabled(True)
            if self.buttons.isAncestorOf(self.focusWidget()):  # a disabled button gives it to the next, which is Cancel
                self.try_it.setFocus()
            self.words.say(verdict, "dim" if well else "error")

    def _on_finished(self, _: int) -> None:
        self._alive = False
