"""The mail settings of the workspace, and the password, which is kept elsewhere."""

from __future__ import annotations

import os
from collections.abc import Callable

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import QDialogButtonBox, QLineEdit, QPushButton, QVBoxLayout, QWidget

from app.alerts.mail import MAIL, Mail, mail_address_problem, mail_problem
from app.alerts.password import VARIABLE
from ui.forms.form import Form, OptionForm, Words, Wrapped, sentence, tab_through, tell
from ui.parts.careful_dialog import CarefulDialog
from ui.parts.fitting import fit
from ui.parts.scrolled import Scrolled

Try = Callable[[Mail, str, str, Callable[[str, bool], object]], object]
"""Sends a test mail by these settings, with this password ("": the one that is kept), to this address."""


class MailDialog(CarefulDialog):
    """Fills in ``[mail]``.

    Attributes:
        form: its options.
        password: what is typed goes into the keyring.
        to: where a test mail goes.
        words: what is wrong, or what became of the test.
        test: sends it.

    Signals:
        given(object, str): the Mail, or None where there is to be none; and the password that was typed, or "".
    """

    given = pyqtSignal(object, str)

    def __init__(self, mail: Mail | None, attempt: Try, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setWindowFlag(Qt.WindowContextHelpButtonHint, False)
        self.setWindowTitle(self.tr("Mail settings"))
        self._attempt, self._alive = attempt, True
        intro = Wrapped(
            self.tr(
                "Alerts send mail through this server. The settings are saved in the workspace; the password is not: "
                "it is kept in the keyring of this system."
            )
        )
        intro.setProperty("role", "dim")
        self.form = OptionForm(MAIL, mail.as_table() if mail is not None else {})
        self.password, self.to = QLineEdit(), QLineEdit()
        self.password.setEchoMode(QLineEdit.Password)
        self.password.setPlaceholderText(self.tr("unchanged"))
        self.to.setPlaceholderText(self.tr("such as qa@example.org"))
        self.test = QPushButton(self.tr("Send a &test mail"))
        self.test.setAutoDefault(False)
        more = Form()
        self._kept = more.add(self.tr("&Password"), self.password)
        self._reached = more.add(self.tr("Test mail t&o"), self.to, self.test)
        more.align(self.form.form)
        self.words = Words()
        self.buttons = QDialogButtonBox(QDialogButtonBox.Ok | QDialogButtonBox.Cancel)
        self.buttons.button(QDialogButtonBox.Ok).setProperty("primary", True)
        self.none = QPushButton(self.tr("Send &no mail"))
        self.none.setAutoDefault(False)
        self.none.setToolTip(self.tr("Remove the mail settings from the workspace"))
        self.none.setEnabled(mail is not None)
        self.buttons.addButton(self.none, QDialogButtonBox.ResetRole)
        for button in self.buttons.buttons():
            button.setIcon(type(button.icon())())
        inside = QWidget()
        inside.setProperty("surface", "panel")
        inside.setAttribute(Qt.WA_StyledBackground)
        within = QVBoxLayout(inside)
        within.setContentsMargins(0, 0, 8, 0)
        within.setSpacing(4)
        within.addWidget(intro)
        within.addWidget(self.form)
        within.addLayout(more)
        within.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(8)
        column.addWidget(Scrolled(inside, 16), 1)
        column.addWidget(self.words)
        column.addWidget(self.buttons)
        tab_through(inside, self.buttons)
        self.form.changed.connect(self._check)
        self.to.textChanged.connect(lambda _: self._check())
        self.test.clicked.connect(self._try)
        self.none.clicked.connect(self._give_none)
        self.buttons.accepted.connect(self._accept)
        self.buttons.rejected.connect(self.cancel)
        self.finished.connect(self._on_finished)
        letter = self.fontMetrics().horizontalAdvance("0")
        self.resize(letter * 80, self.fontMetrics().lineSpacing() * 36)
        fit(self)
        self._check()
        self.untouched()

    def typed(self) -> object:
        return self.form.options(), self.password.text()

    def lost(self) -> str:
        return self.tr("Discard what you typed for mail?")

    def _mail(self) -> Mail | None:
        """What is typed, if it is right."""
        if not self.form.check():
            return None
        table = self.form.options()
        if wrong := mail_problem(table):
            self.words.say(sentence(f"{wrong[0]} {wrong[1]}"), "error")
            return None
        return Mail.of(table)

    def _check(self) -> None:
        self.words.say("")
        mail = self._mail()
        self.buttons.button(QDialogButtonBox.Ok).setEnabled(mail is not None)
        to = self.to.text().strip()
        wrong = mail_address_problem(to) if to else None
        tell(
            self.to,
            self._reached,
            wrong and sentence(wrong),
            self.tr("With the settings as typed above; nothing is saved"),
        )
        self.test.setEnabled(mail is not None and bool(to) and wrong is None)
        user = bool(self.form.options().get("user"))
        self.password.setEnabled(user and not os.environ.get(VARIABLE))
        if os.environ.get(VARIABLE):
            self._kept.say(self.tr("{variable} is set, and used").format(variable=VARIABLE))
        else:
            self._kept.say(
                self.tr(
                    "Kept in the keyring; leave it empty to keep the present one. Without a keyring, set {variable}"
                ).format(variable=VARIABLE)
            )

    def _try(self) -> None:
        mail = self._mail()
        if mail is not None:
            self.test.setEnabled(False)
            self.words.say(self.tr("Sending the mail…"))
            self._attempt(mail, self.password.text(), self.to.text().strip(), self._on_tried)

    def _on_tried(self, verdict: str, well: bool) -> None:
        if self._alive:
            self.test.setEnabled(True)
            self.words.say(verdict, "dim" if well else "error")

    def _accept(self) -> None:
        mail = self._mail()
        if mail is not None:
            self.given.emit(mail, self.password.text())
            self.accept()

    def _give_none(self) -> None:
        self.given.emit(None, "")
        self.accept()

    def _on_finished(self, _: int) -> None:
        self._alive = False
