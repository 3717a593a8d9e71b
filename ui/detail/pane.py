"""The detail pane: all pages that fit one event, as tabs."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PyQt5.QtCore import QSize, Qt, QTimer, pyqtSignal
from PyQt5.QtWidgets import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QStackedWidget,
    QTabWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from twisted.internet.defer import Deferred

from app import events
from app.capture.reading.reader import Reader
from app.capture.reading.turns import Turn, turn_at
from app.events import Event
from ui.detail.find_hex import VIEWS, hex_target
from ui.detail.page import HTTP, Page, Subject
from ui.detail.pages import PAGES
from ui.detail.pages.exchange import ExchangePage
from ui.detail.saving import part_name, save_body, save_part, save_payload
from ui.looks.icons import icon
from ui.parts.copying import copy
from ui.parts.find_bar import FindBar, text_target, views_of

if TYPE_CHECKING:
    from app.capture.reading.exchange_at import Exchanged

InThread = Callable[..., Deferred[Any]]

_PREFERRED = ("traceback", "fault", "exchange", "websocket", "tls", "overview")
"""The first of these pages that an event has is shown, until the user selects another page."""

WAIT = 500
"""Milliseconds between two looks for an answer that has not come."""


def _is_half(subject: Subject) -> bool:
    """Whether the event is half of something whose other half has to be read."""
    return subject.is_http or subject.is_turn


def _waits(subject: Subject) -> bool:
    """Whether the answer has not come yet, and may still come."""
    if not subject.read:
        return False
    if subject.is_http:
        exchange = subject.exchange
        return exchange is not None and exchange.response is None and not exchange.ended
    return subject.turn is not None and not subject.turn.answered and not subject.turn.ended


class DetailPane(QWidget):
    """Shows one event on the pages that fit it.

    Attributes:
        pages: by key. A page is created when an event first needs it.
        _chosen: keys of pages, the most recently selected first, for failures (True) and for all other
            events (False), so that a user who goes through failures keeps seeing tracebacks.
        _stale: pages that do not show the event yet. A page is filled when it becomes visible.
        _asking: id of the event whose exchange is being read; 0: none.

    Signals:
        again: the user wants to send the bytes of the failure again.
        event_wanted: the user wants to see the event with this id.
        stream_wanted: the user wants to see all that passed on the connection with this number.
        wanted: the action of this name is to act on the event.
    """

    again = pyqtSignal()
    event_wanted = pyqtSignal(int)
    stream_wanted = pyqtSignal(int)
    wanted = pyqtSignal(str)

    def __init__(self, reader: Reader, in_thread: InThread, parent: QWidget | None = None) -> None:
        """``in_thread(call, *args)`` runs a call in a thread; its Deferred fires in this thread."""
        super().__init__(parent)
        self._reader, self._in_thread = reader, in_thread
        self._subject: Subject | None = None
        self._chosen = {True: list(_PREFERRED), False: list(_PREFERRED)}
        self._stale: set[Page] = set()
        self._asking = 0
        self._in_view: QWidget | None = None
        self.pages: dict[str, Page] = {}
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setAccessibleName(self.tr("Pages of the event"))
        self.tabs.setCornerWidget(self._corner())
        self.tabs.currentChanged.connect(self._on_tab)
        self.find_bar = FindBar(self, lambda: views_of(self.tabs.currentWidget(), *VIEWS), (hex_target, text_target))
        self._waiting = QTimer(self)
        self._waiting.setSingleShot(True)
        self._waiting.setInterval(WAIT)
        self._waiting.timeout.connect(self._look_again)
        self._lay_out()
        self.show_event(None)

    def sizeHint(self) -> QSize:
        # A constant, not the size of the pages: otherwise each new tab would move the splitter.
        return QSize(800, 270)

    def minimumSizeHint(self) -> QSize:
        return QSize(300, 100)

    def event_shown(self) -> Event | None:
        return self._subject.event if self._subject is not None else None

    def set_reader(self, reader: Reader) -> None:
        """Read exchanges and payloads from another capture."""
        self._reader = reader

    def show_event(self, event: Event | None) -> None:
        """Show another event on the page that was used last. None: show a hint in place of pages."""
        subject = None if event is None else Subject(event)
        self._subject = replace(subject, read=False) if subject is not None and _is_half(subject) else subject
        self._say("")
        self._enable_save()
        self._whole.setCurrentWidget(self._hint if event is None else self.tabs)
        if event is None:
            return
        self._offer()
        self._fill()
        self._ask()

    def copy(self) -> None:
        """Copy the selection of the current page, or all that it shows, to the clipboard."""
        page = self.tabs.currentWidget()
        if self._subject is not None and isinstance(page, Page):
            copy(page.copied(), self.tr("Copied the page {title}").format(title=self.tr(page.title)))

    def on_stored(self) -> None:
        """More events were stored in the capture: an answer may be among them."""
        subject = self._subject
        if subject is not None and _waits(subject) and not self._waiting.isActive():
            self._waiting.start()

    def save(self) -> None:
        """Show the dialog that saves the whole payload or body."""
        if self._subject is not None and not self._subject.empty:
            self.save_of(self._subject.event)

    def save_of(self, event: Event) -> None:
        """Show the dialog that saves the whole payload or body of an event."""
        # This event, even if the pane shows another one by the time the user has chosen a file.
        capture, http = self._reader.path, event.kind in HTTP
        name = re.sub(r"[^A-Za-z0-9_-]+", "-", event.service) or ("body" if http else "payload")
        title = self.tr("Save body") if http else self.tr("Save payload")
        self._ask_where(title, f"{name}-{event.id}.bin", lambda path: self._write(event, capture, path))

    def save_part(self, event: Event, number: int) -> None:
        """Show the dialog that saves a part, by its number from 0, of the body of an event."""
        exchange, capture = self._subject.exchange if self._subject is not None else None, self._reader.path
        if exchange is None:
            return
        asks = exchange.request is not None and exchange.request.id == event.id
        content = exchange.asked if asks else exchange.answered
        if content is None or not 0 <= number < len(content.parts):
            return
        name = part_name(content.parts[number], number)
        self._ask_where(
            self.tr("Save part"),
            name,
            lambda path: self._in_thread(save_part, capture, event, number, path).addCallback(self._say),
        )

    def _ask_where(self, title: str, name: str, write: Callable[[Path], object]) -> None:
        dialog = QFileDialog(self, title)
        dialog.setAcceptMode(QFileDialog.AcceptSave)
        dialog.selectFile(name)
        dialog.setAttribute(Qt.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda path: write(Path(path)))
        dialog.open()

    # -- showing

    def _ask(self) -> None:
        """Read the exchange or turn of the event. Only one is read at a time; events passed meanwhile are skipped."""
        subject = self._subject
        if subject is None or subject.read or self._asking:
            return
        self._read(subject)

    def _read(self, subject: Subject) -> None:
        id = self._asking = subject.event.id
        if subject.is_http:
            self._reader.exchange(id, lambda found: self._on_exchange(id, found))
        else:
            nothing: Turn | None = None
            self._reader.read(lambda store: turn_at(store, id), nothing, lambda found: self._on_turn(id, found))

    def _look_again(self) -> None:
        """Read again what had no answer."""
        subject = self._subject
        if subject is not None and _waits(subject) and not self._asking:
            self._read(subject)

    def _on_exchange(self, id: int, found: Exchanged | None) -> None:
        self._asking = 0
        subject = self._subject
        if subject is not None and subject.event.id == id and (not subject.read or found != subject.exchange):
            self._subject = Subject(subject.event, found)
            self._offer()
            self._fill()
        self._ask()

    def _on_turn(self, id: int, found: Turn | None) -> None:
        self._asking = 0
        subject = self._subject
        if subject is not None and subject.event.id == id and (not subject.read or found != subject.turn):
            self._subject = replace(subject, turn=found, read=True)
            # Only this page shows more than the event itself.
            if (page := self.pages.get(ExchangePage.key)) is not None:
                self._stale.add(page)
            self._fill()
        self._ask()

    def _offer(self) -> None:
        """Show the tabs that fit the event, and select the page that was used last."""
        subject = self._subject
        assert subject is not None
        self.tabs.blockSignals(True)
        at = 0
        for kind in PAGES:
            page = self.pages.get(kind.key)
            index = self.tabs.indexOf(page) if page is not None else -1
            if kind.fits(subject):
                page = page or self._make(kind)
                if index < 0:
                    self.tabs.insertTab(at, page, self.tr(kind.title))
                at += 1
            elif index >= 0:
                self.tabs.removeTab(index)
        offered = self._offered()
        self._stale = set(offered.values())
        chosen = self._chosen[subject.event.kind in events.FAILURES]
        self.tabs.setCurrentWidget(offered[next(key for key in (*chosen, *offered) if key in offered)])
        self.tabs.blockSignals(False)

    def _make(self, kind: type[Page]) -> Page:
        page = self.pages[kind.key] = kind(self)
        page.save.connect(self.save)
        page.save_body.connect(self.save_of)
        page.save_part.connect(self.save_part)
        page.event_wanted.connect(self.event_wanted)
        page.stream_wanted.connect(self.stream_wanted)
        if self.receivers(self.wanted):
            page.wanted.connect(self.wanted)
            page.offer_actions()
        if self.receivers(self.again):
            page.again.connect(self.again)
        for tool in page.tools:
            self._tools.insertWidget(self._tools.count() - 2, tool)
            tool.hide()
        return page

    def _offered(self) -> dict[str, Page]:
        pages = (self.tabs.widget(index) for index in range(self.tabs.count()))
        return {page.key: page for page in pages if isinstance(page, Page)}

    def _on_tab(self) -> None:
        page = self.tabs.currentWidget()
        if self._subject is not None and isinstance(page, Page):
            chosen = self._chosen[self._subject.event.kind in events.FAILURES]
            chosen[:] = [page.key, *(key for key in chosen if key != page.key)]
        self._fill()

    def _fill(self) -> None:
        current = self.tabs.currentWidget()
        for page in self.pages.values():
            for tool in page.tools:
                tool.setVisible(page is current)
        if self._subject is not None and isinstance(current, Page) and current in self._stale:
            self._stale.discard(current)
            current.show_subject(self._subject)
        if current is not self._in_view:
            self._in_view = current
            self.find_bar.show_page()

    # -- saving

    def _enable_save(self) -> None:
        subject = self._subject
        http = subject is not None and subject.is_http
        text = self.tr("Save body…") if http else self.tr("Save payload…")
        self.save_button.setText(f" {text}")
        self.save_button.setAccessibleName(text)
        self.save_button.setEnabled(
            subject is not None and (not subject.empty if http else subject.event.payload is not None)
        )

    def _write(self, event: Event, capture: Path, path: Path) -> None:
        if event.kind in HTTP:
            done = self._in_thread(save_body, capture, event, path)
        else:
            done = self._in_thread(save_payload, event.payload or b"", path)
        done.addCallback(self._say)

    def _say(self, problem: str) -> None:
        self._problem.setText(problem)
        self._problem.setVisible(bool(problem))

    # -- building the pane

    def _corner(self) -> QWidget:
        self.copy_button = _button("copy", self.tr("Copy"), self.tr("Copy the selection, or everything in this tab"))
        self.copy_button.clicked.connect(self.copy)
        self.save_button = _button(
            "save", self.tr("Save payload…"), self.tr("Save the whole payload of this event to a file")
        )
        self.save_button.clicked.connect(self.save)
        corner = QFrame()
        corner.setProperty("surface", "window")
        self._tools = QHBoxLayout(corner)
        self._tools.setContentsMargins(8, 0, 8, 0)
        self._tools.setSpacing(4)
        for button in (self.copy_button, self.save_button):
            self._tools.addWidget(button)
        return corner

    def _lay_out(self) -> None:
        self._hint = QLabel(self.tr("Select an event to see its details"))
        self._hint.setProperty("role", "dim")
        self._hint.setAlignment(Qt.AlignCenter)
        self._problem = QLabel()
        self._problem.setTextFormat(Qt.PlainText)
        self._problem.setProperty("role", "error")
        self._problem.setWordWrap(True)
        self._problem.setContentsMargins(16, 4, 16, 4)
        self._problem.setTextInteractionFlags(Qt.TextSelectableByMouse)
        self._whole = QStackedWidget()
        self._whole.setProperty("surface", "panel")
        self._whole.addWidget(self._hint)
        self._whole.addWidget(self.tabs)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._whole, 1)
        layout.addWidget(self.find_bar)
        layout.addWidget(self._problem)


def _button(name: str, text: str, tip: str) -> QToolButton:
    button = QToolButton()
    # A space, because Qt leaves none between an icon and its text.
    button.setText(f" {text}")
    button.setAccessibleName(text)
    button.setToolTip(tip)
    button.setFocusPolicy(Qt.TabFocus)
    button.setIcon(icon(name, "dim"))
    button.setIconSize(QSize(16, 16))
    button.setToolButtonStyle(Qt.ToolButtonTextBesideIcon)
    return button
