"""The dialog Capture: the capture's path, its size limit, and how long captures are kept."""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtCore import QSize, Qt, QUrl
from PyQt5.QtGui import QDesktopServices
from PyQt5.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.capture.keeping.about import size_of
from app.capture.keeping.retention import ours
from app.post import Post
from app.text.escapes import amount
from ui.forms.form import Form, Words
from ui.looks.english import form_of
from ui.looks.icons import icon
from ui.parts.default_button import make_default
from ui.parts.progress_line import InThread
from ui.settings import Settings

GB = 1_000_000_000


class CaptureDialog(QDialog):
    """Shows and edits the settings of captures. The limit applies to the next capture, the rest at the next start."""

    def __init__(self, post: Post, settings: Settings, in_thread: InThread, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setWindowFlag(Qt.WindowContextHelpButtonHint, False)
        self.setWindowTitle(self.tr("Capture"))
        self._post, self._settings = post, settings
        self._open = True
        self._folder = post.capture.parent if post.capture else post.capturing.folder
        self.limit = QDoubleSpinBox()
        self.limit.setRange(0.01, 1000)
        self.limit.setDecimals(2)
        self.limit.setSuffix(self.tr(" GB"))
        self.limit.setValue(settings.capture_limit / GB)
        self.days = QSpinBox()
        self.days.setRange(0, 3650)
        self.days.setSpecialValueText(self.tr("forever"))
        self.days.setSuffix(self.tr(" days"))
        self.days.setValue(settings.keep_days)
        self.total = QDoubleSpinBox()
        self.total.setRange(0, 10_000)
        self.total.setDecimals(1)
        self.total.setSpecialValueText(self.tr("no limit"))
        self.total.setSuffix(self.tr(" GB"))
        self.total.setValue(settings.keep_total / GB)
        self._lay_out()
        in_thread(_taken, post.capturing.folder).addCallback(self._say_taken)
        self.finished.connect(self._on_finished)

    def _lay_out(self) -> None:
        where = QLineEdit(str(self._post.capture or self._folder))
        where.setReadOnly(True)
        where.setCursorPosition(0)
        where.setMinimumWidth(380)
        self.reveal = QPushButton(self.tr(" Reveal folder"))
        self.reveal.setIcon(icon("folder-open"))
        self.reveal.setIconSize(QSize(14, 14))
        self.reveal.setAutoDefault(False)
        self.reveal.setToolTip(self.tr("Show the capture in the file manager"))
        self.reveal.clicked.connect(lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._folder))))
        form = Form()
        held, recorder = self._post.recorder.range, self._post.recorder
        count = max(0, held.last - held.first + 1)
        form.add(self.tr("This capture"), where, self.reveal).say(
            self.tr("{bytes}, {count:,} event(s)", "", form_of(count)).format(bytes=amount(held.bytes), count=count)
            + (self.tr("; {lost:,} lost").format(lost=recorder.lost) if recorder.lost else "")
        )
        form.add(self.tr("&Size limit"), self.limit).say(
            self.tr("When a capture grows beyond this size, its oldest events are dropped.")
        )
        form.add(self.tr("&Keep captures"), self.days).say(
            self.tr("Older captures in the data folder are deleted when the program starts.")
        )
        self.taken = form.add(self.tr("&All captures"), self.total)
        self.taken.say(self.tr("Counting…"))
        words = Words()
        words.say(
            self.tr(
                "Only captures that still have the name given by the program are deleted, never those "
                "that you saved. An event says which were deleted. The size limit applies from the next "
                "capture on, the rest from the next start of the program on."
            )
        )
        buttons = QDialogButtonBox(QDialogButtonBox.Save | QDialogButtonBox.Cancel)
        buttons.button(QDialogButtonBox.Save).setProperty("primary", True)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(10)
        layout.addLayout(form)
        layout.addWidget(words)
        layout.addStretch()
        layout.addWidget(buttons)
        make_default(buttons.button(QDialogButtonBox.Save))

    def _say_taken(self, taken: tuple[int, int]) -> None:
        if self._open:
            count, size = taken
            words = self.tr(
                "When all captures together are larger, the oldest are deleted. Now %n capture(s) (takes|take) {size}.",
                "",
                count,
            )
            self.taken.say(words.format(size=amount(size)))

    def _on_finished(self, _: int) -> None:
        self._open = False

    def accept(self) -> None:
        self._settings.capture_limit = round(self.limit.value() * GB)
        self._settings.keep_days = self.days.value()
        self._settings.keep_total = round(self.total.value() * GB)
        super().accept()


def _taken(folder: Path) -> tuple[int, int]:
    """Number and total bytes of the captures in the folder. Blocks."""
    captures = ours(folder)
    return len(captures), sum(map(size_of, captures))
