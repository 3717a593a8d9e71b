"""A field for a text that may be JSON and may have ``{{…}}``: colours, and the names of values completed."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from PyQt5.QtCore import QEvent, QPoint, Qt, pyqtSignal
from PyQt5.QtGui import QColor, QFocusEvent, QKeyEvent, QSyntaxHighlighter, QTextCharFormat, QTextDocument
from PyQt5.QtWidgets import QPlainTextEdit

from app.capture.filters.completion import Suggestion
from ui.looks import theme
from ui.parts.completions import Completions

Offers = Callable[[str, bool], Sequence[Suggestion]]
"""Given what is typed of a name, and whether it is a filter's: the names that begin so."""

_PARTS = re.compile(
    r"(?P<warning>\{\{.*?(?:\}\}|$))"
    r'|(?P<accent>"(?:[^"\\]|\\.)*"(?=\s*:))'
    r'|(?P<good>"(?:[^"\\{]|\\.|\{(?!\{))*"?)'
    r"|(?P<sent>\b(?:true|false|null)\b)"
    r"|(?P<number>-?\b\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\b)"
    r"|(?P<dim>[{}\[\],:])"
)
_IN_STRING = re.compile(r"\{\{.*?(?:\}\}|$)")
_TYPED = re.compile(r"\{\{\s*((?:[^{}]*\|\s*)?)([^\s{}|]*)$")


def begun_in(before: str) -> tuple[str, bool] | None:
    """What is typed of a name at the end of ``before``, and whether a filter's; None outside of expressions."""
    found = _TYPED.search(before)
    return (found[2], bool(found[1])) if found else None


def closing_for(suggestion: Suggestion, after: str) -> str:
    """The braces behind a name that is taken; none where more of it follows, or where ``after`` has them."""
    return "" if suggestion.text.endswith(".") or after.lstrip().startswith(("}}", "|")) else "}}"


class TemplateColors(QSyntaxHighlighter):
    """Colours JSON where the text looks like it, and expressions of templates where it is one.

    Attributes:
        template: whether ``{{…}}`` is an expression.
    """

    def __init__(self, document: QTextDocument) -> None:
        super().__init__(document)
        self.template = True
        theme.notifier.changed.connect(self.rehighlight)

    def highlightBlock(self, text: str) -> None:
        colors = theme.current()
        if self.document().firstBlock().text().lstrip()[:1] in ("{", "["):
            for found in _PARTS.finditer(text):
                kind = "warning" if found.lastgroup == "number" else str(found.lastgroup)
                if kind != "warning" or found.lastgroup == "number" or self.template:
                    self._paint(found.start(), found.end(), getattr(colors, kind))
        if self.template:
            for found in _IN_STRING.finditer(text):
                self._paint(found.start(), found.end(), colors.warning)

    def _paint(self, start: int, end: int, color: str) -> None:
        voice = QTextCharFormat()
        voice.setForeground(QColor(color))
        self.setFormat(start, end - start, voice)


class TemplateText(QPlainTextEdit):
    """The field. Behind ``{{`` and ``|`` it offers names; Tab or Enter takes one.

    Signals:
        changed(): the text was edited.
    """

    changed = pyqtSignal()

    def __init__(self, text: str, offers: Offers) -> None:
        super().__init__()
        self._end = "\r\n" if "\r\n" in text else "\n"
        self._given = text
        self.setPlainText(text)
        self._before = self.typed()
        self._offers = offers
        self._completions: Completions | None = None
        self.colors = TemplateColors(self.document())
        self.setProperty("role", "mono")
        self.setTabChangesFocus(True)
        self.setLineWrapMode(QPlainTextEdit.NoWrap)
        self.textChanged.connect(self._on_text)

    def set_template(self, on: bool) -> None:
        """Whether ``{{…}}`` is an expression."""
        if on != self.colors.template:
            self.colors.template = on
            self.colors.rehighlight()

    def typed(self) -> str:
        """The text, with LF between lines."""
        # Not toPlainText(), which replaces no-break spaces by spaces.
        return self.document().toRawText().replace("\N{PARAGRAPH SEPARATOR}", "\n")

    def value(self) -> str:
        """The text with the line ends that it was given with; unchanged while it is not edited."""
        text = self.typed()
        return self._given if text == self._before else text.replace("\n", self._end)

    # -- completion

    def _on_text(self) -> None:
        self.changed.emit()
        if self.hasFocus():
            self._offer()

    def _begun(self) -> tuple[str, bool] | None:
        """What is typed of a name before the cursor, and whether a filter's; None outside of expressions."""
        cursor = self.textCursor()
        before = cursor.block().text()[: cursor.positionInBlock()]
        return begun_in(before) if self.colors.template else None

    def _offer(self) -> None:
        begun = self._begun()
        suggestions = self._offers(*begun) if begun is not None else ()
        if self._completions is None:
            if not suggestions:
                return
            self._completions = Completions(self)
            self._completions.chosen.connect(self._take)
        corner = self.cursorRect().bottomLeft() + QPoint(0, 4)
        self._completions.offer(suggestions, self.viewport().mapTo(self.window(), corner))

    def _take(self, suggestion: Suggestion) -> None:
        begun = self._begun()
        if begun is None:
            return
        cursor = self.textCursor()
        for _ in begun[0]:
            cursor.deletePreviousChar()
        closing = closing_for(suggestion, cursor.block().text()[cursor.positionInBlock() :])
        cursor.insertText(suggestion.text + closing)
        self.setTextCursor(cursor)
        if closing and self._completions is not None:
            self._completions.hide()

    def event(self, event: QEvent) -> bool:
        offering = self._completions is not None and self._completions.isVisible()
        if offering and isinstance(event, QKeyEvent) and event.type() == QEvent.ShortcutOverride:
            ours = event.key() == Qt.Key_Escape
            event.setAccepted(ours)
            if ours:
                return True
        return bool(super().event(event))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        completions = self._completions
        if completions is not None and completions.isVisible():
            if event.key() == Qt.Key_Escape:
                completions.hide()
                return
            if event.key() != Qt.Key_Backtab and completions.takes(event):
                return
        super().keyPressEvent(event)

    def focusNextPrevChild(self, next: bool) -> bool:
        if next and self._completions is not None and self._completions.isVisible():
            return False  # Tab takes the first of the list: see keyPressEvent
        return super().focusNextPrevChild(next)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        if self._completions is not None:
            self._completions.hide()
        super().focusOutEvent(event)
