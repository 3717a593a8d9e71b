"""Opens TCP services."""

from __future__ import annotations

from twisted.internet.interfaces import IListeningPort, IProtocolFactory

from app.responders import build
from app.services.service import Service
from app.services.tap import Tap, TapFactory

BACKLOG = 1024
"""Connections that may wait to be accepted; the kernel caps it at ``net.core.somaxconn``."""


def open_port(service: Service, host: str, port: int) -> IListeningPort:
    """Listen with the service's responder behind the Tap. Raises CannotListenError."""
    return listen(service, build(service.config.responder, "tcp", service.config.options), host, port)


def listen(service: Service, factory: IProtocolFactory, host: str, port: int, tap: type[Tap] = Tap) -> IListeningPort:
    """Listen with any protocol factory behind the Tap. Raises CannotListenError."""
    listening: IListeningPort = service.reactor.listenTCP(
        port, TapFactory(factory, service, tap), backlog=BACKLOG, interface=host
    )
    return listening
