"""A view of JSON or XML source with syntax highlighting. It adds the text in slices."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from itertools import islice
from time import perf_counter
from typing import Any

from PyQt5.QtCore import QEvent, QTimer, pyqtSlot
from PyQt5.QtGui import QColor, QKeySequence, QTextCharFormat, QTextCursor
from PyQt5.QtWidgets import QPlainTextEdit, QWidget

from app.text import pretty
from app.text.escapes import one_line
from ui.detail.text_pieces import MAX_LINE
from ui.looks import theme
from ui.parts.keys import claims

BUDGET = 0.008
"""Seconds for which text is laid out at a time, before the event loop gets a turn."""

MAX_LINES = 20_000

MAX_UNIT = 2048
"""Characters of a value or an element. A longer one is not highlighted: on some broken texts, a lexer's
time grows with the square of the length."""

LANGUAGES: dict[str, Callable[[str], Iterator[str]]] = {"json": pretty.json_lines, "xml": pretty.xml_lines}
"""Functions that break the text of a language into lines. Pygments has a lexer of the same name."""

_COLORS = (
    ("Token.Name.Tag", "accent"),
    ("Token.Name.Attribute", "sent"),
    ("Token.Name.Entity", "warning"),
    ("Token.Literal.String", "good"),
    ("Token.Literal.Number", "warning"),
    ("Token.Keyword", "sent"),
    ("Token.Punctuation", "dim"),
    ("Token.Comment", "dim"),
    ("Token.Error", "bad"),
)

Piece = tuple[str, str]
"""A text, and its colour as an attribute of the theme."""


class CodeView(QPlainTextEdit):
    """Read-only source text, one value or element per line.

    Attributes:
        _rest: lines that are not laid out yet.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setReadOnly(True)
        self.setUndoRedoEnabled(False)
        self.setProperty("role", "mono")
        self.setProperty("surface", "panel")
        self.document().setDocumentMargin(12)
        self._text, self._language = "", ""
        self._rest: Iterator[list[Piece]] = iter(())
        self._filling = QTimer(self)
        self._filling.timeout.connect(self._fill)
        theme.notifier.changed.connect(self._again)

    def show_code(self, text: str, language: str) -> None:
        """Show ``text``, in one of ``LANGUAGES``, scrolled to its beginning."""
        self._text, self._language = text, language
        self._again()
        self.verticalScrollBar().setValue(0)

    def event(self, event: QEvent) -> bool:
        return claims(event, QKeySequence.Copy, QKeySequence.SelectAll) or super().event(event)

    def copied(self) -> str:
        """The selection, or all of it."""
        if self.textCursor().hasSelection():
            return self.textCursor().selection().toPlainText()
        while self._filling.isActive():
            self._fill()
        return self.toPlainText()

    @pyqtSlot()
    def _again(self) -> None:
        self.clear()
        self._rest = islice(lines(self._text, self._language), MAX_LINES) if self._text else iter(())
        self._filling.start()
        self._fill()
        start = self.textCursor()
        start.setPosition(0)  # or the cursor, and with it the view, would move with the inserted text
        self.setTextCursor(start)

    def _fill(self) -> None:
        until = perf_counter() + BUDGET
        colors = theme.current()
        cursor = QTextCursor(self.document())
        cursor.movePosition(cursor.End)
        cursor.beginEditBlock()
        for pieces in self._rest:
            if not cursor.atStart():
                cursor.insertText("\n")
            for text, color in pieces:
                voice = QTextCharFormat()
                voice.setForeground(QColor(getattr(colors, color)))
                cursor.insertText(text, voice)
            if perf_counter() > until:
                break
        else:
            self._filling.stop()
        cursor.endEditBlock()


def lines(text: str, language: str) -> Iterator[list[Piece]]:
    """The displayed lines of ``text``, each in coloured pieces, without control characters."""
    for unit in LANGUAGES[language](text):
        line: list[Piece] = []
        length = 0
        for color, value in _colored(unit, language):
            for number, part in enumerate(value.split("\n")):
                if number:
                    yield line
                    line, length = [], 0
                shown = one_line(part)
                while length + len(shown) > MAX_LINE:
                    line.append((shown[: MAX_LINE - length], color))
                    yield line
                    shown, line, length = shown[MAX_LINE - length :], [], 0
                if shown:
                    line.append((shown, color))
                    length += len(shown)
        yield line


def _colored(unit: str, language: str) -> Iterator[tuple[str, str]]:
    if len(unit) > MAX_UNIT:
        yield "text", unit
        return
    for _, token, value in _lexer(language).get_tokens_unprocessed(unit):
        yield _color(token), value


@cache
def _lexer(language: str) -> Any:
    # Pygments' own search would load plugins of other packages.
    from pygments.lexers.data import JsonLexer  # type: ignore[import-untyped]
    from pygments.lexers.html import XmlLexer  # type: ignore[import-untyped]

    return {"json": JsonLexer, "xml": XmlLexer}[language](stripnl=False, ensurenl=False)


@cache
def _color(token: object) -> str:
    name = str(token)
    return next((color for begin, color in _COLORS if name.startswith(begin)), "text")
