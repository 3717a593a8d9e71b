"""The send dock of the window, and what the actions on it do."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QMainWindow

from app.capture.reading.reader import Reader
from app.capture.reading.store import Store
from app.events import Event
from app.post import Post
from app.programs.shown import HostedPort
from app.sending.sendable import can_be_sent
from app.services.service import Service
from app.workspace.message import Message
from ui.bridge import Bridge
from ui.edits import Edits
from ui.parts.docks import add_below
from ui.settings import Settings

if TYPE_CHECKING:
    from app.sending.captured import Captured
    from ui.sending.dock import SendDock
    from ui.sending.message_faults import Edit

HEIGHT = 280
"""Pixels of the dock when it is shown first."""


class SendCommands:
    """Makes the dock when it is first wanted, and acts on it.

    The methods ``send_message``, ``send_to_service`` and ``open_in_send`` have the names of their actions.
    """

    def __init__(
        self,
        post: Post,
        edits: Edits,
        bridge: Bridge,
        window: QMainWindow,
        service: Callable[[], Service | HostedPort | None],
        folder: Callable[[], Path],
        reader: Reader,
        event: Callable[[], Event | None],
        edit_faults: Edit,
        settings: Settings,
    ) -> None:
        """``service()`` is the selected service, ``event()`` the current event of the capture of ``reader``.

        Relative file names refer to ``folder()``. ``edit_faults`` shows the form of faults.
        """
        self._post, self._edits, self._bridge, self._window = post, edits, bridge, window
        self._service, self._folder = service, folder
        self._reader, self._event, self._edit_faults = reader, event, edit_faults
        self._settings = settings

    @cached_property
    def dock(self) -> SendDock:
        """The dock, hidden at first."""
        from ui.sending.dock import SendDock

        dock = SendDock(self._post, self._edits, self._window)
        dock.form.edit_faults_by(self._edit_faults)
        add_below(self._window, dock, HEIGHT)
        self._bridge.services_changed.connect(dock.on_services)
        self._bridge.status_changed.connect(dock.on_services)
        self._bridge.plugin_renewed.connect(dock.resend.on_renewed)
        dock.form.resend.setChecked(self._settings.sends_again)
        dock.form.resend.toggled.connect(self._keep_resend)
        dock.refresh(self._folder())
        dock.history.load()
        return dock

    def _keep_resend(self, on: bool) -> None:
        self._settings.sends_again = on

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
        if dock.isVisible():
            dock.close()
            return
        dock.open()
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
            self.send_to(url)

    def send_to(self, url: str) -> None:
        """Show the dock with this URL."""
        self.dock.open()
        self.dock.send_to(url)

    def open_in_send(self) -> None:
        """Fill the dock with what the current event was sent with."""
        event = self._event()
        if event is not None:
            self.fill(self._reader, event.id)

    def fill(self, reader: Reader, id: int) -> None:
        """Fill the dock with what an event was sent with, of the capture of ``reader``; from any window."""
        from app.sending.captured import captured
        from app.sending.errors import URLError
        from app.sending.url import parse
        from ui.sending.resend import reaching

        ours = {}
        for name, service in self._post.services.items():
            with suppress(URLError):  # of one that never listened on a port that the system chooses
                if url := reaching(service):
                    ours[name] = parse(url).address
        self.dock.remember()

        def read(store: Store) -> Captured | None:
            event = store.event(id)
            return captured(store, event, ours) if event is not None and can_be_sent(event) else None

        def on_read(found: Captured | None) -> None:
            dock = self.dock
            dock.show()
            if found is None:
                dock.tell_problem(dock.tr("What was sent is not in the capture. It may have been dropped."))
            else:
                dock.show_captured(found, dock.tr("from event {id}").format(id=id))
            if not self._window.isActiveWindow():
                self._window.raise_()
                self._window.activateWindow()

        reader.read(read, None, on_read)

    def _url(self) -> str | None:
        """The URL of the selected service."""
        from ui.sending.resend import reaching

        service = self._service()
        return reaching(service) if service is not None else None
