"""TLS of a service: its certificate, its versions and ciphers, and the certificates that it asks clients for."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any

from cryptography import x509
from OpenSSL import SSL
from twisted.internet.interfaces import (
    IOpenSSLServerConnectionCreator,
    IProtocolFactory,
    IProtocolNegotiationFactory,
)
from zope.interface import implementer

from app import events
from app.faults.kinds.tls import WEAK_KEY, WRONG_ALPN
from app.files import confined
from app.options import Options
from app.services import address
from app.services.config import ServiceConfig
from app.services.interfaces import Owner
from app.services.surroundings import Surroundings
from app.services.tls import authority, certificates
from app.services.tls.certificates import Identity, trust
from app.services.tls.explain import OWN_SIGNER, Terms
from app.services.tls.faulty import FaultyFactory
from app.services.tls.flawed import Flawed, flaws_of, wrong
from app.services.tls.key_log import KeyLog
from app.services.tls.transport import NoCommonProtocol

CIPHERS = b"ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AESCCM:!AESCCM8"
"""Ciphers of TLS 1.2: forward secrecy and authenticated encryption; AES-CCM is for small devices."""

ANY_KEY = CIPHERS + b":@SECLEVEL=0"
"""The same, for keys that OpenSSL finds too weak."""

MINIMUM = {"1.2": SSL.TLS1_2_VERSION, "1.3": SSL.TLS1_3_VERSION}

ALWAYS = ("localhost", "127.0.0.1", "::1")

_ADVICE = "listening-post ca --trust says how it can"


@implementer(IOpenSSLServerConnectionCreator)
@dataclass(frozen=True, slots=True)
class ServerTLS:
    """The TLS of one port.

    Attributes:
        flawed: what faults have connections show.
        warnings: what is wrong with the certificate, although it can be used.
    """

    context: SSL.Context
    terms: Terms
    flawed: Flawed
    key_log: KeyLog | None = None
    warnings: tuple[str, ...] = ()

    def wrap(self, factory: IProtocolFactory, owner: Owner, reactor: Any) -> IProtocolFactory:
        """A factory for the port that puts TLS before ``factory``, which sees plaintext.

        Warnings are logged under ``owner``.
        """
        for warning in self.warnings:
            _log(owner, warning)
        terms = replace(self.terms, alpn=_offered(self.terms.alpn, factory))

        def dress(context: SSL.Context) -> None:
            if terms.alpn:
                context.set_alpn_select_callback(_chooser(terms.alpn))
            if (log := self.key_log) is not None:
                context.set_keylog_callback(
                    lambda connection, line: log.add(line, reactor, lambda words: _log(owner, words))
                )

        dress(self.context)
        self.flawed.dress(reactor, dress)
        wrapped: IProtocolFactory = FaultyFactory(self, factory, reactor, terms, self.flawed)
        return wrapped

    def take_faults(self, tables: Iterable[Options]) -> None:
        """Have ready what faults with these tables ``[[service.fault]]`` need."""
        for flaw in flaws_of(tables):
            self.flawed.get(flaw).addErrback(lambda failure: None)  # told when a connection needs it

    def serverConnectionForTLS(self, protocol: Any) -> SSL.Connection:
        return SSL.Connection(self.context, None)


def prepare(config: ServiceConfig, surroundings: Surroundings) -> ServerTLS:
    """Read or make the certificate that ``config.tls`` names, and set TLS up. Blocks: call it in a thread.

    Raises TLSSetupError.
    """
    settings = config.settings("tls")
    auto = settings["certificate"] == "auto"
    identity = _signed(config, settings, surroundings) if auto else _own(settings, surroundings)
    path = "auto" if auto else settings["certificate"]
    terms = Terms(minimum=settings["minimum"], alpn=_protocols(config.protocol, settings))
    terms = replace(terms, advice=_ADVICE) if auto else replace(terms, signer=OWN_SIGNER)
    trusted = _trusted(settings, surroundings) if settings["client_certificates"] != "off" else []
    if trusted:
        terms = replace(terms, authority=", ".join(map(_name, trusted)))
    log = KeyLog(confined.named(surroundings.folder, settings["key_log"])) if settings["key_log"] else None

    def context(identity: Identity, ciphers: bytes = CIPHERS) -> SSL.Context:
        made = _context(identity, path, settings["minimum"], ciphers)
        if trusted:
            _ask_clients(made, trusted, required=settings["client_certificates"] == "required")
        return made

    def flawed(flaw: str) -> SSL.Context:
        if flaw == WRONG_ALPN:
            return context(identity)
        made = _wrong(flaw, identity, surroundings)
        return context(made, ANY_KEY if flaw == WEAK_KEY else CIPHERS)

    return ServerTLS(
        context(identity), terms, Flawed(flawed, flaws_of(config.faults)), log, tuple(_warnings(identity, path))
    )


# -- the certificate


def _signed(config: ServiceConfig, settings: Mapping[str, Any], surroundings: Surroundings) -> Identity:
    signer = authority.of(surroundings.data)
    names = [config.host] if _is_name(config.host) else []
    names += [*settings["names"], *ALWAYS]
    if config.exposed:
        names += [name for name in (*authority.own_names(), *address.own()) if signer.signs_for(name)]
    return Identity(*signer.sign(dict.fromkeys(names)))


def _wrong(flaw: str, right: Identity, surroundings: Surroundings) -> Identity:
    """A certificate with this flaw for the same names, as far as the local authority may sign for them."""
    signer = authority.of(surroundings.data)
    try:
        found = right.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = [*found.get_values_for_type(x509.DNSName), *map(str, found.get_values_for_type(x509.IPAddress))]
    except (x509.ExtensionNotFound, ValueError):  # of a certificate that is not ours, and may be damaged
        names = []
    names = [name for name in names if address.is_certifiable(name) and signer.signs_for(name)]
    return wrong(flaw, signer, names or ALWAYS)


def _is_name(host: str) -> bool:
    return not address.is_number(host) or not ip_address(host).is_unspecified


def _own(settings: Mapping[str, Any], surroundings: Surroundings) -> Identity:
    folder = surroundings.folder
    key = confined.named(folder, settings["key"]) if settings["key"] else None
    return certificates.load(confined.named(folder, settings["certificate"]), key, settings["password"])


def _warnings(identity: Identity, path: str) -> Iterator[str]:
    now, certificate = datetime.now(UTC), identity.certificate
    if certificate.not_valid_after_utc < now:
        yield f"the certificate in {path} has expired on {certificate.not_valid_after_utc:%Y-%m-%d}"
    if certificate.not_valid_before_utc > now:
        yield f"the certificate in {path} is not valid before {certificate.not_valid_before_utc:%Y-%m-%d}"


# -- the context


def _context(identity: Identity, path: str, minimum: str, ciphers: bytes) -> SSL.Context:
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_min_proto_version(MINIMUM[minimum])
    context.set_options(SSL.OP_NO_COMPRESSION | SSL.OP_CIPHER_SERVER_PREFERENCE | SSL.OP_NO_RENEGOTIATION)
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)  # 34 kB less for each silent connection
    context.set_cipher_list(ciphers)
    context.set_session_id(secrets.token_bytes(16))
    identity.into(context, path)
    return context


def _trusted(settings: Mapping[str, Any], surroundings: Surroundings) -> list[x509.Certificate]:
    """The authorities that must have signed the certificates of clients."""
    if settings["client_ca"]:
        return certificates.authorities(confined.named(surroundings.folder, settings["client_ca"]))
    return [authority.of(surroundings.data).certificate]


def _ask_clients(context: SSL.Context, trusted: Iterable[x509.Certificate], *, required: bool) -> None:
    """Ask clients for certificates that one of the authorities ``trusted`` has signed."""
    for certificate in trusted:
        trust(context, certificate)
        context.add_client_ca(certificate)
    context.set_verify(SSL.VERIFY_PEER | (SSL.VERIFY_FAIL_IF_NO_PEER_CERT if required else 0), _on_certificate)


def _on_certificate(connection: SSL.Connection, certificate: Any, number: int, depth: int, good: int) -> bool:
    if not good:
        subject = certificate.to_cryptography().subject.rfc4514_string()
        connection.get_app_data().wrong_certificate = (number, subject)
    return bool(good)


def _name(certificate: x509.Certificate) -> str:
    found = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(found[0].value) if found else certificate.subject.rfc4514_string()


# -- application protocols


def _protocols(protocol: str, settings: Mapping[str, Any]) -> tuple[str, ...]:
    if protocol == "http":
        return ("h2", "http/1.1") if settings["http2"] else ("http/1.1",)
    return ("http/1.1",) if protocol == "websocket" else tuple(settings["alpn"])


def _offered(wanted: tuple[str, ...], factory: IProtocolFactory) -> tuple[str, ...]:
    """Those of ``wanted`` that the factory speaks, if it says which; otherwise all."""
    if not IProtocolNegotiationFactory.providedBy(factory):
        return wanted
    able = factory.acceptableProtocols()
    return tuple(name for name in wanted if name.encode() in able) if able else wanted


def _chooser(names: Iterable[str]) -> Any:
    ours = [name.encode() for name in names]

    def choose(connection: SSL.Connection, theirs: list[bytes]) -> bytes:
        common = next((name for name in ours if name in theirs), None)
        if common is None:
            raise NoCommonProtocol  # pyOpenSSL makes the alert of it
        return common

    return choose


def _log(owner: Owner, words: str) -> None:
    owner.recorder.record(events.LOG, owner.number, summary=words)
