"""Opens TCP services."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IListeningPort, IProtocolFactory

from app.services.address import written
from app.services.admission import Admission
from app.services.probes import Probes
from app.services.service import Service
from app.services.sockets import StreamPort, listen_streams
from app.services.tap.factory import TapFactory
from app.services.tap.tap import Tap

Dress = Callable[[Any], IProtocolFactory]
"""Makes the factory for a port of what the responder has built."""


def open_port(service: Service, host: str, port: int) -> IListeningPort:
    """Listen with the service's responder behind the Tap. Raises CannotListenError."""
    return listen(service, lambda factory: factory, host, port)


def listen(
    service: Service,
    dress: Dress,
    host: str,
    port: int,
    tap: type[Tap] = Tap,
    adapt: Callable[[TapFactory, IProtocolFactory], None] = TapFactory.swap,
) -> IListeningPort:
    """Listen with the factory that ``dress`` makes: it is behind the Tap, which is behind TLS if the service has TLS.

    ``dress`` is called again when the responder or its options have changed while the port is open; ``adapt`` then
    has the port use the new factory. Raises ResponderBrokenError when the factory cannot be started,
    CannotListenError or OSError when the address cannot be bound.
    """
    config = service.config
    admission = Admission(
        service, service.reactor, config.settings("limits"),
        idle=config.protocol != "http",  # which knows more: whether a request or an answer is under way
        words=config.protocol in ("http", "websocket") and config.tls is None,
    )  # fmt: skip
    tapped = TapFactory(dress(service.build()), service, tap, admission=admission)
    # Started before the socket is made: Twisted would leave it open if this raised.
    tapped.doStart()
    outer: IProtocolFactory = service.tls.wrap(tapped, service, service.reactor) if service.tls else tapped
    try:
        listening = listen_streams(service.reactor, port, outer, host, config.settings("socket"), admission.on_short)
    except BaseException:
        tapped.doStop()
        raise
    tapped.host = written(listening.getHost())
    if isinstance(listening, StreamPort) and config.protocol != "websocket":  # which has pings of its own
        listening.probes = Probes.of(config.settings("limits"))

    def change(built: Any) -> None:
        factory = dress(built)
        if factory is not tapped.wrapped:
            adapt(tapped, factory)
        limits = service.config.settings("limits")
        admission.take(limits)
        if isinstance(listening, StreamPort) and config.protocol != "websocket":
            listening.probes = Probes.of(limits)

    service.fail = tapped.fail
    service.renew = lambda: tapped.swap(dress(service.build()))
    service.adapt = change
    return listening
