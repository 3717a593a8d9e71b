"""The user's actions on services and connections: create, edit, remove, start, stop, send, disconnect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PyQt5.QtCore import QObject, pyqtSignal
from PyQt5.QtWidgets import QWidget
from twisted.internet.defer import Deferred

from app.post import Post
from app.responders.rulebook import rules_of
from app.services import address
from app.services.config import ServiceConfig
from app.services.errors import InvalidAddressError
from app.services.interfaces import Connection
from app.status import Failed, Held, Stopped, Waiting
from ui.bridge import Bridge
from ui.edits import Edits
from ui.programs.actions import ProgramActions
from ui.services.checks import (
    free_name,
    free_port,
    kept_faults,
    place_problem,
    port_problem,
    suggested_name,
    suggested_port,
    tls_of,
)
from ui.settings import LOOPBACK

if TYPE_CHECKING:
    from ui.sending.dialog import SendDialog
    from ui.services.dialog import ServiceDialog


class ServiceActions(QObject):
    """Carries out actions on the Post. Its dialogs do not block: servers run while they are open.

    Signals:
        edit_wanted: the name of a service whose page is to be shown.
        added: the name of a service that was made in a dialog, and that there is now.
        duplicated: the name of a copy, after ``added``.
    """

    edit_wanted = pyqtSignal(str)
    added = pyqtSignal(str)
    duplicated = pyqtSignal(str)

    def __init__(
        self,
        post: Post,
        edits: Edits,
        bridge: Bridge,
        window: QWidget,
        programs: ProgramActions,
        host: Callable[[], str] = lambda: LOOPBACK,
    ) -> None:
        """``host`` returns the address that new services listen on; ``programs`` acts on programs."""
        super().__init__(window)
        self.programs = programs
        self._host = host
        self._post, self._edits, self._window = post, edits, window
        self._sending: dict[tuple[str, int], SendDialog] = {}
        self._closing: set[int] = set()
        bridge.ticked.connect(self._close_ended)

    # -- services

    def create(self, protocol: str = "tcp") -> ServiceDialog:
        """Open the dialog for a new service."""
        return self._open_dialog(None, self._post.configs(), protocol)

    def edit(self, name: str) -> None:
        """Show the page of this service, or the dialog of this program."""
        if name in self._post.services:
            self.edit_wanted.emit(name)
        else:
            self.programs.edit(name)

    def duplicate(self, name: str) -> None:
        """Add a copy of this service, with an unused name and port; start it if this one is up."""
        service = self._post.services.get(name)
        if service is None:
            return
        state = self._edits.state
        another = free_name(name, state.services)
        port = free_port(service.config, state.services)
        copy = replace(service.config, name=another, port=port)
        self._add(copy, self.tr("duplicating “{name}”").format(name=name), start=service.running, offer=True)

    def move(self, name: str, typed: str) -> None:
        """Have a service listen on what was typed: an address or a port.

        One that runs starts again; so does one that has failed, as where the port before was in use.
        """
        service = self._post.services.get(name)
        if service is None or self.address_problem(name, typed) is not None:
            return
        host, port = _place(service.config, typed)
        failed = isinstance(service.status, Failed)
        words = self.tr("address of “{name}”").format(name=name)
        self._edits.replace(name, replace(service.config, host=host, port=port), words)

        async def begin() -> None:
            moved = self._post.services.get(name)
            if failed and moved is not None and not moved.running:
                await moved.start()

        self._edits.when_followed(begin)

    def address_problem(self, name: str, typed: str) -> str | None:
        """What is wrong with an address, or a port, for the service called ``name``; None: nothing."""
        service = self._post.services.get(name)
        if service is None:
            return None
        try:
            host, port = _place(service.config, typed)
        except InvalidAddressError as e:
            return port_problem(typed) if ":" not in typed else str(e)
        others = [config for config in self._edits.state.services if config.name != name]
        return place_problem(service.config.protocol, host, port, others)

    def toggle_tls(self, name: str) -> None:
        """Have a service speak TLS, with a certificate of the local authority, or no more; it starts again."""
        service = self._post.services.get(name)
        if service is None or tls_of(service.config) is None:
            return
        tls: dict[str, Any] | None = {} if service.config.tls is None else None
        config = replace(service.config, tls=tls)
        config = replace(config, faults=kept_faults(config))  # some need TLS
        words = self.tr("TLS for “{name}”") if tls is not None else self.tr("end of TLS for “{name}”")
        self._edits.replace(name, config, words.format(name=name))

    def create_ruled(self, protocol: str, responder: str, rule: Mapping[str, Any]) -> ServiceDialog:
        """Open the dialog for a new service with this rule of the responder, ``mock`` or ``script``."""
        others = self._post.configs()
        name, port = suggested_name(protocol, responder, others), suggested_port(protocol, others)
        config = ServiceConfig(name, protocol, self._host(), port, responder, options={"rules": [dict(rule)]})
        return self._open_dialog(config, others, protocol)

    def take(self, config: ServiceConfig) -> None:
        """Add a service that comes from elsewhere, stopped; with a name and a port that are free."""
        others = self._edits.state.services
        if any(other.name == config.name for other in others):
            config = replace(config, name=free_name(config.name, others))
        if config.port and place_problem(config.protocol, config.host, config.port, others):
            config = replace(config, port=free_port(config, others))
        self._add(config, start=False)

    def _add(self, config: ServiceConfig, text: str = "", *, start: bool, offer: bool = False) -> None:
        """``offer``: whether its address is to be edited at once."""
        name = self._edits.add(config, text)

        async def begin() -> None:
            service = self._post.services.get(name)
            if service is None:
                return
            self.added.emit(name)
            if offer:
                self.duplicated.emit(name)
            elif rules_of(service.config.responder, service.config.protocol) is not None:
                self.edit_wanted.emit(name)
            if start and not service.running:
                await service.start()

        self._edits.when_followed(begin)

    def remove(self, name: str) -> None:
        self._edits.remove(name)

    def _open_dialog(self, config: ServiceConfig | None, others: Any, protocol: str) -> ServiceDialog:
        from ui.services.dialog import ServiceDialog

        dialog = ServiceDialog(config, list(others), self._window, protocol, host=self._host())
        dialog.accepted.connect(lambda: self._add(dialog.config(), start=dialog.starts))
        dialog.finished.connect(lambda _: dialog.deleteLater())
        dialog.open()
        return dialog

    def toggle(self, name: str) -> None:
        """Start a service that is stopped or failed; stop any other. So it is with programs."""
        service = self._post.services.get(name)
        if service is None:
            self.programs.toggle(name)
            return
        if isinstance(service.status, Stopped | Failed | Held):
            # The logbook records its exceptions, as of any Deferred without an errback.
            Deferred.fromCoroutine(service.start())
            self._post.ask_again()
        else:
            service.stop()

    def try_now(self, name: str) -> None:
        """Start a service that waits for its next try."""
        service = self._post.services.get(name)
        if service is None:
            self.programs.try_now(name)
        elif isinstance(service.status, Waiting):
            Deferred.fromCoroutine(service.start())

    def give_up(self, name: str) -> None:
        """Have a service that waits for its next try stay stopped."""
        service = self._post.services.get(name)
        if service is None:
            self.programs.toggle(name)
        elif isinstance(service.status, Waiting):
            service.stop()

    def allow_host(self, name: str, host: str) -> None:
        """Have a service answer to clients that ask for it as ``host``, too; it starts again."""
        service = self._post.services.get(name)
        if service is not None:
            options = dict(service.config.options)
            options["hosts"] = [*options.get("hosts", ()), host]
            words = self.tr("allow “{host}” for “{name}”").format(host=host, name=name)
            self._edits.replace(name, replace(service.config, options=options), words)

    def start_all(self) -> None:
        self._post.start_all()
        self._post.ask_again()

    def stop_all(self) -> None:
        self._post.stop_all()

    # -- connections

    def send(self, service: str, connection: Connection) -> SendDialog:
        """Open the dialog that sends to this connection, or raise it if it is open.

        One that was closed with text in it comes back with that.
        """
        from ui.sending.dialog import SendDialog

        key = (service, connection.number)
        dialog = self._sending.get(key)
        if dialog is None:
            dialog = self._sending[key] = SendDialog(connection.number, connection.peer, self._window)
            dialog.send.connect(connection.send)
            dialog.finished.connect(lambda _: None if dialog.worth_keeping else self._forget(key))
        dialog.show()
        dialog.raise_()
        dialog.activateWindow()
        return dialog

    def disconnect_peer(self, connection: Connection) -> None:
        """Close once all data is sent. A second call aborts, because a peer may never read its data."""
        if connection.number in self._closing:
            connection.abort()
        else:
            self._closing.add(connection.number)
            connection.finish()

    def _forget(self, key: tuple[str, int]) -> None:
        dialog = self._sending.pop(key, None)
        if dialog is not None:
            dialog.deleteLater()

    def _close_ended(self, *_: object) -> None:
        for (name, number), dialog in list(self._sending.items()):
            service = self._post.owner(name)
            if service is None or number not in service.connections:
                dialog.set_ended()
                if dialog.isHidden():
                    self._forget((name, number))


def _place(config: ServiceConfig, typed: str) -> tuple[str, int]:
    """The host and port that were typed; of a port alone, with the host of ``config``. Raises InvalidAddressError."""
    return address.parse(typed if ":" in typed else address.join(config.host, 0).removesuffix("0") + typed)
