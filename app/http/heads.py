"""The first lines of HTTP/1 messages as they were sent, and of what only begins as one (RFC 9112 sections 2 to 5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.text.escapes import escape

MAX_HEAD, MAX_FIELDS = 64 << 10, 200
"""Bytes of a head, and headers in it, that are looked at where nobody could read it."""


@dataclass(frozen=True, slots=True)
class Head:
    """Start line and headers of a message.

    Attributes:
        line: method, target and version of a request, with escapes for what is no text; of a response
            version, status and reason. What is missing is empty: all three of what is no request line.
        fields: name and value of each header, in order; latin-1 stands for bytes.
        size: bytes up to and with the empty line; None where it is not whole.
    """

    line: tuple[str, str, str]
    fields: list[list[str]]
    size: int | None


def of_parsed(message: Any, size: int) -> Head:
    """The head of a request or response that h11 has read."""
    fields = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in message.headers.raw_items()]
    version = f"HTTP/{message.http_version.decode('latin-1')}"
    if hasattr(message, "method"):
        return Head((escape(message.method), escape(message.target), version), fields, size)
    return Head((version, str(message.status_code), message.reason.decode("latin-1")), fields, size)


def read_head(data: bytes) -> Head:
    """What ``data`` holds of a head, however wrong it is."""
    data = data[:MAX_HEAD].lstrip(b"\r\n")
    first, *lines = data.split(b"\n")
    fields: list[list[str]] = []
    for line in lines:
        text = line.rstrip(b"\r")
        if not text or len(fields) == MAX_FIELDS:
            break
        name, colon, value = text.partition(b":")
        if colon:
            fields.append([name.decode("latin-1"), value.strip(b" \t").decode("latin-1")])
    return Head(_line(first.rstrip(b"\r")), fields, _size(data))


def _line(first: bytes) -> tuple[str, str, str]:
    if first.startswith(b"HTTP/"):
        version, status, reason = (*first.split(b" ", 2), b"", b"")[:3]
        return version.decode("latin-1"), status.decode("latin-1"), reason.decode("latin-1")
    method, _, rest = first.partition(b" ")
    if not rest:
        return "", "", ""
    target, space, version = rest.rpartition(b" ")
    if not space or not version.startswith(b"HTTP/"):
        target, version = rest, b""
    return escape(method), escape(target), escape(version)


def _size(data: bytes) -> int | None:
    end = data.find(b"\r\n\r\n")
    return None if end < 0 else end + 4
