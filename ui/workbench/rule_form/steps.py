"""The steps of a script's rule: a row for each, with a verb and what belongs to it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from PyQt5.QtCore import QEvent, QObject, QPoint, Qt, pyqtSignal
from PyQt5.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PyQt5.QtWidgets import (
    QGridLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.options import Option
from app.responders.script.rules import STEPS, WITH_TEMPLATE, steps_problem
from ui.forms.dropdown import Dropdown
from ui.forms.form import Words, sentence, set_property, tab_through
from ui.parts.close_button import close_button
from ui.workbench.rule_form.arrangement import Row
from ui.workbench.rule_form.grip import paint_grip
from ui.workbench.rule_form.offered_names import Offers
from ui.workbench.rule_form.template_line import TemplateLine

EXAMPLES = {
    "send": "OK {{count}}", "send-hex": "01 02 ff", "send-file": "answer.bin", "raw": "OK", "wait": "0.5",
    "log": "{{message}}", "fail": "on purpose",
}  # fmt: skip
"""What a new step has behind its verb; verbs that are not here stand alone."""

_PROBLEM = re.compile(r"step (\d+): (.*)", re.DOTALL)


class Grip(QWidget):
    """What a row is dragged by.

    Signals:
        dragged(QPoint): the pointer is there now, in the coordinates of the screen.
    """

    dragged = pyqtSignal(QPoint)

    def __init__(self) -> None:
        super().__init__()
        self.setFixedSize(16, 24)
        self.setCursor(Qt.SizeVerCursor)
        self.setToolTip(self.tr("Drag to move (Alt+Up, Alt+Down)"))

    def paintEvent(self, event: QPaintEvent) -> None:
        paint_grip(QPainter(self), self.rect())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        event.accept()  # or it would not get the moves

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.LeftButton:
            self.dragged.emit(event.globalPos())


class StepEdit(QWidget):
    """One step.

    Signals:
        changed(): it was edited.
        removed(), moved(int): the user takes it away, or moves it by so many rows.
        dragged(QPoint): it is dragged to that place on the screen.
    """

    changed = pyqtSignal()
    removed = pyqtSignal()
    moved = pyqtSignal(int)
    dragged = pyqtSignal(QPoint)

    def __init__(self, line: str, verbs: list[str], offers: Offers) -> None:
        super().__init__()
        verb, _, rest = line.lstrip().partition(" ")
        self.verb = Dropdown()
        self.verb.addItems(verbs if verb in verbs else [*verbs, verb])
        self.verb.setCurrentText(verb)
        self.verb.setAccessibleName(self.tr("Step"))
        self.argument = TemplateLine(rest, offers)
        self.argument.setProperty("role", "mono")
        self.argument.setAccessibleName(self.tr("Value of the step"))
        self._line = line
        self._before = self.text()
        grip = Grip()
        grip.dragged.connect(self.dragged)
        remove = close_button(self.tr("Remove this step"))
        remove.clicked.connect(self.removed)
        self.words = Words()
        self.words.setMinimumHeight(0)
        self.words.hide()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(2, 1)
        for column, widget in enumerate((grip, self.verb, self.argument, remove)):
            grid.addWidget(widget, 0, column)
        grid.addWidget(self.words, 1, 2)
        self._show_argument()
        for editor in (self.verb, self.argument):
            editor.installEventFilter(self)
        self.verb.currentTextChanged.connect(self._on_verb)
        self.argument.textChanged.connect(lambda _: self.changed.emit())

    def text(self) -> str:
        verb, rest = self.verb.currentText(), self.argument.text()
        return f"{verb} {rest}" if rest and (verb in EXAMPLES or verb not in STEPS) else verb

    def value(self) -> str:
        """The step as the workspace has it; as it was given while it is not edited."""
        return self._line if self.text() == self._before else self.text()

    def tell(self, problem: str) -> None:
        self.words.setVisible(bool(problem))
        self.words.say(sentence(problem) if problem else "", "error")
        set_property(self.argument, "invalid", bool(problem))
        self.argument.setAccessibleDescription(problem)

    def _on_verb(self, verb: str) -> None:
        if self.argument.text() in ("", *EXAMPLES.values()):
            self.argument.setText(EXAMPLES.get(verb, ""))
        self._show_argument()
        self.changed.emit()

    def _show_argument(self) -> None:
        verb = self.verb.currentText()
        self.argument.setVisible(verb in EXAMPLES or verb not in STEPS)
        self.argument.template = verb in WITH_TEMPLATE

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Alt+Up and Alt+Down move the row; a combo box would open its list."""
        if event.type() == QEvent.KeyPress and isinstance(event, QKeyEvent) and event.modifiers() & Qt.AltModifier:
            by = {Qt.Key_Up: -1, Qt.Key_Down: 1}.get(event.key())  # type: ignore[call-overload]
            if by is not None:
                self.moved.emit(by)
                return True
        return bool(super().eventFilter(watched, event))


class StepsRow(QWidget):
    """All steps of a rule, and a button that adds one.

    Signals:
        changed(str): a step was edited, added, moved or taken away; carries the name of the option.
    """

    changed = pyqtSignal(str)

    def __init__(
        self, row: Row, options: Mapping[str, Option], values: Mapping[str, Any], protocol: str, offers: Offers
    ) -> None:
        super().__init__()
        [self._name] = row.names
        self._protocol, self._offers = protocol, offers
        self._verbs = [verb for verb, protocols in STEPS.items() if protocol in protocols]
        self.steps: list[StepEdit] = []
        self._column = QVBoxLayout()
        self._column.setSpacing(6)
        self.add_button = QPushButton(self.tr("+ Step"))
        self.add_button.setProperty("link", True)
        self.add_button.setAutoDefault(False)
        self.add_button.clicked.connect(self._add_example)
        self._words = Words()
        self._words.setMinimumHeight(0)
        self._words.hide()
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(6)
        whole.addLayout(self._column)
        whole.addWidget(self._words)
        whole.addWidget(self.add_button, 0, Qt.AlignLeft)
        for line in values.get(self._name, options[self._name].default):
            self._insert(str(line), len(self.steps))

    def values(self) -> dict[str, Any]:
        return {self._name: [step.value() for step in self.steps]}

    def tell(self, problems: Mapping[str, str], hints: Mapping[str, str]) -> None:
        """Show what is wrong at the step that it is wrong with."""
        problem = problems.get(self._name) or steps_problem([step.value() for step in self.steps], self._protocol) or ""
        found = _PROBLEM.fullmatch(problem)
        at = int(found[1]) - 1 if found else -1
        for number, step in enumerate(self.steps):
            step.tell(found[2] if found and number == at else "")
        rest = "" if found and 0 <= at < len(self.steps) else problem
        hint = "" if problem else hints.get(self._name, "")
        self._words.setVisible(bool(rest or hint))
        self._words.say(sentence(rest or hint) if rest or hint else "", "error" if rest else "warning")

    def focus(self, name: str = "") -> None:
        (self.steps[0].argument if self.steps else self.add_button).setFocus(Qt.OtherFocusReason)

    def _insert(self, line: str, at: int) -> StepEdit:
        step = StepEdit(line, self._verbs, self._offers)
        step.changed.connect(self._on_change)
        step.removed.connect(partial(self._remove, step))
        step.moved.connect(partial(self._move, step))
        step.dragged.connect(partial(self._drag, step))
        self.steps.insert(at, step)
        self._column.insertWidget(at, step)
        return step

    def _add_example(self) -> None:
        step = self._insert(f"send {EXAMPLES['send']}", len(self.steps))
        tab_through(self)
        step.argument.setFocus(Qt.OtherFocusReason)
        step.argument.selectAll()
        self._on_change()

    def _remove(self, step: StepEdit) -> None:
        at = self.steps.index(step)
        self.steps.remove(step)
        self._column.removeWidget(step)
        step.hide()
        step.deleteLater()
        (self.steps[min(at, len(self.steps) - 1)].argument if self.steps else self.add_button).setFocus()
        self._on_change()

    def _move(self, step: StepEdit, by: int) -> None:
        to = self.steps.index(step) + by
        if not 0 <= to < len(self.steps):
            return
        self.steps.remove(step)
        self.steps.insert(to, step)
        self._column.removeWidget(step)
        self._column.insertWidget(to, step)
        tab_through(self)
        self._on_change()

    def _drag(self, step: StepEdit, at: QPoint) -> None:
        y = self.mapFromGlobal(at).y()
        index = self.steps.index(step)
        if index and y < self.steps[index - 1].geometry().center().y():
            self._move(step, -1)
        elif index < len(self.steps) - 1 and y > self.steps[index + 1].geometry().center().y():
            self._move(step, 1)

    def _on_change(self) -> None:
        self.changed.emit(self._name)
