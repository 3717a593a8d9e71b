"""The left side of the window: the services, and below them the connections of the selected one."""

from __future__ import annotations

from PyQt5.QtCore import QPoint, Qt, pyqtSignal
from PyQt5.QtWidgets import QLabel, QSplitter, QVBoxLayout, QWidget

from app.post import Post
from app.services.service import Service
from ui.bridge import Bridge
from ui.edits import Edits
from ui.parts.line import Line
from ui.services.actions import ServiceActions
from ui.services.connections_panel import ConnectionsPanel
from ui.services.panel import ServicesPanel


class ServicesSide(QSplitter):
    """Services above connections, each under a heading.

    Attributes:
        services, connections: the two lists.
        title: the heading of the connections.

    Signals:
        changed(): another service or connection is selected, or the selected service is another one now.
        service_menu_wanted, connection_menu_wanted: the global position of a context menu.
    """

    changed = pyqtSignal()
    service_menu_wanted = pyqtSignal(QPoint)
    connection_menu_wanted = pyqtSignal(QPoint)

    def __init__(self, post: Post, edits: Edits, bridge: Bridge, actions: ServiceActions) -> None:
        super().__init__(Qt.Vertical)
        self._post, self._actions = post, actions
        self.services = ServicesPanel(post, bridge)
        self.connections = ConnectionsPanel()
        self.title = Line()
        self.addWidget(_titled(QLabel("SERVICES"), self.services))
        self.addWidget(_titled(self.title, self.connections))
        self._connect(edits, bridge)
        self._on_service()

    def _connect(self, edits: Edits, bridge: Bridge) -> None:
        services, connections, actions = self.services, self.connections, self._actions
        services.chosen.connect(self._on_service)
        services.toggled.connect(actions.toggle)
        services.edit_wanted.connect(actions.edit)
        services.host_allowed.connect(actions.allow_host)
        services.menu_wanted.connect(self.service_menu_wanted)
        edits.touched.connect(services.show_service)
        connections.send_wanted.connect(lambda _: self.send())
        connections.disconnect_wanted.connect(actions.disconnect_peer)
        connections.current_changed.connect(self.changed)
        connections.menu_wanted.connect(self.connection_menu_wanted)
        bridge.ticked.connect(self._on_tick)

    def selected(self) -> Service | None:
        """The selected service."""
        return self._post.services.get(self.services.selected)

    def send(self) -> None:
        """Show the dialog that sends to the selected connection."""
        service, connection = self.selected(), self.connections.current()
        if service is not None and connection is not None:
            self._actions.send(service, connection)

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
        of = f" OF {service.config.name.upper()}" if service else ""
        self.title.setText(f"CONNECTIONS{of}{f' ({count:,})' if count else ''}")


def _titled(label: QLabel, body: QWidget) -> QWidget:
    """``body`` under a small heading."""
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
