"""The page Text: a payload or body as text. Unprintable characters are shown as escapes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from PyQt5.QtCore import Qt, QTimer
from PyQt5.QtGui import QColor, QSyntaxHighlighter, QTextCharFormat, QTextCursor, QTextDocument
from PyQt5.QtWidgets import QComboBox, QPlainTextEdit, QToolButton, QWidget

from app.http.contents import Content
from app.text import encodings
from ui.detail.page import CutNotice, Page, Subject
from ui.detail.text_pieces import pieces, whole_characters
from ui.looks import theme

MAX_TEXT = 1024 * 1024
"""Bytes of a text that are shown."""

MAX_LINES = 100_000
"""Lines of a text that are shown: Qt takes its time to forget more of them."""


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


class TextPage(Page):
    key, title = "text", "Text"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._subject: Subject | None = None
        self.view = PlainText()
        self.view.setAccessibleName(self.tr("Payload as text"))
        self.notice = CutNotice()
        self.notice.save.connect(self.save)
        self.wrap_button = wrap_button(self.view)
        self.encoding = QComboBox()
        self.encoding.setAccessibleName(self.tr("Encoding"))
        self.encoding.setToolTip(self.tr("The encoding that the bytes are read in"))
        self.encoding.addItem("", "")
        for name in encodings.OFFERED:
            self.encoding.addItem(encodings.title(name), name)
        self.encoding.setSizeAdjustPolicy(QComboBox.AdjustToMinimumContentsLengthWithIcon)
        self.encoding.setMinimumContentsLength(18)
        self.encoding.activated.connect(lambda _: self._show())
        self.tools = (self.encoding, self.wrap_button)
        self._stack(self.notice, self.view)

    def show_subject(self, subject: Subject) -> None:
        self._subject = subject
        self._show()

    def copied(self) -> str:
        return self.view.copied()

    def _show(self) -> None:
        assert self._subject is not None
        content = self._subject.content
        detected = encodings.detect(content.data, content.charset)
        self.encoding.setItemText(0, self.tr("Detected: {name}").format(name=encodings.title(detected)))
        head, text = readable(content, self.encoding.currentData() or detected)
        self.notice.show_content(self._subject, head)
        self.view.setPlaceholderText(self._subject.problem or self.tr("No payload"))
        self.view.show_text(text)


def readable(content: Content, encoding: str, limit: int = MAX_TEXT) -> tuple[int, bytes]:
    """The first ``limit`` bytes in UTF-8, and how many they were before."""
    data = content.data
    head = whole_characters(data, limit) if encoding == "utf-8" else data[:limit]
    if head.count(b"\n") > MAX_LINES:
        end = sum(map(len, head.split(b"\n", MAX_LINES)[:MAX_LINES])) + MAX_LINES
        head = head[: end - end % 4 if encoding.startswith(("utf-16", "utf-32")) else end]
    return len(head), encodings.as_utf8(head, encoding)


def wrap_button(view: QPlainTextEdit) -> QToolButton:
    """Whether long lines of ``view`` are broken."""
    button = QToolButton()
    button.setText("Wrap")
    button.setAccessibleName("Wrap")
    button.setToolTip("Break long lines at the edge of the window")
    button.setCheckable(True)
    button.setChecked(True)
    button.setFocusPolicy(Qt.TabFocus)
    modes = {True: QPlainTextEdit.WidgetWidth, False: QPlainTextEdit.NoWrap}
    button.toggled.connect(lambda on: view.setLineWrapMode(modes[on]))
    return button
