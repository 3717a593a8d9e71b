"""Where to log in at a router, and as who."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from OpenSSL import SSL
from twisted.internet import ssl

from app.errors import system_words
from app.outposts.errors import RouterError
from app.outposts.ways.keys import Key

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What an outpost or a console may be called at a router: one part of the name of a procedure."""


@dataclass(frozen=True, slots=True)
class Login:
    """Where to log in, and as who.

    Attributes:
        url: ``wss://HOST[:PORT]/PATH``; ``ws`` only where it stays on this machine.
        authorities: PEM of those that may sign the router's certificate; empty: those of the system.
    """

    url: str
    realm: str
    name: str
    key: Key
    authorities: bytes = b""


def checked(url: str, realm: str, name: str, key: Key, ca: Path | None = None) -> Login:
    """What was typed, checked. Reads the file ``ca``. Raises RouterError."""
    host, _ = address_of(url)
    if urlsplit(url).scheme == "ws" and not _is_here(host):
        raise RouterError(url=url, reason="ws:// is not encrypted, and goes to another machine; use wss://")
    if not NAME.fullmatch(name):
        raise RouterError(url=url, reason=f"the name {name} may have letters, digits, - and _, 64 at most")
    if not re.fullmatch(r"[^\s#]{3,255}", realm):
        raise RouterError(url=url, reason=f"the realm {realm} must have three characters or more, and no space or #")
    try:
        authorities = ca.read_bytes() if ca else b""
        if ca:
            trusted_by(authorities)
    except (OSError, ValueError, SSL.Error) as e:
        reason = system_words(e) if isinstance(e, OSError) else "it holds no certificate in PEM"
        raise RouterError(url=url, reason=f"{ca}: {reason}") from e
    return Login(url, realm, name, key, authorities)


def address_of(url: str) -> tuple[str, int]:
    """Host and port of a router. Raises RouterError."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    if parts.scheme not in ("ws", "wss") or not host:
        raise RouterError(url=url, reason="an address is wss://HOST:PORT/ws")
    return host, port or (443 if parts.scheme == "wss" else 80)


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def trusted_by(pem: bytes) -> Any:
    """What a connection trusts that trusts these certificates. Raises ValueError, SSL.Error."""
    blocks = re.findall(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", pem, re.DOTALL)
    if not blocks:
        raise ValueError
    return ssl.trustRootFromCertificates([ssl.Certificate.loadPEM(block) for block in blocks])
