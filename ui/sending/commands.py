"""The send dock of the window, and what the actions on it do."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QMainWindow

from app.post import Post
from app.services.service import Service
from app.workspace.message import Message
from ui.bridge import Bridge
from ui.edits import Edits

if TYPE_CHECKING:
    from ui.sending.dock import SendDock

HEIGHT = 250
"""Pixels of the dock when it is shown first."""


class SendCommands:
    """Makes the dock when it is first wanted, and acts on it.

    The methods ``send_message`` and ``send_to_service`` have the names of their actions.
    """

    def __init__(
        self,
        post: Post,
        edits: Edits,
        bridge: Bridge,
        window: QMainWindow,
        service: Callable[[], Service | None],
        folder: Callable[[], Path],
    ) -> None:
        """``service()`` is the selected service; relative file names refer to ``folder()``."""
        self._post, self._edits, self._bridge, self._window = post, edits, bridge, window
        self._service, self._folder = service, folder

    @cached_property
    def dock(self) -> SendDock:
        """The dock, hidden at first."""
        from ui.sending.dock import SendDock

        dock = SendDock(self._post, self._edits, self._window)
        dock.hide()
        self._window.addDockWidget(Qt.BottomDockWidgetArea, dock)
        self._window.resizeDocks([dock], [HEIGHT], Qt.Vertical)
        self._bridge.services_changed.connect(lambda: dock.refresh())
        self._bridge.status_changed.connect(lambda _: dock.refresh())
        dock.refresh(self._folder())
        return dock

    @property
    def made(self) -> bool:
        """Whether the dock was wanted before."""
        return "dock" in vars(self)

    def refresh(self) -> None:
        """Show the saved messages of now, and take the folder of now."""
        if self.made:
            self.dock.refresh(self._folder())

    def stop(self) -> None:
        """Send no more: the window closes."""
        if self.made:
            self.dock.run.stop()

    def send_message(self) -> None:
        dock = self.dock
        dock.setVisible(dock.isHidden())
        if dock.isVisible():
            if not dock.form.url.text() and (url := self._url()):
                dock.form.url.setText(url)
            dock.form.url.setFocus(Qt.ShortcutFocusReason)

    def send_once(self, message: Message) -> None:
        """Show a message in the dock, and send it."""
        dock = self.dock
        dock.show()
        dock.form.show_message(message)
        dock.run.send(message, keep=False)

    def send_to_service(self) -> None:
        if url := self._url():
            self.dock.send_to(url)

    def _url(self) -> str | None:
        """The URL of the selected service."""
        from ui.sending.dock import reaching

        service = self._service()
        return reaching(service) if service is not None else None
