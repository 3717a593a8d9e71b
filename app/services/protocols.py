"""The protocols that a service can speak, each with the module that opens its port."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IListeningPort

from app.options import Option
from app.responders import Responder
from app.services import settings

Opener = Callable[[Any, str, int], IListeningPort | Deferred[IListeningPort]]
"""Opens a port for a ``Service``, given host and port number. Raises what ``listenTCP`` does."""


@dataclass(frozen=True, slots=True)
class ProtocolInfo:
    """One protocol.

    Attributes:
        name: as in a workspace.
        title: the name that people read; ``label`` is the short form for a badge.
        help: one line about it.
        transport: ``"tcp"`` or ``"udp"``.
        default: the responder of a new service.
        module: the module with ``open_port``. It is imported when a service first starts: those of HTTP and
            WebSocket take a while.
        options: the options that a service has with any responder.
        trying: the module whose ``around`` says what these options do to a request that is tried; empty: nothing.
    """

    name: str
    title: str
    label: str
    help: str
    transport: str
    default: str
    module: str
    options: tuple[Option, ...] = ()
    trying: str = ""

    def load(self) -> Opener:
        """The module's ``open_port``."""
        return cast(Opener, import_module(self.module).open_port)

    def around(self) -> Any:
        """The function ``around`` of the module ``trying``, or None."""
        return import_module(self.trying).around if self.trying else None


PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        ProtocolInfo("tcp", "TCP", "TCP", "Connections that carry raw bytes", "tcp", "echo", "app.services.tcp"),
        ProtocolInfo("udp", "UDP", "UDP", "Single datagrams", "udp", "echo", "app.services.udp", settings.UDP),
        ProtocolInfo(
            "http", "HTTP", "HTTP", "Requests and responses: HTTP/1, and HTTP/2 on TLS", "tcp", "inspector",
            "app.services.http.port", settings.HTTP, "app.services.http.trying",
        ),
        ProtocolInfo(
            "websocket", "WebSocket", "WS", "Messages both ways", "tcp", "echo", "app.services.websocket.port",
            settings.WEBSOCKET,
        ),
        ProtocolInfo(
            "ssh", "SSH", "SSH", "A Python prompt inside the running program, for this machine only", "tcp", "manhole",
            "app.services.ssh",
        ),
    )
}  # fmt: skip


def options_of(responder: Responder | None, protocol: str) -> tuple[Option, ...]:
    """The options that a service can have: the responder's, then the protocol's."""
    own = responder.options_for(protocol) if responder else ()
    names = {option.name for option in own}
    return (*own, *(option for option in PROTOCOLS[protocol].options if option.name not in names))
