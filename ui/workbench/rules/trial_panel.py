"""What comes of a try: the answer, and why the rules before it do not take it."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import QSize, Qt, pyqtSignal
from PyQt5.QtWidgets import QListWidget, QListWidgetItem, QPlainTextEdit, QSplitter, QVBoxLayout, QWidget

from app.responders.trial import Trial
from app.text.escapes import escape, one_line

LINES, LEAST = 7, 2
"""Lines that are visible, and where there is little room."""


class TrialPanel(QWidget):
    """Two halves: reasons at the left, the answer at the right.

    Attributes:
        least: the pixels of height below which others give way.

    Signals:
        chosen(int): the user wants to see that rule.
    """

    chosen = pyqtSignal(int)

    def __init__(self) -> None:
        super().__init__()
        self.reasons = QListWidget()
        self.reasons.setProperty("role", "mono")
        self.reasons.setProperty("reasons", True)
        self.reasons.setAccessibleName(self.tr("Why earlier rules do not match"))
        self.reasons.setTextElideMode(Qt.ElideRight)
        self.reasons.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self.reasons.setUniformItemSizes(True)
        self.answer = QPlainTextEdit()
        self.answer.setReadOnly(True)
        self.answer.setProperty("role", "mono")
        self.answer.setProperty("surface", "panel")
        self.answer.setAccessibleName(self.tr("Answer"))
        self.answer.document().setDocumentMargin(8)
        self.answer.setLineWrapMode(QPlainTextEdit.NoWrap)
        splitter = QSplitter(Qt.Horizontal)
        splitter.setChildrenCollapsible(False)
        splitter.setHandleWidth(1)
        splitter.addWidget(self.reasons)
        splitter.addWidget(self.answer)
        splitter.setStretchFactor(0, 1)
        splitter.setStretchFactor(1, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(splitter)
        line = self.answer.fontMetrics().lineSpacing()
        self.least = line * LEAST + 24
        self.setMinimumHeight(1)  # what is tried keeps its height
        self.setMaximumHeight(line * LINES + 24)
        self.reasons.itemActivated.connect(lambda item: self.chosen.emit(self.reasons.row(item)))
        self.reasons.itemClicked.connect(lambda item: self.chosen.emit(self.reasons.row(item)))

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), self.maximumHeight())

    def show_trial(self, trial: Trial | None, titles: Sequence[str]) -> None:
        """Show a trial; ``titles`` are those of the rules."""
        self.reasons.clear()
        self.answer.setPlainText("" if trial is None else text_of(trial))
        if trial is None:
            return
        for at, why in enumerate(trial.why):
            words = self.tr("{number}  {title}: {why}").format(number=at + 1, title=_title(titles, at), why=why)
            self.reasons.addItem(QListWidgetItem(words))
        if trial.rule is not None:
            words = self.tr("{number}  {title}: matches").format(
                number=trial.rule + 1, title=_title(titles, trial.rule)
            )
            self.reasons.addItem(QListWidgetItem(words))


def _title(titles: Sequence[str], at: int) -> str:
    return titles[at] if at < len(titles) else ""


def text_of(trial: Trial) -> str:
    """The answer as text: status line, headers and body, or the steps of a script; then what else happens."""
    lines: list[str] = []
    if trial.answer is not None:
        answer = trial.answer
        lines.append(f"{answer.status} {answer.reason}")
        lines += [one_line(f"{name}: {value}") for name, value in answer.headers]
        if answer.body:
            lines += ["", *_body(answer.body)]
    for step in trial.steps:
        lines.append(one_line(step.text) if step.sends is None else f"send {escape(step.sends)}")
    if trial.logged:
        lines += ["", f"log {one_line(trial.logged)}"]
    if trial.notes or trial.problem:
        lines += ["", *trial.notes, *([trial.problem] if trial.problem else [])]
    return "\n".join(lines)


def _body(body: bytes) -> list[str]:
    return [one_line(line) for line in body[: 64 << 10].decode("utf-8", "surrogateescape").split("\n")]
