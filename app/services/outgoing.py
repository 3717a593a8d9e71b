"""Connections that we open to others, recorded by the same Tap as those that others open to us."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from zope.interface import implementer

from app.services.tap import Owner, Tap, TapFactory

TIMEOUT = 20.0
"""Seconds in which a connection must be made."""


def client_tls(host: str, data: Path, *, verify: bool = True, alpn: Sequence[bytes] = ()) -> Any:
    """Options for a TLS connection to ``host``, for ``wrapClientTLS``.

    Certificates are checked against the system's authorities and the local one in ``data``,
    unless ``verify`` is false.
    """
    from twisted.internet.ssl import CertificateOptions, optionsForClientTLS, platformTrust

    if verify:
        return optionsForClientTLS(host, platformTrust(), acceptableProtocols=list(alpn) or None)
    return CertificateOptions(acceptableProtocols=list(alpn) or None)


@implementer(IStreamClientEndpoint)
class TappedEndpoint:
    """Connects to a host by name or number; what passes is recorded under ``owner``."""

    def __init__(
        self, owner: Owner, reactor: Any, host: str, port: int, tls: Any = None, timeout: float = TIMEOUT
    ) -> None:
        endpoint: IStreamClientEndpoint = HostnameEndpoint(reactor, host, port, timeout=timeout)
        self._tls = tls is not None
        self._endpoint = wrapClientTLS(tls, endpoint) if self._tls else endpoint
        self._owner = owner

    def connect(self, factory: IProtocolFactory) -> Deferred[IProtocol]:
        """Connect. Fires with what ``factory`` built, whose transport is the Tap."""
        tapped = TapFactory(factory, self._owner, Tap, outgoing=True)
        connecting: Deferred[Any] = self._endpoint.connect(tapped)
        return connecting.addCallback(lambda tap: tap.wrappedProtocol)
