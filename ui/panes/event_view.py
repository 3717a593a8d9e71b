"""The table of a pane: it paints the visible rows, and one or more of them can be selected.

It is no ``QTableView``: that keeps twelve bytes for each row and walks over all of them with each
batch that is appended, which is felt at ten million rows.
"""

from __future__ import annotations

from math import ceil

from PyQt5.QtCore import QByteArray, QPoint, QRect, Qt, QTimer, pyqtSignal, pyqtSlot
from PyQt5.QtGui import (
    QColor,
    QContextMenuEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PyQt5.QtWidgets import QWidget

from app.events import Row
from ui.looks import theme, times
from ui.panes.columns import Column, Columns, as_text
from ui.panes.event_columns import COLUMNS
from ui.panes.event_header import EventHeader
from ui.panes.event_list import EventList
from ui.panes.event_paint import RowPainter
from ui.panes.tail_view import TailView
from ui.parts.hints import paint_hint


class EventView(TailView):
    """Shows an ``EventList`` in columns. The selected rows are those from the anchor to the current row.

    Signals:
        current_changed: the id of the event that the current row shows, or 0 without a current row.
        menu_wanted: the global position of a context menu.
        row_menu_wanted: the same for the current row, when a key asked for it.
    """

    current_changed = pyqtSignal(int)
    menu_wanted = pyqtSignal(QPoint)
    row_menu_wanted = pyqtSignal(QPoint)
    letter_typed = pyqtSignal(str)

    def __init__(self, events: EventList, parent: QWidget | None = None, columns: Columns = COLUMNS) -> None:
        super().__init__(events, parent)
        self.columns = columns
        self._anchor = self._current = -1
        self._placeholder = ""
        self._current_id = 0
        self._wanted_id = 0  # of the event that was current before the list changed
        self.viewport().setAttribute(Qt.WA_OpaquePaintEvent)
        self.setFocusPolicy(Qt.StrongFocus)
        self.setAccessibleName(self.tr("Events"))
        self.viewport().setMouseTracking(False)
        self._rows = RowPainter(columns)
        self._widening = QTimer(self)
        self._widening.setSingleShot(True)
        self._widening.timeout.connect(self._widen)
        self.header = EventHeader(columns, self._rows.char, self)
        self.header.sectionResized.connect(self._repaint)
        self.header.sectionResized.connect(self._set_width)
        self.header.folded.connect(self._repaint)
        self.header.folded.connect(self._set_width)
        self.horizontalScrollBar().valueChanged.connect(self.header.setOffset)
        self.horizontalScrollBar().valueChanged.connect(self._repaint)
        theme.notifier.changed.connect(self._on_theme)
        theme.notifier.fonts_changed.connect(self._on_other_fonts)

    @property
    def row_height(self) -> int:
        return self._rows.height

    @pyqtSlot()
    def _on_other_fonts(self) -> None:
        self._rows = RowPainter(self.columns)
        self.header.set_char(self._rows.char)
        self._set_range()

    @pyqtSlot()
    def _on_theme(self, *_: object) -> None:
        self.header.make_room("time", times.chars())
        self._repaint()

    def _repaint(self, *_: object) -> None:
        # A method, not a lambda: Qt lets go of it together with the view.
        self.viewport().update()

    def set_placeholder(self, text: str) -> None:
        """The text to show while there is no row."""
        if text != self._placeholder:
            self._placeholder = text
            self.viewport().update()

    # -- the list changes

    def _on_reset(self) -> None:
        # A user who finds an event by a filter wants to see, without the filter, what was around it.
        self._wanted_id, self._current_id = self._current_id, 0
        self._anchor = self._current = -1
        super()._on_reset()
        self.current_changed.emit(0)

    def _on_appended(self, count: int) -> None:
        if self._wanted_id:
            self._select_wanted()
        super()._on_appended(count)

    def _select_wanted(self) -> None:
        """Make the event current again that was current before the list changed, once the list has it."""
        index = self.events.index_of(self._wanted_id)
        if index < len(self.events):
            found, self._wanted_id = self.events.id_at(index) == self._wanted_id, 0
            if found:
                self.following = False
                self._set_range()
                self.set_current(index)

    def _on_dropped(self, count: int) -> None:
        if self.selection()[1] < count:
            self._anchor = self._current = -1
        else:
            # If a part of the selection is gone, the rest stays selected.
            self._current = max(0, self._current - count)
            self._anchor = max(0, self._anchor - count)
        super()._on_dropped(count)

    def _set_range(self) -> None:
        if len(self.events):
            self.header.make_room_for(self.events.id_at(len(self.events) - 1))
        super()._set_range()

    # -- selection

    @property
    def current(self) -> int:
        """The index of the current row, or -1."""
        return self._current

    def selection(self) -> tuple[int, int]:
        """First and last selected index; ``(0, -1)`` where nothing is selected."""
        if self._current < 0:
            return 0, -1
        return min(self._anchor, self._current), max(self._anchor, self._current)

    def set_current(self, index: int, *, extend: bool = False) -> None:
        """Make a row current and scroll to it; select it alone, or with ``extend`` all rows from the anchor to it."""
        if not len(self.events):
            return
        index = max(0, min(len(self.events) - 1, index))
        self._current = index
        if not extend or self._anchor < 0:
            self._anchor = index
        self._show(index)
        row = self.events.row(index)
        self.setAccessibleDescription(as_text(row, None, self.columns) if row else "")
        self._current_id = self.events.id_at(index)
        self.current_changed.emit(self.events.shown_at(index))
        self.viewport().update()

    def keep_current(self) -> None:
        """After rows were inserted or moved: make the row of the same event current, unless it is gone."""
        if self._current >= 0:
            at = self.events.index_of(self._current_id)
            if at >= len(self.events):
                self._anchor = self._current = -1
                self.current_changed.emit(0)
            else:
                self._current, self._anchor = at, self._anchor + at - self._current

    def select_all(self) -> None:
        if len(self.events):
            self._anchor, self._current = 0, len(self.events) - 1
            self.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        page, end = self.rows_per_page(), len(self.events) - 1
        at = self._current if self._current >= 0 else self._last_visible()
        target = {
            Qt.Key_Up: at - 1,
            Qt.Key_Down: at + 1,
            Qt.Key_PageUp: at - page,
            Qt.Key_PageDown: at + page,
            Qt.Key_Home: 0,
            Qt.Key_End: end,
        }.get(event.key())  # type: ignore[call-overload]
        if target is None:
            text, held = event.text(), event.modifiers() & (Qt.ControlModifier | Qt.AltModifier | Qt.MetaModifier)
            if text.strip() and text.isprintable() and not held:
                self.letter_typed.emit(text)
            else:
                super().keyPressEvent(event)
            return
        self.set_current(target, extend=bool(event.modifiers() & Qt.ShiftModifier))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self._index_at(event.pos())
        if index is None:
            return
        low, high = self.selection()
        if event.button() == Qt.LeftButton or not low <= index <= high:
            self.set_current(index, extend=bool(event.modifiers() & Qt.ShiftModifier))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.LeftButton:
            index = self._index_at(event.pos())
            if index is not None and index != self._current:
                self.set_current(index, extend=True)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if event.reason() != QContextMenuEvent.Keyboard:
            self.menu_wanted.emit(event.globalPos())
        elif self._current >= 0:
            self._show(self._current)
            below = self.row_rect(self._current).bottomLeft()
            self.row_menu_wanted.emit(self.viewport().mapToGlobal(below + QPoint(ceil(2 * self._rows.char), 0)))
        else:
            self.menu_wanted.emit(self.viewport().mapToGlobal(QPoint(0, 0)))

    def _index_at(self, pos: QPoint) -> int | None:
        index = self.verticalScrollBar().value() + pos.y() // self.row_height
        return index if 0 <= index < len(self.events) else None

    def cell_at(self, at: QPoint) -> tuple[Row | None, Column]:
        """The row and the column at a global position; no row where it has not been read, or there is none."""
        pos = self.viewport().mapFromGlobal(at)
        index = self._index_at(pos)
        column = self.columns[max(0, self.header.logicalIndexAt(pos.x()))]
        return (None if index is None else self.events.row(index)), column

    def row_rect(self, index: int) -> QRect:
        """Where the row is in the viewport; for tests and menus."""
        y = (index - self.verticalScrollBar().value()) * self.row_height
        return QRect(0, y, self.viewport().width(), self.row_height)

    # -- geometry

    def resizeEvent(self, event: QResizeEvent) -> None:
        current = self.row_rect(self._current)
        seen = self._current >= 0 and current.top() >= 0 and current.bottom() < event.oldSize().height()
        height = self.header.sizeHint().height()
        self.setViewportMargins(0, height, 0, 0)
        area = self.viewport().geometry()
        self.header.setGeometry(area.left(), area.top() - height, area.width(), height)
        self.header.fold(area.width())
        self._set_range()
        self._set_width()
        if seen and not self.following:  # what is read stays in view, as when a dock opens below
            self._show(self._current)

    def restore_columns(self, state: QByteArray, char: float = 0) -> None:
        """Take the widths of the columns that the header's ``saveState`` has returned.

        ``char``: the width of a character to which they belong, if it is another one by now.
        """
        self.header.restore(state, char)
        self._set_width()

    def _set_width(self, *_: object) -> None:
        """Let the view scroll sideways where the columns that stay do not leave enough room for the last one."""
        room = self.viewport().width()
        over = self.header.fill(room)
        self.horizontalScrollBar().setRange(0, over)
        self.horizontalScrollBar().setPageStep(room)
        self.horizontalScrollBar().setSingleStep(ceil(self._rows.char))

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.viewport().update()

    # -- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        colors = theme.current()
        painter = QPainter(self.viewport())
        painter.fillRect(event.rect(), QColor(colors.panel))
        if not len(self.events):
            painter.setPen(QColor(colors.dim))
            painter.setFont(theme.ui_font())
            paint_hint(painter, self.viewport().rect().adjusted(24, 8, -24, -8), self._placeholder)
            return
        painter.setFont(self._rows.font)
        first = self.verticalScrollBar().value()
        low, high = self.selection()
        above = self.events.row(first - 1) if first else None
        for index in range(first, min(first + self.rows_per_page() + 1, len(self.events))):
            row = self.events.row(index)
            rect = self.row_rect(index)
            selected = low <= index <= high
            if selected:
                painter.fillRect(rect, QColor(colors.selection))
            if row is None:
                self._rows.paint_unread(painter, rect, colors)
            else:
                self._rows.paint(painter, rect, row, above, self.header, colors, selected=selected)
            if index == self._current and self.hasFocus():
                painter.setPen(QColor(colors.accent))
                painter.drawRect(rect.adjusted(0, 0, -1, -1))
            above = row
        if self._rows.tight:
            self._widening.start()

    def _widen(self) -> None:
        """Make room for figures that did not fit."""
        tight, self._rows.tight = self._rows.tight, {}
        for name, chars in tight.items():
            self.header.make_room(name, chars)
