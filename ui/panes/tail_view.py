"""A scroll area over an ``EventList`` that follows the newest row until the user scrolls up."""

from __future__ import annotations

from PyQt5.QtCore import pyqtSignal
from PyQt5.QtWidgets import QAbstractScrollArea, QWidget

from ui.panes.event_list import EventList


class TailView(QAbstractScrollArea):
    """Rows of one height; ``EventView`` paints them.

    The vertical scroll bar counts rows. A batch of new rows costs the same at any length of the list.

    Attributes:
        following: whether the newest row is kept in view.
        below: rows that arrived since it is not.

    Signals:
        following_changed: whether the newest row is kept in view; also emitted when ``below`` grows.
    """

    following_changed = pyqtSignal(bool)

    def __init__(self, events: EventList, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.events = events
        self.following = True
        self.below = 0
        self._behind = False  # the newest rows are not read yet, so that they are not in view
        self.verticalScrollBar().valueChanged.connect(self._on_scrolled)
        self.verticalScrollBar().actionTriggered.connect(self._on_scroll_action)
        events.reset.connect(self._on_reset)
        events.appended.connect(self._on_appended)
        events.dropped.connect(self._on_dropped)
        events.loaded.connect(self._on_loaded)

    @property
    def row_height(self) -> int:
        """Pixels of a row."""
        raise NotImplementedError

    def rows_per_page(self) -> int:
        return max(1, self.viewport().height() // self.row_height)

    def _last_visible(self) -> int:
        return self.verticalScrollBar().value() + self.rows_per_page()

    # -- the list changes

    def _on_reset(self) -> None:
        self.below = 0
        self.following = True
        self._set_range()
        self.following_changed.emit(True)
        self.viewport().update()

    def _on_appended(self, count: int) -> None:
        if self.following:
            self._follow()
            return
        self._set_range()
        self._set_below(self.below + count)
        # Only the scroll bar changed, unless the last page was in view.
        if self._last_visible() >= len(self.events) - count:
            self.viewport().update()

    def _follow(self) -> None:
        """Scroll to the newest rows as soon as they are read, so that a batch is painted once."""
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
        bar = self.verticalScrollBar()
        value = max(0, bar.value() - count)
        self._set_range()
        if not self.following:
            bar.setValue(value)
            self._set_below(self.below)
        self.viewport().update()

    def _set_range(self) -> None:
        """Let the scroll bar have all rows of the list."""
        bar = self.verticalScrollBar()
        page = self.rows_per_page()
        bar.setPageStep(page)
        bar.setRange(0, max(0, len(self.events) - page))
        if self.following and not self._behind:
            bar.setValue(bar.maximum())

    def _set_below(self, below: int) -> None:
        """``below`` rows arrived since the newest row was left; those that are in view now do not count."""
        below = max(0, min(below, len(self.events) - self._last_visible()))
        if below != self.below:
            self.below = below
            self.following_changed.emit(False)

    # -- scrolling

    def set_following(self, following: bool) -> None:
        """Keep the newest row in view, or stay where the view is."""
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
        # Only the user's actions come here, before the value changes: the slider has the new one.
        bar = self.verticalScrollBar()
        self._follow_if_at_end(bar.sliderPosition() >= bar.maximum())

    def _follow_if_at_end(self, at_end: bool) -> None:
        if at_end != self.following:
            self.set_following(at_end)

    def _show(self, index: int) -> None:
        """Scroll so that this row is in view."""
        bar = self.verticalScrollBar()
        page = self.rows_per_page()
        if index < bar.value():
            self._follow_if_at_end(False)
            bar.setValue(index)
        elif index >= bar.value() + page:
            bar.setValue(index - page + 1)
        self._follow_if_at_end(index >= len(self.events) - 1)
