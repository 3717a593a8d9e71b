"""Tries what is typed against the rules, without a socket, and shows what comes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PyQt5.QtCore import QObject, QTimer
from twisted.python.failure import Failure

from app.responders.trial import Trial
from app.services.service import Service
from ui.forms.form import sentence
from ui.workbench.rules.section import RulesSection

PAUSE = 150
"""Milliseconds without a key after which what was typed is tried."""


class Trying(QObject):
    """Connects the line *Try it* of a section with the service.

    A trial runs in a thread. An answer that comes after another one was asked for is left out.
    """

    def __init__(
        self, section: RulesSection, service: Callable[[], Service | None], options: Callable[[], dict[str, Any] | None]
    ) -> None:
        """``options()``: those to try, or None while they are wrong."""
        super().__init__(section)
        self._section, self._service, self._options = section, service, options
        self._asked = 0
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(PAUSE)
        self._pause.timeout.connect(self.again)
        section.bar.changed.connect(self._pause.start)
        section.bar.entered.connect(self._on_entered)
        self._closed = self._goes = False

    def let_go(self) -> None:
        """Ignore answers that are still to come: the section is about to be deleted."""
        self._closed = True
        self._pause.stop()

    def again(self) -> None:
        """Try what is typed once more: rules or counts have changed."""
        self._pause.stop()
        self._asked += 1
        bar, service, number = self._section.bar, self._service(), self._asked
        if bar.empty() or service is None:
            self._section.show_trial(None)
            bar.say("")
            return
        try:
            asked = bar.asked()
        except ValueError as e:
            self._section.show_trial(None)
            bar.say(sentence(str(e)), "error")
            return
        options = self._options()
        if options is None:
            self._section.show_trial(None)
            bar.say(self.tr("Not tried: a rule has a mistake. Correct it first."), "warning")
            return
        service.trial(asked, options).addCallbacks(lambda found: self._on_trial(number, found), self._on_failure)

    def _on_trial(self, number: int, trial: Trial) -> None:
        if self._closed or number != self._asked:
            return
        self._section.show_trial(trial)
        if self._goes and trial.rule is not None:
            self._section.view.choose(trial.rule)
        self._goes = False
        if trial.problem:
            words = self.tr("Rule {number} cannot answer: {problem}")
            self._section.bar.say(words.format(number=(trial.rule or 0) + 1, problem=trial.problem), "error")
        elif trial.rule is None:
            status = self.tr(": {status}").format(status=trial.answer.status) if trial.answer else ""
            self._section.bar.say(self.tr("No rule matches{status}").format(status=status), "warning")
        else:
            words = self.tr("✔ Rule {number} matches: {what}")
            self._section.bar.say(words.format(number=trial.rule + 1, what=self._what(trial)), "good")

    def _what(self, trial: Trial) -> str:
        if trial.answer is not None:
            return f"{trial.answer.status} {trial.answer.reason}".strip()
        return "; ".join([step.text for step in trial.steps] or list(trial.notes)) or self.tr("nothing is sent")

    def _on_failure(self, failure: Failure) -> None:
        if not self._closed:
            self._section.show_trial(None)
            self._section.bar.say(failure.getErrorMessage(), "error")

    def _on_entered(self) -> None:
        """Enter: try at once, show the answer and the rule that gives it."""
        self._goes = True
        self.again()
        self._section.bar.show_answer.setChecked(True)
