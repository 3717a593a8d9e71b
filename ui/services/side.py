"""The left side of the window: the services, and below them the connections of the selected one."""

from __future__ import annotations

from PyQt5.QtCore import QPoint, Qt, pyqtSignal
from PyQt5.QtWidgets import QHBoxLayout, QLabel, QSplitter, QVBoxLayout, QWidget

from app.post import Post
from app.programs.shown import HostedPort
from app.services.service import Service
from ui.bridge import Bridge
from ui.edits import Edits
from ui.parts.line import Line
from ui.services.actions import ServiceActions
from ui.services.arranging import Arranging
from ui.services.connections_panel import ConnectionsPanel
from ui.services.panel import ServicesPanel
from ui.settings import Settings


class ServicesSide(QSplitter):
    """Services above connections.

    Attributes:
        services, connections: the two lists.
        arranging: moves services, and acts on groups.
        title, total: the heading of the connections, and how many there are.

    Signals:
        changed(): another service or connection is selected, or the selected service is another one now, or the
            list of services has another view.
        service_menu_wanted, connection_menu_wanted: the global position of a context menu.
        group_menu_wanted: a group, and the global position of its context menu.
        left(): Escape was pressed in one of the lists.
    """

    changed = pyqtSignal()
    service_menu_wanted = pyqtSignal(QPoint)
    connection_menu_wanted = pyqtSignal(QPoint)
    group_menu_wanted = pyqtSignal(str, QPoint)
    left = pyqtSignal()

    def __init__(
        self,
        post: Post,
        edits: Edits,
        bridge: Bridge,
        actions: ServiceActions,
        settings: Settings,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(Qt.Vertical, parent)
        self._post, self._actions = post, actions
        self.services = ServicesPanel(post, bridge, settings)
        self.connections = ConnectionsPanel()
        self.arranging = Arranging(post, edits, self)
        self.title, self.total = Line(), QLabel()
        self.addWidget(_panel(self.services))
        self.addWidget(_panel(self._heading(), self.connections))
        self._connect(edits, bridge)
        self._on_service()

    def _heading(self) -> QWidget:
        """The title gives way to the count, which is always whole."""
        heading = QWidget()
        row = QHBoxLayout(heading)
        row.setContentsMargins(12, 8, 12, 4)
        row.setSpacing(8)
        row.addWidget(self.title, 1)
        row.addWidget(self.total)
        for label in (self.title, self.total):
            label.setProperty("role", "heading")
            label.setTextFormat(Qt.PlainText)
        return heading

    def _connect(self, edits: Edits, bridge: Bridge) -> None:
        services, connections, actions = self.services, self.connections, self._actions
        services.chosen.connect(self._on_service)
        services.toggled.connect(actions.toggle)
        services.edit_wanted.connect(actions.edit)
        services.host_allowed.connect(actions.allow_host)
        services.moved.connect(actions.move)
        actions.duplicated.connect(lambda name: services.edit_address(name, actions.address_problem))
        services.try_wanted.connect(actions.try_now)
        services.stop_wanted.connect(actions.give_up)
        services.menu_wanted.connect(self.service_menu_wanted)
        services.group_menu_wanted.connect(self.group_menu_wanted)
        services.dropped.connect(self.arranging.drop)
        services.step_wanted.connect(self.arranging.step)
        services.compact_changed.connect(self.changed)
        services.left.connect(self.left)
        connections.left.connect(self.left)
        edits.touched.connect(services.show_service)
        connections.send_wanted.connect(lambda _: self.send())
        connections.disconnect_wanted.connect(actions.disconnect_peer)
        connections.current_changed.connect(self.changed)
        connections.menu_wanted.connect(self.connection_menu_wanted)
        bridge.ticked.connect(self._on_tick)

    def selected(self) -> Service | HostedPort | None:
        """The selected service, or port of a program."""
        return self._post.owner(self.services.selected)

    def send(self) -> None:
        """Show the dialog that sends to the selected connection."""
        service, connection = self.selected(), self.connections.current()
        if service is not None and connection is not None:
            self._actions.send(service.config.name, connection)

    def _on_service(self) -> None:
        self.connections.set_service(self.selected())
        self._name_connections()
        self.changed.emit()

    def _on_tick(self) -> None:
        if self.connections.isVisible():
            self.connections.refresh()
            self._name_connections()

    def _name_connections(self) -> None:
        service = self.selected()
        count = len(service.connections) if service else 0
        text = self.tr("CONNECTIONS OF {name}").format(name=service.config.name.upper()) if service else ""
        self.title.setText(text or self.tr("CONNECTIONS"))
        self.total.setText(f"{count:,}" if count else "")


def _panel(*parts: QWidget) -> QWidget:
    """``parts`` above each other; the last one takes the room."""
    whole = QWidget()
    whole.setProperty("surface", "panel")
    whole.setAttribute(Qt.WA_StyledBackground)
    column = QVBoxLayout(whole)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    for part in parts:
        column.addWidget(part)
    column.setStretchFactor(parts[-1], 1)
    return whole
