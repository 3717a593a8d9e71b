"""The box above the panes in which a filter is typed."""

from __future__ import annotations

from PyQt5.QtCore import QEvent, Qt, QTimer, pyqtSignal
from PyQt5.QtGui import QKeyEvent, QKeySequence
from PyQt5.QtWidgets import QLineEdit

from ui.actions import mark_accessible
from ui.icons import icon
from ui.keys import claims

DELAY = 150
"""Milliseconds without a key press after which what was typed is looked for."""

_EDITING = (QKeySequence.DeleteStartOfWord, QKeySequence.DeleteEndOfWord)


class FilterBox(QLineEdit):
    """Tells what was typed once the typing pauses; Esc empties it.

    Signals:
        typed: the text to look for.
        left: Esc was pressed.
    """

    typed = pyqtSignal(str)
    left = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.setPlaceholderText(r"Filter: text in summary or payload, \x00 for bytes")
        self.setToolTip("Show only events that contain a text (Ctrl+F); Esc shows everything again")
        self.setClearButtonEnabled(True)
        self.setMinimumWidth(160)
        self.addAction(icon("filter", "accent"), QLineEdit.LeadingPosition)
        mark_accessible(self, "Filter", "Shows only events whose summary or payload contains the text")
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(DELAY)
        self._pause.timeout.connect(lambda: self.typed.emit(self.text()))
        self.textChanged.connect(lambda _: self._pause.start())

    def event(self, event: QEvent) -> bool:
        # Here they delete a word; the window's shortcuts would remove a service or close a connection.
        return claims(event, *_EDITING) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key_Escape:
            self.clear()
            self.left.emit()
        else:
            super().keyPressEvent(event)
