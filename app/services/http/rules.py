"""Which rule of HTTP a request breaks, in words for whoever debugs the client (RFC 9112, RFC 9110 section 5)."""

from __future__ import annotations

import re
from typing import Any

from app.text.escapes import escape

_FORM = rb"(?:/|[A-Za-z][A-Za-z0-9+.-]*://)[!-~]*|\*"

REQUEST_LINE = re.compile(rb"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+ (?:" + _FORM + rb")|CONNECT [!-~]+) HTTP/1\.[01]")
"""A request line of the versions that we speak (RFC 9112 section 3)."""

BARE_LF = "a line ends with LF alone, not with CR LF"

DIGITS = 18
"""The most digits of a ``Content-Length``: no body is so long, and the capture holds numbers of 64 bits."""

_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TARGET = re.compile(rb"[!-~]+")
_TARGET_FORM = re.compile(_FORM)
_VERSION = re.compile(rb"HTTP/(\d)\.\d")
_HOST = re.compile(
    rb"(?:\[[0-9A-Fa-f:.]+\]|\[v[0-9A-Fa-f]+\.[!$&-.:;=_~0-9A-Za-z]+\]|(?:[!$&-.;=_~0-9A-Za-z]|%[0-9A-Fa-f]{2})*)"
    rb"(?::\d*)?"
)
_SHOWN = 40
"""Bytes of a faulty value that are shown."""

Broken = tuple[int, str]
"""The status of the response, and what is wrong."""


def of_request_line(line: bytes) -> Broken | None:
    """What is wrong with a request line that ``REQUEST_LINE`` does not match.

    None for HTTP/1.2 and later minor versions, which are read as HTTP/1.1 (RFC 9110 section 2.5).
    """
    if b"\n" in line:
        return 400, BARE_LF
    method, _, rest = line.partition(b" ")
    target, space, version = rest.rpartition(b" ")
    if wrong := of_method(method):
        return 400, wrong
    if not space:
        return 400, f"the first line has no HTTP version: {_shown(line)}"
    if not (known := _VERSION.fullmatch(version)):
        return 400, f"the first line does not end with an HTTP version such as HTTP/1.1: {_shown(version)}"
    if known[1] == b"2" and method == b"PRI":
        return 505, "HTTP/2 without TLS is not spoken here: use HTTP/1.1, or https:// where the service has TLS"
    if known[1] != b"1":
        return 505, f"{_shown(version)} is not spoken here: use HTTP/1.1"
    wrong = of_target(target, method)
    return (400, wrong) if wrong else None


def of_method(method: bytes) -> str:
    """What is wrong with a method; empty where nothing is (RFC 9110 section 9.1)."""
    return "" if _TOKEN.fullmatch(method) else f"the method {_shown(method)} is not a token"


def of_target(target: bytes, method: bytes) -> str:
    """What is wrong with a target; empty where nothing is (RFC 9112 section 3.2)."""
    if b" " in target:
        return f"the target has a space, which must be %20: {_shown(target)}"
    if not _TARGET.fullmatch(target):
        return f"the target is empty or has other bytes than printable ASCII: {_shown(target)}"
    if method != b"CONNECT" and not _TARGET_FORM.fullmatch(target):
        return f"the target must begin with a slash, or with a scheme as http://: {_shown(target)}"
    return ""


def of_name(name: bytes) -> str:
    """What is wrong with the name of a field; empty where nothing is."""
    return "" if _TOKEN.fullmatch(name) else f"the header name {_shown(name)} is not a token{_space_in(name)}"


def of_field(line: bytes, request: Any) -> str:
    """What is wrong with a field line; ``request`` has the fields before it."""
    name, colon, value = line.partition(b":")
    if not colon:
        return f"a header line without a colon: {_shown(line)}"
    if wrong := of_name(name):
        return wrong
    called = name.decode()
    for byte, word in ((b"\0", "NUL"), (b"\r", "a bare CR"), (b"\n", "a bare LF")):
        if byte in value:
            return f"{word} in the header {called}"
    value = value.strip(b" \t")
    known = request.requestHeaders.hasHeader
    if name.lower() == b"transfer-encoding" and value.lower() != b"chunked":
        return f"the Transfer-Encoding {_shown(value)} is not known: use chunked"
    if name.lower() == b"content-length" and not value.isdigit():
        return f"Content-Length is not one number: {_shown(value)}"
    if name.lower() == b"content-length" and len(value) > DIGITS:
        return f"Content-Length has more than {DIGITS} digits: {_shown(value)}"
    if known(name):
        return f"{called} is there twice"
    return "Content-Length beside Transfer-Encoding: the body's end is not certain"


def of_chunk(decoder: Any) -> str:
    """What is wrong with a chunked body (RFC 9112 section 7.1) that Twisted's decoder could not parse."""
    state, buffer = decoder.state, bytes(decoder._buffer)
    if state == "CRLF":
        return f"a chunk does not end where its size says: {_shown(buffer)}"
    if state == "TRAILER":
        return "the trailers after the last chunk are too large"
    line, ended, _ = buffer.partition(b"\r\n")
    if b"\n" in line:
        return BARE_LF
    size, extended, _ = line.partition(b";")
    if not ended:
        return "the line of a chunk's size is too long"
    if extended and re.fullmatch(rb"[0-9A-Fa-f]+", size):
        return f"a chunk's extension has bytes that it may not have: {_shown(line)}"
    return f"a chunk's size is not a hexadecimal number: {_shown(size)}"


def of_host(version: bytes, hosts: list[bytes]) -> str:
    """What is wrong with the ``Host`` fields of a request; empty where nothing is (RFC 9112 section 3.2)."""
    if not hosts:
        return "" if version == b"HTTP/1.0" else "no Host, which HTTP/1.1 asks for"
    if len(hosts) > 1:
        return "Host is there twice"
    return of_authority(hosts[0], "Host")


def of_authority(value: bytes, called: str) -> str:
    """What is wrong with a host; empty where nothing is. ``called`` names it in the text."""
    return "" if is_host(value) else f"{called} is not a host: {_shown(value)}"


def is_host(value: bytes) -> bool:
    """Whether it is a host with or without a port (RFC 3986 section 3.2); it may be empty."""
    return _HOST.fullmatch(value) is not None


def has_bare_lf(decoder: Any) -> bool:
    """Whether an unfinished line of a chunked body has a bare LF.

    A server may take it for the end of the line (RFC 9112 section 2.2), but then requests can be smuggled
    past a proxy that does not.
    """
    return decoder.state in ("CHUNK_LENGTH", "TRAILER") and b"\n" in decoder._buffer


def _space_in(name: bytes) -> str:
    if name != name.rstrip(b" \t"):
        return ": no space may stand before the colon"
    return ": a continued line may not be the first" if name[:1] in (b" ", b"\t") else ""


def _shown(text: bytes) -> str:
    return f"“{escape(text[:_SHOWN])}{'…' if len(text) > _SHOWN else ''}”" if text else "nothing"
