"""A capture opened beside the live one: its own panes, filter and detail, and nothing that could change it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from PyQt5.QtCore import QPoint, Qt, QTimer, pyqtSignal
from PyQt5.QtGui import QCloseEvent
from PyQt5.QtWidgets import (
    QApplication,
    QLabel,
    QMainWindow,
    QMenu,
    QSplitter,
    QStatusBar,
    QToolBar,
    QVBoxLayout,
    QWidget,
)

from app.capture.keeping.about import About
from app.capture.reading.reader import Reader
from app.capture.reading.store import Store
from app.capture.recorder import Stored
from app.events import Event
from app.post import Post
from app.text.escapes import amount
from ui.detail.pane import DetailPane
from ui.panes.filter_box import FilterBox
from ui.panes.notes import NOTED, ONLY_LIVE
from ui.panes.tabs import PaneTabs
from ui.parts import actions
from ui.parts.actions import plain
from ui.parts.notice_bar import NoticeBar
from ui.parts.progress_line import InThread
from ui.settings import Settings

if TYPE_CHECKING:
    from ui.captures.export_dialog import ExportDialog
    from ui.streams.view import StreamView

ONLY_READ = (
    "An opened capture is only read: nothing is sent from here. Copy the bytes into a message in the main window."
)

FOLLOW = 1000
"""Milliseconds between two looks at a capture that another program is writing."""


class CaptureWindow(QMainWindow):
    """One capture, read only.

    Signals:
        closed: it was closed; carries the path.
        open_wanted, save_wanted: the actions of that name; the second carries path and filter.
    """

    closed = pyqtSignal(object)
    open_wanted = pyqtSignal()
    save_wanted = pyqtSignal(object, str)

    def __init__(self, found: About, reader: Reader, in_thread: InThread, settings: Settings) -> None:
        super().__init__()
        self.found, self._reader = found, reader
        self._event: Event | None = None
        self._in_thread = in_thread
        self._streams: list[StreamView] = []
        self._dialogs: list[ExportDialog] = []
        self._wanted_event = 0
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setWindowTitle(f"{found.path.name} (read only) - Listening Post")
        self.panes = PaneTabs(_as_post(found), reader)
        self.detail = DetailPane(reader, in_thread)
        self.notice = NoticeBar("warning", closable=True)
        self.actions_ = actions.build(self, self._handler, actions.CAPTURE_SPECS)
        self.filter = FilterBox(lambda: {"service": list(found.services)})
        self.filter.saved = settings.filters
        self._lay_out()
        self._connect(settings)
        self.panes.all.set_empty("There is nothing in this capture.")
        self.actions_["copy_payload"].setEnabled(False)
        self.actions_["follow_stream"].setEnabled(False)
        self.panes.on_stored(Stored(found.first, found.last, found.bytes))
        if found.live:
            timer = QTimer(self)
            timer.timeout.connect(self._look)
            timer.start(FOLLOW)
        else:
            # What is over is read from its beginning.
            for index in range(self.panes.count()):
                cast(Any, self.panes.widget(index)).view.set_following(False)
        self.notice.say(_warning(found))

    def _handler(self, name: str) -> Callable[[], object]:
        handler: Callable[[], object] = getattr(self, f"_do_{name}")
        return handler

    def _lay_out(self) -> None:
        bar = QToolBar("Main")
        bar.setMovable(False)
        bar.setContextMenuPolicy(Qt.PreventContextMenu)
        bar.addWidget(self.filter)
        self.addToolBar(bar)
        split = QSplitter(Qt.Vertical)
        split.addWidget(self.panes)
        split.addWidget(self.detail)
        split.setSizes([420, 260])
        split.setStretchFactor(0, 1)
        split.setChildrenCollapsible(False)
        split.setHandleWidth(1)
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.notice)
        column.addWidget(split, 1)
        self.setCentralWidget(whole)
        self.setStatusBar(self._status())
        self.resize(1180, 720)
        self.panes.current().setFocus()

    def _status(self) -> QStatusBar:
        found, status = self.found, QStatusBar()
        status.setSizeGripEnabled(False)
        self._count = QLabel()
        self._say_count(found.first, found.last)
        words = [f"begun {_when(found.created)}"] if found.created else []
        words += [found.changed] if found.changed else []
        words += [f"{found.dropped:,} dropped by its size limit"] if found.dropped else []
        for label in (self._count, *map(QLabel, words)):
            label.setTextFormat(Qt.PlainText)
            status.addWidget(label)
        path = QLabel(str(found.path.parent))
        path.setTextFormat(Qt.PlainText)
        path.setToolTip(plain(str(found.path)))
        for label in (QLabel(amount(found.bytes)), path):
            status.addPermanentWidget(label)
        return status

    def _say_count(self, first: int, last: int) -> None:
        count = last - first + 1
        self._count.setText("1 event" if count == 1 else f"{count:,} events")

    def _connect(self, settings: Settings) -> None:
        self.panes.current_changed.connect(self._on_event_id)
        self.panes.menu_wanted.connect(self._event_menu)
        self.panes.copied.connect(QApplication.clipboard().setText)
        self.panes.narrowed.connect(self.filter.narrow)
        self.filter.typed.connect(self.panes.set_filter)
        self.panes.currentChanged.connect(lambda _: self._on_pane())
        self.panes.conversations.opened.connect(self._show_connection)
        self.detail.again.connect(lambda: self.notice.say(ONLY_READ))
        self.filter.saved_changed.connect(lambda saved: setattr(settings, "filters", saved))
        self.filter.left.connect(lambda: self.panes.current().setFocus())

    # -- news

    def _look(self) -> None:
        self._reader.read(Store.range, (1, 0), self._on_range)

    def _on_range(self, range: tuple[int, int]) -> None:
        if self._wanted_event >= 0 and range[1]:
            self._say_count(*range)
            self.panes.on_stored(Stored(range[0], range[1], self.found.bytes))

    def _on_event_id(self, id: int) -> None:
        self._wanted_event = id
        if not id:
            self._on_event(0, None)
        else:
            self._reader.event(id, lambda event: self._on_event(id, event))

    def _on_event(self, id: int, event: Event | None) -> None:
        if id == self._wanted_event:
            self._event = event
            self.detail.show_event(event)
            self.actions_["follow_stream"].setEnabled(self._conn() is not None)
            self.actions_["copy_payload"].setEnabled(event is not None and event.payload is not None)

    def _event_menu(self, menu: QMenu, at: QPoint) -> None:
        for name in ("note", "", "follow_stream", "", "copy_rows", "copy_payload", "", "select_all"):
            if name:
                menu.addAction(self.actions_[name])
            else:
                menu.addSeparator()
        menu.setAttribute(Qt.WA_DeleteOnClose)
        menu.popup(at)

    def _on_pane(self) -> None:
        self.filter.speak(self.panes.current().fields, self.panes.typed())

    def _show_connection(self, conn: int) -> None:
        self.panes.setCurrentWidget(self.panes.all)
        self.filter.setText(f"conn == {conn}")
        self.filter.apply()

    # -- what the actions do

    def _do_open_capture(self) -> None:
        self.open_wanted.emit()

    def _do_save_capture_as(self) -> None:
        self.save_wanted.emit(self.found.path, self.filter.text())

    def _do_close_window(self) -> None:
        self.close()

    def _do_copy_rows(self) -> None:
        self.panes.current().copy_rows()

    def _do_copy_payload(self) -> None:
        if self._event is not None and self._event.payload is not None:
            QApplication.clipboard().setText(self._event.payload.decode("utf-8", "backslashreplace"))

    def _do_select_all(self) -> None:
        self.panes.current().view.select_all()

    def _do_filter(self) -> None:
        self.filter.setFocus(Qt.ShortcutFocusReason)
        self.filter.selectAll()

    def _do_note(self) -> None:
        self.notice.say(ONLY_LIVE)

    def _do_notes(self) -> None:
        self.panes.setCurrentWidget(self.panes.all)
        self.filter.setText(NOTED)
        self.filter.apply()

    def _do_next_pane(self) -> None:
        self.panes.setCurrentIndex((self.panes.currentIndex() + 1) % self.panes.count())

    def _do_previous_pane(self) -> None:
        self.panes.setCurrentIndex((self.panes.currentIndex() - 1) % self.panes.count())

    def _do_conversations(self) -> None:
        self.panes.setCurrentWidget(self.panes.conversations)

    def _do_http(self) -> None:
        self.panes.setCurrentWidget(self.panes.http)

    def _do_follow_stream(self) -> None:
        from ui.streams.view import StreamView

        conn = self._conn()
        if conn is not None:
            stream = StreamView((conn, False), self._reader, self._in_thread, self)
            self._streams.append(stream)
            stream.closed.connect(lambda: self._streams.remove(stream))
            stream.show()

    def _do_export(self) -> None:
        from ui.captures.export_dialog import ExportDialog

        path, panes = self.found.path, self.panes
        dialog = ExportDialog(path, panes.typed(), panes.shown(), self._conn(), self._in_thread, self)
        self._dialogs.append(dialog)
        dialog.destroyed.connect(lambda: self._dialogs.remove(dialog))
        dialog.show()

    def _conn(self) -> int | None:
        return self.panes.connection() or (self._event.conn if self._event is not None else None)

    def _do_failures(self) -> None:
        self.panes.setCurrentWidget(self.panes.failures)

    def closeEvent(self, event: QCloseEvent) -> None:
        for stream in list(self._streams):
            stream.close()
        for dialog in self._dialogs:
            dialog.stop()
        # What the reader still has to say comes to nobody.
        self._wanted_event = -1
        self.panes.let_go()
        self._reader.close()
        self.closed.emit(self.found.path)
        event.accept()


def _as_post(found: About) -> Post:
    """What the panes ask of a Post, of one that is over."""
    services = {name: SimpleNamespace(connections={}) for name in found.services}
    recorder = SimpleNamespace(failures=found.failures, run="")
    return cast(Post, SimpleNamespace(services=services, recorder=recorder, sender=SimpleNamespace(connections={})))


def _warning(found: About) -> str:
    if found.live:
        return "Another program is writing this capture; what it adds shows up here."
    if not found.cut_off:
        return ""
    words = "The program that wrote this ended before it could close it. All that was stored is here"
    if found.left_open:
        one = found.left_open == 1
        words += f"; {'1 connection was' if one else f'{found.left_open:,} connections were'} open, and ended with it"
    return f"{words}."


def _when(created: str) -> str:
    try:
        return f"{datetime.fromisoformat(created).astimezone():%Y-%m-%d %H:%M}"
    except ValueError:
        return created
