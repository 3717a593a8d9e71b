"""The rules of a service: rows at the left, the form of the current one at the right, and above what is tried."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtGui import QResizeEvent
from PyQt5.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSplitter, QVBoxLayout, QWidget

from app.capture.filters.completion import Suggestion
from app.capture.reading.reader import Reader
from app.options import Mistake, Option
from app.responders.rulebook import title_of
from app.responders.trial import Trial, can_try
from app.text.escapes import one_line
from app.text.variables import Variables
from app.workspace.rules_toml import rules_from_toml, rules_to_toml
from ui.forms.form import tab_through, title
from ui.looks import theme
from ui.workbench.rule_form.arrangement import NEW, SWITCH, arrangement
from ui.workbench.rule_form.form import RuleForm
from ui.workbench.rule_form.names import suggestions
from ui.workbench.rules.model import Kind, RulesModel
from ui.workbench.rules.trial_panel import TrialPanel
from ui.workbench.rules.try_bar import TryBar
from ui.workbench.rules.view import RulesView

LEFT, SHARE = 310, 0.34
"""Pixels of the rows before the user moves the divider, and the most of the width that they take then."""


class RulesSection(QWidget):
    """The whole of it. It knows nothing of the service: it is given rules, and says that they were edited.

    Attributes:
        rules, view, form: the rows, their list, and the form of the current one.
        bar, panel: what is tried, and what comes of it.

    Signals:
        edited(str, str): the rules were edited: words for it, and a key that is the same while one types.
        refused(str): what could not be done, and why.
        recount(list or None): the user wants the rules with these indexes, or all, to be counted anew.
    """

    edited = pyqtSignal(str, str)
    refused = pyqtSignal(str)
    recount = pyqtSignal(object)

    def __init__(
        self, responder: str, protocol: str, declared: Option, reader: Reader, variables: Callable[[], Variables]
    ) -> None:
        """``variables()`` are those of the workspace."""
        super().__init__()
        self._declared, self._variables = declared, variables
        self._faults: dict[int, dict[str, str]] = {}
        self._hints: dict[int, dict[str, str]] = {}
        self._trial: Trial | None = None
        switchable = any(option.name == SWITCH for option in declared.of)
        read = partial(rules_from_toml, responder=responder, protocol=protocol)
        new, self._first = NEW.get(responder, ({}, ""))
        titled = partial(_title, responder, protocol, declared)
        self.rules = RulesModel(Kind(titled, read, rules_to_toml, switchable, new))
        self.view = RulesView(self.rules)
        arranged = arrangement(responder, declared.of)
        options = {option.name: option for option in declared.of}
        self.form = RuleForm(protocol, lambda _: (options, arranged), partial(self._names, responder))
        self.bar = TryBar(reader, protocol)
        self.panel = TrialPanel()
        self.panel.hide()
        self._lay_out()
        self.bar.setVisible(can_try(responder, protocol))
        self.view.chosen.connect(self._on_chosen)
        self.view.refused.connect(self.refused)
        self.view.recount.connect(self.recount)
        self.rules.edited.connect(self._on_rows)
        self.form.changed.connect(self._on_form)
        self.bar.toggled.connect(self._on_toggled)
        self.panel.chosen.connect(self.view.choose)
        self.setFocusProxy(self.view)

    def _lay_out(self) -> None:
        add = self.add_button = QPushButton(self.tr("+ Rule"))
        add.clicked.connect(self._add)
        paste = QPushButton(self.tr("Paste"))
        paste.setToolTip(self.tr("Paste rules that were copied here or from a workspace (Ctrl+V)"))
        paste.clicked.connect(self.view.paste)
        self.reset_button = QPushButton(self.tr("Reset counts"))
        self.reset_button.setToolTip(
            self.tr("Set the hit counts of all rules to 0. A rule that applies a limited number of times applies again")
        )
        self.reset_button.clicked.connect(lambda: self.recount.emit(None))
        buttons = self._buttons = QHBoxLayout()
        buttons.setContentsMargins(12, 8, 12, 8)
        buttons.setSpacing(8)
        for button in (add, paste, self.reset_button):
            button.setAutoDefault(False)
            buttons.addWidget(button)
        buttons.addStretch(1)
        self._empty = QLabel(self.tr("No rule yet. Add one, or paste some."))
        self._empty.setProperty("role", "dim")
        self._empty.setWordWrap(True)
        self._empty.setContentsMargins(16, 12, 16, 0)
        left = self._left = QWidget()
        left.setProperty("surface", "panel")
        left.setAttribute(Qt.WA_StyledBackground)
        left.setMinimumWidth(150)
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._empty)
        column.addWidget(self.view, 1)
        column.addLayout(buttons)
        self.splitter = QSplitter(Qt.Horizontal)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setHandleWidth(1)
        self.splitter.addWidget(left)
        self.splitter.addWidget(self.form)
        self.splitter.setStretchFactor(1, 1)
        self.splitter.setMinimumHeight(1)  # where there is little room, what is tried keeps its height
        self.splitter.splitterMoved.connect(self._on_splitter)
        self._moved = False
        line = self._line = _hairline()
        line.hide()
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        for part in (self.bar, _hairline(), self.panel, line):
            whole.addWidget(part)
        whole.addWidget(self.splitter, 1)

    def _on_toggled(self, on: bool) -> None:
        self.panel.setVisible(on)
        self._line.setVisible(on)
        self._fold_rules()

    def _fold_rules(self) -> None:
        """Leave the rules out where there is no room for them below an answer."""
        least = sum(part.minimumSizeHint().height() for part in (self.bar, self.splitter)) + self.panel.least
        self.splitter.setVisible(self.panel.isHidden() or self.height() >= least)

    def _on_splitter(self) -> None:
        self._moved = True
        self._fold()

    def _fold(self) -> None:
        """Leave out a button that has no room. What it does is in the menu of the rows, too."""
        self.reset_button.show()
        self.reset_button.setVisible(self._buttons.minimumSize().width() <= self.splitter.sizes()[0])

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Share the room, until the user moves the divider."""
        super().resizeEvent(event)
        if not self._moved:
            width = event.size().width()
            left = min(LEFT + 12 * (theme.notifier.fonts.size - theme.POINTS), round(SHARE * width))
            self.splitter.setSizes([left, width - left])
        self._fold()
        self._fold_rules()

    def order(self) -> tuple[QWidget, ...]:
        """The parts that Tab goes through, in their order."""
        return self.bar, self._left, self.form.widget()

    # -- the rules

    def set_rules(self, tables: Sequence[Mapping[str, Any]]) -> None:
        """Show other rules, with the same row current."""
        at = max(0, self.view.at())
        before = self.rules.row(at)
        same = before is not None and at < len(tables) and before.table == tables[at]
        self.view.blockSignals(True)
        self.rules.set_tables(tables)
        if tables:
            self.view.choose(at)
        self.view.blockSignals(False)
        if not same or not self.form.groups:
            self._on_chosen(self.view.at())
        self._show_empty()

    def choose(self, at: int, key: str = "") -> None:
        """Show a rule, with the keyboard in the editor of one of its options."""
        self.view.choose(at)
        if key:
            self.form.focus(key)

    def show_mistakes(self, mistakes: Sequence[Mistake], hints: Sequence[Mistake]) -> None:
        """Show what is wrong with the rules: in their rows, and at the fields of the current one; there also hints."""
        self._faults, self._hints = _by_rule(mistakes), _by_rule(hints)
        said = {at: self._said(*next(iter(wrong.items()))) for at, wrong in self._faults.items()}
        self.rules.set_mistakes(said)
        self._tell()

    def _names(self, responder: str, begun: str, filter: bool) -> tuple[Suggestion, ...]:
        """The names that a template of the current rule can have."""
        row = self.rules.row(self.view.at())
        rule = row.table if row is not None else {}
        return suggestions(begun, filter=filter, responder=responder, rule=rule, variables=self._variables())

    def _said(self, key: str, text: str) -> str:
        return f"{title(key)} {text}" if key else text

    def _tell(self) -> None:
        wrong = dict(self._faults.get(self.view.at(), {}))
        if "" in wrong:  # between several options: told at the first one
            first = next((option.name for option in self._declared.of if option.name != SWITCH), "")
            wrong.setdefault(first, wrong.pop(""))
        self.form.tell(wrong, self._hints.get(self.view.at(), {}))

    def _on_chosen(self, at: int) -> None:
        row = self.rules.row(at)
        self.form.show_rule(row.table if row is not None else None)
        tab_through(*self.order())
        self._tell()
        self._show_body()

    def _add(self) -> None:
        self.view.add()
        self.form.focus(self._first)

    def _on_form(self, name: str) -> None:
        at = self.view.at()
        if at >= 0:
            self.rules.change(at, self.form.table())
            self._show_body()
            self.edited.emit(self.tr("editing rule {number}").format(number=at + 1), f"rule {at} {name}")

    def _on_rows(self, words: str) -> None:
        row = self.rules.row(self.view.at())
        if row is not None and row.table != self.form.table():
            self._on_chosen(self.view.at())
        elif row is None:
            self._on_chosen(-1)
        self._show_empty()
        self.edited.emit(words, "")

    def _show_empty(self) -> None:
        self._empty.setVisible(not self.rules.rowCount())
        self.setFocusProxy(self.view if self.rules.rowCount() else self.add_button)

    # -- the try

    def show_trial(self, trial: Trial | None) -> None:
        """Mark the rows with what comes of a try, and show the answer."""
        self._trial = trial
        self.rules.set_trial(trial.rule if trial else None, trial.why if trial else ())
        titles = [f"{row.asks}" for at in range(self.rules.rowCount()) if (row := self.rules.row(at)) is not None]
        self.panel.show_trial(trial, titles)
        self._show_body()

    def _show_body(self) -> None:
        body, trial = self.form.body(), self._trial
        if body is None:
            return
        takes = trial is not None and trial.rule == self.view.at() and trial.answer is not None
        answer = trial.answer if trial is not None and takes else None
        body.show_rendered(answer.body[: 64 << 10].decode("utf-8", "replace") if answer is not None else None)


def _by_rule(mistakes: Sequence[Mistake]) -> dict[int, dict[str, str]]:
    """The words of mistakes, by the index of the rule and the option; the first of each option."""
    found: dict[int, dict[str, str]] = {}
    for mistake in mistakes:
        if mistake.table is not None:
            found.setdefault(mistake.table, {}).setdefault(mistake.key, mistake.text)
    return found


def _title(responder: str, protocol: str, declared: Option, rule: Mapping[str, Any]) -> tuple[str, str]:
    """The two lines of a rule; of a plugin's, what is set of it."""
    asks, does = title_of(responder, protocol, rule)
    if asks or does:
        return asks, does
    words = [one_line(f"{name} {value}") for name, value in rule.items() if name != SWITCH]
    first = declared.of[0].name if declared.of else ""
    return one_line(str(rule.get(first, first)))[:120], ", ".join(words)[:120]


def _hairline() -> QWidget:
    line = QWidget()
    line.setFixedHeight(1)
    line.setProperty("surface", "line")
    line.setAttribute(Qt.WA_StyledBackground)
    return line
