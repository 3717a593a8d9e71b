"""A traceback worth reading: what failed, where in the user's code, and with which values."""

from __future__ import annotations

import textwrap

from PyQt5.QtCore import QPoint, QPointF, Qt
from PyQt5.QtGui import (
    QColor,
    QContextMenuEvent,
    QGuiApplication,
    QKeyEvent,
    QMouseEvent,
    QTextBlock,
    QTextBlockFormat,
    QTextCursor,
)
from PyQt5.QtWidgets import QMenu, QWidget

from app.failures import FailureRecord, Frame
from ui import theme
from ui.sheet import Sheet, visible
from ui.traceback_layout import WORDS, Group, as_text, chain, groups, short

Fold = tuple[int, int]
"""Which exception of the chain, and which group of its frames."""


class TracebackView(Sheet):
    """One failure with its chain of causes.

    Frames of libraries are folded into one line, which a click unfolds, or Enter with the
    caret on it.

    Attributes:
        _record, _circumstances: what is shown; ``_circumstances`` are words like "connection #7".
        _folds: every fold in the text; a line's ``userState`` is its place here, plus one.
        _open: those that were unfolded.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._record: FailureRecord | None = None
        self._circumstances = ""
        self._folds: list[Fold] = []
        self._open: set[Fold] = set()
        self.viewport().setMouseTracking(True)
        self.setAccessibleName(self.tr("Traceback"))

    def show_failure(
        self, record: FailureRecord | None, connection: int | None = None, size: int | None = None
    ) -> None:
        """Show a failure from its beginning, folded.

        Args:
            connection: the number of the connection it happened on.
            size: of the bytes that caused it.
        """
        self._record = record
        self._open.clear()
        words = []
        if connection is not None:
            words.append(self.tr("connection #{number}").format(number=connection))
        if size is not None:
            words.append(self.tr("caused by {size} bytes").format(size=f"{size:,}"))
        self._circumstances = "".join(f" · {part}" for part in words)
        self.rewrite()
        self.verticalScrollBar().setValue(0)
        self.horizontalScrollBar().setValue(0)

    def text(self, with_locals: bool = False) -> str:
        """The whole failure as Python prints it; empty when none is shown."""
        return as_text(self._record, with_locals) if self._record else ""

    def folds(self) -> int:
        """How many lines there are that fold or unfold."""
        return len(self._folds)

    def toggle(self, fold: int) -> None:
        """Fold or unfold one of the ``folds()``, and leave the caret on its line."""
        self._open ^= {self._folds[fold]}
        self.rewrite()
        block = self.document().begin()
        while block.isValid() and block.userState() != fold + 1:
            block = block.next()
        self.setTextCursor(QTextCursor(block))

    def unfold_all(self) -> None:
        """Show the frames of every library."""
        self._open.update(self._folds)
        self.rewrite()

    def fold_all(self) -> None:
        """Show only one line for the frames of libraries."""
        self._open.clear()
        self.rewrite()

    # -- what is written

    def write(self) -> None:
        self._folds.clear()
        if self._record is None:
            return
        steps = chain(self._record)
        self._write_heading(self._record, self._circumstances, larger=2)
        if len(steps) == 1:
            self._write_notes(self._record)
        else:
            self._write_link(self.tr("It began with:"), above=4)
        for index, step in enumerate(steps):
            if index:
                self._write_link(WORDS.get(step.relation, ""))
            if len(steps) > 1:
                self._write_heading(step, "", larger=0)
                self._write_notes(step)
            for number, group in enumerate(groups(step.frames)):
                self._write_group((index, number), group)
            if not step.frames:
                self.line((self.tr("It carries no traceback."), self.voice("dim", words=True)))

    def _write_heading(self, record: FailureRecord, circumstances: str, larger: int) -> None:
        first = record.message.partition("\n")[0]
        self.line(
            (visible(record.type), self.voice("bad", bold=True, words=True, larger=larger)),
            (f"  {visible(first)}" if first else "", self.voice("text", words=True)),
            (f" {circumstances}" if circumstances else "", self.voice("dim", words=True)),
            layout=_spaced(0 if larger else 8, 8),
        )

    def _write_notes(self, record: FailureRecord) -> None:
        """The further lines of a message, and what was added to the exception by ``add_note``."""
        rest = record.message.split("\n")[1:]
        for text in (*rest, *(line for note in record.notes for line in note.split("\n"))):
            self.line((visible(text), self.voice("text")), layout=_code(self.character() * 2, breakable=True, below=4))

    def _write_link(self, words: str, above: float = 16) -> None:
        self.line((words, self.voice("dim", words=True)), layout=_spaced(above, 8))

    def _write_group(self, fold: Fold, group: Group) -> None:
        if group.libraries:
            opened = fold in self._open
            self._folds.append(fold)
            count = len(group.frames)
            words = self.tr("1 frame in {names}") if count == 1 else self.tr("{count} frames in {names}")
            text = words.format(count=count, names=", ".join(group.libraries))
            self.line((f"{'▾' if opened else '▸'} {text}", self.voice("dim")), layout=_spaced(2, 2))
            self.document().lastBlock().setUserState(len(self._folds))
            if not opened:
                return
        for frame in group.frames:
            self._write_frame(frame, own=not group.libraries)

    def _write_frame(self, frame: Frame, own: bool) -> None:
        self.line(
            (visible(short(frame.file)), self.voice("accent")),
            (f":{frame.line} in ", self.voice("text")),
            (visible(frame.function), self.voice("text", bold=True)),
            layout=_spaced(4, 0),
        )
        dedented = textwrap.dedent("\n".join(text.replace("\n", " ").expandtabs(4) for _, text in frame.source))
        lines = [(number, text) for (number, _), text in zip(frame.source, dedented.split("\n"), strict=False)]
        while lines and lines[-1][0] > frame.line and not lines[-1][1].strip():
            lines.pop()
        for number, text in lines:
            self._write_source(number, text, failing=number == frame.line, own=own)
        if own and frame.locals:
            values = "   ".join(f"{visible(name)} = {visible(value)}" for name, value in frame.locals)
            self.line((values, self.voice("dim")), layout=_code(self.character() * 11, breakable=True, below=4))

    def _write_source(self, number: int, text: str, failing: bool, own: bool) -> None:
        layout, marked = _code(), failing and own
        if marked:
            layout.setBackground(QColor(theme.current().selection))
        gutter = f"{'→' if failing else '':>3}{number:>6}  "
        self.line(
            (gutter, self.voice("selected_text" if marked else "dim")),
            (visible(text), self.voice("selected_text" if marked else "text")),
            layout=layout,
        )

    # -- what is clicked and typed

    def keyPressEvent(self, event: QKeyEvent) -> None:
        fold = self._fold_of(self.textCursor().block())
        if fold is not None and event.key() in (Qt.Key_Return, Qt.Key_Enter, Qt.Key_Space):
            self.toggle(fold)
        else:
            super().keyPressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        if not event.buttons():
            self.viewport().setCursor(Qt.IBeamCursor if self._fold_at(event.pos()) is None else Qt.PointingHandCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        fold = self._fold_at(event.pos())
        if event.button() == Qt.LeftButton and fold is not None and not self.textCursor().hasSelection():
            self.toggle(fold)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = self.context_menu()
        menu.setAttribute(Qt.WA_DeleteOnClose)
        menu.popup(event.globalPos())

    def context_menu(self) -> QMenu:
        """What can be done with the traceback."""
        menu = QMenu(self)
        menu.addAction(self.tr("&Copy selection"), self.copy).setEnabled(self.textCursor().hasSelection())
        menu.addAction(self.tr("Copy &traceback"), lambda: self._copy(False))
        menu.addAction(self.tr("Copy traceback with local &values"), lambda: self._copy(True))
        menu.addSeparator()
        menu.addAction(self.tr("&Unfold all"), self.unfold_all).setEnabled(len(self._open) < len(self._folds))
        menu.addAction(self.tr("&Fold all"), self.fold_all).setEnabled(bool(self._open))
        return menu

    def _copy(self, with_locals: bool) -> None:
        clipboard = QGuiApplication.clipboard()
        if clipboard is not None:
            clipboard.setText(self.text(with_locals))

    def _fold_of(self, block: QTextBlock) -> int | None:
        return block.userState() - 1 if block.userState() > 0 else None

    def _fold_at(self, point: QPoint) -> int | None:
        # The nearest line may be far away: only one that is really under the pointer counts.
        block = self.cursorForPosition(point).block()
        y = QPointF(point).y() + self.verticalScrollBar().value()
        layout = self.document().documentLayout()
        rect = layout.blockBoundingRect(block)
        return self._fold_of(block) if rect.top() <= y <= rect.bottom() else None


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
