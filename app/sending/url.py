"""URLs to send to, as ``tcp://127.0.0.1:9007`` or ``https://localhost/orders?all``; headers and methods."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from app.sending import errors
from app.sending.clients import CLIENTS, Client
from app.services import address
from app.services.errors import InvalidAddressError
from app.text.escapes import one_line

_TARGET = "".join(map(chr, range(0x21, 0x7F)))
"""Goes out as it is written, in exactly these bytes; all else is percent-encoded."""

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


@dataclass(frozen=True, slots=True)
class URL:
    """A parsed URL.

    Attributes:
        text: as it was written.
        host: a name or an IP address, without brackets.
        port: that of the scheme where the URL names none.
        target: path and query, percent-encoded; "" unless for HTTP and WebSocket.
    """

    text: str
    scheme: str
    host: str
    port: int
    target: str = ""

    @property
    def client(self) -> Client:
        return CLIENTS[self.scheme]

    @property
    def address(self) -> str:
        return address.join(self.host, self.port)

    @property
    def authority(self) -> str:
        """The value of the header ``Host``: without a zone, and without the default port (RFC 9110 section 7.2)."""
        host = self.host.partition("%")[0]
        return address.join(host, self.port) if self.port != self.client.port else address.join(host, 0)[:-2]


def parse(text: str) -> URL:
    """Parse a URL. Raises URLError."""
    text = text.strip()
    if not text.isprintable() and any("\ud800" <= character <= "\udfff" for character in text):
        raise _wrong(one_line(text), "it holds bytes that are no text: write those as %ff")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as e:
        raise _wrong(text, "its host or port cannot be read") from e
    client = CLIENTS.get(parts.scheme) if "://" in text else None
    if client is None:
        raise _wrong(text, f"it must begin with one of {', '.join(f'{scheme}://' for scheme in CLIENTS)}")
    host = parts.hostname or ""
    if parts.username is not None:
        raise _wrong(text, "put names and passwords into a header, such as Authorization: Basic …")
    if not host:
        raise _wrong(text, "the host is missing")
    if not address.is_number(host):
        _check_name(text, host)
    if port == 0:
        raise _wrong(text, "port 0 cannot be reached")
    if not (port or client.port):
        raise _wrong(text, "the port is missing")
    if not client.http:
        if parts.path not in ("", "/") or parts.query:
            raise _wrong(text, f"{client.scheme}:// has no path")
        return URL(text, client.scheme, host, port or client.port)
    target = quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), safe=_TARGET)
    return URL(text, client.scheme, host, port or client.port, target)


def _check_name(text: str, host: str) -> None:
    try:
        name = host if host.isascii() else host.encode("idna").decode("ascii")
        address.parse(f"{name}:1")
    except (InvalidAddressError, UnicodeError) as e:
        raise _wrong(text, f"{host} is not a host") from e


def _wrong(text: str, reason: str) -> errors.URLError:
    return errors.URLError(text=text or "Nothing", reason=reason)


def field(line: str) -> tuple[str, str]:
    """Name and value of the header ``"Name: value"``. Raises FieldError."""
    name, colon, value = line.partition(":")
    value = value.strip(" \t")
    if not (colon and _TOKEN.fullmatch(name)):
        raise errors.FieldError(text=line, reason="write Name: value")
    if any(c in value for c in "\r\n\0"):
        raise errors.FieldError(text=line, reason="a value is one line")
    if name.lower() in ("content-length", "transfer-encoding"):
        raise errors.FieldError(text=line, reason="the length is counted for you")
    return name, value


def method_problem(method: str) -> str | None:
    """What is wrong with an HTTP method, or None. "" is right: it stands for GET or POST."""
    if method and not _TOKEN.fullmatch(method):
        return f"{method} is not a method: write one word, such as GET or PURGE"
    return None
