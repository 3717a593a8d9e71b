"""Queries, cookies and forms taken apart, each within a bound.

They are shown as they came, broken ones too: a library for servers, which refuses these, does not serve here.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from email.message import Message
from email.utils import collapse_rfc2231_value
from urllib.parse import unquote_plus

from app.http.bodies import Fields, value_of

MAX_PARTS = 200
"""Parts, pairs or cookies that are looked at."""

MAX_DEPTH = 3
"""Levels of multipart bodies, each in a part of the one before, that are taken apart."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a multipart body (RFC 7578).

    Attributes:
        name, file: None where it has none. ``file`` is as it was sent, and may be any path.
        kind: the media type in small letters, without parameters; empty where none was given.
        data: without its transfer encoding, where that is base64 or quoted-printable.
        fields: its headers.
        depth: 0 for a part of the body, 1 for a part of such a part.
    """

    name: str | None
    file: str | None
    kind: str
    data: bytes
    fields: tuple[tuple[str, str], ...] = ()
    depth: int = 0


def pairs(text: str) -> list[tuple[str, str]]:
    """Names and values of a query or of a form (application/x-www-form-urlencoded)."""
    found = []
    for piece in text.split("&", MAX_PARTS)[:MAX_PARTS]:
        if piece:
            name, _, value = piece.partition("=")
            found.append((unquote_plus(name), unquote_plus(value)))
    return found


def query(target: str) -> list[tuple[str, str]]:
    """The query of a request's target."""
    return pairs(target.partition("#")[0].partition("?")[2])


def cookies(fields: Fields) -> list[tuple[str, str]]:
    """Cookies that a client sends (RFC 6265, section 4.2)."""
    found = []
    for piece in value_of(fields, "cookie").replace(", ", "; ").split(";", MAX_PARTS)[:MAX_PARTS]:
        name, _, value = piece.strip().partition("=")
        if name:
            found.append((name, value))
    return found


def set_cookies(fields: Fields) -> Iterator[tuple[str, str, list[str]]]:
    """Cookies that a server sets: name, value and attributes (RFC 6265, section 4.1)."""
    for key, text in fields:
        if key.lower() == "set-cookie":
            first, *attributes = text.split(";", MAX_PARTS)
            name, _, value = first.partition("=")
            yield name.strip(), value.strip(), [attribute.strip() for attribute in attributes]


def parts(data: bytes, fields: Fields) -> list[Part]:
    """The parts of a multipart body whose headers are ``fields``; none where it is no such body.

    A delimiter is a whole line (RFC 2046, section 5.1.1): one that goes on after the boundary belongs to a part. Of a
    body that breaks off, the last part is what came of it.
    """
    head = _fields([("Content-Type", value_of(fields, "content-type"))])
    boundary = _parameter(head, "boundary", "content-type")
    if head.get_content_maintype() != "multipart" or not isinstance(boundary, str) or not boundary:
        return []
    dashed = re.escape(b"--" + boundary.encode("latin-1", "replace"))
    first = re.search(rb"(?:\A|\n)%b[ \t]*(\r?\n)" % dashed, data)
    if first is None:
        return []
    end = first[1]  # of lines: CRLF, or LF alone from senders that have all lines end so
    line = re.compile(rb"(?:\A|%b)%b(--)?[ \t]*(?=%b|\Z)" % (end, dashed, end))
    found: list[Part] = []
    begin = -1
    for delimiter in line.finditer(data):
        if begin >= 0:
            found.append(_part(data[begin : delimiter.start()], end))
        begin = delimiter.end()
        if delimiter[1] or len(found) == MAX_PARTS:
            return found
    return [*found, _part(data[begin:], end)]


def all_parts(data: bytes, fields: Fields, depth: int = 0) -> list[Part]:
    """The parts of a multipart body, each followed by its own parts if it has some; ``MAX_PARTS`` at the most."""
    found: list[Part] = []
    for part in parts(data, fields):
        found.append(part if not depth else replace(part, depth=depth))
        if part.kind.startswith("multipart/") and depth + 1 < MAX_DEPTH:
            found += all_parts(part.data, part.fields, depth + 1)
        if len(found) >= MAX_PARTS:
            return found[:MAX_PARTS]
    return found


def _part(piece: bytes, end: bytes) -> Part:
    """``piece`` begins with the end of the delimiter's line."""
    head, _, data = piece.partition(end + end)
    lines = head[: 16 << 10].decode("utf-8", "replace").splitlines()
    named = (line.partition(":") for line in lines if ":" in line)
    fields = [(name.strip(), value.strip()) for name, _, value in named][:MAX_PARTS]
    message = _fields(fields)
    kind = message.get_content_type() if message.get("content-type") else ""
    name, file = (_parameter(message, key, "content-disposition") for key in ("name", "filename"))
    file = _parameter(message, "name", "content-type") if file is None else file
    return Part(name, file, kind, _decoded(data, value_of(fields, "content-transfer-encoding")), tuple(fields))


def _decoded(data: bytes, encoding: str) -> bytes:
    """``data`` without its transfer encoding (RFC 2045 section 6); as it came where that is another, or damaged."""
    if encoding.strip().lower() == "base64":
        try:
            return binascii.a2b_base64(data)
        except binascii.Error:
            return data
    return binascii.a2b_qp(data) if encoding.strip().lower() == "quoted-printable" else data


def _parameter(message: Message, name: str, header: str) -> str | None:
    """A parameter of a header, decoded where that is possible; None where there is none."""
    try:
        found = message.get_param(name, header=header)
        return None if found is None else collapse_rfc2231_value(found).strip()
    except Exception:
        # ``email`` raises this and that for what no mail program writes, as ``a*=b; a*0=c`` does.
        return None


def _fields(several: list[tuple[str, str]]) -> Message:
    message = Message()
    for name, value in several:
        message[name] = value
    return message
