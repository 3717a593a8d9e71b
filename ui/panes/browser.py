"""Panes, filter and detail of one capture, connected to each other: what both kinds of window consist of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import QAction, QSplitter, QVBoxLayout, QWidget

from app.capture.reading.reader import Reader
from app.events import Event
from app.post import Post
from ui.bridge import Bridge
from ui.detail.pane import DetailPane
from ui.panes.filter_box import FilterBox
from ui.panes.filter_chips import FilterChips
from ui.panes.notes import NOTED
from ui.panes.tabs import PaneTabs
from ui.parts.copying import copy
from ui.parts.progress_line import InThread
from ui.services.actions import ServiceActions
from ui.settings import Settings


class Browser(QSplitter):
    """The panes of a capture above the detail of the current event.

    Attributes:
        panes, detail: its two parts.
        filter: the filter of the panes, for a toolbar; ``chips``: those that one click applies.
        current_event: the current event of the pane in view, as soon as it was read.

    Signals:
        changed(): ``current_event``, the pane in view, or whether that follows the newest event.
    """

    changed = pyqtSignal()

    def __init__(
        self, post: Post, reader: Reader, in_thread: InThread, settings: Settings, parent: QWidget | None = None
    ) -> None:
        super().__init__(Qt.Vertical, parent)
        self._post, self._reader = post, reader
        self.current_event: Event | None = None
        self._wanted = 0
        """The id of the event that is current in the pane, or 0; -1 once the window is closed."""
        upper = QWidget(self)
        self.filter = FilterBox(
            lambda: {
                "service": [*post.services, *post.programs.all, *(port.config.name for port in post.programs.ports())]
            }
        )
        self.filter.saved, self.filter.used = settings.filters, settings.used_filters
        self.chips = FilterChips(self.filter, upper)
        self.panes = PaneTabs(post, reader, upper)
        self.detail = DetailPane(reader, in_thread, self)
        column = QVBoxLayout(upper)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.chips)
        column.addWidget(self.panes, 1)
        self.addWidget(upper)
        self.addWidget(self.detail)
        self.setChildrenCollapsible(False)
        self.setHandleWidth(1)
        self._connect(settings)

    def _connect(self, settings: Settings) -> None:
        self.panes.current_changed.connect(self._on_event_id)
        self.panes.following_changed.connect(self.changed)
        self.panes.copied.connect(copy)
        self.panes.narrowed.connect(self.filter.narrow)
        self.panes.letter_typed.connect(self.filter.begin)
        self.panes.currentChanged.connect(self._on_pane)
        self.panes.conversations.opened.connect(self.show_connection)
        self.detail.event_wanted.connect(self.show_event)
        self.panes.failures.group_changed.connect(self.changed)
        self.filter.typed.connect(self.panes.set_filter)
        self.filter.left.connect(lambda: self.panes.current().setFocus())
        self.filter.saved_changed.connect(lambda saved: setattr(settings, "filters", saved))
        self.filter.used_changed.connect(lambda used: setattr(settings, "used_filters", used))

    def follow(self, bridge: Bridge, services: ServiceActions, actions: Mapping[str, QAction]) -> None:
        """Show what is stored from now on, and offer what can be done to live connections and to failures."""
        bridge.ticked.connect(self.panes.on_stored)
        bridge.ticked.connect(self.detail.on_stored)
        bridge.services_changed.connect(self.panes.rebuild)
        bridge.watches_changed.connect(lambda: self.panes.set_watched(bool(self._post.watches)))
        self.panes.set_watched(bool(self._post.watches))
        self.panes.conversations.disconnect_wanted.connect(services.disconnect_peer)
        self.panes.failures.set_actions(actions)

    def show_connection(self, number: int) -> None:
        """Show all that happened on a connection, and nothing else."""
        self.show_filtered(f"conn == {number}")
        self.panes.all.setFocus()

    def show_event(self, id: int) -> None:
        """Show an event among all events: nothing is filtered out, or hidden by Clear view."""
        self.panes.setCurrentWidget(self.panes.all)
        pane = self.panes.all
        self.panes.set_span(None)
        if self.panes.typed():
            self.filter.setText("")
            self.filter.apply()
        if pane.events.cleared:
            pane.events.show_all()
        if len(pane.events) and pane.events.id_at(index := pane.events.index_of(id)) == id:
            pane.view.set_following(False)
            pane.view.set_current(index)
        pane.setFocus(Qt.OtherFocusReason)

    def show_notes(self) -> None:
        """Show the rows that have a note or a colour, and nothing else."""
        self.show_filtered(NOTED)

    def show_filtered(self, condition: str, pane: str = "all") -> None:
        """Show the rows that a filter lets through, of the pane ``all``, ``conversations`` or ``failures``."""
        self.panes.setCurrentWidget(getattr(self.panes, pane))
        self.filter.setText(condition)
        self.filter.apply()

    def connection(self) -> int | None:
        """The number of the selected connection, or of the connection of the current event."""
        return self.panes.connection() or (self.current_event.conn if self.current_event is not None else None)

    def refresh(self) -> None:
        """Read rows and the current event again: they have notes that they did not have before."""
        self.panes.refresh()
        self._on_event_id(max(0, self._wanted))

    def read_anew(self, path: Path) -> None:
        """Show another capture from now on: the one that is being written is a new file."""
        self._reader.switch(path)
        self._wanted = 0
        self.panes.read_anew()
        self._on_event(0, None)

    def let_go(self) -> None:
        """Take no more answers of the reader: the window closes."""
        self._wanted = -1
        self.panes.let_go()

    def _on_event_id(self, id: int) -> None:
        self._wanted = id
        if not id:
            self._on_event(0, None)
        else:
            self._reader.event(id, lambda event: self._on_event(id, event))

    def _on_event(self, id: int, event: Event | None) -> None:
        if id == self._wanted:
            self.current_event = event
            self.detail.show_event(event)
            self.changed.emit()

    def _on_pane(self) -> None:
        self.detail.setVisible(self.panes.page() is None)
        pane = self.panes.current()
        example = (pane.example,) if pane is self.panes.conversations else ()
        self.filter.speak(pane.fields, self.panes.typed(), *example)
        self.changed.emit()
