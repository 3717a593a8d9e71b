"""The conversations pane: all connections, past and present, one a row."""

from __future__ import annotations

from time import time_ns
from typing import cast

from PyQt5.QtCore import QT_TRANSLATE_NOOP, QEvent, QObject, QPoint, Qt, QTimer, pyqtSignal
from PyQt5.QtGui import QHideEvent, QKeyEvent, QShowEvent
from PyQt5.QtWidgets import QMenu, QWidget

from app.capture.filters.language import Filter
from app.capture.filters.sql import CONNECTIONS_WITHOUT_CHECKS
from app.capture.reading.conversations import CONVERSATION_FIELDS, Conversation
from app.capture.reading.reader import Reader
from app.events import Row
from app.post import Post
from app.services.interfaces import Connection
from app.text.escapes import amount
from ui.looks.declared import in_words
from ui.looks.icons import icon
from ui.looks.theme import Theme
from ui.looks.times import clock
from ui.panes.columns import Column
from ui.panes.conversation_list import ConversationList
from ui.panes.event_list import EventList
from ui.panes.event_pane import EventPane

NO_CONVERSATION = QT_TRANSLATE_NOOP(
    "declared",
    "No conversation yet.\n\n"
    "Each connection that is made, and each peer of a UDP service,\n"
    "becomes a row here and stays when it is over.",
)

OPEN = QT_TRANSLATE_NOOP("declared", "open")
CUT = QT_TRANSLATE_NOOP("declared", "still open when the capture ended")


def _row(row: Row) -> Conversation:
    return cast(Conversation, row)


def ended(row: Conversation) -> str:
    """How the connection ended, or that it is open."""
    if row.closed is not None:
        return row.reason or ""
    return in_words(OPEN if row.live is not None else CUT)


def _ended_color(row: Row, theme: Theme) -> str | None:
    found = _row(row)
    if found.live is not None:
        return theme.good
    return theme.dim if found.closed is not None else theme.warning


def lasted(row: Conversation) -> str:
    """``0.8 ms``, ``12.4 s``, ``2m 03s``, ``1h 02m``; empty where its end is not in the capture."""
    if row.closed is None and row.live is None:
        return ""
    seconds = ((row.closed or time_ns()) - row.time) / 1e9
    if seconds < 0.9995:
        return f"{seconds * 1000:.1f} ms" if seconds < 0.0995 else f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h {minutes:02}m" if hours else f"{minutes}m {rest:02}s"


def _failures_color(row: Row, theme: Theme) -> str | None:
    return theme.bad if _row(row).failures else theme.dim


def _tls_color(row: Row, theme: Theme) -> str | None:
    return theme.bad if _row(row).tls == "failed" else None


COLUMNS = (
    Column(
        "conn", "#", "Number of the connection", 5, lambda row, _: str(row.id), right=True, quiet=True, numbered=True,
        field="conn", value=lambda row: row.id, yields=7,
    ),
    Column(
        "opened", "Opened", "When the connection was opened, in local time", 8,
        lambda row, _: clock(row.time).rpartition(".")[0], quiet=True, yields=5,
    ),
    Column(
        "seconds", "Duration", "How long the connection lasted, or has lasted so far", 9,
        lambda row, _: lasted(_row(row)), right=True, yields=4,
    ),
    Column(
        "service", "Service", "Service of the connection", 12, lambda row, _: row.service, middle=True,
        field="service", value=lambda row: row.service or None, yields=1,
    ),
    Column(
        "peer", "Peer", "Address and port of the peer", 15, lambda row, _: row.peer or "", whole=True,
        field="peer", value=lambda row: row.peer,
    ),
    Column(
        "received", "Received", "Bytes received", 10, lambda row, _: amount(_row(row).received), right=True, yields=2,
    ),
    Column(
        "received.messages", "Reads", "How often data was received", 6,
        lambda row, _: f"{_row(row).messages_received:,}", right=True, quiet=True, yields=10,
    ),
    Column("sent", "Sent", "Bytes sent", 8, lambda row, _: amount(_row(row).sent), right=True, yields=3),
    Column(
        "sent.messages", "Writes", "How often data was sent", 6,
        lambda row, _: f"{_row(row).messages_sent:,}", right=True, quiet=True, yields=9,
    ),
    Column(
        "failures", "Failures", "Failures on the connection", 8, lambda row, _: f"{_row(row).failures:,}", right=True,
        color=_failures_color, field="failures", value=lambda row: _row(row).failures, yields=6,
    ),
    Column(
        "tls", "TLS", "Version of TLS", 6, lambda row, _: (_row(row).tls or "").removeprefix("TLS "),
        color=_tls_color, field="tls", value=lambda row: _row(row).tls, yields=8,
    ),
    Column(
        "upstream", "Upstream", "Server to which a relay forwards the connection", 15,
        lambda row, _: _row(row).upstream or "", field="upstream", value=lambda row: _row(row).upstream, yields=11,
    ),
    Column(
        "reason", "Ended",
        "How the connection ended", 24, lambda row, _: ended(_row(row)), color=_ended_color, stretch=True,
        least=18,
        field="reason", value=lambda row: _row(row).reason or None,
    ),
)  # fmt: skip
"""Each is sorted by the column of the same name in ``app.capture.reading.conversations``."""


class ConversationPane(EventPane):
    """All connections. A click on a title sorts by the column; a double click shows the events of a connection.

    Attributes:
        example: a filter that the filter box shows while it is empty.

    Signals:
        opened: the number of a connection whose events are to be shown.
        disconnect_wanted: a live connection that is to be closed.
    """

    columns = COLUMNS
    fields = CONVERSATION_FIELDS
    without_checks = CONNECTIONS_WITHOUT_CHECKS
    example = "peer contains 127 and failures > 0"

    opened = pyqtSignal(int)
    disconnect_wanted = pyqtSignal(object)

    def __init__(self, post: Post, reader: Reader, parent: QWidget | None = None) -> None:
        self._post = post
        self._shown = 0
        super().__init__(reader, empty=in_words(NO_CONVERSATION), parent=parent)
        self.view.setAccessibleName(self.tr("Conversations"))
        header = self.view.header
        header.setSectionsClickable(True)
        header.setSortIndicatorShown(True)
        header.setSortIndicator(0, Qt.AscendingOrder)
        header.sortIndicatorChanged.connect(self._on_sort)
        self.view.installEventFilter(self)
        self.view.viewport().installEventFilter(self)
        self.menu_wanted.connect(self._fill)
        self.current_changed.connect(self._on_shown)
        self.list.resorted.connect(self.view.keep_current)
        self.events.loaded.connect(self._show_end)
        # The durations of open connections grow while nothing else happens.
        self._second = QTimer(self)
        self._second.setInterval(1000)
        self._second.timeout.connect(self.view.viewport().update)

    def _list(self, reader: Reader, base: Filter) -> EventList:
        self.list = ConversationList(reader, self._post.recorder.run, self)
        return self.list

    def current(self) -> Conversation | None:
        """The current row, or None until it is read."""
        index = self.view.current
        row = self.events.row(index) if index >= 0 else None
        return _row(row) if row is not None else None

    def let_go(self) -> None:
        self._second.stop()
        super().let_go()

    # -- what is clicked and typed

    def _on_sort(self, column: int, order: Qt.SortOrder) -> None:
        self.list.sort(COLUMNS[column].name, descending=order == Qt.DescendingOrder)
        if column:
            self.view.set_following(False)
            self.view.verticalScrollBar().setValue(0)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        twice = event.type() == QEvent.MouseButtonDblClick and watched is self.view.viewport()
        entered = isinstance(event, QKeyEvent) and event.type() == QEvent.KeyPress and event.key() in (
            Qt.Key_Return, Qt.Key_Enter,
        )  # fmt: skip
        if (twice or entered) and (row := self.current()) is not None:
            self.opened.emit(row.id)
            return True
        return super().eventFilter(watched, event)

    def _fill(self, menu: QMenu, _: QPoint) -> None:
        row = self.current()
        if row is None:
            return
        menu.addAction(self.tr("Show &events")).triggered.connect(lambda: self.opened.emit(row.id))
        connection = self._live(row)
        if connection is not None:
            action = menu.addAction(icon("disconnect"), self.tr("D&isconnect"))
            action.triggered.connect(lambda: self.disconnect_wanted.emit(connection))
        menu.addSeparator()

    def _live(self, row: Conversation) -> Connection | None:
        if row.live is None:
            return None
        owners = (*(owner.connections for owner in self._post.owners()), self._post.sender.connections)
        return next((found for owned in owners if (found := owned.get(row.live))), None)

    # -- what is shown of one

    def _on_shown(self, id: int) -> None:
        self._shown = id

    def _show_end(self) -> None:
        """Show the closing event of the current connection, which was open, or not read, when it became current."""
        if self.view.current >= 0:
            shown = self.events.shown_at(self.view.current)
            if shown and shown != self._shown:
                self.current_changed.emit(shown)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._second.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._second.stop()
