"""The user's notes on rows: each text or colour becomes an event of the capture."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PyQt5.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, QObject, QSize, Qt, pyqtSignal
from PyQt5.QtWidgets import (
    QButtonGroup,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.capture.recorder import Recorder
from app.events import COLOURS, Note
from ui.bridge import Bridge
from ui.panes.note_colours import swatch
from ui.parts.careful_dialog import CarefulDialog
from ui.parts.default_button import make_default

MAX_TEXT = 1000
"""Most characters of a note."""

NOTED = "note exists or note.colour exists"
"""The filter for rows with a note or a colour."""

MAX_ROWS = 1000
"""Most rows that get a note at once: each note is an event."""

ONLY_LIVE = QT_TRANSLATE_NOOP(
    "Notes", "An opened capture is read only. Notes can only be added to the capture that is being recorded."
)


class Notes(QObject):
    """Writes notes into the capture that is being written.

    Signals:
        kept: the notes are in the file, and their rows can be read again.
    """

    kept = pyqtSignal()

    def __init__(self, recorder: Recorder, parent: QWidget) -> None:
        super().__init__(parent)
        self._recorder, self._window = recorder, parent
        self._due = 0

    def note(self, ids: Sequence[int], note: Note) -> None:
        """Put the note on these events; an empty one removes theirs."""
        for id in ids[:MAX_ROWS]:
            self._recorder.note(id, note.text, note.colour)
        self._recorder.flush()
        self._due = self._recorder.seen

    def follow(self, bridge: Bridge) -> None:
        """Say when a note is in the file."""
        bridge.ticked.connect(self.on_tick)

    def on_tick(self) -> None:
        """The capture has grown."""
        recorder = self._recorder
        if self._due and recorder.stored + recorder.lost + recorder.not_taken >= self._due:
            self._due = 0
            self.kept.emit()

    def ask(self, ids: Sequence[int], current: Note | None) -> None:
        """Ask for a note on these events; the dialog begins with the note of the current one."""
        dialog = NoteDialog(len(ids), current or Note(""), self._window)
        dialog.written.connect(lambda note: self.note(ids, note))
        dialog.open()


def colour_menu(parent: QMenu, chosen: Callable[[str], object], why_not: str = "") -> QMenu:
    """A menu of the colours; disabled with the reason ``why_not`` if there is one."""
    menu = QMenu("Colour", parent)
    menu.setToolTipsVisible(True)
    for name in (*COLOURS, ""):
        action = menu.addAction(swatch(name), name.capitalize() or QCoreApplication.translate("Notes", "No colour"))
        action.triggered.connect(lambda _=False, name=name: chosen(name))
    if why_not:
        menu.setEnabled(False)
        menu.menuAction().setToolTip(why_not)
    return menu


class NoteDialog(CarefulDialog):
    """A line of text and a colour.

    Signals:
        written: the note; an empty one removes the note that is there.
    """

    written = pyqtSignal(object)

    def __init__(self, count: int, note: Note, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setWindowFlag(Qt.WindowContextHelpButtonHint, False)
        self.setWindowTitle(self.tr("Note") if count == 1 else self.tr("Note on %n row(s)", "", count))
        self.text = QLineEdit(note.text)
        self.text.setMaxLength(MAX_TEXT)
        self.text.setAccessibleName(self.tr("Note"))
        self.text.setPlaceholderText(self.tr("What to remember about (this event|these rows)", "", count))
        self.text.setMinimumWidth(420)
        self._colours = QButtonGroup(self)
        colours = QHBoxLayout()
        colours.setSpacing(2)
        for at, name in enumerate(("", *COLOURS)):
            button = _swatch_button(name, chosen=name == note.colour)
            self._colours.addButton(button, at)
            colours.addWidget(button)
        colours.addStretch()
        words = QLabel(
            self.tr(
                "A note is added to the capture as an event of its own. To remove it, clear its text and its colour."
            )
        )
        words.setProperty("role", "dim")
        words.setWordWrap(True)
        buttons = QDialogButtonBox(QDialogButtonBox.Ok | QDialogButtonBox.Cancel)
        buttons.button(QDialogButtonBox.Ok).setText(self.tr("&Note"))
        buttons.button(QDialogButtonBox.Ok).setProperty("primary", True)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.cancel)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(10)
        layout.addWidget(self.text)
        layout.addLayout(colours)
        layout.addWidget(words)
        layout.addWidget(buttons)
        make_default(buttons.button(QDialogButtonBox.Ok))
        self.accepted.connect(lambda: self.written.emit(self.note()))
        self.untouched()

    def typed(self) -> object:
        return self.note()

    def lost(self) -> str:
        return self.tr("Discard the note?")

    def note(self) -> Note:
        """The note as it is in the dialog now."""
        return Note(self.text.text().strip(), ("", *COLOURS)[max(0, self._colours.checkedId())])

    def choose(self, colour: str) -> None:
        self._colours.button(("", *COLOURS).index(colour)).setChecked(True)


def _swatch_button(name: str, *, chosen: bool) -> QToolButton:
    button = QToolButton()
    button.setIcon(swatch(name))
    button.setIconSize(QSize(16, 16))
    button.setCheckable(True)
    button.setChecked(chosen)
    button.setToolTip(name.capitalize() or QCoreApplication.translate("Notes", "No colour"))
    button.setAccessibleName(name.capitalize() or QCoreApplication.translate("Notes", "No colour"))
    return button
