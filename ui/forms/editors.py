"""One editor for each type of option: each has a method ``value()`` and a signal ``changed``."""

from __future__ import annotations

from itertools import zip_longest
from typing import Any

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PyQt5.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QLineEdit,
    QPlainTextEdit,
    QSizePolicy,
)

from app.options import Option
from ui.forms.helped_items import HelpedChoice
from ui.forms.registry import edits
from ui.looks.declared import in_words
from ui.looks.icons import icon

LINES, PARAGRAPH = 3, 5
"""Height, in lines, of the editor of a list and of the editor of a text of several lines."""

OPEN = ("", "auto")
"""Values of a secret option that are shown, because they give nothing away."""

DOTS = "•" * 8
"""Shown in place of a secret of any length."""

BACK = (Qt.ActiveWindowFocusReason, Qt.PopupFocusReason, Qt.MenuBarFocusReason)
"""Reasons for which the keyboard comes back to where it was."""


@edits("switch")
class Switch(QCheckBox):
    """A check box for an option that is on or off."""

    changed = pyqtSignal()

    def __init__(self, option: Option, value: Any) -> None:
        super().__init__()
        self.setText(self.tr("on"))
        self.setChecked(bool(value))
        self.toggled.connect(lambda _: self.changed.emit())

    def value(self) -> bool:
        return self.isChecked()


class _Area(QPlainTextEdit):
    """A field of several lines. Until the user edits it, ``value()`` returns the value it was given, unchanged."""

    changed = pyqtSignal()

    def __init__(self, given: Any, text: str, lines: int) -> None:
        super().__init__(text)
        self._given, self._before = given, self._text()
        self.setProperty("role", "mono")
        self.setTabChangesFocus(True)
        self.setLineWrapMode(QPlainTextEdit.NoWrap)
        self.setFixedHeight(self.fontMetrics().lineSpacing() * lines + 20)
        self.textChanged.connect(self.changed)

    def value(self) -> Any:
        text = self._text()
        return self._given if text == self._before else self._read(text)

    def _text(self) -> str:
        # Not toPlainText(), which replaces no-break spaces by spaces.
        return self.document().toRawText().replace("\N{PARAGRAPH SEPARATOR}", "\n")

    def _read(self, text: str) -> Any:
        raise NotImplementedError


@edits("lines")
class Lines(_Area):
    """A list of texts, one on each line. Secret ones are hidden until the first click or key press."""

    def __init__(self, option: Option, value: Any) -> None:
        super().__init__(value, "\n".join(str(item) for item in value), LINES)
        self._secret, self._hidden = option.secret, option.secret

    def _read(self, text: str) -> list[str]:
        return [line for line in text.split("\n") if line.strip()]

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self._hide(False)
        super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._hide(False)
        super().mousePressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._hide(self._secret)
        super().focusOutEvent(event)

    def _hide(self, hidden: bool) -> None:
        self._hidden = hidden
        self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._hidden:
            super().paintEvent(event)
            return
        painter = QPainter(self.viewport())
        painter.setFont(self.font())
        block, left = self.firstVisibleBlock(), int(self.document().documentMargin())
        while block.isValid() and block.isVisible():
            line = self.blockBoundingGeometry(block).translated(self.contentOffset()).toRect()
            if block.text():
                painter.drawText(line.adjusted(left, 0, 0, 0), int(Qt.AlignVCenter), DOTS)
            block = block.next()


@edits("paragraph")
class Paragraph(_Area):
    """A text of several lines. It keeps the line ending, LF or CRLF, of the value it was given."""

    def __init__(self, option: Option, value: Any) -> None:
        super().__init__(value, str(value), PARAGRAPH)
        self._end = "\r\n" if "\r\n" in str(value) else "\n"

    def _read(self, text: str) -> str:
        return text.replace("\n", self._end)


@edits("text")
class Text(QLineEdit):
    """A text or a number. Text that is not a number is returned as text, so that the check reports it.

    A number is selected when the keyboard comes to it, so that what is typed takes its place.
    """

    changed = pyqtSignal()

    def __init__(self, option: Option, value: Any) -> None:
        super().__init__(f"{value:.0f}" if isinstance(value, float) and value.is_integer() else str(value))
        self._type, self._entered = option.type, False
        self.setProperty("role", "mono")
        if option.secret:
            self._hide()
            self.editingFinished.connect(self._hide)
        if option.path:
            self._add_file_button(option)
        if option.type is not str:
            self.setSizePolicy(QSizePolicy.Preferred, QSizePolicy.Fixed)
        self.textChanged.connect(lambda _: self.changed.emit())

    def value(self) -> Any:
        text = self.text()
        if self._type is str:
            return text
        try:
            return int(text) if self._type is int else float(text)
        except ValueError:
            return text

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if self._type is not str and event.reason() not in BACK:
            self.selectAll()
            self._entered = event.reason() == Qt.MouseFocusReason

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        if self._entered and not self.hasSelectedText():
            self.selectAll()  # the press has taken the selection away
        self._entered = False

    def _hide(self) -> None:
        self.setEchoMode(QLineEdit.Normal if self.text() in OPEN else QLineEdit.PasswordEchoOnEdit)

    def _add_file_button(self, option: Option) -> None:
        words = self.tr("Choose a folder…") if option.path == "folder" else self.tr("Choose a file…")
        action = self.addAction(icon("folder-open"), QLineEdit.TrailingPosition)
        action.setToolTip(words)
        action.triggered.connect(lambda: self._choose(option.path, words))

    def _choose(self, kind: str, words: str) -> None:
        if kind == "folder":
            chosen = QFileDialog.getExistingDirectory(self, words, self.text())
        elif kind == "new file":
            # The program appends to an existing file, so Qt need not ask whether to overwrite it.
            chosen, _ = QFileDialog.getSaveFileName(self, words, self.text(), options=QFileDialog.DontConfirmOverwrite)
        else:
            chosen, _ = QFileDialog.getOpenFileName(self, words, self.text())
        if chosen:
            self.setText(chosen)


@edits("choice")
class Choice(HelpedChoice):
    """A combo box of the texts that the option allows, with what each of them means."""

    changed = pyqtSignal()

    def __init__(self, option: Option, value: Any) -> None:
        super().__init__()
        for choice, words, help in zip_longest(option.choices, option.choice_words, option.helps, fillvalue=""):
            self.add(in_words(words) if words else choice or self.tr("none"), choice, in_words(help))
        if value not in option.choices:
            self.addItem(str(value), value)  # so that the check reports it
        self.setCurrentIndex(self.findData(value))
        self.setSizePolicy(QSizePolicy.Preferred, QSizePolicy.Fixed)
        self.currentIndexChanged.connect(lambda _: self.changed.emit())

    def value(self) -> str:
        return str(self.currentData())

    def choose(self, choice: str) -> None:
        """Take one of the option's choices, as if the user had."""
        self.setCurrentIndex(self.findData(choice))
