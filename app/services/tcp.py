"""Opens TCP services."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IListeningPort, IProtocolFactory

from app.services.address import written
from app.services.admission import Admission
from app.services.service import Service
from app.services.sockets import listen_streams
from app.services.tap.factory import TapFactory
from app.services.tap.tap import Tap


def open_port(service: Service, host: str, port: int) -> IListeningPort:
    """Listen with the service's responder behind the Tap. Raises CannotListenError."""
    return listen(service, service.build, host, port)


def listen(
    service: Service, make: Callable[[], IProtocolFactory], host: str, port: int, tap: type[Tap] = Tap
) -> IListeningPort:
    """Listen with the factory that ``make`` returns: it is behind the Tap, which is behind TLS if the service has TLS.

    ``make`` is called again when the responder has changed while the port is open. Raises ResponderBrokenError
    when the factory cannot be started, CannotListenError or OSError when the address cannot be bound.
    """
    config = service.config
    admission = Admission(
        service, service.reactor, config.settings("limits"),
        idle=config.protocol != "http",  # which knows more: whether a request or an answer is under way
        words=config.protocol in ("http", "websocket") and config.tls is None,
    )  # fmt: skip
    tapped = TapFactory(make(), service, tap, admission=admission)
    # Started before the socket is made: Twisted would leave it open if this raised.
    tapped.doStart()
    outer: IProtocolFactory = service.tls.wrap(tapped, service, service.reactor) if service.tls else tapped
    try:
        listening = listen_streams(service.reactor, port, outer, host, config.settings("socket"), admission.on_short)
    except BaseException:
        tapped.doStop()
        raise
    tapped.host = written(listening.getHost())
    service.renew = lambda: tapped.swap(make())
    return listening
