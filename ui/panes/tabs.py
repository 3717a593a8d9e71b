"""The tabs of panes: All, HTTP, Conversations, Failures, and one for each service."""

from __future__ import annotations

from functools import partial
from typing import Any

from PyQt5.QtCore import QT_TRANSLATE_NOOP, QByteArray, QCoreApplication, QPoint, QSize, Qt, pyqtSignal
from PyQt5.QtWidgets import QApplication, QHBoxLayout, QMenu, QStackedWidget, QTabBar, QTabWidget, QToolButton, QWidget

from app.capture.filters.language import EVERYTHING, Filter, of_service
from app.capture.filters.sql import of_program
from app.capture.reading.reader import Reader
from app.capture.recorder import Stored
from app.exports.part import Part
from app.post import Post
from ui.looks.icons import icon
from ui.panes.conversation_pane import ConversationPane
from ui.panes.event_list import Span
from ui.panes.event_pane import EventPane
from ui.panes.failure_pane import FailurePane
from ui.panes.http_pane import HTTPPane
from ui.panes.notes import MAX_ROWS
from ui.panes.time_chip import TimeChip
from ui.parts.labels import plain, unmarked
from ui.parts.neighbours import renamed

ALL = QT_TRANSLATE_NOOP("PaneTabs", "All")
HTTP = QT_TRANSLATE_NOOP("PaneTabs", "HTTP")
CONVERSATIONS = QT_TRANSLATE_NOOP("PaneTabs", "Conversations")
FAILURES = QT_TRANSLATE_NOOP("PaneTabs", "Failures")

TAB_CHARS = 24
"""Most characters of a name that a tab shows."""

NOTHING_YET = QT_TRANSLATE_NOOP(
    "PaneTabs",
    "Nothing has happened yet.\n\nPress Start all, or the ▶ of one service on the left;\nthen "
    "connect to its address. All traffic appears here.",
)
NO_SERVICE = QT_TRANSLATE_NOOP(
    "PaneTabs",
    "There is no service yet.\n\n"
    "Press New service to add one, or open the demo from the File menu:\n"
    "four services to try things with.",
)


class PaneTabs(QTabWidget):
    """All panes. Only the one in view follows the capture; the others catch up when shown.

    Behind them stand pages, which show something else than the capture.

    Attributes:
        span: the time of what the panes show; None: all times.
        time: says which it is, and shows all times again.
        checks_shown: whether panes show what passes for checks of watches.

    Signals:
        current_changed: the id of the current event of the pane in view, or 0.
        following_changed: whether the pane in view follows the tail.
        menu_wanted: a context menu for the pane in view, to be filled.
        copied: text for the clipboard, and what it is, in words.
        narrowed: a condition to add to the filter.
        letter_typed: what was typed in a pane, where a filter begins.
        unresolved_changed: how many failures are in groups that are not resolved.
        page_closed: a page that the user closes.
        span_changed(): the panes show another time, or all times again.
    """

    current_changed = pyqtSignal(int)
    following_changed = pyqtSignal(bool)
    menu_wanted = pyqtSignal(QMenu, QPoint)
    copied = pyqtSignal(str, str)
    narrowed = pyqtSignal(str)
    letter_typed = pyqtSignal(str)
    unresolved_changed = pyqtSignal(int)
    page_closed = pyqtSignal(QWidget)
    span_changed = pyqtSignal()

    def __init__(self, post: Post, reader: Reader, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._post, self._reader = post, reader
        self._typed: dict[bool, str] = {}
        self._columns: QByteArray | None = None
        self._stored = Stored()
        self.checks_shown = self._watched = False
        self._services: dict[str, EventPane] = {}
        self._pages: dict[QWidget, str] = {}
        self.setDocumentMode(True)
        self.setUsesScrollButtons(True)
        self.setAccessibleName(self.tr("Panes of events"))
        self.tabBar().setAccessibleName(self.tr("Panes"))
        self.tabBar().setExpanding(False)
        self._inside = self.findChild(QStackedWidget)  # where Qt puts the pages
        self.all = self._add(ALL, EVERYTHING, self.tr(NOTHING_YET), self.tr(ALL))
        self.http = HTTPPane(reader, self._inside)
        self._put(self.http, HTTP, self.tr(HTTP))
        self.conversations = ConversationPane(post, reader, self._inside)
        self._put(self.conversations, CONVERSATIONS, self.tr(CONVERSATIONS))
        self.failures = FailurePane(post.recorder, reader, self._inside)
        self._put(self.failures, FAILURES, self.tr(FAILURES))
        self.span: Span | None = None
        self.time = TimeChip()
        self.time.clicked.connect(lambda: self.set_span(None))
        self.setCornerWidget(self._corner(), Qt.TopRightCorner)
        self._last: EventPane = self.all
        self._fixed = (self.all, self.http, self.conversations, self.failures)
        self.rebuild()
        self.failures.counted.connect(self._count_failures)
        self._count_failures()
        self.currentChanged.connect(self._on_tab)
        self._on_tab()

    def _corner(self) -> QWidget:
        corner = QWidget()  # else Qt draws a line behind what is less high than the tabs
        corner.setProperty("surface", "window")
        corner.setAttribute(Qt.WA_StyledBackground)
        row = QHBoxLayout(corner)
        row.setContentsMargins(0, 3, 0, 3)
        row.addWidget(self.time)
        return corner

    def of(self, service: str) -> EventPane | None:
        """The pane of the service with this name."""
        return self._services.get(service)

    def names(self) -> list[str]:
        """The names of all panes, in their order."""
        return [str(self.tabBar().tabData(at)) for at in range(self.count())]

    def service(self) -> str:
        """The service whose pane or page is in view, or ""."""
        page = self.page()
        if page is not None:
            return self._pages[page]
        return next((name for name, pane in self._services.items() if pane is self.currentWidget()), "")

    def let_go(self) -> None:
        """Ignore all further answers of the reader: the window closes."""
        for pane in self._panes():
            pane.let_go()

    def _panes(self) -> list[EventPane]:
        return [*self._fixed, *self._services.values()]

    def current(self) -> EventPane:
        """The pane in view; while a page is, the one that was before it."""
        widget = self.currentWidget()
        return widget if isinstance(widget, EventPane) else self._last

    # -- pages

    def page(self) -> QWidget | None:
        """The page in view; None while a pane is."""
        widget = self.currentWidget()
        return widget if widget in self._pages else None

    def add_page(self, page: QWidget, service: str, picture: str) -> None:
        """Add a page about a service behind all panes. Its tab has the icon ``picture`` and can be closed."""
        self._pages[page] = service
        at = self.addTab(page, icon(picture, "dim"), "")
        button = QToolButton()
        button.setIcon(icon("close", "dim"))
        button.setIconSize(QSize(10, 10))
        button.setAutoRaise(True)
        button.setFocusPolicy(Qt.NoFocus)
        button.setProperty("tab", True)
        button.clicked.connect(lambda: self.page_closed.emit(page))
        self.tabBar().setTabButton(at, QTabBar.RightSide, button)
        self.name_page(page, service)

    def name_page(self, page: QWidget, service: str) -> None:
        """The service of a page has this name now."""
        self._pages[page] = service
        at = self.indexOf(page)
        self.setTabText(at, self.tr("{name}: settings").format(name=_tab_text(service)))
        self.setTabToolTip(at, plain(self.tr("Settings of {name}").format(name=service)))
        self.tabBar().setTabData(at, self.tr("Settings of {name}").format(name=service))
        button = self.tabBar().tabButton(at, QTabBar.RightSide)
        words = self.tr("Close the page of {name} (Ctrl+W)").format(name=service)
        button.setToolTip(plain(words))
        button.setAccessibleName(words)

    def remove_page(self, page: QWidget) -> None:
        """Take a page away; where it was in view, the pane before it is again."""
        if self.currentWidget() is page:
            self.setCurrentWidget(self._last)
        self.removeTab(self.indexOf(page))
        del self._pages[page]

    # -- panes

    def show_checks(self, shown: bool) -> None:
        """Show what passes for checks of watches, and what they find, or leave it out; changes of state stay."""
        self.checks_shown = shown
        self._hide_checks()

    def set_watched(self, watched: bool) -> None:
        """Whether there are watches. Where there are none, panes need no filter, and are as fast as they can be."""
        self._watched = watched
        self._hide_checks()

    def _hide_checks(self) -> None:
        for pane in (self.all, self.http, self.conversations, *self._services.values()):
            pane.hide_checks(self._watched and not self.checks_shown)

    def rebuild(self) -> None:
        """Make a pane for each service and program, in their order, after the panes that are always there."""
        programs = self._post.programs.all
        services = [*self._post.services, *programs]
        self.all.set_empty(self.tr(NOTHING_YET) if services else self.tr(NO_SERVICE))
        called = renamed(self.names()[len(self._fixed) :][: len(self._services)], services)
        for name in list(self._services):
            if name not in services:
                if name in called:
                    self._follow_name(self._services[name], called[name])
                self._remove(self._services.pop(name))
        for at, name in enumerate(services, len(self._fixed)):
            if name not in self._services:
                self._make(name)
            old = self.indexOf(self._services[name])
            if old != at:
                self.tabBar().moveTab(old, at)

    def _make(self, name: str) -> EventPane:
        base = of_program(name) if name in self._post.programs.all else of_service(name)
        pane = self._services[name] = self._add(name, base, _quiet(name))
        return pane

    def _remove(self, pane: EventPane) -> None:
        if self._last is pane:
            self._last = self.all
        self.removeTab(self.indexOf(pane))
        pane.let_go()
        pane.deleteLater()

    def _follow_name(self, old: EventPane, name: str) -> None:
        """What the pane ``old`` shows has this name now: the pane of that is in view, and has the focus, in its place.

        Events keep the name under which they came: another name needs another pane.
        """
        new = self._make(name)
        had_focus = old.isAncestorOf(focus) if (focus := QApplication.focusWidget()) is not None else False
        if self.currentWidget() is old:
            self.setCurrentWidget(new)
        elif self._last is old:
            self._last = new
        if had_focus:
            new.setFocus(Qt.OtherFocusReason)

    def _add(self, name: str, base: Filter, empty: str, title: str = "") -> EventPane:
        pane = EventPane(self._reader, base, empty, self._inside)
        if self._columns is not None:
            pane.restore_columns(self._columns)
        pane.hide_checks(self._watched and not self.checks_shown)
        self._put(pane, name, title or name)
        return pane

    def _put(self, pane: EventPane, name: str, text: str) -> None:
        pane.current_changed.connect(partial(self._pass_on, pane, self.current_changed))
        pane.following_changed.connect(partial(self._pass_on, pane, self.following_changed))
        pane.menu_wanted.connect(self.menu_wanted)
        pane.copied.connect(self.copied)
        pane.narrowed.connect(self.narrowed)
        pane.letter_typed.connect(self.letter_typed)
        pane.on_stored(self._stored)
        at = self.addTab(pane, _tab_text(text))
        self.setTabToolTip(at, plain(text))
        self.tabBar().setTabData(at, name)

    def _pass_on(self, pane: EventPane, signal: Any, value: object) -> None:
        if pane is self.currentWidget():
            signal.emit(value)

    def restore_columns(self, state: QByteArray) -> None:
        """Restore the widths of columns in all panes of events; HTTP and conversations have other columns."""
        self._columns = state
        for pane in (self.all, *self._services.values(), self.failures):
            pane.restore_columns(state)

    def columns(self) -> QByteArray:
        """The widths of columns of the pane in view, or of All where that has other columns."""
        pane = self.all if self.current() in (self.http, self.conversations) else self.current()
        return pane.view.header.saveState()

    def set_filter(self, typed: str) -> None:
        """Filter the pane in view by ``typed``; the other panes are filtered when they are shown."""
        self._typed[self.current() is self.conversations] = typed
        self.current().set_filter(typed)

    def set_span(self, span: Span | None) -> None:
        """Show only what was at this time in all panes; None: at any. The panes not in view follow when shown."""
        if span != self.span:
            self.span = span
            self.time.show_span(span)
            self.current().events.set_span(span)
            self.span_changed.emit()

    def typed(self) -> str:
        """The filter of the pane in view; conversations have one of their own, with other fields."""
        return self._typed.get(self.current() is self.conversations, "")

    def shown(self) -> Part | None:
        """What the pane in view shows of the capture; None for conversations."""
        pane = self.current()
        if pane is self.conversations:
            return None
        if pane is self.failures:
            return Part(pane.events.where, None)
        part = Part.typed(self.typed())
        if self.span is not None:
            part &= pane.events.during(self.span)
        return part & pane.events.base

    def export_format(self) -> str:
        """The name of the exporter that fits what the pane in view shows best; empty if there is none."""
        return "har" if self.current() is self.http else ""

    def connection(self) -> int | None:
        """The number of the current connection, if conversations are in view."""
        view = self.conversations.view
        if self.current() is not self.conversations or view.current < 0:
            return None
        return self.conversations.events.id_at(view.current)

    def selected(self) -> list[int]:
        """The selected events of the pane in view; none for conversations."""
        pane = self.current()
        if pane is self.conversations or pane.view.current < 0:
            return []
        low, high = pane.view.selection()
        return [pane.events.shown_at(index) for index in range(low, min(high, low + MAX_ROWS - 1) + 1)]

    def refresh(self) -> None:
        """Read the rows again: the user has written or removed notes."""
        for pane in self._panes():
            pane.events.refresh()

    def read_anew(self) -> None:
        """The reader reads another capture now."""
        self._stored = Stored()
        self.set_span(None)
        for pane in self._panes():
            pane.set_reader(self._reader)
        self._count_failures()

    def on_stored(self, stored: Stored) -> None:
        self._stored = stored
        for pane in self._panes():
            pane.on_stored(stored)
        self._count_failures()

    def _on_tab(self) -> None:
        current, page = self.current(), self.page()
        for pane in self._panes():
            if pane is not current or page is not None:
                pane.events.activate(False)
        if page is not None:
            self.current_changed.emit(0)
            return
        self._last = current
        current.set_filter(self.typed())
        current.events.set_span(self.span)
        current.events.activate(True)
        view = current.view
        self.following_changed.emit(view.following)
        self.current_changed.emit(current.events.shown_at(view.current) if view.current >= 0 else 0)

    def _count_failures(self) -> None:
        at = self.indexOf(self.failures)
        count = self.failures.unresolved
        title = self.tr(FAILURES)
        text = self.tr("{title} {count:,}").format(title=title, count=count) if count else title
        if text != self.tabText(at) or self.tabIcon(at).isNull():
            self.setTabText(at, text)
            self.setTabIcon(at, icon("failure", "bad" if count else "dim"))
            self.unresolved_changed.emit(count)


def _tab_text(name: str) -> str:
    """A name as a tab shows it."""
    return unmarked(name if len(name) <= TAB_CHARS else name[: TAB_CHARS - 1] + "…")


def _quiet(name: str) -> str:
    words = QCoreApplication.translate(
        "PaneTabs", "Nothing has reached {name} yet.\n\nStart it, then connect to its address."
    )
    return words.format(name=name)
