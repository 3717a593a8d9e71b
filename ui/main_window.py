"""The window: lays out the panels and connects them; what they do is theirs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from PyQt5.QtCore import QByteArray, QPoint, Qt, pyqtSignal
from PyQt5.QtGui import QCloseEvent
from PyQt5.QtWidgets import (
    QAction,
    QApplication,
    QLabel,
    QMainWindow,
    QMenu,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from app.capture.reader import Reader
from app.capture.recorder import Trouble
from app.events import Event
from app.post import Post
from app.workspace import Workspace
from ui import about, actions, theme
from ui.bridge import Bridge
from ui.connections_panel import ConnectionsPanel
from ui.detail_pane import DetailPane
from ui.line import Line
from ui.notice_bar import NoticeBar
from ui.pane_tabs import PaneTabs
from ui.service_actions import ServiceActions
from ui.services_panel import ServicesPanel
from ui.settings import Settings
from ui.status_line import StatusLine
from ui.toolbar import Toolbar
from ui.workspace_files import WorkspaceFiles


class MainWindow(QMainWindow):
    """Everything of one Post on one screen.

    Signals:
        closed: the user closed it, and unsaved changes were settled.
    """

    closed = pyqtSignal()

    def __init__(self, post: Post, reader: Reader, settings: Settings, opened: Workspace, title: str) -> None:
        super().__init__()
        self._post, self._reader, self._settings = post, reader, settings
        self._event: Event | None = None
        self._wanted_event = 0
        self.bridge = Bridge(post)
        self.service_actions = ServiceActions(post, self.bridge, self)
        self.files = WorkspaceFiles(post, settings, opened, title, self)
        self.services = ServicesPanel(post, self.bridge)
        self.connections = ConnectionsPanel()
        self.panes = PaneTabs(post, reader)
        self.detail = DetailPane()
        self.trouble = NoticeBar("bad", closable=False)
        self.notice = NoticeBar("warning", closable=True)
        self.actions_ = actions.build(self, self._handler)
        self.toolbar = Toolbar(self.actions_, self.service_actions.create)
        self.filter = self.toolbar.filter
        self.addToolBar(self.toolbar)
        self._lay_out()
        self.setStatusBar(StatusLine(post, self.bridge))
        self._fill_recent()
        self._connect()
        self._restore()
        self._on_files()

    # -- making

    def _handler(self, name: str) -> Callable[[], object]:
        handler: Callable[[], object] = getattr(self, f"_do_{name}")
        return handler

    def _lay_out(self) -> None:
        self._left = QSplitter(Qt.Vertical)
        self._left.addWidget(_titled("SERVICES", self.services))
        self._connections_title = Line()
        self._left.addWidget(_titled(self._connections_title, self.connections))
        self._left.setStretchFactor(0, 3)
        self._left.setStretchFactor(1, 2)
        self._right = QSplitter(Qt.Vertical)
        self._right.addWidget(self.panes)
        self._right.addWidget(self.detail)
        self._right.setStretchFactor(0, 3)
        self._right.setStretchFactor(1, 2)
        self._middle = QSplitter(Qt.Horizontal)
        self._middle.addWidget(self._left)
        self._middle.addWidget(self._right)
        self._middle.setStretchFactor(1, 1)
        self._middle.setSizes([292, 1074])
        for splitter in (self._left, self._right, self._middle):
            splitter.setChildrenCollapsible(False)
            splitter.setHandleWidth(1)
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.trouble)
        column.addWidget(self.notice)
        column.addWidget(self._middle, 1)
        self.setCentralWidget(whole)

    def _connect(self) -> None:
        act, bridge = self.service_actions, self.bridge
        self.services.chosen.connect(self._on_service)
        self.services.toggled.connect(act.toggle)
        act.added.connect(self.services.select)
        self.services.edit_wanted.connect(act.edit)
        self.services.menu_wanted.connect(self._service_menu)
        self.connections.send_wanted.connect(lambda _: self._do_send())
        self.connections.disconnect_wanted.connect(lambda _: self._do_disconnect())
        self.connections.current_changed.connect(lambda _: self._enable())
        self.connections.menu_wanted.connect(self._connection_menu)
        self.panes.current_changed.connect(self._on_event_id)
        self.panes.following_changed.connect(self.actions_["follow"].setChecked)
        self.panes.menu_wanted.connect(self._event_menu)
        self.panes.copied.connect(QApplication.clipboard().setText)
        bridge.ticked.connect(self._on_tick)
        bridge.services_changed.connect(self._on_services)
        bridge.status_changed.connect(lambda _: self._enable())
        bridge.trouble_changed.connect(self._on_trouble)
        self.files.changed.connect(self._on_files)
        self.files.failed.connect(self.notice.say)
        self.filter.typed.connect(self.panes.set_filter)
        self.filter.left.connect(lambda: self.panes.current().setFocus())
        theme.notifier.changed.connect(self._on_theme)
        self.actions_["follow"].setChecked(self.panes.current().view.following)
        self._on_service(self.services.selected)
        self._on_trouble(self._post.recorder.trouble)

    # -- news

    def _on_tick(self, stored: object) -> None:
        self.panes.on_stored(stored)  # type: ignore[arg-type]
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
        self._connections_title.setText(f"CONNECTIONS{of}{f' ({count:,})' if count else ''}")

    def _on_files(self) -> None:
        title = self.files.title.replace("[*]", "[*][*]")  # Qt puts the star of changes in place of a single one
        self.setWindowTitle(f"{title}[*] - Listening Post")
        self.setWindowModified(self.files.modified)
        self._fill_recent()

    def _on_theme(self, _: theme.Theme) -> None:
        self._on_trouble(self._post.recorder.trouble)

    def _on_trouble(self, trouble: Trouble | None) -> None:
        self.toolbar.show_capture(trouble, self._post.capture)
        if trouble is None:
            self.trouble.say("")
            return
        since = datetime.fromtimestamp(trouble.since / 1e9).astimezone()
        self.trouble.say(f"Not captured since {since:%H:%M:%S}: {trouble.text}. The services go on.")

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
            self._enable()

    def _enable(self) -> None:
        has_service = bool(self.services.selected)
        connection = self.connections.current() is not None
        for name in ("edit_service", "duplicate_service", "remove_service", "toggle_service"):
            self.actions_[name].setEnabled(has_service)
        for name in ("send", "disconnect"):
            self.actions_[name].setEnabled(connection)
        services = self._post.services.values()
        self.actions_["start_all"].setEnabled(any(not service.running for service in services))
        self.actions_["stop_all"].setEnabled(any(service.running for service in services))
        self.actions_["copy_payload"].setEnabled(self._event is not None and self._event.payload is not None)

    # -- what the actions do

    def _do_new_workspace(self) -> None:
        self.files.new()

    def _do_open_workspace(self) -> None:
        self.files.open()

    def _do_save_workspace(self) -> None:
        self.files.save()

    def _do_save_workspace_as(self) -> None:
        self.files.save_as()

    def _do_open_demo(self) -> None:
        self.files.open_demo()

    def _do_quit(self) -> None:
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

    def _do_start_all(self) -> None:
        self.service_actions.start_all()

    def _do_stop_all(self) -> None:
        self.service_actions.stop_all()

    def _do_toggle_service(self) -> None:
        self.service_actions.toggle(self.services.selected)

    def _do_new_service(self) -> None:
        self.service_actions.create()

    def _do_edit_service(self) -> None:
        self.service_actions.edit(self.services.selected)

    def _do_duplicate_service(self) -> None:
        self.service_actions.duplicate(self.services.selected)

    def _do_remove_service(self) -> None:
        self.service_actions.remove(self.services.selected)

    def _do_send(self) -> None:
        service, connection = self._post.services.get(self.services.selected), self.connections.current()
        if service is not None and connection is not None:
            self.service_actions.send(service, connection)

    def _do_disconnect(self) -> None:
        connection = self.connections.current()
        if connection is not None:
            self.service_actions.disconnect_peer(connection)

    def _do_follow(self) -> None:
        self.panes.current().view.set_following(self.actions_["follow"].isChecked())

    def _do_clear(self) -> None:
        self.panes.current().events.clear()

    def _do_show_all(self) -> None:
        self.panes.current().events.show_all()

    def _do_next_pane(self) -> None:
        self.panes.setCurrentIndex((self.panes.currentIndex() + 1) % self.panes.count())

    def _do_previous_pane(self) -> None:
        self.panes.setCurrentIndex((self.panes.currentIndex() - 1) % self.panes.count())

    def _do_failures(self) -> None:
        self.panes.setCurrentWidget(self.panes.failures)

    def _do_theme(self) -> None:
        chosen = theme.LIGHT if theme.current() is theme.DARK else theme.DARK
        self._settings.theme = chosen.name
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        theme.apply(application, chosen)

    def _do_about(self) -> None:
        about.show(self, self._post)

    # -- menus

    def _service_menu(self, at: QPoint) -> None:
        self._popup(QMenu(self), at, "toggle_service", "", "edit_service", "duplicate_service", "", "remove_service")

    def _connection_menu(self, at: QPoint) -> None:
        self._popup(QMenu(self), at, "send", "disconnect")

    def _event_menu(self, menu: QMenu, at: QPoint) -> None:
        self._popup(menu, at, "copy_rows", "copy_payload", "", "select_all", "", "follow", "clear", "show_all")

    def _popup(self, menu: QMenu, at: QPoint, *names: str) -> None:
        for name in names:
            if name:
                menu.addAction(self.actions_[name])
            else:
                menu.addSeparator()
        menu.setAttribute(Qt.WA_DeleteOnClose)
        menu.popup(at)

    def _fill_recent(self) -> None:
        file_menu = self.menuBar().actions()[0].menu()
        assert file_menu is not None
        old = file_menu.findChild(QMenu, "recent")
        if old is None:
            old = QMenu("Open &recent", file_menu)
            old.setObjectName("recent")
            file_menu.insertMenu(self.actions_["save_workspace"], old)
        old.clear()
        for path in self._settings.recent:
            action = QAction(actions.unmarked(str(path)), old)
            action.triggered.connect(lambda _=False, path=path: self.files.open_path(path))
            old.addAction(action)
        old.setEnabled(bool(self._settings.recent))

    # -- the window itself

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self.files.settled():
            event.ignore()
            return
        self._remember()
        # What the reader still has to say comes to nobody.
        self._wanted_event = -1
        self.panes.let_go()
        self.closed.emit()
        event.accept()

    def _remember(self) -> None:
        self._settings.save_state("geometry", self.saveGeometry())
        for name in ("left", "right", "middle"):
            self._settings.save_state(name, getattr(self, f"_{name}").saveState())
        self._settings.save_state("columns", self.panes.current().view.header.saveState())

    def _restore(self) -> None:
        geometry = self._settings.state("geometry")
        if geometry is None or not self.restoreGeometry(geometry):
            self.resize(1366, 768)
        for name in ("left", "right", "middle"):
            state = self._settings.state(name)
            if state is not None:
                getattr(self, f"_{name}").restoreState(state)
        columns = self._settings.state("columns")
        if columns is not None:
            self.panes.restore_columns(QByteArray(columns))


def _titled(title: str | QLabel, body: QWidget) -> QWidget:
    """``body`` under a small heading."""
    label = title if isinstance(title, QLabel) else QLabel(title)
    label.setProperty("role", "heading")
    label.setContentsMargins(16, 10, 8, 4)
    label.setTextFormat(Qt.PlainText)
    whole = QWidget()
    whole.setProperty("surface", "panel")
    whole.setAttribute(Qt.WA_StyledBackground)
    column = QVBoxLayout(whole)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    column.addWidget(label)
    column.addWidget(body, 1)
    return whole
