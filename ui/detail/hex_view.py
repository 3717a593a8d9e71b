"""A hex view: offsets, hexadecimal digits and characters, for data of any size."""

from __future__ import annotations

from PyQt5.QtCore import QEvent, QPoint, QRectF, QSize, Qt, pyqtSignal, pyqtSlot
from PyQt5.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QFontMetricsF,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PyQt5.QtWidgets import QAbstractScrollArea, QMenu, QWidget

from app.text.byte_values import SOURCES
from ui.detail.facts import written_size
from ui.detail.hex_layout import NARROW, ROW, HexLayout
from ui.detail.hex_paint import paint_cursor, paint_rows
from ui.looks import theme
from ui.looks.english import form_of
from ui.parts.copying import copy
from ui.parts.keys import claims

MOVES: dict[int, tuple[int, int]] = {
    Qt.Key_Left: (0, -1),
    Qt.Key_Right: (0, 1),
    Qt.Key_Up: (-1, 0),
    Qt.Key_Down: (1, 0),
}
"""Rows and bytes by which a key moves the cursor."""


MAX_COPY = 1 << 20
"""Bytes that can be copied as source code, which is several times as long."""


class HexView(QAbstractScrollArea):
    """A read-only view of bytes, 16 per row; 8 where it is narrow. Only the visible rows are read.

    Attributes:
        _data: the bytes shown. They are not copied.
        _anchor, _cursor: the first and last byte of the selection, in either order; None when nothing
            is selected. The cursor is the end that moves.

    Signals:
        selectionChanged(range): the selected positions; empty if none are.
        dataChanged(): other bytes are shown.
    """

    selectionChanged = pyqtSignal(range)
    dataChanged = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._data = b""
        self._placeholder = ""
        self._anchor: int | None = None
        self._cursor: int | None = None
        self.setFont(theme.mono_font())
        theme.notifier.fonts_changed.connect(self._on_fonts)
        self._layout = HexLayout(QFontMetricsF(self.font()), 0)
        self.setFocusPolicy(Qt.StrongFocus)
        self.viewport().setCursor(Qt.IBeamCursor)
        self.setAccessibleName(self.tr("Bytes"))
        self._describe()

    @pyqtSlot()
    def _on_fonts(self) -> None:
        self.setFont(theme.mono_font())

    def sizeHint(self) -> QSize:
        return QSize(self.width_of(ROW), 200)

    def width_of(self, row: int) -> int:
        """The pixels of width that it needs to show ``row`` bytes in a row."""
        frame = 2 * self.frameWidth() + self.verticalScrollBar().sizeHint().width()
        return int(self._grid(row).width) + frame + 2

    def data(self) -> bytes:
        """The bytes shown."""
        return self._data

    def set_data(self, data: bytes) -> None:
        """Show other bytes, scrolled to their beginning, with nothing selected."""
        self._data = data
        self._measure()
        self.verticalScrollBar().setValue(0)
        self.horizontalScrollBar().setValue(0)
        self._set_selection(None, None)
        self._describe()
        self.dataChanged.emit()

    def setPlaceholderText(self, text: str) -> None:
        """Set the text that is shown when there are no bytes."""
        self._placeholder = text
        self.viewport().update()

    def selection(self) -> range:
        """The selected positions; empty when nothing is selected."""
        if self._anchor is None or self._cursor is None:
            return range(0)
        return range(min(self._anchor, self._cursor), max(self._anchor, self._cursor) + 1)

    def selected_bytes(self) -> bytes:
        """The bytes at the selected positions."""
        chosen = self.selection()
        return self._data[chosen.start : chosen.stop]

    def select(self, start: int, stop: int) -> None:
        """Select the bytes from ``start`` up to but not including ``stop``, and bring them into view."""
        start, stop = max(start, 0), min(stop, len(self._data))
        if start >= stop:
            self._set_selection(None, None)
            return
        self._reveal(stop - 1)
        self._reveal(start)
        self._set_selection(start, stop - 1)

    def select_all(self) -> None:
        """Select every byte, without moving the view."""
        if self._data:
            self._set_selection(0, len(self._data) - 1)

    def copy_hex(self) -> None:
        """Copy the selected bytes as pairs of hexadecimal digits, with spaces between."""
        self._copy(self.selected_bytes().hex(" "), self.tr("Copied {size} as hex"))

    def copy_text(self) -> None:
        """Copy the selected bytes as UTF-8. Invalid bytes and NUL become U+FFFD."""
        self._copy(
            self.selected_bytes().decode("utf-8", "replace").replace("\0", "\ufffd"), self.tr("Copied {size} as text")
        )

    def copy_escaped(self) -> None:
        r"""Copy the selected bytes as ASCII; other bytes become ``\r``, ``\n``, ``\x00`` and so on."""
        escaped = self.selected_bytes().decode("latin-1").encode("unicode_escape").decode("ascii")
        self._copy(escaped, self.tr("Copied {size} as escaped text"))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        colors = theme.current()
        if not self._data:
            painter.setFont(theme.ui_font())
            painter.setPen(self.palette().placeholderText().color())
            painter.drawText(self.viewport().rect(), Qt.AlignCenter, self._placeholder or self.tr("No bytes"))
            return
        painter.setFont(self.font())
        painter.translate(-self.horizontalScrollBar().value(), 0)
        first = self.verticalScrollBar().value()
        rows = range(first, min(first + self._rows_shown() + 1, self._layout.rows))
        paint_rows(painter, self._layout, self._data, rows, self.selection(), colors)
        if self._cursor is not None and self.hasFocus():
            paint_cursor(painter, self._layout, self._cursor, first, colors)

    def resizeEvent(self, event: QResizeEvent) -> None:
        if self._row() == self._layout.row:
            self._set_scroll_bars()
        else:
            first = self._layout.first_of(self.verticalScrollBar().value())
            self._measure()
            self.verticalScrollBar().setValue(first // self._layout.row)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.FontChange, QEvent.StyleChange):
            self._measure()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.viewport().update()

    def event(self, event: QEvent) -> bool:
        return claims(event, QKeySequence.Copy, QKeySequence.SelectAll) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.Copy):
            self.copy_hex()
        elif event.matches(QKeySequence.SelectAll):
            self.select_all()
        elif event.key() == Qt.Key_Escape and self.selection():
            self._set_selection(None, None)
        elif (target := self._target(event)) is not None:
            self._move_to(target, extend=bool(event.modifiers() & Qt.ShiftModifier))
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.LeftButton:
            position = self._position_at(event.pos(), nearest=False)
            extend = bool(event.modifiers() & Qt.ShiftModifier)
            if position is None and not extend:
                self._set_selection(None, None)
            elif position is not None:
                self._move_to(position, extend)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        # Dragging out of the view scrolls it, because the nearest byte is then outside of the view.
        if event.buttons() & Qt.LeftButton and self._anchor is not None:
            position = self._position_at(event.pos(), nearest=True)
            if position is not None:
                self._move_to(position, extend=True)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = self.context_menu()
        menu.setAttribute(Qt.WA_DeleteOnClose)
        menu.popup(event.globalPos())

    def context_menu(self) -> QMenu:
        """The context menu: actions on the selected bytes."""
        menu = QMenu(self)
        for text, key, action in (
            (self.tr("Copy as &hex"), QKeySequence.Copy, self.copy_hex),
            (self.tr("Copy as &text"), None, self.copy_text),
            (self.tr("Copy as &escaped text"), None, self.copy_escaped),
        ):
            # The key is only part of the text: as a shortcut of the action it would clash with the window's.
            shown = "" if key is None else "\t" + QKeySequence(key).toString(QKeySequence.NativeText)
            menu.addAction(text + shown, action).setEnabled(bool(self.selection()))
        menu.addSeparator()
        copied = self.tr("Copied {size} as source code")
        few = 0 < len(self.selection()) <= MAX_COPY
        for words, form in SOURCES:
            limit = "" if few or not self.selection() else self.tr(" (up to 1 MiB)")
            source = menu.addAction(words + limit)
            source.triggered.connect(lambda _=False, form=form: self._copy(form(self.selected_bytes()), copied))
            source.setEnabled(few)
        menu.addSeparator()
        shown = QKeySequence(QKeySequence.SelectAll).toString(QKeySequence.NativeText)
        menu.addAction(self.tr("Select &all") + "\t" + shown, self.select_all).setEnabled(bool(self._data))
        return menu

    def _target(self, event: QKeyEvent) -> int | None:
        """The position that a key moves the cursor to; None if the key does not move it."""
        if not self._data:
            return None
        last = len(self._data) - 1
        key = event.key()
        if key not in (*MOVES, Qt.Key_Home, Qt.Key_End, Qt.Key_PageUp, Qt.Key_PageDown):
            return None
        if self._cursor is None:
            return last if key == Qt.Key_End else self._layout.first_of(self.verticalScrollBar().value())
        page = self._layout.row * max(self._rows_shown() - 1, 1)
        whole = bool(event.modifiers() & Qt.ControlModifier)
        row_start = self._cursor - self._cursor % self._layout.row
        jumps: dict[int, int] = {
            Qt.Key_Home: 0 if whole else row_start,
            Qt.Key_End: last if whole else row_start + self._layout.row - 1,
            Qt.Key_PageUp: self._cursor - page,
            Qt.Key_PageDown: self._cursor + page,
        }
        rows, steps = MOVES.get(key, (0, 0))
        target = jumps.get(key, self._cursor + rows * self._layout.row + steps)
        return max(0, min(target, last))

    def _move_to(self, position: int, extend: bool) -> None:
        anchor = self._anchor if extend and self._anchor is not None else position
        self._reveal(position)
        self._set_selection(anchor, position)

    def _set_selection(self, anchor: int | None, cursor: int | None) -> None:
        if (anchor, cursor) != (self._anchor, self._cursor):
            self._anchor, self._cursor = anchor, cursor
            self._describe()
            self.selectionChanged.emit(self.selection())
        self.viewport().update()

    def _describe(self) -> None:
        """Set the accessible description: number of bytes, and the selection."""
        chosen = self.selection()
        text = self.tr("{count} byte(s)", "", form_of(len(self._data))).format(count=len(self._data))
        if chosen:
            selected = self.tr("{count} selected from offset {start:#x}")
            text += ", " + selected.format(count=len(chosen), start=chosen.start)
        self.setAccessibleDescription(text)

    def _position_at(self, point: QPoint, nearest: bool) -> int | None:
        x = point.x() + self.horizontalScrollBar().value()
        y = point.y() + self.verticalScrollBar().value() * self._layout.row_height
        return self._layout.position_at(x, y, nearest)

    def _reveal(self, position: int) -> None:
        bar = self.verticalScrollBar()
        row, shown = position // self._layout.row, max(self._rows_shown(), 1)
        if row < bar.value():
            bar.setValue(row)
        elif row >= bar.value() + shown:
            bar.setValue(row - shown + 1)

    def _rows_shown(self) -> int:
        """The number of rows that are completely visible."""
        return int(self.viewport().height() / self._layout.row_height)

    def _measure(self) -> None:
        self._layout = self._grid(self._row())
        self._set_scroll_bars()
        self.viewport().update()

    def _grid(self, row: int) -> HexLayout:
        return HexLayout(QFontMetricsF(self.font()), len(self._data), row)

    def _row(self) -> int:
        """Bytes in a row, as there is room for them."""
        return ROW if self._grid(ROW).width <= self.viewport().width() else NARROW

    def _set_scroll_bars(self) -> None:
        shown = self._rows_shown()
        vertical, horizontal = self.verticalScrollBar(), self.horizontalScrollBar()
        vertical.setPageStep(max(shown, 1))
        vertical.setRange(0, max(self._layout.rows - shown, 0))
        area = QRectF(self.viewport().rect())
        horizontal.setPageStep(int(area.width()))
        horizontal.setSingleStep(int(self._layout.char_width * 3))
        # Where there are no bytes, there is nothing beyond the edge either.
        horizontal.setRange(0, max(round(self._layout.width - area.width()), 0) if self._data else 0)

    def _copy(self, text: str, words: str) -> None:
        if text:
            copy(text, words.format(size=written_size(len(self.selection()))))
