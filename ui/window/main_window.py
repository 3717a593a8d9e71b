"""The window: lays out the panels and connects them; what they do is theirs."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt5.QtCore import QByteArray, Qt, pyqtSignal
from PyQt5.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PyQt5.QtWidgets import (
    QApplication,
    QMainWindow,
    QVBoxLayout,
    QWidget,
)

from app import events
from app.capture.reading.reader import Reader
from app.capture.recorder import Trouble
from app.capture.schema import SUFFIX
from app.events import Event
from app.post import Post
from app.workspace.reading import Workspace
from ui.bridge import Bridge
from ui.captures.files import CaptureFiles, dropped
from ui.detail.pane import DetailPane
from ui.looks import theme
from ui.looks.times import moment
from ui.panes.exchange_actions import ExchangeActions, is_exchange
from ui.panes.failure_actions import FailureActions
from ui.panes.notes import Notes
from ui.panes.tabs import PaneTabs
from ui.parts import actions
from ui.parts.notice_bar import NoticeBar
from ui.services.actions import ServiceActions
from ui.services.connections_panel import ConnectionsPanel
from ui.services.panel import ServicesPanel
from ui.settings import Settings
from ui.window.commands import Commands
from ui.window.menus import OF_EXCHANGE, TO_SERVICE, Menus
from ui.window.middle import Middle
from ui.window.palette import Palette
from ui.window.palette_entries import entries
from ui.window.plugin_question import PluginQuestion
from ui.window.recovery_bar import RecoveryBar
from ui.window.start_page import StartPage
from ui.window.status_line import StatusLine
from ui.window.toolbar import Toolbar
from ui.window.workspace_files import WorkspaceFiles

if TYPE_CHECKING:
    from ui.instance import Wish
    from ui.sending.dock import SendDock

SEND_HEIGHT = 250
"""Of the send dock, in pixels, when it first comes."""


_PANES = ("filter", "next_pane", "previous_pane", "conversations", "http", "failures", "notes", "show_all")
"""Actions that mean the panes."""


class MainWindow(QMainWindow):
    """Everything of one Post on one screen.

    Signals:
        closed: the user closed it, and unsaved changes were settled.
    """

    closed = pyqtSignal()

    def __init__(self, post: Post, reader: Reader, settings: Settings, opened: Workspace, title: str) -> None:
        super().__init__()
        self._post, self.reader, self._settings = post, reader, settings
        self.current_event: Event | None = None
        self._wanted_event = self._seen = 0
        self._dock: SendDock | None = None
        self.bridge = Bridge(post)
        self.service_actions = ServiceActions(post, self.bridge, self, lambda: settings.host)
        self.exchanges = ExchangeActions(reader, self.service_actions, self)
        self.files = WorkspaceFiles(post, settings, opened, title, self)
        self.services = ServicesPanel(post, self.bridge)
        self._status_line = StatusLine(post, self.bridge)
        self.connections = ConnectionsPanel()
        self.panes = PaneTabs(post, reader)
        self.detail = DetailPane(reader, post.sender.in_thread)
        self.failure_actions = FailureActions(post, self.panes.failures, self.detail, self)
        self.trouble = NoticeBar("bad", closable=False)
        self.notice = NoticeBar("warning", closable=True)
        self.plugin_question = PluginQuestion(post.plugins)
        self.recovery = RecoveryBar()
        self.captures = CaptureFiles(post, reader, settings, self)
        self.notes = Notes(post.recorder, self)
        self.commands = Commands(self, post, settings)
        self.menus = Menus(self, settings)
        self.actions_ = actions.build(self, self._handler)
        known = lambda: {"service": list(post.services)}  # noqa: E731
        self.toolbar = Toolbar(self.actions_, self.service_actions.create, known)
        self.filter = self.toolbar.filter
        self.filter.saved = settings.filters
        self.addToolBar(self.toolbar)
        self._lay_out()
        self.setStatusBar(self._status_line)
        self.menus.fill_recent()
        self.command_palette = Palette(self, lambda: entries(self, post, settings), settings)
        self._connect()
        self._restore()
        self._choose_page()
        self.setAcceptDrops(True)
        self._on_files()

    # -- making

    def _handler(self, name: str) -> Callable[[], object]:
        handler: Callable[[], object] = getattr(self.commands, name)
        return handler

    def _lay_out(self) -> None:
        self.start_page = StartPage(self.actions_)
        self.middle = Middle(self.services, self.connections, self.panes, self.detail, self.start_page)
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.trouble)
        column.addWidget(self.notice)
        column.addWidget(self.recovery)
        column.addWidget(self.plugin_question)
        column.addWidget(self.middle, 1)
        self.setCentralWidget(whole)

    def _connect(self) -> None:
        act, bridge = self.service_actions, self.bridge
        self.services.chosen.connect(self._on_service)
        self.services.toggled.connect(act.toggle)
        act.added.connect(self.services.select)
        self.services.edit_wanted.connect(act.edit)
        self.services.menu_wanted.connect(self.menus.of_service)
        self.connections.send_wanted.connect(lambda _: self.commands.send())
        self.connections.disconnect_wanted.connect(lambda _: self.commands.disconnect())
        self.connections.current_changed.connect(lambda _: self._enable())
        self.connections.menu_wanted.connect(self.menus.of_connection)
        self.panes.current_changed.connect(self._on_event_id)
        self.panes.following_changed.connect(self.actions_["follow"].setChecked)
        self.panes.menu_wanted.connect(self.menus.of_events)
        self.panes.copied.connect(QApplication.clipboard().setText)
        self.exchanges.copied.connect(QApplication.clipboard().setText)
        self.exchanges.failed.connect(self.notice.say)
        self._status_line.failures_wanted.connect(self.actions_["failures"].trigger)
        bridge.ticked.connect(self._on_tick)
        bridge.services_changed.connect(self._on_services)
        bridge.status_changed.connect(lambda _: self._enable())
        bridge.trouble_changed.connect(self._on_trouble)
        bridge.plugins_changed.connect(self.plugin_question.refresh)
        self.captures.failed.connect(self.notice.say)
        self.captures.found.connect(self.recovery.offer)
        self.recovery.wanted.connect(self.captures.open_path)
        self.notes.kept.connect(self._on_notes)
        self.files.changed.connect(self._on_files)
        self.files.failed.connect(self.notice.say)
        self.panes.currentChanged.connect(lambda _: self._on_pane())
        self.panes.failures.set_actions(self.actions_)
        self.panes.failures.group_changed.connect(self._enable)
        self.panes.failures.group_menu_wanted.connect(self.menus.of_group)
        self.panes.conversations.opened.connect(self._show_connection)
        self.panes.conversations.disconnect_wanted.connect(act.disconnect_peer)
        self.detail.again.connect(self.commands.send_again)
        self.panes.narrowed.connect(self.filter.narrow)
        self.filter.typed.connect(self.panes.set_filter)
        self.filter.saved_changed.connect(lambda saved: setattr(self._settings, "filters", saved))
        self.filter.left.connect(lambda: self.panes.current().setFocus())
        theme.notifier.changed.connect(self._on_theme)
        self.start_page.left.connect(self.show_panes)
        self.start_page.chosen.connect(self.files.open_path)
        bridge.services_changed.connect(self._choose_page)
        for name in _PANES:
            self.actions_[name].triggered.connect(self.show_panes)
        self.actions_["follow"].setChecked(self.panes.current().view.following)
        self._on_service(self.services.selected)
        self._on_trouble(self._post.recorder.trouble)

    @cached_property
    def send_dock(self) -> SendDock:
        """Made when it is first wanted; hidden until then."""
        from ui.sending.dock import SendDock

        dock = SendDock(self._post, self)
        dock.hide()
        self.addDockWidget(Qt.BottomDockWidgetArea, dock)
        self.resizeDocks([dock], [SEND_HEIGHT], Qt.Vertical)
        dock.messages_changed.connect(self.files.changed)
        self.bridge.services_changed.connect(lambda: dock.refresh())
        self.bridge.status_changed.connect(lambda _: dock.refresh())
        self.files.changed.connect(self._on_send_folder)
        self._dock = dock
        self._on_send_folder()
        return dock

    def _on_send_folder(self) -> None:
        assert self._dock is not None
        self._dock.refresh(self.files.path.parent if self.files.path else Path.cwd())

    # -- news

    def _on_tick(self, stored: object) -> None:
        if self._post.recorder.seen != self._seen:
            self._seen = self._post.recorder.seen
            self.show_panes()
        self.panes.on_stored(stored)  # type: ignore[arg-type]
        self.notes.on_tick()
        for stream in self.commands.streams:
            stream.on_stored()
        if self.connections.isVisible():
            self.connections.refresh()
            self._name_connections()

    def _on_services(self) -> None:
        self.panes.rebuild()
        self._on_service(self.services.selected)
        self._on_files()

    def _on_service(self, name: str) -> None:
        self.connections.set_service(self._post.services.get(name))
        self._name_connections()
        self._enable()

    def _name_connections(self) -> None:
        service = self._post.services.get(self.services.selected)
        count = len(service.connections) if service else 0
        of = f" OF {service.config.name.upper()}" if service else ""
        self.middle.title.setText(f"CONNECTIONS{of}{f' ({count:,})' if count else ''}")

    def _on_files(self) -> None:
        title = self.files.title.replace("[*]", "[*][*]")  # Qt puts the star of changes in place of a single one
        self.setWindowTitle(f"{title}[*] - Listening Post")
        self.setWindowModified(self.files.modified)
        self.start_page.set_recent(self._settings.recent)
        self.menus.fill_recent()

    def _on_theme(self, _: theme.Theme) -> None:
        self._on_trouble(self._post.recorder.trouble)

    def _on_trouble(self, trouble: Trouble | None) -> None:
        self.toolbar.show_capture(trouble, self._post.capture)
        if trouble is None:
            self.trouble.say("")
            return
        since = moment(trouble.since)
        self.trouble.say(f"Not captured since {since:%H:%M:%S}: {trouble.text}. The services go on.")

    def _on_notes(self) -> None:
        self.panes.refresh()
        self._on_event_id(max(0, self._wanted_event))

    def _on_event_id(self, id: int) -> None:
        self._wanted_event = id
        if not id:
            self._on_event(0, None)
        else:
            self.reader.event(id, lambda event: self._on_event(id, event))

    def _on_event(self, id: int, event: Event | None) -> None:
        if id == self._wanted_event:
            self.current_event = event
            self.detail.show_event(event)
            self._enable()

    def connection_at_hand(self) -> tuple[int, bool] | None:
        """A connection, and whether by the number that it has while it lives: in the list, or of the current row."""
        live = self.connections.current()
        if live is not None and self.connections.hasFocus():
            return live.number, True
        conn = self.panes.connection() or (self.current_event.conn if self.current_event is not None else None)
        if conn is not None:
            return conn, False
        return None if live is None else (live.number, True)

    def _enable(self) -> None:
        has_service = bool(self.services.selected)
        connection = self.connections.current() is not None
        for name in ("edit_service", "duplicate_service", "remove_service", "toggle_service", *TO_SERVICE):
            self.actions_[name].setEnabled(has_service)
        for name in ("send", "disconnect"):
            self.actions_[name].setEnabled(connection)
        services = self._post.services.values()
        self.actions_["start_all"].setEnabled(any(not service.running for service in services))
        self.actions_["stop_all"].setEnabled(any(service.running for service in services))
        for name in OF_EXCHANGE:
            self.actions_[name].setEnabled(is_exchange(self.current_event))
        self.actions_["follow_stream"].setEnabled(self.connection_at_hand() is not None)
        self.actions_["note"].setEnabled(self.current_event is not None)
        self.actions_["copy_payload"].setEnabled(
            self.current_event is not None and self.current_event.payload is not None
        )
        group = self.panes.failures.group() if self.panes.current() is self.panes.failures else None
        self.actions_["resolve_group"].setEnabled(group is not None and group.state != "resolved")
        self.actions_["reopen_group"].setEnabled(group is not None and group.state == "resolved")
        self.actions_["send_again"].setEnabled(self.failure_actions.can_send(self.current_event))
        for name in ("save_report", "copy_report"):
            self.actions_[name].setEnabled(self.current_event is not None and self.current_event.kind == events.FAILURE)

    def _on_pane(self) -> None:
        pane = self.panes.current()
        example = (pane.example,) if pane is self.panes.conversations else ()
        self.filter.speak(pane.fields, self.panes.typed(), *example)
        if (name := self.panes.service()) in self.services.cards:
            self.services.select(name)  # what is shown is what the actions mean
        self._enable()

    def _show_connection(self, number: int) -> None:
        """Show all that happened on a connection, and nothing else."""
        self.panes.setCurrentWidget(self.panes.all)
        self.filter.setText(f"conn == {number}")
        self.filter.apply()
        self.panes.all.setFocus()

    # -- what stands where the panes are

    def show_start_page(self) -> None:
        """Put it before the panes, until they are asked for or something happens in them."""
        self.middle.show_panes(False)
        self.start_page.begin()

    def show_panes(self) -> None:
        if not self.middle.shows_panes:
            self.middle.show_panes()
            self.panes.current().setFocus()

    def show_pane(self, index: int) -> None:
        """Bring this one to the front."""
        self.panes.setCurrentIndex(index)
        self.show_panes()
        self.panes.current().setFocus()

    def _choose_page(self) -> None:
        """The start page while there is nothing that the panes could show."""
        self.middle.show_panes(bool(self._post.services or self._post.recorder.seen))

    def open_wish(self, wish: Wish) -> None:
        """What a later start was to open comes here, and the window to the front."""
        self.setWindowState(self.windowState() & ~Qt.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()
        if wish.path is not None and wish.path.suffix == SUFFIX:
            self.captures.open_path(wish.path)
        elif wish.path is not None:
            self.files.open_path(wish.path, start=wish.start)
        elif wish.start:
            self.service_actions.start_all()

    # -- the window itself

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        for path in dropped(event.mimeData()):
            self.captures.open_path(path)

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self.files.settled():
            event.ignore()
            return
        self._remember()
        if self._dock is not None:
            self._dock.run.stop()
        for stream in list(self.commands.streams):
            stream.close()
        if self.commands.export_dialog is not None:
            self.commands.export_dialog.stop()
        self.captures.close()
        # What the reader still has to say comes to nobody.
        self._wanted_event = -1
        self.panes.let_go()
        self.closed.emit()
        event.accept()

    def _remember(self) -> None:
        self._settings.save_state("geometry", self.saveGeometry())
        self.middle.remember(self._settings)
        self._settings.save_state("columns", self.panes.columns())

    def _restore(self) -> None:
        geometry = self._settings.state("geometry")
        if geometry is None or not self.restoreGeometry(geometry):
            self.resize(1366, 768)
        self.middle.restore(self._settings)
        columns = self._settings.state("columns")
        if columns is not None:
            self.panes.restore_columns(QByteArray(columns))
