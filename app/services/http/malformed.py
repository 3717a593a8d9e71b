"""Answers that break a rule of HTTP; what each breaks, by the value of ``how`` of the fault ``malformed``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

OFF = 10
"""Bytes by which a Content-Length is wrong."""

INTERIMS = 1_000
"""Interim answers of a flood."""

NO_END, BAD_SIZE, FLOOD = "no end", "bad size", "flood"
"""What is wrong with an answer beside its head."""


def _length(exchange: Any, size: int) -> int:
    """Bytes of the body as its Content-Length says, else ``size``, those of its first part."""
    (value,) = exchange.request.responseHeaders.getRawHeaders(b"Content-Length", (b"",))[:1]
    return int(value) if value.isdigit() else size


def _announce(exchange: Any, *lengths: int) -> None:
    exchange.request.responseHeaders.removeHeader(b"Transfer-Encoding")
    exchange.request.responseHeaders.setRawHeaders(b"Content-Length", [b"%d" % length for length in lengths])
    exchange.chunked = False


def _shorter(exchange: Any, size: int, fault: Any) -> str:
    length = _length(exchange, size)
    said = max(0, length - OFF)
    if said == length:
        return ""
    _announce(exchange, said)
    return f"Content-Length {said:,} for a body of {length:,} bytes"


def _longer(exchange: Any, size: int, fault: Any) -> str:
    length = _length(exchange, size)
    _announce(exchange, length + OFF)
    return f"Content-Length {length + OFF:,} for a body of {length:,} bytes"


def _two(exchange: Any, size: int, fault: Any) -> str:
    length = _length(exchange, size)
    _announce(exchange, length, length + OFF)
    return f"two Content-Lengths, {length:,} and {length + OFF:,}"


def _chunk(exchange: Any) -> bool:
    """Have the body be chunked. Returns whether it can be."""
    request = exchange.request
    if request.clientproto != b"HTTP/1.1" or exchange.bodiless:
        return False
    request.responseHeaders.removeHeader(b"Content-Length")
    request.responseHeaders.setRawHeaders(b"Transfer-Encoding", [b"chunked"])
    exchange.chunked = True
    return True


def _bad_size(exchange: Any, size: int, fault: Any) -> str:
    if not size or not _chunk(exchange):
        return ""
    exchange.spoiled.add(BAD_SIZE)
    return "the size of the first chunk is not a number"


def _no_end(exchange: Any, size: int, fault: Any) -> str:
    if exchange.request.clientproto != b"HTTP/2" and not _chunk(exchange):
        return ""
    exchange.spoiled.add(NO_END)
    return "without its last chunk" if exchange.chunked else "without END_STREAM"


def _encoding(exchange: Any, size: int, fault: Any) -> str:
    headers = exchange.request.responseHeaders
    true = headers.getRawHeaders(b"Content-Encoding", (b"identity",))[0]
    false = b"br" if true == b"gzip" else b"gzip"
    headers.setRawHeaders(b"Content-Encoding", [false])
    return f"Content-Encoding {false.decode()} for {true.decode('latin-1')}"


def _type(exchange: Any, size: int, fault: Any) -> str:
    headers = exchange.request.responseHeaders
    true = headers.getRawHeaders(b"Content-Type", (b"nothing",))[0]
    false = b"text/html" if b"json" in true.lower() else b"application/json"
    headers.setRawHeaders(b"Content-Type", [false])
    return f"Content-Type {false.decode()} for {true.decode('latin-1')}"


def _slow_head(exchange: Any, size: int, fault: Any) -> str:
    if exchange.request.clientproto == b"HTTP/2":
        return ""
    exchange.slow = fault
    return "its head leaves byte by byte"


def _flood(exchange: Any, size: int, fault: Any) -> str:
    if exchange.request.clientproto == b"HTTP/1.0":
        return ""
    exchange.spoiled.add(FLOOD)
    return f"{INTERIMS:,} interim answers before it"


_HOW: dict[str, Callable[[Any, int, Any], str]] = {
    "content-length-shorter": _shorter,
    "content-length-longer": _longer,
    "two-content-lengths": _two,
    "chunk-size": _bad_size,
    "last-chunk": _no_end,
    "content-encoding": _encoding,
    "content-type": _type,
    "slow-head": _slow_head,
    "interim-flood": _flood,
}


def malform(exchange: Any, size: int, fault: Any, how: str) -> str:
    """Have the answer of ``exchange``, the first part of whose body has ``size`` bytes, break a rule, for ``fault``.

    Returns what is wrong then, in words; empty where the client's version of HTTP, or such an answer, cannot have it.
    """
    return _HOW[how](exchange, size, fault)
