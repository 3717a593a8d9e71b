"""Explains why a TLS handshake failed, in words for people who do not know OpenSSL."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.services.tls.client_hello import ClientHello, is_tls, parse
from app.text.escapes import one_line

OWN_SIGNER = "who signed our certificate"
"""The value of ``Terms.signer`` where our own CA has not signed our certificate."""

HTTP_REQUEST = re.compile(rb"(GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|CONNECT|TRACE|PRI) ")

_OPENINGS = ((b"SSH-", "SSH"), (b"RFB ", "VNC"), (b"PROXY ", "a PROXY header"), (b"\x00\x00\x00", "binary"))

_CERTIFICATE_ERRORS = {
    9: "is not valid yet",
    10: "has expired",
    18: "is signed by itself, not by {authority}",
    19: "is not signed by {authority}",
    20: "is not signed by {authority}",
    21: "is not signed by {authority}",
    26: "is not made for this use",
    47: "names what its authority may not sign for",
}
"""https://docs.openssl.org/master/man3/X509_STORE_CTX_get_error/"""

WANTED = "the server wants a certificate of ours"
"""The reason when a server asks for a certificate and we have sent none."""

_ALERTS = {
    "unknown ca": "the {them} does not trust {signer}{advice}",
    "bad certificate": "the {them} does not trust our certificate{advice}",
    "certificate unknown": "the {them} does not trust our certificate{advice}",
    "certificate expired": "the {them} says that our certificate has expired: compare the clocks",
    "certificate revoked": "the {them} says that our certificate was revoked",
    "unsupported certificate": "the {them} cannot use our kind of certificate",
    "certificate required": WANTED.replace("server", "{them}"),
    "handshake failure": "the {them} found no cipher or certificate in common with us",
    "insufficient security": "the {them} finds our ciphers too weak",
    "protocol version": "the {them} speaks no version of TLS that we do",
    "unrecognized name": "the {them} does not go by that name",
    "no application protocol": "the {them} speaks none of our application protocols",
    "access denied": "the {them} denies access",
    "user canceled": "the {them} gave up",
    "user cancelled": "the {them} gave up",
    "internal error": "the {them} failed inside",
}
"""By the names that OpenSSL gives to alerts (RFC 8446, section 6.2)."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What our side of a handshake asks for.

    Attributes:
        client: whether we are the client.
        minimum: the oldest version, as in ``"1.2"``.
        alpn: application protocols.
        authority: who signs the other side's certificates.
        signer: who signed our certificate, as the other side knows it.
        advice: what helps a client that does not trust us; a sentence, or empty.
    """

    client: bool = False
    minimum: str = "1.2"
    alpn: tuple[str, ...] = ()
    authority: str = "an authority that we trust"
    signer: str = "our CA"
    advice: str = ""

    @property
    def them(self) -> str:
        return "server" if self.client else "client"

    @property
    def advised(self) -> str:
        """The advice as it stands behind a reason."""
        return f" ({self.advice})" if self.advice else ""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a handshake ended.

    Attributes:
        said: OpenSSL's reasons; empty when it had nothing to say.
        first: the first bytes of the other side.
        certificate: what is wrong with its certificate: OpenSSL's number and the subject.
        name: whether its certificate is for another name.
        reset: whether it ended with a reset rather than in good order.
    """

    said: Sequence[str] = ()
    first: bytes = b""
    certificate: tuple[int, str] | None = None
    name: bool = False
    reset: bool = False


def words(terms: Terms, ending: Ending) -> str:
    """Why there is no TLS, in a few words without a full stop."""
    hello = None if terms.client else parse(ending.first)
    said = " ".join(ending.said).lower()
    if found := _foreign(terms, ending.first):
        return found
    if alert := next((text for name, text in _ALERTS.items() if f"alert {name}" in said), None):
        return alert.format(them=terms.them, signer=terms.signer, advice=terms.advised)
    if ending.name:
        return "the server's certificate is for another name"
    if ending.certificate:
        number, subject = ending.certificate
        text = _CERTIFICATE_ERRORS.get(number, "does not verify").format(authority=terms.authority)
        return one_line(f"the {terms.them}'s certificate ({subject}) {text}")
    for part, explain in _REASONS:
        if part in said:
            return explain(terms, hello)
    if ending.said:
        return f'OpenSSL says "{one_line(ending.said[-1])}"'
    return _hung_up(terms, ending, hello)


def _foreign(terms: Terms, first: bytes) -> str:
    """What came where it was not TLS at all."""
    if HTTP_REQUEST.match(first):
        return "plain HTTP on a TLS port"
    if terms.client and first.startswith(b"HTTP/"):
        return "the server speaks plain HTTP, not TLS"
    if terms.client and parse(first):
        return "not TLS at all: the server sends back what it gets"
    if is_tls(first) or (terms.client and first[:1] == b"\x15"):
        return ""
    if len(first) > 2 and first[0] & 0x80 and first[2] == 1:
        return "the client offered only SSL 2.0"
    opening = next((name for begin, name in _OPENINGS if first.startswith(begin)), "")
    return f"not TLS at all: it begins with {opening or one_line(first[:16].decode('latin-1'))}"


def _old(terms: Terms, hello: ClientHello | None) -> str:
    if hello is None or not hello.versions:
        return f"the {terms.them} speaks no version of TLS that we do"
    return f"the client offered only {' and '.join(hello.versions)}; this service asks for TLS {terms.minimum} or newer"


def _no_cipher(terms: Terms, hello: ClientHello | None) -> str:
    offered = "" if hello is None else f": it offered {hello.ciphers}"
    return f"no cipher in common with the {terms.them}{offered}"


def _no_protocol(terms: Terms, hello: ClientHello | None) -> str:
    offered = ", ".join(hello.alpn) if hello else ""
    return f"no application protocol in common: the client offered {offered}; this service has {', '.join(terms.alpn)}"


def _not_tls(terms: Terms, hello: ClientHello | None) -> str:
    return f"what the {terms.them} sent{' after its hello' if hello else ''} is not TLS"


_REASONS = (
    ("unsupported protocol", _old),
    ("version too low", _old),
    ("wrong ssl version", _old),
    ("no protocols available", _old),
    ("inappropriate fallback", lambda terms, hello: "the client fell back to an older version than it must"),
    ("no application protocol", _no_protocol),
    ("no shared cipher", _no_cipher),
    ("no suitable key share", lambda terms, hello: f"no key exchange in common with the {terms.them}"),
    ("no suitable signature", lambda terms, hello: f"no signature in common with the {terms.them}"),
    ("no shared signature", lambda terms, hello: f"no signature in common with the {terms.them}"),
    (
        "did not return a certificate",
        lambda terms, hello: f"the client showed no certificate; this service wants one signed by {terms.authority}",
    ),
    ("wrong version number", _not_tls),
    ("bad record type", _not_tls),
    ("packet length too long", _not_tls),
    ("unexpected message", lambda terms, hello: f"the {terms.them} did not keep to the order of a handshake"),
    ("bad record mac", lambda terms, hello: f"what the {terms.them} sent was changed on its way"),
)  # fmt: skip


def _hung_up(terms: Terms, ending: Ending, hello: ClientHello | None) -> str:
    how = "reset" if ending.reset else "closed"
    if not ending.first:
        return f"the {terms.them} {how} the connection without a word"
    if hello and not hello.whole:
        return f"the {terms.them} {how} the connection in the middle of its hello"
    hint = f"; perhaps it does not trust {terms.signer}{terms.advised}" if hello else ""
    return f"the {terms.them} {how} the connection during the handshake{hint}"
