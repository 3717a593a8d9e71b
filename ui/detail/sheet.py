"""Read-only formatted text: the base class of the overview and of the traceback.

All text is inserted as plain text with character formats. No HTML is used, so data of a peer is
never interpreted.
"""

from __future__ import annotations

from PyQt5.QtCore import QEvent, QMimeData, Qt, pyqtSlot
from PyQt5.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QKeySequence,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
)
from PyQt5.QtWidgets import QTextEdit, QWidget

from app.text.escapes import escape
from ui.looks import theme
from ui.parts.keys import claims

MARGIN = 16
"""Pixels around the text."""


def visible(text: str) -> str:
    """``text`` as one line. Unprintable characters, and those that change the text's direction, are escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else escape(c.encode("utf-8", "surrogatepass")) for c in text)


class Sheet(QTextEdit):
    """Text that can be read, selected and copied. Subclasses override ``write``."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setReadOnly(True)
        self.setUndoRedoEnabled(False)
        self.setTextInteractionFlags(Qt.TextSelectableByMouse | Qt.TextSelectableByKeyboard)
        self.setProperty("role", "mono")
        self.setProperty("surface", "panel")
        self.document().setDocumentMargin(MARGIN - 4)  # the stylesheet adds the other four
        theme.notifier.changed.connect(self.rewrite)

    def write(self) -> None:
        """Fill the empty document, by calls of ``line``."""

    @pyqtSlot()
    def rewrite(self) -> None:
        """Write the document again, and keep the scroll position."""
        down, across = self.verticalScrollBar().value(), self.horizontalScrollBar().value()
        self.clear()
        cursor = self.textCursor()
        cursor.beginEditBlock()
        self.write()
        cursor.endEditBlock()
        cursor.setPosition(0)
        self.setTextCursor(cursor)
        self.verticalScrollBar().setValue(down)
        self.horizontalScrollBar().setValue(across)

    def line(self, *pieces: tuple[str, QTextCharFormat], layout: QTextBlockFormat | None = None) -> None:
        """Append one paragraph, made of pieces of text with their formats."""
        cursor = QTextCursor(self.document())
        cursor.movePosition(cursor.End)
        if self.document().isEmpty():
            cursor.setBlockFormat(layout or QTextBlockFormat())
        else:
            cursor.insertBlock(layout or QTextBlockFormat(), QTextCharFormat())
        for text, voice in pieces:
            cursor.insertText(text, voice)

    def voice(self, color: str, *, bold: bool = False, words: bool = False, larger: int = 0) -> QTextCharFormat:
        """The format of a piece of text.

        Args:
            color: an attribute of the theme.
            words: use the font of the user interface, not that of data.
            larger: points added to the font size.
        """
        voice = QTextCharFormat()
        voice.setForeground(QColor(getattr(theme.current(), color)))
        if words:
            voice.setFontFamily(theme.ui_font().family())
        if bold:
            voice.setFontWeight(QFont.Bold)
        if larger:
            voice.setFontPointSize(self.font().pointSizeF() + larger)
        return voice

    def character(self) -> float:
        """The width of one character of the monospaced font, in pixels."""
        return QFontMetricsF(self.font()).horizontalAdvance("0")

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.FontChange, QEvent.StyleChange) and not self.document().isEmpty():
            self.rewrite()

    def event(self, event: QEvent) -> bool:
        return claims(event, QKeySequence.Copy, QKeySequence.SelectAll) or super().event(event)

    def createMimeDataFromSelection(self) -> QMimeData:
        data = QMimeData()
        data.setText(self.textCursor().selection().toPlainText())
        return data
