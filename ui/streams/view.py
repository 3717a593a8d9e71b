"""The window Follow stream: shows the data of one connection, both directions, as it arrives."""

from __future__ import annotations

import re
import sys
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from time import perf_counter
from typing import Any

from PyQt5.QtCore import QT_TRANSLATE_NOOP, Qt, QTimer, pyqtSignal, pyqtSlot
from PyQt5.QtGui import (
    QCloseEvent,
    QColor,
    QFont,
    QKeySequence,
    QShowEvent,
    QTextCharFormat,
    QTextCursor,
)
from PyQt5.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPlainTextEdit,
    QPushButton,
    QShortcut,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from twisted.internet.defer import Deferred

from app.capture.reading import streams
from app.capture.reading.pieces import Piece
from app.capture.reading.reader import Reader
from app.capture.reading.streams import BYTES, EXCHANGES, MESSAGES, About, News, Stream
from app.events import ARROWS
from app.text.escapes import amount
from ui.forms.form import set_property
from ui.looks import theme
from ui.looks.icons import icon
from ui.parts.find_bar import FindBar
from ui.streams.saving import save_side
from ui.streams.text import Run, StreamFormatter

InThread = Callable[..., Deferred[Any]]

AS_TEXT, AS_HEX = 1 << 20, 256 << 10
"""Bytes that are shown at most. In hex each byte takes five characters."""

SLICE = 0.008
"""Seconds for which text is laid out at a time: the servers run in this thread, too."""

_FORMS = {
    EXCHANGES: QT_TRANSLATE_NOOP("StreamView", "HTTP exchanges"),
    MESSAGES: QT_TRANSLATE_NOOP("StreamView", "Messages"),
    BYTES: QT_TRANSLATE_NOOP("StreamView", "Bytes"),
}
_SIDES = (
    ("", QT_TRANSLATE_NOOP("StreamView", "Both sides"), None),
    (ARROWS["received"], QT_TRANSLATE_NOOP("StreamView", "Received"), True),
    (ARROWS["sent"], QT_TRANSLATE_NOOP("StreamView", "Sent"), False),
)


class StreamView(QWidget):
    """Follows one connection while it is visible.

    Attributes:
        asked: number of the connection, and whether it is a live connection's number.
        _pieces: the pieces that are shown; ``_size``: their bytes.
        _skipped: bytes before those pieces, received and sent.
        _runs: the runs of those pieces that are not laid out yet.
        _starts: where the text of each piece begins, and the id of its event.
        _reading: whether a read is in progress.
        _stale: whether a read was skipped because the window was hidden.

    Signals:
        closed: the window was closed.
        send_wanted: carries the id of the event that is to fill the Send dock.
    """

    closed = pyqtSignal()
    send_wanted = pyqtSignal(int)

    def __init__(
        self, connection: tuple[int, bool], reader: Reader, in_thread: InThread, parent: QWidget | None = None
    ) -> None:
        """``connection``: its number, and whether it is a live connection's number."""
        super().__init__(parent, Qt.Window)
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.asked = connection
        self._reader, self._in_thread = reader, in_thread
        self._about: About | None = None
        self._stream: Stream | None = None
        self._reading = self._closed = False
        self._stale = True
        self._pieces: deque[Piece] = deque()
        self._size, self._skipped = 0, [0, 0]
        self._runs: Iterator[Run] = iter(())
        self._starts: list[tuple[int, int]] = []
        self._formatter = StreamFormatter()
        self._saving: Deferred[Any] | None = None
        self._stopped = False
        self._build()
        self._lay_out()
        self._layout_timer = QTimer(self)
        self._layout_timer.timeout.connect(self._append_runs)
        theme.notifier.changed.connect(self._rewrite)
        self.setWindowTitle(self.tr("Stream #{conn}").format(conn=connection[0]))
        self.resize(920, 620)
        self._read_about()

    # -- building the window

    def _build(self) -> None:
        self.form, self.side, self.look = QComboBox(), QComboBox(), QComboBox()
        for arrow, title, side in _SIDES:
            self.side.addItem(f"{arrow} {self.tr(title)}".strip(), side)
        for title, is_hex in ((self.tr("Text"), False), (self.tr("Hex"), True)):
            self.look.addItem(title, is_hex)
        for box, name, tip in (
            (self.form, self.tr("Form"), self.tr("Raw bytes, or the messages in them")),
            (self.side, self.tr("Sides"), self.tr("What is shown")),
            (self.look, self.tr("As"), self.tr("As text, or as hex")),
        ):
            box.setAccessibleName(name)
            box.setToolTip(tip)
            box.setSizeAdjustPolicy(QComboBox.AdjustToContents)
        self.form.activated.connect(lambda _: self._begin())
        self.side.activated.connect(lambda _: self._rewrite())
        self.look.activated.connect(lambda _: self._rewrite())
        self.find_button = QToolButton()
        self.find_button.setText(self.tr(" Find"))
        self.find_button.setAccessibleName(self.tr("Find"))
        self.find_button.setToolTip(self.tr("Find in the stream (Ctrl+F)"))
        self.find_button.setIcon(icon("search", "dim"))
        self.find_button.setToolButtonStyle(Qt.ToolButtonTextBesideIcon)
        self.find_button.clicked.connect(lambda _=False: self.find_bar.open())
        self.send_button = QToolButton()
        self.send_button.setText(self.tr(" Open in Send"))
        self.send_button.setAccessibleName(self.tr("Open in Send"))
        self.send_button.setToolTip(self.tr("Fill the Send dock with what was sent at the cursor (Ctrl+J)"))
        self.send_button.setIcon(icon("send", "dim"))
        self.send_button.setToolButtonStyle(Qt.ToolButtonTextBesideIcon)
        self.send_button.clicked.connect(lambda _=False: self._open_in_send())
        self.save_button = QPushButton(self.tr("Save"))
        self.save_button.setToolTip(self.tr("Save all bytes that were received, or all that were sent"))
        menu = QMenu(self.save_button)
        menu.addAction(self.tr("What was &received…"), partial(self._ask_where, True))
        menu.addAction(self.tr("What was &sent…"), partial(self._ask_where, False))
        self.save_button.setMenu(menu)
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setUndoRedoEnabled(False)
        self.text.setProperty("role", "mono")
        self.text.setProperty("surface", "panel")
        self.text.setAccessibleName(self.tr("Stream"))
        self.text.document().setDocumentMargin(12)
        self.text.setTextInteractionFlags(Qt.TextSelectableByMouse | Qt.TextSelectableByKeyboard)
        self.find_bar = FindBar(self, lambda: [self.text])
        self.skipped_label, self.state = QLabel(), QLabel()
        for label in (self.skipped_label, self.state):
            label.setTextFormat(Qt.PlainText)
            label.setProperty("role", "dim")
            label.setContentsMargins(16, 5, 16, 5)
        for keys, call in (
            (QKeySequence("Esc"), self._close),
            (QKeySequence("Ctrl+W"), self._close),
            (QKeySequence("Ctrl+J"), self._open_in_send),
        ):
            QShortcut(keys, self, call)

    def _lay_out(self) -> None:
        bar = QFrame()
        bar.setProperty("surface", "window")
        row = QHBoxLayout(bar)
        row.setContentsMargins(12, 6, 12, 6)
        row.setSpacing(8)
        for box in (self.form, self.side, self.look):
            row.addWidget(box)
        row.addStretch(1)
        row.addWidget(self.send_button)
        row.addWidget(self.find_button)
        row.addWidget(self.save_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for widget, stretch in ((bar, 0), (self.skipped_label, 0), (self.text, 1), (self.find_bar, 0), (self.state, 0)):
            column.addWidget(widget, stretch)
        self.skipped_label.hide()

    # -- reading

    def _read_about(self) -> None:
        number, live = self.asked
        self._reading = True
        self._reader.read(lambda store: streams.about(store, number, live=live), None, self._on_about)

    def _on_about(self, about: About | None) -> None:
        self._reading = False
        if self._closed:
            return
        if about is None:
            self._show(self.tr("This connection is not in the capture. It may have been dropped."))
            return
        self._about = about
        self.setWindowTitle(
            self.tr("Stream #{conn} · {peer} · {service}").format(
                conn=about.conn, peer=about.peer, service=about.service
            )
        )
        for form in about.forms:
            self.form.addItem(self.tr(_FORMS[form]), form)
        self.form.setEnabled(len(about.forms) > 1)
        self._begin()

    def _begin(self) -> None:
        """Read the stream from its beginning, in the form that is selected."""
        assert self._about is not None
        self._stream = Stream(self._about.conn, self._about.first, self.form.currentData())
        self._reading = False
        self._pieces.clear()
        self._size, self._skipped = 0, [0, 0]
        self._rewrite()
        self._read()

    def on_stored(self, _: object = None) -> None:
        """More events were stored in the capture."""
        if self._about is None and not self._reading:
            self._read_about()
        self._read()

    def _read(self) -> None:
        stream = self._stream
        if stream is None or self._reading:
            return
        if not self.isVisible():
            self._stale = True
            return
        self._reading, self._stale = True, False
        self._reader.read(stream.read, None, partial(self._on_news, stream))

    def _on_news(self, stream: Stream, news: News | None) -> None:
        if self._closed or stream is not self._stream:
            return
        self._reading = False
        if news is None:
            return  # the capture could not be read: ``on_stored`` reads again
        for side, skipped in enumerate(news.skipped):
            self._skipped[side] += skipped
        self._add(news.pieces)
        self._show_state(news)
        if not news.complete:
            self._read()

    def _add(self, pieces: tuple[Piece, ...]) -> None:
        if not pieces:
            return
        self._pieces.extend(pieces)
        self._size += sum(piece.size for piece in pieces)
        limit = AS_HEX if self.look.currentData() else AS_TEXT
        if self._size > 2 * limit and self._trim(limit):
            self._rewrite()
            return
        self._runs = chain(self._runs, *map(self._write, pieces))
        self._layout_timer.start()

    def _trim(self, limit: int) -> bool:
        """Drop the oldest pieces until ``limit`` bytes are left. Returns whether any were dropped."""
        before = len(self._pieces)
        while len(self._pieces) > 1 and self._size > limit:
            oldest = self._pieces.popleft()
            self._size -= oldest.size
            self._skipped[oldest.received is False] += oldest.size
        return len(self._pieces) < before

    def _show_state(self, news: News) -> None:
        received = self.tr("{size} received").format(size=amount(news.received))
        sent = self.tr("{size} sent").format(size=amount(news.sent))
        end = self.tr("closed") if news.ended else "" if news.complete else self.tr("reading…")
        self._show(f"{ARROWS['received']} {received}    {ARROWS['sent']} {sent}    {end}".rstrip())

    def _show(self, text: str, role: str = "dim") -> None:
        self.state.setText(text)
        set_property(self.state, "role", role)

    # -- writing

    @pyqtSlot()
    def _rewrite(self, *_: object) -> None:
        """Lay out all pieces again: the theme, the format or the pieces have changed."""
        self._trim(AS_HEX if self.look.currentData() else AS_TEXT)
        skipped = self._skipped[0], self._skipped[1]
        is_hex, side = self.look.currentData(), self.side.currentData()
        self._formatter = StreamFormatter(hexadecimal=is_hex, side=side, skipped=skipped)
        self._runs = chain.from_iterable(map(self._write, tuple(self._pieces)))
        self._starts = []
        self.text.clear()
        self.text.setPlaceholderText(self.tr("Nothing has passed yet.") if self._about is not None else "")
        self._show_skipped()
        self._layout_timer.start()

    def _write(self, piece: Piece) -> Iterator[Run]:
        """The runs of a piece. It begins where the text ends once the first of them is asked for."""
        begun = False
        for run in self._formatter.write(piece):
            if not begun and piece.event:
                self._starts.append((self.text.document().characterCount() - 1, piece.event))
            begun = True
            yield run

    def _show_skipped(self) -> None:
        skipped = sum(self._skipped)
        self.skipped_label.setText(
            self.tr("The first {skipped} are not shown here. Save has all of it.").format(skipped=amount(skipped))
        )
        self.skipped_label.setVisible(skipped > 0)

    def _append_runs(self) -> None:
        """Lay out runs for ``SLICE`` seconds; the timer continues with the rest."""
        bar = self.text.verticalScrollBar()
        at_end = bar.value() >= bar.maximum() - 2
        cursor = QTextCursor(self.text.document())
        cursor.movePosition(QTextCursor.End)
        until = perf_counter() + SLICE
        cursor.beginEditBlock()
        for text, style in self._runs:
            cursor.insertText(text, _format(style))
            if perf_counter() > until:
                break
        else:
            self._layout_timer.stop()
        cursor.endEditBlock()
        self._show_skipped()
        if at_end:
            bar.setValue(bar.maximum())

    def _close(self) -> None:
        self.close()

    def _open_in_send(self) -> None:
        """Ask for what passed at the cursor, or for the first that passed if that is before all of it."""
        at = bisect_right(self._starts, (self.text.textCursor().selectionStart(), sys.maxsize)) - 1
        if self._starts:
            self.send_wanted.emit(self._starts[max(0, at)][1])

    # -- saving

    def _ask_where(self, received: bool) -> None:
        about = self._about
        if about is None:
            return
        dialog = QFileDialog(self, self.tr("Save what was received") if received else self.tr("Save what was sent"))
        dialog.setAcceptMode(QFileDialog.AcceptSave)
        name = re.sub(r"[^A-Za-z0-9_-]+", "-", about.service) or "stream"
        dialog.selectFile(f"{name}-{about.conn}-{'received' if received else 'sent'}.bin")
        dialog.setAttribute(Qt.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda path: self.save(received, Path(path)))
        dialog.open()

    def save(self, received: bool, path: Path) -> None:
        """Save one direction to a file, in a thread."""
        if self._about is None or self._saving is not None:
            return
        self.save_button.setEnabled(False)
        self._show(self.tr("Saving to {path}…").format(path=path))
        capture = self._reader.path
        self._saving = self._in_thread(save_side, capture, self._about, received, path, lambda _: not self._stopped)
        self._saving.addCallback(self._on_saved)

    def _on_saved(self, result: tuple[str, bool]) -> None:
        text, succeeded = result
        self._saving = None
        if not self._closed:
            self.save_button.setEnabled(True)
            self._show(text, "dim" if succeeded else "error")

    # -- the window itself

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._stale:
            self._read()

    def closeEvent(self, event: QCloseEvent) -> None:
        self._closed = self._stopped = True
        self._layout_timer.stop()
        self.closed.emit()
        super().closeEvent(event)


def _format(style: str) -> QTextCharFormat:
    found = QTextCharFormat()
    found.setForeground(QColor(getattr(theme.current(), style.lstrip("+"))))
    if style.startswith("+"):
        found.setFontWeight(QFont.Bold)
    return found
