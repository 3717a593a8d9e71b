"""The text of a content, and the view that shows it as it is."""

from __future__ import annotations

import re
from collections.abc import Iterator

from PyQt5.QtCore import QCoreApplication, QEvent, Qt, QTimer
from PyQt5.QtGui import QColor, QKeySequence, QSyntaxHighlighter, QTextCharFormat, QTextCursor, QTextDocument
from PyQt5.QtWidgets import QPlainTextEdit, QToolButton, QWidget

from app.http.contents import Content
from app.text import encodings
from ui.detail.page import Shown
from ui.detail.text_pieces import pieces, whole_characters
from ui.looks import theme
from ui.parts.keys import claims

MAX_TEXT = 1024 * 1024
"""Bytes of a text that are shown."""

MAX_LINES = 100_000
"""Lines of a text that are shown: Qt takes its time to forget more of them."""

MAX_CODE = 256 * 1024
"""Bytes of source text that are shown."""


class PlainText(QPlainTextEdit):
    """Read-only text that fills a page, and is filled in piece by piece: this thread has servers to attend to.

    Attributes:
        _rest: pieces that are still to come.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setReadOnly(True)
        self.setUndoRedoEnabled(False)
        self.setProperty("role", "mono")
        self.setProperty("surface", "panel")
        self.document().setDocumentMargin(12)
        self._dimmer = EscapeDimmer(self.document())
        self._rest: Iterator[str] = iter(())
        self._filling = QTimer(self)
        self._filling.timeout.connect(self._fill_in)

    def show_text(self, data: bytes) -> None:
        """Show UTF-8 from its beginning."""
        self._rest = pieces(data)
        self.setPlainText(next(self._rest, ""))
        self._filling.start()

    def event(self, event: QEvent) -> bool:
        return claims(event, QKeySequence.Copy, QKeySequence.SelectAll) or super().event(event)

    def copied(self) -> str:
        """The selection, or all of it."""
        if self.textCursor().hasSelection():
            return self.textCursor().selection().toPlainText()
        while self._fill_in():
            pass
        return self.toPlainText()

    def _fill_in(self) -> bool:
        """Add the next piece below; whether there was one."""
        piece = next(self._rest, None)
        if piece is None:
            self._filling.stop()
            return False
        cursor = QTextCursor(self.document())
        cursor.movePosition(cursor.End)
        cursor.insertText("\n" + piece)
        return True


class EscapeDimmer(QSyntaxHighlighter):
    """Puts escapes in the colour of what only accompanies, so that they are not read as text."""

    # One format for a run of them: setting formats is what takes time.
    _escapes = re.compile(r"(?:\\(?:x[0-9a-f]{2}|u\{[0-9a-f]+\}|[nrt0e\\]))+")

    def __init__(self, document: QTextDocument) -> None:
        super().__init__(document)
        theme.notifier.changed.connect(self.rehighlight)

    def highlightBlock(self, text: str) -> None:
        if "\\" not in text:
            return
        voice = QTextCharFormat()
        voice.setForeground(QColor(theme.current().sent))
        for match in self._escapes.finditer(text):
            self.setFormat(match.start(), match.end() - match.start(), voice)


def readable(content: Content, encoding: str, limit: int = MAX_TEXT) -> tuple[int, bytes]:
    """The first ``limit`` bytes in UTF-8, and how many they were before."""
    data = content.data
    head = whole_characters(data, limit) if encoding == "utf-8" else data[:limit]
    if head.count(b"\n") > MAX_LINES:
        end = sum(map(len, head.split(b"\n", MAX_LINES)[:MAX_LINES])) + MAX_LINES
        head = head[: end - end % 4 if encoding.startswith(("utf-16", "utf-32")) else end]
    return len(head), encodings.as_utf8(head, encoding)


def code_of(what: Shown, limit: int = MAX_CODE) -> tuple[int, str]:
    """The first ``limit`` bytes of the content as text, and how many they were."""
    content = what.content
    head, text = readable(content, encodings.detect(content.data, content.charset), limit)
    return head, text.decode("utf-8", "surrogateescape")


def wrap_button(view: QPlainTextEdit) -> QToolButton:
    """Whether long lines of ``view`` are broken."""
    button = QToolButton()
    button.setText(QCoreApplication.translate("PlainText", "Wrap"))
    button.setAccessibleName(QCoreApplication.translate("PlainText", "Wrap"))
    button.setToolTip(QCoreApplication.translate("PlainText", "Break long lines at the edge of the window"))
    button.setCheckable(True)
    button.setChecked(True)
    button.setFocusPolicy(Qt.TabFocus)
    modes = {True: QPlainTextEdit.WidgetWidth, False: QPlainTextEdit.NoWrap}
    button.toggled.connect(lambda on: view.setLineWrapMode(modes[on]))
    return button
