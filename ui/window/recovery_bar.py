"""A bar that says how the program ended, and offers what is left of that run: unsaved changes, the capture."""

from __future__ import annotations

from time import time_ns

from PyQt5.QtCore import Qt, pyqtSignal, pyqtSlot
from PyQt5.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QPushButton, QWidget

from app.capture.keeping.about import About
from app.text.escapes import amount, one_line
from app.workspace.differences import Differences
from app.workspace.drafts import Left
from ui.looks import theme
from ui.looks.english import form_of
from ui.looks.icons import icon
from ui.looks.times import moment
from ui.parts.labels import let_shrink, plain

NAMES = 4
"""Names of services that are listed."""


class RecoveryBar(QFrame):
    """Hidden until it has something to offer. It offers one draft at a time, the newest first.

    Signals:
        wanted: the capture is to be opened; carries its path.
        restore_wanted, discard_wanted: an answer about a draft, which is a ``Left``.
    """

    wanted = pyqtSignal(object)
    restore_wanted = pyqtSignal(object)
    discard_wanted = pyqtSignal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("notice", "warning")
        self._capture: About | None = None
        self._drafts: list[Left] = []
        self._mark = QLabel()
        self._paint_mark()
        self.label, self.draft_label, self.capture_label = (_words() for _ in range(3))
        self.restore = self._button(
            self.tr("&Restore"), self.tr("Put the changes into the workspace. Undo removes them again")
        )
        self.discard = self._button(self.tr("&Discard"), self.tr("Delete the unsaved changes"))
        self.open_button = self._button(self.tr("Open &it"), self.tr("Open the capture in another window"))
        self.later = self._button(
            self.tr("N&ot now"), self.tr("Leave the capture in the data folder. Open it later with File, Open capture")
        )
        self.restore.clicked.connect(lambda: self._answer(self.restore_wanted))
        self.discard.clicked.connect(lambda: self._answer(self.discard_wanted))
        self.open_button.clicked.connect(self._open)
        self.later.clicked.connect(self._leave_capture)
        self._lay_out()
        theme.notifier.changed.connect(self._paint_mark)
        self.hide()

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(0, 1)
        grid.addWidget(self.label, 0, 0, 1, 3)
        for row, (words, yes, no) in enumerate(
            ((self.draft_label, self.restore, self.discard), (self.capture_label, self.open_button, self.later)), 1
        ):
            grid.addWidget(words, row, 0)
            grid.addWidget(yes, row, 1, Qt.AlignTop)
            grid.addWidget(no, row, 2, Qt.AlignTop)
        whole = QHBoxLayout(self)
        whole.setContentsMargins(12, 6, 6, 6)
        whole.setSpacing(8)
        whole.addWidget(self._mark, 0, Qt.AlignTop)
        whole.addLayout(grid, 1)

    def _button(self, text: str, tip: str) -> QPushButton:
        button = QPushButton(text)
        button.setToolTip(tip)
        button.setAutoDefault(False)
        return button

    @pyqtSlot()
    def _paint_mark(self, *_: object) -> None:
        self._mark.setPixmap(icon("warning", "warning").pixmap(16, 16))

    # -- what is offered

    def offer(self, found: About) -> None:
        """Offer this capture, which was not closed."""
        self._capture = found
        self._show()

    def offer_drafts(self, drafts: list[Left]) -> None:
        """Offer these drafts, the newest first."""
        self._drafts = list(drafts)
        self._show()

    def _show(self) -> None:
        draft, capture = self._drafts[0] if self._drafts else None, self._capture
        if draft is not None and draft.in_order and capture is None:
            self.label.setText(self._in_order(draft.written))
        else:
            self.label.setText(self._heading(draft.written if draft is not None and not draft.in_order else None))
        for widget in (self.draft_label, self.restore, self.discard):
            widget.setVisible(draft is not None)
        for other in (self.capture_label, self.open_button, self.later):
            other.setVisible(capture is not None)
        if draft is not None:
            title, changes = (
                one_line(draft.origin.title),
                self._changes(draft.differences, new=draft.origin.path is None),
            )
            words = self.tr("The unsaved changes to “{title}” are still here.\n{changes}")
            self.draft_label.setText(words.format(title=title, changes=changes).strip())
            self.draft_label.setToolTip(plain(one_line(str(draft.origin.path))) if draft.origin.path else "")
        if capture is not None:
            count = capture.last - capture.first + 1
            words = self.tr(
                "Nothing is missing from its capture: {count:,} event(s), {size}.\n{path}", "", form_of(count)
            )
            self.capture_label.setText(words.format(count=count, size=amount(capture.bytes), path=capture.path))
        self.setVisible(draft is not None or capture is not None)

    def _heading(self, ended: float | None) -> str:
        if ended is None:
            return self.tr("Last time, Listening Post ended unexpectedly.")
        then = moment(int(ended * 1e9))
        if then.date() == moment(time_ns()).date():
            return self.tr("Listening Post ended unexpectedly at {time}.").format(time=f"{then:%H:%M}")
        words = self.tr("Listening Post ended unexpectedly on {day} at {time}.")
        return words.format(day=f"{then:%Y-%m-%d}", time=f"{then:%H:%M}")

    def _in_order(self, ended: float) -> str:
        then = moment(int(ended * 1e9))
        words = self.tr("The system ended Listening Post on {day} at {time}, before everything was saved.")
        return words.format(day=f"{then:%Y-%m-%d}", time=f"{then:%H:%M}")

    def _changes(self, found: Differences, *, new: bool) -> str:
        """What changed, in one line: “Added shop. Removed api, rest.”; ``new``: it was never saved to a file."""
        words = []
        for text, names in (
            (self.tr("Its services: {names}.") if new else self.tr("Added {names}."), found.added),
            (self.tr("Changed {names}."), found.changed),
            (self.tr("Removed {names}."), found.removed),
        ):
            if names:
                shown = ", ".join(one_line(name) for name in names[:NAMES])
                more = self.tr("{names} and {count} more").format(names=shown, count=len(names) - NAMES)
                words.append(text.format(names=more if len(names) > NAMES else shown))
        if found.others:
            words.append(self.tr("Other changes.") if words else self.tr("Changed messages or order."))
        return " ".join(words)

    # -- answers

    def _answer(self, signal: object) -> None:
        draft = self._drafts.pop(0)
        self._show()
        signal.emit(draft)  # type: ignore[attr-defined]

    def _open(self) -> None:
        found, self._capture = self._capture, None
        self._show()
        if found is not None:
            self.wanted.emit(found.path)

    def _leave_capture(self) -> None:
        self._capture = None
        self._show()


def _words() -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    let_shrink(label)
    label.setTextFormat(Qt.PlainText)
    return label
