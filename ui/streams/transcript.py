"""A list of the messages on a connection, one line each, updated at most ten times a second."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime

from PyQt5.QtCore import QTimer, pyqtSlot
from PyQt5.QtGui import QColor, QSyntaxHighlighter, QTextCharFormat
from PyQt5.QtWidgets import QPlainTextEdit, QWidget

from app.events import ARROWS
from app.text.escapes import escape
from ui.detail.facts import written_size
from ui.detail.sheet import visible
from ui.looks import theme, times

LINES = 1000
"""Lines that are kept. Older messages are in the capture."""

MAX_WAITING = 300
"""Lines that are added in one update. If there are more, the first ones are skipped."""

TICK = 100
"""Milliseconds between two updates."""

PREVIEW = 400
"""Bytes of a message that its line shows."""

_COLORS = {arrow: direction for direction, arrow in ARROWS.items()} | {"·": "dim"}
_ARROW_AT = len("12:03:11.482 ")

Entry = tuple[datetime, str, bytes | str, int]
"""Time, arrow, the beginning of the message, and the size of the whole message."""


class _Highlighter(QSyntaxHighlighter):
    def highlightBlock(self, text: str) -> None:
        arrow = text[_ARROW_AT : _ARROW_AT + 1]
        colors = theme.current()
        self.setFormat(0, _ARROW_AT, _format(colors.dim))
        color = getattr(colors, _COLORS.get(arrow, "text"))
        self.setFormat(_ARROW_AT, 1 if arrow != "·" else len(text), _format(color))


def _format(color: str) -> QTextCharFormat:
    format_ = QTextCharFormat()
    format_.setForeground(QColor(color))
    return format_


class Transcript(QPlainTextEdit):
    """Lines with a time, an arrow, a size and the beginning of the message.

    Attributes:
        as_hex: whether bytes are shown as hex digits.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.as_hex = False
        self.setReadOnly(True)
        self.setUndoRedoEnabled(False)
        self.setMaximumBlockCount(LINES)
        self.setLineWrapMode(QPlainTextEdit.NoWrap)
        self.setProperty("role", "mono")
        self.setAccessibleName(self.tr("Conversation"))
        self.setPlaceholderText(self.tr("What is sent and received appears here. The capture has all of it."))
        self._waiting: deque[Entry] = deque(maxlen=MAX_WAITING)
        self._skipped = 0
        self._colors = _Highlighter(self.document())
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(TICK)
        self._timer.timeout.connect(self._write)
        self._following = True
        self.verticalScrollBar().valueChanged.connect(self._on_scrolled)
        self.verticalScrollBar().rangeChanged.connect(self._on_range)
        theme.notifier.changed.connect(self._on_theme)

    def add(self, arrow: str, content: bytes | str) -> None:
        """Add a line with the next update. ``content``: the bytes of a message, or a text about the connection."""
        if len(self._waiting) == MAX_WAITING:
            self._skipped += 1
        self._waiting.append((datetime.now(UTC).astimezone(times.zone()), arrow, content[:PREVIEW], len(content)))
        if not self._timer.isActive():
            self._timer.start()

    def clear(self) -> None:
        self._waiting.clear()
        self._skipped = 0
        super().clear()

    @pyqtSlot()
    def _on_theme(self) -> None:
        self._colors.rehighlight()

    def _write(self) -> None:
        lines = [self._line(*entry) for entry in self._waiting]
        if self._skipped:
            words = self.tr("{count:,} more in the capture").format(count=self._skipped)
            lines.insert(0, f"{'':{_ARROW_AT}}· {words}")
            self._skipped = 0
        self._waiting.clear()
        self.appendPlainText("\n".join(lines))

    def _on_scrolled(self, value: int) -> None:
        self._following = value >= self.verticalScrollBar().maximum()

    def _on_range(self, _: int, maximum: int) -> None:
        """Keep the last line in view, also when a horizontal scroll bar appears and covers a line."""
        if self._following:
            self.verticalScrollBar().setValue(maximum)

    def _line(self, time: datetime, arrow: str, content: bytes | str, size: int) -> str:
        prefix = f"{time:%H:%M:%S}.{time.microsecond // 1000:03} {arrow} "
        if isinstance(content, str):
            return prefix + visible(content)
        shown = content.hex(" ") if self.as_hex else escape(content)
        return f"{prefix}{written_size(size):>10}  {shown}{'…' if len(content) < size else ''}"
