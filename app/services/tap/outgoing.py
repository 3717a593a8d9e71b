"""Connections that we open to others, recorded by the same Tap as those that others open to us."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet import threads
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, TCP6ClientEndpoint
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from zope.interface import implementer

from app.faults.live import Faults
from app.services.interfaces import Owner
from app.services.tap.factory import TapFactory
from app.services.tap.tap import Tap

if TYPE_CHECKING:
    from app.services.tls.client import ClientTLS

TIMEOUT = 20.0
"""Seconds in which a connection must be made."""


@implementer(IStreamClientEndpoint)
class TappedEndpoint:
    """Connects to a host by name or number; what passes is recorded under ``owner``."""

    def __init__(
        self,
        owner: Owner,
        reactor: Any,
        host: str,
        port: int,
        tls: ClientTLS | None = None,
        timeout: float = TIMEOUT,
        endpoint: IStreamClientEndpoint | None = None,
        faults: Faults | None = None,
    ) -> None:
        """``endpoint``: what connects instead of that for ``host`` and ``port``. ``faults``: those of this connection;
        None: those of the owner."""
        # To look up fe80::1%eth0 would lose its zone, without which nothing reaches it.
        kind: Any = TCP6ClientEndpoint if "%" in host else HostnameEndpoint
        self._endpoint: IStreamClientEndpoint = endpoint or kind(reactor, host, port, timeout=timeout)
        self._tls, self._owner, self._reactor, self._faults = tls, owner, reactor, faults

    def connect(self, factory: IProtocolFactory) -> Deferred[IProtocol]:
        """Connect. Fires with what ``factory`` built, whose transport is the Tap; with TLS, before its handshake."""
        tapped = TapFactory(factory, self._owner, Tap, outgoing=True, faults=self._faults)
        if self._tls is None:
            plain: Deferred[Any] = self._endpoint.connect(tapped)
            return plain.addCallback(lambda tap: tap.wrappedProtocol)
        return self._secured(self._tls, tapped)

    def _secured(self, tls: ClientTLS, tapped: TapFactory) -> Deferred[IProtocol]:
        from app.services.tls.transport import TLSFactory

        def connect(_: Any) -> Deferred[Any]:
            return self._endpoint.connect(TLSFactory(tls, tapped, self._reactor, tls.terms))

        loading = threads.deferToThreadPool(self._reactor, self._reactor.getThreadPool(), tls.load)
        return loading.addCallback(connect).addCallback(lambda transport: transport.wrappedProtocol.wrappedProtocol)
