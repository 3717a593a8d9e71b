"""What the actions on services and connections do. Each method has the name of its action."""

from __future__ import annotations

from collections.abc import Callable

from PyQt5.QtWidgets import QWidget

from app.post import Post
from ui.services.actions import ServiceActions
from ui.services.side import ServicesSide


class ServiceCommands:
    """Acts on the selected service and on the selected connection."""

    def __init__(
        self, post: Post, side: ServicesSide, actions: ServiceActions, window: QWidget, say: Callable[[str], object]
    ) -> None:
        """``window`` is the parent of dialogs; ``say`` shows what went wrong."""
        self._post, self._side, self._actions, self._window, self._say = post, side, actions, window, say

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

    def remove_service(self) -> None:
        self._actions.remove(self._side.services.selected)

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
