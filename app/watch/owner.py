"""The owner of the connection that one check makes."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, cast

from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint
from twisted.internet.interfaces import IStreamClientEndpoint

from app.capture.recorder import Recorder
from app.faults.live import Faults
from app.sending.request import Request
from app.sending.sender import Sender
from app.sending.url import URL
from app.services.address import is_number, join
from app.services.own_checks import OwnChecks, Transport
from app.watch.config import WatchConfig
from app.watch.sparing import Sparing

if TYPE_CHECKING:
    from app.services.interfaces import Connection


class CheckOwner(Sender):
    """The owner of the connection of one check: what it opens belongs to the sender of all checks.

    Attributes:
        connection: its connection; None before it was made.
    """

    def __init__(self, all_: Sender, checks: OwnChecks, config: WatchConfig, url: URL) -> None:
        super().__init__(all_.reactor, cast(Recorder, Sparing(all_.recorder)), all_.data, all_.budget)
        self.timeout = config.timeout_seconds + 1  # the check itself ends before
        self._watch, self._checks = config.name, checks
        self._noted: list[tuple[Transport, str]] = []
        # At other addresses none of our services can listen, or we cannot know it.
        self._here = is_number(url.host) and (config.url is None or ip_address(url.host).is_loopback)
        self._all, self.conversations = all_, all_.conversations
        self.connection: Connection | None = None

    @property
    def number(self) -> int:
        return self._all.number

    def check_of(self, transport: Transport, peer: str) -> str:
        return self._watch

    def endpoint(self, request: Request) -> IStreamClientEndpoint:
        url = request.url
        if not self._here:
            return super().endpoint(request)
        kind: Any = TCP6ClientEndpoint if ":" in url.host else TCP4ClientEndpoint
        # From this address to itself, from a port that is known before the service has accepted.
        plain = kind(_Noting(self.reactor, self._note), url.host, url.port, self.timeout, (url.host, 0))
        return self.tapped(request, plain)

    def _note(self, host: str) -> None:
        self._checks.begin("tcp", host, self._watch)
        self._noted.append(("tcp", host))

    def end(self) -> None:
        """The check is over."""
        for transport, host in self._noted:
            self._checks.end(transport, host)

    def faults_of(self, *, outgoing: bool) -> Faults | None:
        return None

    def add_connection(self, connection: Connection) -> None:
        self._all.add_connection(connection)
        self.connection = connection
        self._checks.begin("udp", connection.host, self._watch)
        self._noted.append(("udp", connection.host))

    def remove_connection(self, connection: Connection) -> None:
        self._all.remove_connection(connection)


class _Noting:
    """What an endpoint needs of the reactor. Tells from which address it connects, before it does."""

    def __init__(self, reactor: Any, note: Callable[[str], None]) -> None:
        self._reactor, self._note = reactor, note

    def connectTCP(self, *args: Any, **named: Any) -> Any:
        connector = self._reactor.connectTCP(*args, **named)
        made = getattr(connector.transport, "socket", None)  # it is bound already; None if that has failed
        if made is not None:
            self._note(join(*made.getsockname()[:2]))
        return connector
