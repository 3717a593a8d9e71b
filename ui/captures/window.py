"""The window of a capture that was opened: panes, filter and detail, and nothing that could change the capture."""

from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from PyQt5.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, QPoint, Qt, QTimer, pyqtSignal
from PyQt5.QtGui import QCloseEvent
from PyQt5.QtWidgets import QLabel, QMainWindow, QMenu, QStatusBar, QToolBar, QVBoxLayout, QWidget

from app.capture.errors import CaptureError
from app.capture.keeping.about import About
from app.capture.reading import losses
from app.capture.reading.losses import Lost
from app.capture.reading.reader import Reader
from app.capture.recorder import Stored
from app.post import Post
from app.text.escapes import amount
from ui.actions.action import Place, Situation
from ui.actions.build import Actions, show
from ui.charts.commands import ChartCommands
from ui.detail.sheet import visible
from ui.forms.form import sentence
from ui.looks.english import form_of
from ui.panes.browser import Browser
from ui.panes.commands import PaneCommands
from ui.panes.notes import ONLY_LIVE
from ui.parts.copying import SHOWN, tell_in
from ui.parts.labels import plain
from ui.parts.notice_bar import NoticeBar
from ui.parts.progress_line import InThread
from ui.settings import Settings
from ui.streams.windows import StreamWindows

if TYPE_CHECKING:
    from ui.captures.export_dialog import ExportDialog

ONLY_READ = QT_TRANSLATE_NOOP(
    "CaptureWindow",
    "An opened capture is only read: nothing is sent from here. Copy the bytes into a message in the main window.",
)

FOLLOW = 1000
"""Milliseconds between two looks at a capture that another program is writing."""


class CaptureWindow(QMainWindow):
    """One capture, read only.

    Attributes:
        found: what is known of the capture.
        browser, panes, detail, filter: the panes with their filter and the detail of the current event.
        charts: the dock of charts.

    Signals:
        closed: it was closed; carries the path.
        open_wanted, save_wanted: the actions of that name; the second carries path and filter.
        send_wanted: the Send dock is to be filled; carries the reader and the id of the event.
    """

    closed = pyqtSignal(object)
    open_wanted = pyqtSignal()
    save_wanted = pyqtSignal(object, str)
    send_wanted = pyqtSignal(object, int)

    def __init__(self, found: About, reader: Reader, in_thread: InThread, settings: Settings) -> None:
        super().__init__()
        self.found, self._reader = found, reader
        self._closed = False
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("{name} (read only) - Listening Post").format(name=found.path.name))
        self.actions_ = Actions(self, Place.CAPTURE)
        self.browser = Browser(_as_post(found), reader, in_thread, settings)
        self.panes, self.detail, self.filter = self.browser.panes, self.browser.detail, self.browser.filter
        self.notice = NoticeBar("warning", closable=True)
        self._streams = StreamWindows(reader, in_thread, self, self.open_in_send)
        self._commands = CaptureWindowCommands(self, in_thread)
        services = list(found.services)
        self.charts = ChartCommands(
            reader, self.browser, lambda: services, settings, self, live=found.live, whole=True
        )  # fmt: skip
        self._lay_out()
        self._connect()
        self.panes.all.set_empty(self.tr("There is nothing in this capture."))
        self.panes.on_stored(Stored(found.first, found.last, found.bytes))
        if found.live:
            timer = QTimer(self)
            timer.timeout.connect(self._look)
            timer.start(FOLLOW)
        else:
            # Nothing is added to this capture, so its panes begin with its first event.
            for index in range(self.panes.count()):
                cast(Any, self.panes.widget(index)).view.set_following(False)
        self.notice.say(_warning(found, found.lost))

    def open_in_send(self, id: int) -> None:
        """Fill the Send dock of the main window with what this event was sent with."""
        self.send_wanted.emit(self._reader, id)

    def _on_failed(self, error: CaptureError) -> None:
        if not self._closed:
            self.notice.say(visible(str(error)))

    def _connect(self) -> None:
        self._reader.failed = self._on_failed
        self.actions_.connect(PaneCommands(self.browser, self._streams, self._connection), self._commands, self.charts)
        self.actions_.follow(self.browser.changed, self._situation)
        self.actions_.say_why(lambda words: self.statusBar().showMessage(words, SHOWN))
        self.panes.menu_wanted.connect(self._event_menu)
        self.detail.again.connect(lambda: self.notice.say(self.tr(ONLY_READ)))

    def _lay_out(self) -> None:
        bar = QToolBar(self.tr("Main"))
        bar.setMovable(False)
        bar.setContextMenuPolicy(Qt.PreventContextMenu)
        bar.addWidget(self.filter)
        self.addToolBar(bar)
        self.browser.setSizes([420, 260])
        self.browser.setStretchFactor(0, 1)
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.notice)
        column.addWidget(self.browser, 1)
        self.setCentralWidget(whole)
        self.setStatusBar(self._status())
        self.resize(1180, 720)
        self.panes.current().setFocus()

    def _status(self) -> QStatusBar:
        found, status = self.found, QStatusBar()
        status.setSizeGripEnabled(False)
        tell_in(status)
        self._count = QLabel()
        self._say_count(found.first, found.last)
        words = [self.tr("begun {time}").format(time=_when(found.created))] if found.created else []
        words += [found.changed] if found.changed else []
        words += [self.tr("{count:,} dropped by its size limit").format(count=found.dropped)] if found.dropped else []
        self._lost = QLabel()
        self._lost.setProperty("role", "error")
        self._say_lost(found.lost)
        for label in (self._count, self._lost, *map(QLabel, words)):
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
        self._count.setText(self.tr("{count:,} event(s)", "", form_of(count)).format(count=count))

    def _say_lost(self, lost: Lost) -> None:
        self._missing = lost.count
        self._lost.setText(self.tr("{count:,} lost").format(count=lost.count))
        self._lost.setToolTip(plain(sentence(lost.in_words())))
        self._lost.setVisible(bool(lost))

    # -- news

    def _look(self) -> None:
        self._reader.read(lambda store: (store.range(), losses.count(store)), ((1, 0), 0), self._on_news)

    def _on_news(self, news: tuple[tuple[int, int], int]) -> None:
        range, missing = news
        if self._closed or not range[1]:
            return
        self._say_count(*range)
        self.panes.on_stored(Stored(range[0], range[1], self.found.bytes))
        self.charts.on_stored()
        if missing != self._missing:
            self._missing = missing
            self._reader.read(losses.lost, Lost(), self._on_lost)

    def _on_lost(self, lost: Lost) -> None:
        if lost and not self._closed:
            self._say_lost(lost)
            self.notice.say(_warning(self.found, lost))

    def _connection(self) -> tuple[int, bool] | None:
        """The connection whose stream can be shown; its number is not that of a live one."""
        conn = self.browser.connection()
        return None if conn is None else (conn, False)

    def _situation(self) -> Situation:
        return Situation(event=self.browser.current_event, stream=self._connection() is not None, read_only=True)

    def _event_menu(self, menu: QMenu, at: QPoint) -> None:
        self.actions_.fill(menu, Place.EVENTS)
        show(menu, at)

    def closeEvent(self, event: QCloseEvent) -> None:
        self._closed = True
        self._streams.close()
        self._commands.stop()
        self.browser.let_go()
        self.charts.let_go()
        self._reader.close()
        self.closed.emit(self.found.path)
        event.accept()


class CaptureWindowCommands:
    """The actions on the opened capture. Each method has the name of its action."""

    def __init__(self, window: CaptureWindow, in_thread: InThread) -> None:
        self._window, self._in_thread = window, in_thread
        self._dialogs: list[ExportDialog] = []

    def open_capture(self) -> None:
        self._window.open_wanted.emit()

    def save_capture_as(self) -> None:
        self._window.save_wanted.emit(self._window.found.path, self._window.filter.text())

    def close_window(self) -> None:
        self._window.close()

    def open_in_send(self) -> None:
        if (event := self._window.browser.current_event) is not None:
            self._window.open_in_send(event.id)

    def note(self) -> None:
        self._window.notice.say(QCoreApplication.translate("Notes", ONLY_LIVE))

    def export(self) -> None:
        from ui.captures.export_dialog import ExportDialog

        window, panes, conn = self._window, self._window.panes, self._window.browser.connection()
        dialog = ExportDialog(
            window.found.path, panes.typed(), panes.shown(), conn, self._in_thread, window, panes.export_format()
        )
        self._dialogs.append(dialog)
        dialog.destroyed.connect(lambda: self._dialogs.remove(dialog))
        dialog.show()

    def stop(self) -> None:
        """End the exports that are under way: the window closes."""
        for dialog in self._dialogs:
            dialog.stop()


def _as_post(found: About) -> Post:
    """What the panes ask of a Post, of one that is over."""
    services = {name: SimpleNamespace(connections={}) for name in found.services}
    recorder = SimpleNamespace(failures=found.failures, run="")
    programs = SimpleNamespace(all={}, ports=list)
    sender = SimpleNamespace(connections={})
    post = SimpleNamespace(
        services=services, programs=programs, owners=services.values, recorder=recorder, sender=sender
    )
    return cast(Post, post)


def _warning(found: About, lost: Lost) -> str:
    missing = sentence(lost.in_words()) if lost else ""
    return "\n".join(filter(None, (_state(found), missing)))


def _state(found: About) -> str:
    if found.live:
        return QCoreApplication.translate(
            "CaptureWindow", "Another program is writing this capture; new events appear here."
        )
    if not found.cut_off:
        return ""
    if found.left_open == 0:
        words = QCoreApplication.translate(
            "CaptureWindow",
            "The program that wrote this capture ended before it could close it. All that was stored is here.",
        )
    else:
        words = QCoreApplication.translate(
            "CaptureWindow",
            "The program that wrote this capture ended before it could close it. All that was stored is here; "
            "{count:,} connection(s) (was|were) open, and ended with the program.",
            "",
            form_of(found.left_open),
        )
    return words.format(count=found.left_open)


def _when(created: str) -> str:
    try:
        return f"{datetime.fromisoformat(created).astimezone():%Y-%m-%d %H:%M}"
    except ValueError:
        return created
