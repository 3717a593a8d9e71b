"""The log itself: a table that paints what is visible and holds nothing of the rest.

Not a ``QTableView``: that keeps twelve bytes for each row and walks over them with each batch
that is appended, which at ten million rows is felt. Here a batch costs the same at any length.
"""

from __future__ import annotations

from math import ceil

from PyQt5.QtCore import QPoint, QRect, Qt, pyqtSignal
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
from PyQt5.QtWidgets import QAbstractScrollArea, QWidget

from app.events import Row
from ui.looks import theme, times
from ui.panes.columns import Column, Columns, as_text
from ui.panes.event_columns import COLUMNS
from ui.panes.event_header import EventHeader
from ui.panes.event_list import EventList
from ui.panes.event_paint import RowPainter


class EventView(QAbstractScrollArea):
    """Shows an ``EventList``.

    Attributes:
        following: whether the newest row is kept in view.
        below: rows that arrived since it is not.

    Signals:
        current_changed: the id of the current row, or 0.
        following_changed: whether the tail is followed; also emitted when ``below`` grows.
        menu_wanted: the global position of a context menu.
    """

    current_changed = pyqtSignal(int)
    following_changed = pyqtSignal(bool)
    menu_wanted = pyqtSignal(QPoint)

    def __init__(self, events: EventList, parent: QWidget | None = None, columns: Columns = COLUMNS) -> None:
        super().__init__(parent)
        self.events, self.columns = events, columns
        self.following = True
        self.below = 0
        self._anchor = self._current = -1
        self._placeholder = ""
        self._behind = False
        self._current_id = self._kept = 0
        self.viewport().setAttribute(Qt.WA_OpaquePaintEvent)
        self.setFocusPolicy(Qt.StrongFocus)
        self.setAccessibleName("Events")
        self.viewport().setMouseTracking(False)
        self._rows = RowPainter(columns)
        self.header = EventHeader(columns, self._rows.char, self)
        self.header.sectionResized.connect(self._repaint)
        self.header.sectionResized.connect(self._set_width)
        self.horizontalScrollBar().valueChanged.connect(self.header.setOffset)
        self.horizontalScrollBar().valueChanged.connect(self._repaint)
        self.verticalScrollBar().valueChanged.connect(self._on_scrolled)
        self.verticalScrollBar().actionTriggered.connect(self._on_scroll_action)
        events.reset.connect(self._on_reset)
        events.appended.connect(self._on_appended)
        events.dropped.connect(self._on_dropped)
        events.loaded.connect(self._on_loaded)
        theme.notifier.changed.connect(self._on_theme)
        theme.notifier.fonts_changed.connect(self._on_other_fonts)

    def _on_other_fonts(self) -> None:
        self._rows = RowPainter(self.columns)
        self.header.set_char(self._rows.char)
        self._set_range()

    def _on_theme(self, *_: object) -> None:
        self.header.make_room("time", times.chars())
        self._repaint()

    def _repaint(self, *_: object) -> None:
        # A method, not a lambda: Qt lets go of it together with the view.
        self.viewport().update()

    def set_placeholder(self, text: str) -> None:
        """What to say while there is no row."""
        if text != self._placeholder:
            self._placeholder = text
            self.viewport().update()

    # -- the list changes

    def _on_reset(self) -> None:
        # Who finds an event by a filter wants to see what was around it without one.
        self._kept, self._current_id = self._current_id, 0
        self._anchor = self._current = -1
        self.below = 0
        self.following = True
        self._set_range()
        self.following_changed.emit(True)
        self.current_changed.emit(0)
        self.viewport().update()

    def _on_appended(self, count: int) -> None:
        if self._kept:
            self._select_kept()
        if self.following:
            self._follow()
            return
        self._set_range()
        self._set_below(self.below + count)
        # Only the scroll bar changed, unless the last page was in view.
        if self._last_visible() >= len(self.events) - count:
            self.viewport().update()

    def _select_kept(self) -> None:
        """Make the event current again that was before the list changed, once it is there."""
        index = self.events.index_of(self._kept)
        if index < len(self.events):
            found, self._kept = self.events.id_at(index) == self._kept, 0
            if found:
                self.following = False
                self._set_range()
                self.set_current(index)

    def _follow(self) -> None:
        """Move on to the newest rows as soon as they are read, so that a batch is painted once."""
        last = len(self.events) - 1
        first = max(0, last - self.rows_per_page())
        pages = [self.events.row(index) for index in (first, last)]  # asks for what is not there yet
        self._behind = None in pages and None in [self.events.row(index) for index in (first, last)]
        self._set_range()
        if not self._behind:
            self.viewport().update()

    def _on_loaded(self) -> None:
        if self._behind:
            self._behind = False
            self._set_range()
        self.viewport().update()

    def _on_dropped(self, count: int) -> None:
        if self.selection()[1] < count:
            self._anchor = self._current = -1
        else:
            # Where a part of the selection is gone, the rest stays selected.
            self._current = max(0, self._current - count)
            self._anchor = max(0, self._anchor - count)
        bar = self.verticalScrollBar()
        value = max(0, bar.value() - count)
        self._set_range()
        if not self.following:
            bar.setValue(value)
            self._set_below(self.below)
        self.viewport().update()

    def _set_range(self) -> None:
        bar = self.verticalScrollBar()
        page = self.rows_per_page()
        if len(self.events):
            self.header.make_room_for(self.events.id_at(len(self.events) - 1))
        bar.setPageStep(page)
        bar.setRange(0, max(0, len(self.events) - page))
        if self.following and not self._behind:
            bar.setValue(bar.maximum())

    def rows_per_page(self) -> int:
        return max(1, self.viewport().height() // self._rows.height)

    def _last_visible(self) -> int:
        return self.verticalScrollBar().value() + self.rows_per_page()

    def _set_below(self, below: int) -> None:
        """``below`` rows came since the tail was left; those in view by now are not below."""
        below = max(0, min(below, len(self.events) - self._last_visible()))
        if below != self.below:
            self.below = below
            self.following_changed.emit(False)

    # -- following

    def set_following(self, following: bool) -> None:
        """Keep the newest row in view, or stay here."""
        self.following = following
        if following:
            self.below = 0
            self._behind = False
            self._set_range()
        self.following_changed.emit(following)

    def _on_scrolled(self, value: int) -> None:
        if not self.following:
            self._set_below(self.below)
        self.viewport().update()

    def _on_scroll_action(self, _: int) -> None:
        # Only what the user does comes here, before the value changes: the slider has it.
        bar = self.verticalScrollBar()
        self._follow_if_at_end(bar.sliderPosition() >= bar.maximum())

    def _follow_if_at_end(self, at_end: bool) -> None:
        if at_end != self.following:
            self.set_following(at_end)

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
        """Make a row current, show it, and select it, or all from the anchor to it."""
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
        """Let the current row be the same event as before rows came in above it, unless it is gone."""
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

    def _show(self, index: int) -> None:
        bar = self.verticalScrollBar()
        page = self.rows_per_page()
        if index < bar.value():
            self._follow_if_at_end(False)
            bar.setValue(index)
        elif index >= bar.value() + page:
            bar.setValue(index - page + 1)
        self._follow_if_at_end(index >= len(self.events) - 1)

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
        self.menu_wanted.emit(event.globalPos())

    def _index_at(self, pos: QPoint) -> int | None:
        index = self.verticalScrollBar().value() + pos.y() // self._rows.height
        return index if 0 <= index < len(self.events) else None

    def cell_at(self, at: QPoint) -> tuple[Row | None, Column]:
        """The row and the column at a global position; no row where it has not been read, or there is none."""
        pos = self.viewport().mapFromGlobal(at)
        index = self._index_at(pos)
        column = self.columns[max(0, self.header.logicalIndexAt(pos.x()))]
        return (None if index is None else self.events.row(index)), column

    def row_rect(self, index: int) -> QRect:
        """Where the row is in the viewport; for tests and menus."""
        y = (index - self.verticalScrollBar().value()) * self._rows.height
        return QRect(0, y, self.viewport().width(), self._rows.height)

    # -- geometry

    def resizeEvent(self, event: QResizeEvent) -> None:
        height = self.header.sizeHint().height()
        self.setViewportMargins(0, height, 0, 0)
        area = self.viewport().geometry()
        self.header.setGeometry(area.left(), area.top() - height, area.width(), height)
        self._set_range()
        self._set_width()

    def _set_width(self, *_: object) -> None:
        """Where the columns leave no room for the last one, it keeps some, and the view scrolls sideways."""
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
            area = self.viewport().rect().adjusted(24, 24, -24, -24)
            painter.setFont(theme.ui_font())
            painter.drawText(area, int(Qt.AlignCenter | Qt.TextWordWrap), self._placeholder)
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
