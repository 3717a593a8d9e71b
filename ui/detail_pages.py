"""The pages of the detail pane: each shows one side of an event."""

from __future__ import annotations

import re
from collections.abc import Iterator

from PyQt5.QtCore import QTimer, pyqtSignal
from PyQt5.QtGui import (
    QColor,
    QSyntaxHighlighter,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextOption,
)
from PyQt5.QtWidgets import QFrame, QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from app import failures
from app.events import Event
from app.text import escape
from ui import theme
from ui.facts import NOTHING, Fact, facts, written_size
from ui.hex_view import HexView
from ui.sheet import Sheet
from ui.traceback_view import TracebackView

MAX_TEXT = 256 * 1024
PIECE, PIECE_LINES = 8 * 1024, 1000
"""Bytes and lines of a text that are laid out at one go: about 10 ms."""
MAX_HEX = 16 * 1024 * 1024
MAX_LINE = 2048
"""Characters after which a line of a payload is broken: Qt lays each line out as a whole."""


class Page(QWidget):
    """One tab of the detail pane.

    Attributes:
        key: under which the pane remembers it.
    """

    key = ""

    def show_event(self, event: Event) -> None:
        """Show another event from its beginning."""
        raise NotImplementedError

    def copied(self) -> str:
        """What Copy takes from here: the selection, or all that is shown."""
        raise NotImplementedError

    def _stack(self, *widgets: QWidget) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        for widget in widgets:
            layout.addWidget(widget)
        self.setFocusProxy(widgets[-1])


class FactSheet(Sheet):
    """Facts in two columns. A tab stands between them, so that copies fit a spreadsheet."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._facts: list[Fact] = []
        self.setAccessibleName(self.tr("Overview"))

    def show_facts(self, facts: list[Fact]) -> None:
        self._facts = facts
        self.rewrite()
        self.verticalScrollBar().setValue(0)

    def write(self) -> None:
        name, value, faint, inner, heading = (
            self.voice("dim", words=True),
            self.voice("text"),
            self.voice("dim"),
            self.voice("accent"),
            self.voice("dim", words=True, bold=True),
        )
        widths = [0, *(len(fact.name) + 2 * fact.depth for fact in self._facts if fact.value is not None)]
        column = self.character() * min(max(max(widths) + 3, 16), 36)
        for fact in self._facts:
            indent = self.character() * 2 * max(fact.depth - 1, 0)
            layout = QTextBlockFormat()
            if fact.value is None:
                layout.setTopMargin(12)
                layout.setBottomMargin(4)
                layout.setLeftMargin(indent)
                self.line((fact.name, heading), layout=layout)
                continue
            # Hanging: what does not fit goes on below the value, not below the name.
            layout.setLeftMargin(column)
            layout.setTextIndent(indent - column)
            layout.setTabPositions([QTextOption.Tab(column, QTextOption.LeftTab)])
            layout.setBottomMargin(3)
            self.line(
                (fact.name, inner if fact.depth else name),
                ("\t", value),
                (fact.value, faint if fact.value == NOTHING else value),
                layout=layout,
            )

    def text(self) -> str:
        """All facts, one a line."""
        return "".join(f"{'  ' * f.depth}{f.name}\t{f.value or ''}".rstrip() + "\n" for f in self._facts)


class OverviewPage(Page):
    key = "overview"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.sheet = FactSheet()
        self._stack(self.sheet)

    def show_event(self, event: Event) -> None:
        self.sheet.show_facts(facts(event))

    def copied(self) -> str:
        return self.sheet.textCursor().selection().toPlainText() or self.sheet.text()


class CutNotice(QFrame):
    """Says how much of a payload is shown, and offers to save all of it.

    Signals:
        save(): the button was pressed.
    """

    save = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "window")
        self._label = QLabel()
        button = QPushButton(self.tr("Save payload…"))
        button.clicked.connect(lambda: self.save.emit())
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 4, 8, 4)
        layout.addWidget(self._label, 1)
        layout.addWidget(button)
        self.hide()

    def show_cut(self, shown: int, size: int) -> None:
        """Say that the first ``shown`` of ``size`` bytes are here; hidden when they are all."""
        words = self.tr("This is the beginning, {shown}, of a payload of {size}.")
        self._label.setText(words.format(shown=written_size(shown), size=written_size(size)))
        self.setVisible(shown < size)


class TextPage(Page):
    """The payload as UTF-8, one line of it a line here, with all that would not show as escapes.

    Long payloads are filled in piece by piece: this thread has servers to attend to.

    Attributes:
        _rest: pieces that are still to come.
    """

    key = "text"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = QPlainTextEdit()
        self.view.setReadOnly(True)
        self.view.setUndoRedoEnabled(False)
        self.view.setProperty("role", "mono")
        self.view.setProperty("surface", "panel")
        self.view.setAccessibleName(self.tr("Payload as text"))
        self.view.setPlaceholderText(self.tr("No payload"))
        self.view.document().setDocumentMargin(12)
        self._dimmer = EscapeDimmer(self.view.document())
        self.notice = CutNotice()
        self._rest: Iterator[str] = iter(())
        self._filling = QTimer(self)
        self._filling.timeout.connect(self._fill_in)
        self._stack(self.notice, self.view)

    def show_event(self, event: Event) -> None:
        payload = event.payload or b""
        head = _whole_characters(payload, MAX_TEXT)
        self.notice.show_cut(len(head), len(payload))
        self._rest = pieces(head)
        self.view.setPlainText(next(self._rest, ""))
        self._filling.start()

    def set_wrapping(self, on: bool) -> None:
        self.view.setLineWrapMode(QPlainTextEdit.WidgetWidth if on else QPlainTextEdit.NoWrap)

    def copied(self) -> str:
        if self.view.textCursor().hasSelection():
            return self.view.textCursor().selection().toPlainText()
        while self._fill_in():
            pass
        return self.view.toPlainText()

    def _fill_in(self) -> bool:
        """Add the next piece below; whether there was one."""
        piece = next(self._rest, None)
        if piece is None:
            self._filling.stop()
            return False
        cursor = QTextCursor(self.view.document())
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


class HexPage(Page):
    key = "hex"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = HexView()
        self.notice = CutNotice()
        self._stack(self.notice, self.view)

    def show_event(self, event: Event) -> None:
        payload = event.payload or b""
        self.notice.show_cut(min(len(payload), MAX_HEX), len(payload))
        self.view.set_data(payload if len(payload) <= MAX_HEX else payload[:MAX_HEX])

    def copied(self) -> str:
        return (self.view.selected_bytes() or self.view.data()).hex(" ")


class TracebackPage(Page):
    key = "traceback"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = TracebackView()
        self._stack(self.view)

    def show_event(self, event: Event) -> None:
        try:
            record = failures.from_json(event.detail)
        except (KeyError, TypeError, ValueError):
            # A capture from elsewhere may hold anything.
            record = failures.FailureRecord(event.summary or "?", self.tr("its traceback cannot be read"))
        size = len(event.payload) if event.payload else None
        self.view.show_failure(record, event.conn, size)

    def copied(self) -> str:
        return self.view.textCursor().selection().toPlainText() or self.view.text()


def pieces(data: bytes) -> Iterator[str]:
    """``data`` as text in pieces of at most ``PIECE`` bytes, to be put one below the other.

    A line ends at each LF, and after ``MAX_LINE`` characters without one.
    """
    at = 0
    while at < len(data):
        end = _end_of_lines(data, at)
        yield _as_lines(data[at:end].removesuffix(b"\n") if end < len(data) else data[at:end])
        at = end


def _end_of_lines(data: bytes, at: int) -> int:
    """Where a piece that begins at ``at`` ends: after an LF where there is one, else between characters."""
    end = at
    for _ in range(PIECE_LINES):
        end = data.find(b"\n", end, at + PIECE) + 1
        if not end:
            break
    else:
        return end
    if at + PIECE >= len(data):
        return len(data)
    return data.rfind(b"\n", at, at + PIECE) + 1 or at + len(_whole_characters(data[at : at + PIECE + 1], PIECE))


def _as_lines(data: bytes) -> str:
    lines = []
    for line in data.split(b"\n"):
        text = escape(line)
        lines += [text[i : i + MAX_LINE] for i in range(0, len(text), MAX_LINE)] or [""]
    return "\n".join(lines)


def _whole_characters(data: bytes, limit: int) -> bytes:
    """The first ``limit`` bytes, less those of a UTF-8 character that the cut goes through."""
    if len(data) <= limit:
        return data
    for cut in range(limit, limit - 4, -1):
        if data[cut] & 0xC0 != 0x80:
            return data[:cut]
    return data[:limit]
