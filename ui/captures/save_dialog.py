"""The dialog that saves a copy of a capture. The user selects what the copy contains, and the file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PyQt5.QtCore import Qt
from PyQt5.QtGui import QCloseEvent, QShowEvent
from PyQt5.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)
from twisted.python.failure import Failure

from app.capture.filters import language as filters
from app.capture.filters.language import EVERYTHING
from app.capture.keeping.saving import CANNOT_SEE, CancelledError, Saved, Saving, save
from app.capture.schema import SUFFIX
from app.errors import PostError
from app.text import patterns
from app.text.escapes import amount
from ui.forms.form import Words, column, sentence
from ui.looks.english import form_of
from ui.parts.default_button import make_default
from ui.parts.progress_line import InThread, ProgressLine, Work

WIDTH, PATTERNS_HEIGHT = 580, 84


class SaveDialog(QDialog):
    """Saves a copy of a capture, and stays open until saving is done or cancelled.

    Attributes:
        saving: the name of the file that is being written; empty while none is.
    """

    def __init__(
        self,
        source: Path,
        typed: str,
        in_thread: InThread,
        flush: Callable[[], None] = lambda: None,
        parent: QWidget | None = None,
    ) -> None:
        """``typed``: the current filter. ``flush`` stores the events that are still in memory."""
        super().__init__(parent)
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setWindowFlag(Qt.WindowContextHelpButtonHint, False)
        self.setWindowTitle(self.tr("Save a copy of the capture"))
        self.saving = ""
        self._source, self._typed, self._in_thread, self._flush = source, typed.strip(), in_thread, flush
        self.bare = QCheckBox(self.tr("Without &payloads"))
        self.redacted = QCheckBox(self.tr("&Redacted"))
        self.patterns = QPlainTextEdit()
        self.patterns.setProperty("role", "mono")
        self.patterns.setTabChangesFocus(True)
        self.patterns.setAccessibleName(self.tr("Patterns to redact"))
        self.patterns.setPlaceholderText(self.tr("token=(\\w+)\none regular expression in each line"))
        self.patterns.setFixedHeight(PATTERNS_HEIGHT)
        self.filtered = QCheckBox()
        self.words = Words()
        self.progress = ProgressLine()
        self.setFixedWidth(WIDTH)
        self._lay_out()
        for button in (self.bare, self.redacted):
            button.toggled.connect(lambda _: self._enable())
        self.patterns.textChanged.connect(self._enable)
        self._enable()
        self.resize(560, self.sizeHint().height())

    def _lay_out(self) -> None:
        shown = self._typed if len(self._typed) <= 60 else f"{self._typed[:60]}…"
        self.filtered.setText(self.tr("Only what the filter shows:  {shown}").format(shown=shown).replace("&", "&&"))
        self.filtered.setVisible(bool(self._typed))
        self._choices, self._patterns = QWidget(), _indented(self.patterns)
        bare = self.tr(
            "Keeps times, sizes, requests and their headers. Leaves out payloads and the local values of failures."
        )
        redacted = self.tr(
            "Replaces the values of Authorization, Proxy-Authorization and cookies by ***, without "
            "changing their length, and so all that your patterns, or the groups in them, match."
        )
        inner = column(
            _heading(self.tr("Save a complete copy of {name}, or:").format(name=self._source.name)),
            self.bare, _about(bare), self.redacted, _about(redacted),
            self._patterns, self._explain(), self.filtered,
        )  # fmt: skip
        self._choices.setLayout(inner)
        self.save_button = QPushButton(self.tr("&Save…"))
        self.save_button.setProperty("primary", True)
        self.save_button.clicked.connect(self._choose)
        self.close_button = QPushButton(self.tr("Close"))
        self.close_button.setAutoDefault(False)
        self.close_button.clicked.connect(self.reject)
        buttons = QHBoxLayout()
        buttons.addWidget(self.progress, 1)
        buttons.addStretch()
        both = QDialogButtonBox()  # in the order of this desktop
        both.addButton(self.save_button, QDialogButtonBox.AcceptRole)
        both.addButton(self.close_button, QDialogButtonBox.RejectRole)
        buttons.addWidget(both)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(10)
        layout.addWidget(self._choices)
        layout.addWidget(self.words)
        layout.addLayout(buttons)
        make_default(self.save_button)

    def _explain(self) -> QWidget:
        self.limits = _about(CANNOT_SEE)
        return self.limits

    def _enable(self) -> None:
        redacted = self.redacted.isChecked()
        self._patterns.setVisible(redacted)
        self.limits.setVisible(redacted)
        self.words.say("")
        self.save_button.setEnabled(True)
        if redacted:
            for number, text in enumerate(self._lines(), 1):
                if problem := patterns.problem(text):
                    self.words.say(
                        self.tr("Pattern {number} {problem}.").format(number=number, problem=problem), "error"
                    )
                    self.save_button.setEnabled(False)
        self._fit()

    def _fit(self) -> None:
        """Resize to the height of the texts that are visible now."""
        layout = self.layout()
        assert layout is not None
        layout.activate()
        self.setFixedHeight(layout.totalHeightForWidth(WIDTH))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._fit()

    def _lines(self) -> list[str]:
        return [line.strip() for line in self.patterns.toPlainText().splitlines() if line.strip()]

    def choices(self) -> Saving:
        """What the user has selected to save."""
        redacted = self.redacted.isChecked()
        where = filters.parse(self._typed) if self.filtered.isChecked() and self._typed else EVERYTHING
        return Saving(where, not self.bare.isChecked(), redacted, tuple(self._lines()) if redacted else ())

    def _choose(self) -> None:
        what = ((self.bare, self.tr("without payloads")), (self.redacted, self.tr("redacted")))
        end = " ".join(words for box, words in what if box.isChecked()) or self.tr("copy")
        name = self._source.with_name(f"{self._source.stem} {end}{SUFFIX}")
        dialog = QFileDialog(
            self,
            self.tr("Save a copy of the capture"),
            str(Path.home() / name.name),
            self.tr("Captures (*{suffix})").format(suffix=SUFFIX),
        )
        dialog.setAcceptMode(QFileDialog.AcceptSave)
        dialog.setDefaultSuffix(SUFFIX.lstrip("."))
        dialog.setAttribute(Qt.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda path: self.save(Path(path)))
        dialog.open()

    def save(self, target: Path) -> None:
        """Begin to save the selected parts to ``target``."""
        self._flush()
        choices, source = self.choices(), self._source
        work = Work(self._in_thread, lambda progress, cancelled: save(source, target, choices, progress, cancelled))
        self.saving = target.name
        self._choices.setEnabled(False)
        self.save_button.hide()
        self.close_button.hide()
        self.words.say("")
        work.result.addBoth(self._settle)
        self.progress.follow(work, self.tr("Saving {name}").format(name=target.name))
        work.result.addCallbacks(lambda saved: self._done(saved, target), self._failed)

    def _settle(self, result: object) -> object:
        self.saving = ""
        self._choices.setEnabled(True)
        self.save_button.show()
        self.close_button.show()
        return result

    def _done(self, saved: Saved, target: Path) -> None:
        count = self.tr("{count:,} event(s)", "", form_of(saved.events)).format(count=saved.events)
        missing = f" {sentence(saved.lost)}" if saved.lost else ""
        self.words.say(
            self.tr("Saved {count}, {bytes}, to {target}.{missing}").format(
                count=count, bytes=amount(saved.bytes), target=target, missing=missing
            )
        )
        self.save_button.setText(self.tr("&Save another…"))

    def _failed(self, failure: Failure) -> None:
        if failure.check(CancelledError):
            self.words.say(self.tr("Cancelled. Nothing was saved."))
            return
        failure.trap(PostError)
        self.words.say(str(failure.value), "error")

    def reject(self) -> None:
        """Cancel saving if it is in progress; otherwise close the dialog."""
        if self.progress.work is not None:
            self.progress.cancel()
        else:
            super().reject()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self.progress.work is not None:
            self.progress.cancel()
            event.ignore()
        else:
            super().closeEvent(event)

    def stop(self) -> None:
        """Cancel saving, because the program ends."""
        self.progress.cancel()


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    label.setTextFormat(Qt.PlainText)
    label.setWordWrap(True)
    label.setContentsMargins(0, 0, 0, 10)
    return label


def _about(text: str) -> QLabel:
    label = QLabel(text)
    label.setWordWrap(True)
    label.setTextFormat(Qt.PlainText)
    label.setProperty("role", "dim")
    label.setContentsMargins(24, 0, 0, 8)
    return label


def _indented(widget: QWidget) -> QWidget:
    whole = QWidget()
    row = QHBoxLayout(whole)
    row.setContentsMargins(24, 0, 0, 8)
    row.addWidget(widget)
    return whole
