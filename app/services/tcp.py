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
    with service.setting_up():
        factory = build(service.config.responder, "tcp", service.config.options)
    return listen(service, factory, host, port)


def listen(service: Service, factory: IProtocolFactory, host: str, port: int, tap: type[Tap] = Tap) -> IListeningPort:
    """Listen with any protocol factory behind the Tap.

    Raises ResponderBrokenError when the factory cannot be started, CannotListenError or
    OSError when the address cannot be bound.
    """
    tapped = TapFactory(factory, service, tap)
    # Before there is a socket, which Twisted would leave open when this raises.
    tapped.doStart()
    try:
        listening: IListeningPort = service.reactor.listenTCP(port, tapped, backlog=BACKLOG, interface=host)
    except BaseException:
        tapped.doStop()
        raise
    return listening
