"""A field for a text that may be JSON and may have ``{{…}}``: colours, and the names of values completed."""

from __future__ import annotations

import re

from PyQt5.QtCore import QEvent, QPoint, pyqtSignal
from PyQt5.QtGui import QColor, QFocusEvent, QSyntaxHighlighter, QTextCharFormat, QTextDocument
from PyQt5.QtWidgets import QPlainTextEdit

from ui.looks import theme
from ui.workbench.rule_form.offered_names import OfferedNames, Offers

_PARTS = re.compile(
    r"(?P<warning>\{\{.*?(?:\}\}|$))"
    r'|(?P<accent>"(?:[^"\\]|\\.)*"(?=\s*:))'
    r'|(?P<good>"(?:[^"\\{]|\\.|\{(?!\{))*"?)'
    r"|(?P<sent>\b(?:true|false|null)\b)"
    r"|(?P<number>-?\b\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\b)"
    r"|(?P<dim>[{}\[\],:])"
)
_IN_STRING = re.compile(r"\{\{.*?(?:\}\}|$)")


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
        self._names = OfferedNames(self, self, offers)
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
            self._names.offer()

    def around(self) -> tuple[str, str] | None:
        cursor = self.textCursor()
        line, at = cursor.block().text(), cursor.positionInBlock()
        return (line[:at], line[at:]) if self.colors.template else None

    def replace(self, count: int, text: str) -> None:
        cursor = self.textCursor()
        for _ in range(count):
            cursor.deletePreviousChar()
        cursor.insertText(text)
        self.setTextCursor(cursor)

    def corner(self) -> QPoint:
        return self.viewport().mapTo(self.window(), self.cursorRect().bottomLeft() + QPoint(0, 4))

    def event(self, event: QEvent) -> bool:
        return self._names.takes(event) or bool(super().event(event))

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._names.hide()
        super().focusOutEvent(event)
