"""Searching in a view of text."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator

from PyQt5.QtGui import QColor, QTextCharFormat, QTextCursor
from PyQt5.QtWidgets import QPlainTextEdit, QTextEdit

from app.text.finding import places
from ui.looks import theme

LONGEST = 100
"""Characters of what is selected that are taken for what is wanted."""

_WIDE = re.compile("[\U00010000-\U0010ffff]")


class TextTarget:
    """A ``QPlainTextEdit`` or ``QTextEdit``. Positions are those of its document, in UTF-16."""

    def __init__(self, widget: QPlainTextEdit | QTextEdit) -> None:
        self.widget = widget
        self._text = ""
        self._revision = -1
        self._wide: list[int] = []

    def places(self, typed: str, *, case: bool) -> Iterator[int | None]:
        document = self.widget.document()
        if document.revision() != self._revision:
            self._revision = document.revision()
            self._text = self.widget.toPlainText()
            self._wide = [] if self._text.isascii() else [found.start() for found in _WIDE.finditer(self._text)]
        for place in places(self._text, typed, case=case):
            yield place if place is None or not self._wide else place + bisect_left(self._wide, place)

    def selected(self) -> str:
        text = self.widget.textCursor().selectedText()
        return text if len(text) <= LONGEST and text.isprintable() else ""

    def cursor(self) -> int:
        return self.widget.textCursor().selectionStart()

    def show(self, start: int, typed: str) -> None:
        cursor = QTextCursor(self.widget.document())
        cursor.setPosition(start)
        cursor.setPosition(start + _length(typed), QTextCursor.KeepAnchor)
        self.widget.setTextCursor(cursor)
        self.widget.ensureCursorVisible()

    def deselect(self) -> None:
        cursor = self.widget.textCursor()
        cursor.clearSelection()
        self.widget.setTextCursor(cursor)

    def mark(self, starts: list[int], typed: str) -> None:
        length, colors = _length(typed), theme.current()
        voice = QTextCharFormat()
        voice.setBackground(QColor(colors.pressed))
        marks = []
        end = self.widget.document().characterCount() - 1
        for start in starts:
            if start + length > end:
                break
            mark = QTextEdit.ExtraSelection()
            mark.cursor = QTextCursor(self.widget.document())
            mark.cursor.setPosition(start)
            mark.cursor.setPosition(start + length, QTextCursor.KeepAnchor)
            mark.format = voice
            marks.append(mark)
        self.widget.setExtraSelections(marks)

    def watch(self, changed: Callable[[], object]) -> Callable[[], None]:
        self.widget.document().contentsChanged.connect(changed)
        return lambda: self.widget.document().contentsChanged.disconnect(changed)

    def kind(self, typed: str) -> str:
        return ""


def _length(typed: str) -> int:
    """How long a place of ``typed`` is, in UTF-16."""
    return len(typed) + len(_WIDE.findall(typed))
