"""The protocols that a service can speak, each with the module that opens its port."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, cast

from twisted.internet.interfaces import IListeningPort

if TYPE_CHECKING:
    from app.services.service import Service

Opener = Callable[["Service", str, int], IListeningPort]


@dataclass(frozen=True, slots=True)
class ProtocolInfo:
    """One protocol.

    Attributes:
        name: as in a workspace.
        label: as on a badge.
        transport: ``"tcp"`` or ``"udp"``.
        default: the responder of a new service.
        module: loaded when a service first starts: HTTP and WebSocket take a while.
    """

    name: str
    label: str
    transport: str
    default: str
    module: str

    def load(self) -> Opener:
        """The module's ``open_port(service, host, port)``; it raises what ``listenTCP`` does."""
        return cast(Opener, import_module(self.module).open_port)


PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        ProtocolInfo("tcp", "TCP", "tcp", "echo", "app.services.tcp"),
        ProtocolInfo("udp", "UDP", "udp", "echo", "app.services.udp"),
        ProtocolInfo("http", "HTTP", "tcp", "inspector", "app.services.http"),
        ProtocolInfo("websocket", "WS", "tcp", "echo", "app.services.websocket"),
    )
}
