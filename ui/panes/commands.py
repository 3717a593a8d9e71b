"""What the actions on panes and events do. Each method has the name of its action."""

from __future__ import annotations

from collections.abc import Callable

from PyQt5.QtCore import QCoreApplication, Qt
from PyQt5.QtWidgets import QWidget

from app.events import Event
from ui.panes.browser import Browser
from ui.panes.exchange_actions import ExchangeActions
from ui.panes.failure_actions import FailureActions
from ui.panes.notes import Notes
from ui.parts.copying import copy
from ui.streams.windows import StreamWindows


class PaneCommands:
    """The actions on panes, in every window that has some."""

    def __init__(
        self, browser: Browser, streams: StreamWindows, connection: Callable[[], tuple[int, bool] | None]
    ) -> None:
        """``connection()`` is the connection whose stream is shown, or None.

        It is the number of the connection, and whether that is the number of a live connection.
        """
        self._browser, self._streams, self._connection = browser, streams, connection
        self._panes = browser.panes
        browser.detail.stream_wanted.connect(lambda conn: streams.show((conn, False)))

    def copy_rows(self) -> None:
        self._panes.current().copy_rows()

    def copy_payload(self) -> None:
        event = self._browser.current_event
        if event is not None and event.payload is not None:
            text = QCoreApplication.translate("PaneCommands", "Copied the payload")
            copy(event.payload.decode("utf-8", "backslashreplace"), text)

    def select_all(self) -> None:
        self._panes.current().view.select_all()

    def filter(self) -> None:
        self._browser.filter.setFocus(Qt.ShortcutFocusReason)
        self._browser.filter.selectAll()

    def notes(self) -> None:
        self._browser.show_notes()

    def follow(self) -> None:
        view = self._panes.current().view
        view.set_following(not view.following)

    def clear(self) -> None:
        self._panes.current().events.clear()

    def show_all(self) -> None:
        self._panes.current().events.show_all()

    def next_pane(self) -> None:
        self._step(1)

    def previous_pane(self) -> None:
        self._step(-1)

    def _step(self, by: int) -> None:
        self._show(self._panes.widget((self._panes.currentIndex() + by) % self._panes.count()))

    def conversations(self) -> None:
        self._show(self._panes.conversations)

    def http(self) -> None:
        self._show(self._panes.http)

    def failures(self) -> None:
        self._show(self._panes.failures)
        self._panes.failures.begin()

    def _show(self, pane: QWidget) -> None:
        """Show a pane and give it the focus."""
        self._panes.setCurrentWidget(pane)
        pane.setFocus(Qt.ShortcutFocusReason)

    def follow_stream(self) -> None:
        connection = self._connection()
        if connection is not None:
            self._streams.show(connection)


class EventCommands:
    """The actions on the current event for which the program must run: notes, exchanges, failures."""

    def __init__(self, browser: Browser, notes: Notes, exchanges: ExchangeActions, failures: FailureActions) -> None:
        self._browser, self._panes = browser, browser.panes
        self._notes, self._exchanges, self._failures = notes, exchanges, failures
        notes.kept.connect(browser.refresh)
        exchanges.copied.connect(copy)
        browser.detail.again.connect(self.send_again)

    def show_checks(self) -> None:
        self._panes.show_checks(not self._panes.checks_shown)
        self._browser.changed.emit()

    def note(self) -> None:
        ids = self._panes.selected()
        if ids:
            event = self._browser.current_event
            self._notes.ask(ids, event.note if event is not None else None)

    def copy_curl(self) -> None:
        self._copy("curl")

    def copy_python(self) -> None:
        self._copy("python")

    def copy_exchange(self) -> None:
        self._copy("text")

    def _copy(self, form: str) -> None:
        self._with_event(lambda event: self._exchanges.copy(event, form))

    def resolve_group(self) -> None:
        self._panes.failures.resolve()

    def reopen_group(self) -> None:
        self._panes.failures.resolve(reopened=True)

    def send_again(self) -> None:
        if self._failures.can_send(self._browser.current_event):
            self._with_event(self._failures.send_again)

    def save_report(self) -> None:
        self._with_event(self._failures.save_report)

    def copy_report(self) -> None:
        self._with_event(self._failures.copy_report)

    def _with_event(self, act: Callable[[Event], object]) -> None:
        if self._browser.current_event is not None:
            act(self._browser.current_event)
