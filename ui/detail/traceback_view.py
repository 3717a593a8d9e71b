"""Shows a traceback: the exception, the frames of the user's code with local variables, library frames folded."""

from __future__ import annotations

import textwrap

from PyQt5.QtCore import QPoint, QPointF, Qt, pyqtSignal
from PyQt5.QtGui import (
    QColor,
    QContextMenuEvent,
    QKeyEvent,
    QMouseEvent,
    QTextBlock,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
)
from PyQt5.QtWidgets import QMenu, QWidget

from app.failures.origins import short
from app.failures.record import FailureRecord, Frame
from app.text.escapes import escape
from ui.detail.sheet import Sheet, visible
from ui.detail.traceback_layout import ROW, WORDS, Group, as_text, chain, groups, hex_lines
from ui.looks import theme
from ui.looks.english import form_of
from ui.parts.copying import copy

Fold = tuple[int, ...]
"""Identifies a part that can be folded: the path through causes and members to an exception, and the
group of its frames."""

BYTES: Fold = ()
"""The fold of the bytes that caused the failure."""

HEX_ROWS, EXCERPT = 32, 96
"""Lines of hex, and characters of text, that are shown of those bytes."""

VALUES = 8
"""Local variables of a frame that are not folded."""

_AGAIN = 1 << 20
"""``userState`` of the line that sends the bytes again."""


class TracebackView(Sheet):
    """Shows one failure with its chain of causes.

    Frames of libraries are folded into one line, and so are the bytes that caused the failure. A click
    on the line unfolds them, and so does Enter with the caret on the line.

    Attributes:
        sendable: whether the bytes can be sent again.
        _record, _payload: the failure, and the bytes that caused it.
        _circumstances: a text such as "connection #7".
        _folds: all folds in the text. The ``userState`` of a fold's line is its index here plus one.
        _open: the folds that are unfolded.
        _told: the result of sending the bytes again, as a text for the user.

    Signals:
        again: the user wants to send the bytes again.
    """

    again = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._record: FailureRecord | None = None
        self._payload: bytes | None = None
        self._circumstances = self._told = ""
        self.sendable = True
        self._folds: list[Fold] = []
        self._open: set[Fold] = set()
        self.viewport().setMouseTracking(True)
        self.setAccessibleName(self.tr("Traceback"))

    def show_failure(
        self, record: FailureRecord | None, connection: int | None = None, payload: bytes | None = None
    ) -> None:
        """Show a failure, folded, scrolled to its beginning.

        Args:
            connection: number of the connection on which it happened.
            payload: the bytes that caused it.
        """
        self._record, self._payload, self._told = record, payload, ""
        self._open.clear()
        words = self.tr("connection #{number}").format(number=connection) if connection is not None else ""
        self._circumstances = f" · {words}" if words else ""
        self.rewrite()
        self.verticalScrollBar().setValue(0)
        self.horizontalScrollBar().setValue(0)

    def tell(self, words: str) -> None:
        """Show the result of sending the bytes again."""
        self._told = words
        self.rewrite()

    def text(self, with_locals: bool = False) -> str:
        """The whole failure as Python prints it; empty when none is shown."""
        return as_text(self._record, with_locals) if self._record else ""

    def folds(self) -> int:
        """The number of lines that fold or unfold something."""
        return len(self._folds)

    def toggle(self, fold: int) -> None:
        """Fold or unfold the fold with this index, below ``folds()``, and keep the caret on its line."""
        self._open ^= {self._folds[fold]}
        self.rewrite()
        block = self.document().begin()
        while block.isValid() and block.userState() != fold + 1:
            block = block.next()
        self.setTextCursor(QTextCursor(block))

    def unfold_all(self) -> None:
        """Unfold everything."""
        self._open.update(self._folds)
        self.rewrite()

    def fold_all(self) -> None:
        """Fold everything."""
        self._open.clear()
        self.rewrite()

    # -- writing the document

    def write(self) -> None:
        self._folds.clear()
        if self._record is None:
            return
        several = self._record.cause is not None
        self._write_heading(self._record, self._circumstances, larger=2)
        if not several:
            self._write_notes(self._record)
        if self._payload is not None:
            self._write_payload(self._payload)
        if several:
            self._write_link(self.tr("It began with:"), above=4)
        self._write_exception(self._record, (0,), headed=not several)

    def _write_exception(self, record: FailureRecord, way: Fold, *, headed: bool) -> None:
        for index, step in enumerate(chain(record)):
            if index:
                self._write_link(WORDS.get(step.relation, ""))
            if not headed:
                self._write_heading(step, "", larger=0)
                self._write_notes(step)
            for number, group in enumerate(groups(step.frames)):
                self._write_group((*way, index, number), group)
            if not step.frames and not step.members:
                self.line((self.tr("This exception has no traceback."), self.voice("dim", words=True)))
            for number, member in enumerate(step.members, 1):
                words = self.tr("Exception {number} of {count} in it:")
                self._write_link(words.format(number=number, count=len(step.members)))
                self._write_exception(member, (*way, index, -number), headed=False)

    def _write_heading(self, record: FailureRecord, circumstances: str, larger: int) -> None:
        first = record.message.partition("\n")[0]
        self.line(
            (visible(record.type), self.voice("bad", bold=True, words=True, larger=larger)),
            (f"  {visible(first)}" if first else "", self.voice("text", words=True)),
            (f" {circumstances}" if circumstances else "", self.voice("dim", words=True)),
            layout=_spaced(0 if larger else 8, 8),
        )

    def _write_notes(self, record: FailureRecord) -> None:
        """The message's lines after the first one, and the notes that ``add_note`` added."""
        rest = record.message.split("\n")[1:]
        for text in (*rest, *(line for note in record.notes for line in note.split("\n"))):
            self.line((visible(text), self.voice("text")), layout=_code(self.character() * 2, breakable=True, below=4))

    def _write_payload(self, payload: bytes) -> None:
        size = len(payload)
        words = self.tr("caused by {size:,} byte(s)", "", form_of(size)).format(size=size)
        if not size:
            words = self.tr("caused by an empty message")
        opened = self._write_fold(BYTES, words, (f"   {_excerpt(payload)}", self.voice("text")))
        if opened:
            for offset, pairs, shown in hex_lines(payload, HEX_ROWS):
                self.line(
                    (f"{offset:>6}  ", self.voice("dim")), (pairs, self.voice("text")),
                    (f"  {shown}", self.voice("dim")), layout=_code(),
                )  # fmt: skip
            if size > HEX_ROWS * ROW:
                self.line((self.tr("        … all of them are under Hex"), self.voice("dim")), layout=_code())
        if not self.sendable:
            return
        told = (f"   {visible(self._told)}", self.voice("dim", words=True)) if self._told else None
        self.line(
            (f"↻ {self.tr('Send the bytes again')}", self.voice("accent", words=True)),
            *([told] if told else []),
            layout=_spaced(2, 10),
        )
        self.document().lastBlock().setUserState(_AGAIN)

    def _write_link(self, words: str, above: float = 16) -> None:
        self.line((words, self.voice("dim", words=True)), layout=_spaced(above, 8))

    def _write_fold(self, fold: Fold, words: str, *more: tuple[str, QTextCharFormat], indent: float = 0) -> bool:
        """Write the line of a fold. Returns whether the fold is open."""
        opened = fold in self._open
        self._folds.append(fold)
        layout = _spaced(2, 2)
        layout.setLeftMargin(indent)
        self.line((f"{'▾' if opened else '▸'} {words}", self.voice("dim")), *more, layout=layout)
        self.document().lastBlock().setUserState(len(self._folds))
        return opened

    def _write_group(self, fold: Fold, group: Group) -> None:
        if group.libraries:
            words = self.tr("%n frame(s) in {names}", "", len(group.frames))
            if not self._write_fold(fold, words.format(names=", ".join(group.libraries))):
                return
        for number, frame in enumerate(group.frames):
            self._write_frame(frame, (*fold, number), own=not group.libraries)

    def _write_frame(self, frame: Frame, fold: Fold, own: bool) -> None:
        self.line(
            (visible(short(frame.file)), self.voice("accent")),
            (f":{frame.line} in ", self.voice("text")),
            (visible(frame.function), self.voice("text", bold=True)),
            layout=_spaced(6, 2),
        )
        dedented = textwrap.dedent("\n".join(text.replace("\n", " ").expandtabs(4) for _, text in frame.source))
        lines = [(number, text) for (number, _), text in zip(frame.source, dedented.split("\n"), strict=False)]
        while lines and lines[-1][0] > frame.line and not lines[-1][1].strip():
            lines.pop()
        while lines and lines[0][0] < frame.line and not lines[0][1].strip():
            lines.pop(0)
        for number, text in lines:
            self._write_source(number, text, failing=number == frame.line, own=own)
        if own and frame.locals:
            self._write_values(frame.locals, fold)

    def _write_source(self, number: int, text: str, failing: bool, own: bool) -> None:
        layout, marked = _code(), failing and own
        if marked:
            layout.setBackground(QColor(theme.current().selection))
        gutter = f"{'→' if failing else '':>3}{number:>6}  "
        self.line(
            (gutter, self.voice("selected_text" if marked else "dim")),
            (visible(text), self.voice("selected_text" if marked else "text" if failing else "dim")),
            layout=layout,
        )

    def _write_values(self, values: tuple[tuple[str, str], ...], fold: Fold) -> None:
        """Write local variables, one per line, with aligned values. Those after the first ``VALUES`` are folded,
        unless there is only one."""
        indent = self.character() * 11
        folded = len(values) > VALUES + 1
        column = min(max(len(name) for name, _ in values), 18) + 3
        for at, (name, value) in enumerate(values):
            if folded and at == VALUES:
                words = self.tr("{count} more values").format(count=len(values) - VALUES)
                if not self._write_fold(fold, words, indent=indent):
                    return
            layout = _code(indent + column * self.character(), breakable=True, below=1)
            layout.setTextIndent(-column * self.character())
            if not at:
                layout.setTopMargin(3)
            self.line(
                (f"{visible(name)} = ".rjust(column) if len(name) < column - 2 else f"{visible(name)} = ",
                 self.voice("dim")),
                (visible(value), self.voice("text")),
                layout=layout,
            )  # fmt: skip

    # -- mouse and keyboard

    def keyPressEvent(self, event: QKeyEvent) -> None:
        block = self.textCursor().block()
        if event.key() not in (Qt.Key_Return, Qt.Key_Enter, Qt.Key_Space) or not self._press(block):
            super().keyPressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        if not event.buttons():
            active = self._block_at(event.pos()).userState() > 0
            self.viewport().setCursor(Qt.PointingHandCursor if active else Qt.IBeamCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        if event.button() == Qt.LeftButton and not self.textCursor().hasSelection():
            self._press(self._block_at(event.pos()))

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = self.context_menu()
        menu.setAttribute(Qt.WA_DeleteOnClose)
        menu.popup(event.globalPos())

    def context_menu(self) -> QMenu:
        """The context menu: actions on the traceback."""
        menu = QMenu(self)
        menu.addAction(self.tr("&Copy selection"), self.copy).setEnabled(self.textCursor().hasSelection())
        menu.addAction(self.tr("Copy &traceback"), lambda: self._copy(False))
        menu.addAction(self.tr("Copy traceback with local &values"), lambda: self._copy(True))
        menu.addAction(self.tr("Send the &bytes again"), self.again.emit).setEnabled(
            self.sendable and self._payload is not None
        )
        menu.addSeparator()
        menu.addAction(self.tr("&Unfold all"), self.unfold_all).setEnabled(len(self._open) < len(self._folds))
        menu.addAction(self.tr("&Fold all"), self.fold_all).setEnabled(bool(self._open))
        return menu

    def _copy(self, with_locals: bool) -> None:
        copy(self.text(with_locals), self.tr("Copied the traceback"))

    def _press(self, block: QTextBlock) -> bool:
        """Carry out the action of a line. Returns whether the line has one."""
        if block.userState() == _AGAIN:
            self.again.emit()
        elif block.userState() > 0:
            self.toggle(block.userState() - 1)
        return block.userState() > 0

    def _block_at(self, point: QPoint) -> QTextBlock:
        # cursorForPosition returns the nearest line, which may be far away from the pointer.
        block = self.cursorForPosition(point).block()
        y = QPointF(point).y() + self.verticalScrollBar().value()
        layout = self.document().documentLayout()
        rect = layout.blockBoundingRect(block)
        return block if rect.top() <= y <= rect.bottom() else QTextBlock()


def _excerpt(data: bytes) -> str:
    text = escape(data[:EXCERPT])
    return text if len(text) <= EXCERPT and len(data) <= EXCERPT else f"{text[:EXCERPT]}…"


def _spaced(above: float, below: float) -> QTextBlockFormat:
    layout = QTextBlockFormat()
    layout.setTopMargin(above)
    layout.setBottomMargin(below)
    return layout


def _code(indent: float = 0, *, breakable: bool = False, below: float = 0) -> QTextBlockFormat:
    layout = QTextBlockFormat()
    layout.setLeftMargin(indent)
    layout.setBottomMargin(below)
    layout.setNonBreakableLines(not breakable)
    return layout
