"""TLS of connections that we open."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from OpenSSL import SSL
from service_identity import VerificationError
from service_identity.cryptography import extract_patterns
from service_identity.hazmat import DNS_ID, IPAddress_ID, verify_service_identity
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.python.failure import Failure
from zope.interface import implementer

from app.services.address import is_number
from app.services.tls import authority, certificates
from app.services.tls.explain import OWN_SIGNER, Terms


@implementer(IOpenSSLClientConnectionCreator)
class ClientTLS:
    """The TLS of connections to one host.

    Attributes:
        terms: what our side asks for.
    """

    def __init__(
        self,
        host: str,
        data: Path,
        verify: bool,
        alpn: Sequence[bytes],
        certificate: Path | None,
        key: Path | None,
    ) -> None:
        host = host.partition("%")[0]
        numeric = is_number(host)
        name = host if numeric or host.isascii() else host.encode("idna").decode()
        self._identity = IPAddress_ID(name) if numeric else DNS_ID(name)
        self._server_name = b"" if numeric else name.encode()  # RFC 6066, section 3
        self._data, self._verify, self._alpn = data, verify, list(alpn)
        self._certificate, self._key = certificate, key
        self._context: SSL.Context | None = None
        protocols = tuple(protocol.decode("latin-1") for protocol in alpn)
        self.terms = Terms(client=True, alpn=protocols, signer=OWN_SIGNER)

    def load(self) -> ClientTLS:
        """Read the trusted authorities, and our certificate. Blocks: call it in a thread. Raises TLSSetupError."""
        if self._context is None:
            context = SSL.Context(SSL.TLS_METHOD)
            context.set_min_proto_version(SSL.TLS1_2_VERSION)
            context.set_options(SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION)
            context.set_mode(SSL.MODE_RELEASE_BUFFERS)
            if self._verify:
                context.set_default_verify_paths()
                if (local := authority.certificate_of(self._data)) is not None:
                    certificates.trust(context, local)
            if self._certificate is not None:
                certificates.load(self._certificate, self._key).into(context, self._certificate)
            self._context = context
        return self

    def clientConnectionForTLS(self, protocol: Any) -> SSL.Connection:
        """A connection for ``protocol``; ``load`` must have been called."""
        assert self._context is not None
        connection = SSL.Connection(self._context, None)
        if self._server_name:
            connection.set_tlsext_host_name(self._server_name)
        if self._alpn:
            connection.set_alpn_protos(self._alpn)
        if self._verify:
            connection.set_verify(SSL.VERIFY_PEER, partial(_check, protocol, self._identity))
        return connection


def _check(
    protocol: Any, identity: Any, connection: SSL.Connection, certificate: Any, number: int, depth: int, good: int
) -> bool:
    found = certificate.to_cryptography()
    if not good:
        protocol.wrong_certificate = (number, found.subject.rfc4514_string())
        return False
    if depth == 0:
        try:
            verify_service_identity(extract_patterns(found), [identity], [])
        except VerificationError:
            protocol.failVerification(Failure())
            return False
    return True


def client_tls(
    host: str,
    data: Path,
    *,
    verify: bool = True,
    alpn: Sequence[bytes] = (),
    certificate: Path | None = None,
    key: Path | None = None,
) -> ClientTLS:
    """TLS to ``host``, for a ``TappedEndpoint``.

    Certificates are checked against the system's authorities and the local one in ``data``,
    unless ``verify`` is false. ``certificate`` is a file with ours, for servers that ask for one: PEM,
    with its private key or beside another file ``key`` that has it, or PKCS#12; without a password.
    """
    return ClientTLS(host, data, verify, alpn, certificate, key)
