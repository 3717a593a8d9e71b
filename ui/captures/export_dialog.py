"""The dialog that exports a capture, or a part of it, to a file of another format, in a thread."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from PyQt5.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, Qt, QTimer, pyqtSignal
from PyQt5.QtGui import QCloseEvent
from PyQt5.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)
from twisted.internet.defer import Deferred

from app.capture.filters.errors import FilterError
from app.capture.filters.language import Filter, parse
from app.capture.reading.store import Store
from app.errors import PostError
from app.exports import formats as exporters
from app.exports.formats import Exporter
from app.exports.part import Part
from app.exports.selection import Selection
from app.files import errors
from app.files.names import typed
from app.files.replacing import replacing
from app.text.escapes import amount
from ui.forms.form import Form, Words, sentence, tell
from ui.looks.declared import in_words
from ui.looks.english import form_of
from ui.parts.default_button import make_default

InThread = Callable[..., Deferred[Any]]

POLL = 100
"""Milliseconds between two updates of the progress bar."""

TIME_HELP = QT_TRANSLATE_NOOP("ExportDialog", "For example 12:03:00, 2026-11-20T12:03:00, or -5m for five minutes ago")

ALL, SHOWN, CONNECTION = "all", "shown", "connection"


@dataclass
class Run:
    """The progress of an export. Its thread writes it, the window reads it.

    Attributes:
        looked_at: events of the capture that were passed so far, of ``total``.
        stopped: set by the window to stop the export.
    """

    looked_at: int = 0
    total: int = 0
    stopped: bool = False

    @property
    def thousandths(self) -> int:
        return self.looked_at * 1000 // self.total if self.total else 0


class _StoppedError(Exception):
    pass


def export(capture: Path, exporter: Exporter, part: Part, path: Path, run: Run) -> tuple[str, bool]:
    """Write this part of a capture to ``path``, completely or not at all. Blocks.

    Returns a text for the user, and whether the export succeeded.
    """
    try:
        store = Store(capture)
        try:
            selection = Selection(store, exporter, part, partial(_look, run, *store.range()))
            with replacing(path) as out:
                count = selection.write(out)
                size = out.tell() if out.seekable() else 0
        finally:
            store.close()
    except _StoppedError:
        return QCoreApplication.translate("ExportDialog", "Cancelled. Nothing was written."), True
    except PostError as e:
        return str(e), False
    except OSError as e:
        return str(errors.UnwritableError(path=path, reason=e.strerror or e)), False
    missing = f" {sentence(selection.lost.in_words())}" if selection.lost else ""
    units = f"{count:,} {in_words(exporter.unit if count == 1 else exporter.units, form_of(count))}"
    said = QCoreApplication.translate("ExportDialog", "Exported {units} to {path} ({size}).{missing}")
    return said.format(units=units, path=path, size=amount(size), missing=missing), True


def _look(run: Run, first: int, last: int, at: int) -> None:
    if run.stopped:
        raise _StoppedError
    run.total, run.looked_at = last - first + 1, at - first + 1


class ExportDialog(QDialog):
    """Lets the user select what to export, the format and the file, and shows the progress.

    Signals:
        written(str, object): the name of the exporter and the path of a file that was written.
    """

    written = pyqtSignal(str, object)

    def __init__(
        self,
        capture: Path,
        typed: str,
        shown: Part | None,
        conn: int | None,
        in_thread: InThread,
        parent: QWidget | None = None,
        format: str = "",
        folder: Path | None = None,
    ) -> None:
        """``shown``: what the visible pane shows, by the filter ``typed``; None if it cannot be exported.

        ``format`` is the name of the exporter to begin with, ``folder`` that of the file; by default the user's own.
        With a filter, what it shows is what to begin with.
        """
        super().__init__(parent)
        self.setWindowFlag(Qt.WindowContextHelpButtonHint, False)
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Export what was captured"))
        self._capture, self._in_thread = capture, in_thread
        self._parts = {ALL: Part(), SHOWN: shown or Part(), CONNECTION: Part() & Filter("conn = ?", (conn or 0,))}
        self._run: Run | None = None
        self._typed = typed
        self._written = ""
        self._folder = folder or Path.home()
        self._build(shown, conn)
        if (exporter := exporters.find(format)) is not None:
            self.format.setCurrentIndex(self.format.findText(in_words(exporter.title)))
        if typed and shown is not None:
            self.part.setCurrentIndex(self.part.findData(SHOWN))
        self._lay_out()
        self._poll = QTimer(self)
        self._poll.setInterval(POLL)
        self._poll.timeout.connect(self._show_progress)
        self._on_format()
        self._check()

    def _build(self, shown: Part | None, conn: int | None) -> None:
        self.format, self.part = QComboBox(), QComboBox()
        for name in exporters.names():
            exporter = exporters.find(name)
            if exporter is not None:
                self.format.addItem(in_words(exporter.title), exporter)
        self.part.addItem(self.tr("Everything"), ALL)
        if shown is not None:
            self.part.addItem(
                self.tr("What the filter shows") if self._typed else self.tr("What the pane shows"), SHOWN
            )
        if conn is not None:
            self.part.addItem(self.tr("Connection #{conn}").format(conn=conn), CONNECTION)
        self.since, self.until, self.file = QLineEdit(), QLineEdit(), QLineEdit()
        self.since.setPlaceholderText(self.tr("the beginning"))
        self.until.setPlaceholderText(self.tr("the end"))
        self.browse = QPushButton(self.tr("Browse…"))
        self.export_button, self.cancel_button = QPushButton(self.tr("Export")), QPushButton(self.tr("Close"))
        self.export_button.setProperty("primary", True)
        self.cancel_button.setAutoDefault(False)
        self.browse.setAutoDefault(False)
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("Progress"))
        self.bar.hide()
        self.state = Words()
        self.format.activated.connect(lambda _: self._on_format())
        self.part.activated.connect(lambda _: self._check())
        for edit in (self.since, self.until, self.file):
            edit.textChanged.connect(lambda _: self._check())
        self.browse.clicked.connect(self._browse)
        self.export_button.clicked.connect(self.start)
        self.cancel_button.clicked.connect(self._on_cancel)

    def _lay_out(self) -> None:
        form = Form()
        self._format_words = form.add(self.tr("&Format"), self.format)
        self._part_words = form.add(self.tr("&What"), self.part)
        self._since_words = form.add(self.tr("F&rom"), self.since)
        self._until_words = form.add(self.tr("&To"), self.until)
        self._file_words = form.add(self.tr("F&ile"), self.file, self.browse)
        buttons = QHBoxLayout()
        buttons.addWidget(self.state, 1)
        both = QDialogButtonBox()  # in the order of this desktop
        both.addButton(self.export_button, QDialogButtonBox.AcceptRole)
        both.addButton(self.cancel_button, QDialogButtonBox.RejectRole)
        buttons.addWidget(both)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 20, 20, 16)
        column.setSpacing(8)
        column.addLayout(form)
        column.addStretch(1)
        column.addWidget(self.bar)
        column.addLayout(buttons)
        make_default(self.export_button)
        self.resize(680, self.sizeHint().height())

    # -- the settings

    def _on_format(self) -> None:
        exporter = self._exporter()
        self._format_words.say(sentence(in_words(exporter.help)))
        path = self.file.text().strip()
        known = {other.suffix for name in exporters.names() if (other := exporters.find(name))}
        if not path:
            self.file.setText(str(_unused(self._folder, self._capture.stem, exporter.suffix)))
        elif Path(path).suffix in known:
            self.file.setText(str(Path(path).with_suffix(exporter.suffix)))

    def _exporter(self) -> Exporter:
        exporter: Exporter = self.format.currentData()
        return exporter

    def _where(self) -> Part:
        where = self._parts[self.part.currentData()]
        for edit, operator in ((self.since, ">="), (self.until, "<=")):
            if edit.text().strip():
                where = where & _time(operator, edit.text())
        return where

    def _check(self) -> None:
        """Show what is wrong, and enable the export if nothing is."""
        problems = []
        for edit, words in ((self.since, self._since_words), (self.until, self._until_words)):
            problem = _time_problem(edit.text())
            tell(edit, words, problem and sentence(problem), self.tr(TIME_HELP))
            problems.append(problem)
        path = self.file.text().strip()
        problem = None if path else self.tr("Enter the name of a file")
        if path and not os.path.isdir(typed(path).parent):  # unlike a Path's, it is no error where the name is too long
            problem = self.tr("There is no such folder")
        exists = bool(path) and os.path.exists(typed(path)) and path != self._written
        otherwise = self.tr("This file exists: the export replaces it.") if exists else ""
        tell(self.file, self._file_words, problem and sentence(problem), otherwise)
        part = self.part.currentData()
        self._part_words.say(
            self.tr("Filter: {typed}").format(typed=self._typed) if part == SHOWN and self._typed else ""
        )
        self.export_button.setEnabled(self._run is None and not any(problems) and problem is None)

    def _browse(self) -> None:
        dialog = QFileDialog(self, self.tr("Export to"))
        dialog.setAcceptMode(QFileDialog.AcceptSave)
        dialog.setOption(QFileDialog.DontConfirmOverwrite, True)  # the line below the field says so
        dialog.setDefaultSuffix(self._exporter().suffix.lstrip("."))
        dialog.selectFile(self.file.text())
        dialog.setAttribute(Qt.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.file.setText)
        dialog.open()

    # -- the export

    def start(self) -> None:
        """Begin the export, in a thread."""
        run = self._run = Run()
        path = typed(self.file.text().strip())
        self._set_editable(False)
        self.state.say(self.tr("Exporting…"))
        self.bar.setValue(0)
        self.bar.show()
        self._poll.start()
        done = self._in_thread(export, self._capture, self._exporter(), self._where(), path, run)
        done.addCallback(self._on_done, run)

    def stop(self) -> None:
        """Stop an export that is in progress, as soon as possible."""
        if self._run is not None:
            self._run.stopped = True

    def unfinished(self) -> str:
        """The name of the file that is being written; empty if none is."""
        return Path(self.file.text().strip()).name if self._run is not None else ""

    def _show_progress(self) -> None:
        run = self._run
        if run is not None:
            self.bar.setValue(run.thousandths)
            self.state.say(
                self.tr("{looked_at:,} of {total:,} events read").format(looked_at=run.looked_at, total=run.total)
            )

    def _on_done(self, result: tuple[str, bool], run: Run) -> None:
        text, succeeded = result
        if run is not self._run:
            return  # the dialog was closed
        self._run = None
        self._poll.stop()
        self.bar.hide()
        self._written = self.file.text().strip() if succeeded and not run.stopped else ""
        if self._written:
            self.written.emit(self._exporter().name, typed(self._written))
        self._set_editable(True)
        self.state.say(text, "dim" if succeeded else "error")

    def _set_editable(self, allowed: bool) -> None:
        for widget in (self.format, self.part, self.since, self.until, self.file, self.browse):
            widget.setEnabled(allowed)
        self.cancel_button.setText(self.tr("Close") if allowed else self.tr("Cancel"))
        self._check()

    def _on_cancel(self) -> None:
        if self._run is None:
            self.close()
        else:
            self.stop()

    def reject(self) -> None:
        self._on_cancel()

    def closeEvent(self, event: QCloseEvent) -> None:
        # QDialog's own closeEvent calls reject(), which would only cancel a running export.
        self.stop()
        self._run = None
        event.accept()


def _unused(folder: Path, stem: str, suffix: str) -> Path:
    """A path in ``folder`` at which there is nothing yet."""
    names = (f"{stem}{suffix}" if number == 1 else f"{stem}-{number}{suffix}" for number in count(1))
    return next(path for name in names if not os.path.lexists(path := folder / name))


def _time(operator: str, typed: str) -> Filter:
    # In quotes, so that the text cannot contain another condition.
    quoted = typed.strip().replace('"', "")
    return parse(f'time {operator} "{quoted}"')


def _time_problem(typed: str) -> str | None:
    if not typed.strip():
        return None
    try:
        _time(">=", typed)
    except FilterError as e:
        return str(e.fields["reason"])
    return None
