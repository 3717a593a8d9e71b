"""What the actions on services and connections do. Each method has the name of its action."""

from __future__ import annotations

from collections.abc import Callable

from PyQt5.QtCore import QCoreApplication, QPoint
from PyQt5.QtGui import QCursor
from PyQt5.QtWidgets import QWidget

from app.post import Post
from app.services.config import ServiceConfig
from ui.actions.build import Actions
from ui.services.actions import ServiceActions
from ui.services.side import ServicesSide


class ServiceCommands:
    """Acts on the selected service and on the selected connection."""

    def __init__(
        self,
        post: Post,
        side: ServicesSide,
        actions: ServiceActions,
        window: QWidget,
        say: Callable[[str], object],
        tell: Callable[[str], object],
        offer_copy: Callable[[ServiceConfig, QPoint], object],
    ) -> None:
        """``window`` is the parent of dialogs; ``say`` shows what went wrong, ``tell`` what was done;
        ``offer_copy`` offers the outposts to which a service can be copied, at a place on the screen.
        """
        self._offer_copy = offer_copy
        self._post, self._side, self._actions, self._window, self._say = post, side, actions, window, say
        self._tell = tell

    def keep_keys(self, actions: Actions) -> None:
        """Let the shortcuts that take away a service or a connection work only in the list that shows it."""
        translate = QCoreApplication.translate
        actions.keep(
            "remove_service",
            self._side.services.list,
            lambda: self._tell(
                translate("ServiceCommands", "Nothing is removed: select the service in the list of services first")
            ),
        )
        actions.keep(
            "disconnect",
            self._side.connections,
            lambda: self._tell(
                translate(
                    "ServiceCommands", "Nothing is closed: select the connection in the list of connections first"
                )
            ),
        )

    def start_all(self) -> None:
        self._actions.start_all()

    def stop_all(self) -> None:
        self._actions.stop_all()

    def toggle_service(self) -> None:
        self._actions.toggle(self._side.services.selected)

    def new_service(self) -> None:
        self._actions.create()

    def duplicate_service(self) -> None:
        self._actions.duplicate(self._side.services.selected)

    def copy_to_outpost(self) -> None:
        service = self._post.services.get(self._side.services.selected)
        if service is not None:
            self._offer_copy(service.config, QCursor.pos())

    def toggle_tls(self) -> None:
        self._actions.toggle_tls(self._side.services.selected)

    def remove_service(self) -> None:
        service = self._post.services.get(self._side.services.selected)
        if service is None:
            name = self._side.services.selected
            if self._actions.programs.remove(name):
                words = QCoreApplication.translate(
                    "ServiceCommands", "Removed “{name}”. Ctrl+Z brings the program back"
                )
                self._tell(words.format(name=name))
            return
        clients = 0 if service.config.protocol == "udp" else service.accepted
        self._actions.remove(service.config.name)
        self._tell(_removed(clients).format(name=service.config.name))

    def find_service(self) -> None:
        self._side.services.start_search()

    def compact_services(self) -> None:
        self._side.services.set_compact(not self._side.services.compact)

    def connect_lines(self) -> None:
        from ui.services.connect_dialog import ConnectDialog

        service = self._side.selected()
        if service is not None:
            ConnectDialog(service, self._post.sender.in_thread, self._window).open()

    def send(self) -> None:
        self._side.send()

    def disconnect(self) -> None:
        connection = self._side.connections.current()
        if connection is not None:
            self._actions.disconnect_peer(connection)

    def trust(self) -> None:
        from ui.services import trust_dialog

        trust_dialog.show(self._window, self._post, self._say)


def _removed(clients: int) -> str:
    """What is said once a service is removed."""
    translate = QCoreApplication.translate
    if not clients:
        return translate("ServiceCommands", "Removed “{name}”. Ctrl+Z brings the service back")
    return translate(
        "ServiceCommands",
        "Removed “{name}”: %n client(s) (was|were) disconnected. Ctrl+Z brings the service back",
        "",
        clients,
    )
