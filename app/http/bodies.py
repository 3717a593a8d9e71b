"""Bodies with their content codings undone, within a bound (RFC 9110 section 8.4)."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence

from app.text import encodings

Fields = Sequence[Sequence[str]]
"""Name and value of each header, in order, as the event of a request or response holds them."""

LIMIT = 8 << 20
"""Bytes at which a decoded body is cut: a few compressed kilobytes can become gigabytes."""


def value_of(fields: Fields, name: str) -> str:
    """The header's value, several joined by a comma; empty where it is missing. ``name`` is in small letters."""
    return ", ".join(value for key, value in fields if key.lower() == name)


def decoded(body: bytes, fields: Fields, limit: int = LIMIT) -> tuple[bytes, bool]:
    """The content of ``body``, and whether it was cut at ``limit``.

    Decoding stops at a coding that is unknown or whose data is damaged.
    """
    codings = [part.strip().lower() for part in value_of(fields, "content-encoding").split(",") if part.strip()]
    cut = False
    for coding in reversed(codings):
        undone = _undo(coding, body, limit)
        if undone is None:
            break
        body, this_cut = undone
        cut = cut or this_cut
    return body, cut


def _undo(coding: str, body: bytes, limit: int) -> tuple[bytes, bool] | None:
    if coding == "identity":
        return body, False
    if coding in ("gzip", "x-gzip"):
        return _inflate(body, limit, (16 + zlib.MAX_WBITS,))
    if coding == "deflate":
        # Some send the raw stream, without zlib's wrapping.
        return _inflate(body, limit, (zlib.MAX_WBITS, -zlib.MAX_WBITS))
    if coding == "br":
        return _unbrotli(body, limit)
    return None


def _inflate(body: bytes, limit: int, windows: Iterable[int]) -> tuple[bytes, bool] | None:
    for window in windows:
        inflater = zlib.decompressobj(window)
        try:
            content = inflater.decompress(body, limit)
        except zlib.error:
            continue
        return content, bool(inflater.unconsumed_tail)
    return None


def _unbrotli(body: bytes, limit: int) -> tuple[bytes, bool] | None:
    import brotli

    inflater = brotli.Decompressor()
    parts, size = [], 0
    try:
        part = inflater.process(body, output_buffer_limit=1 << 16)
        while part or not inflater.can_accept_more_data():
            parts.append(part)
            size += len(part)
            if size >= limit:
                break
            part = inflater.process(b"", output_buffer_limit=1 << 16)
    except brotli.error:
        return None
    content = b"".join(parts)
    return content[:limit], size >= limit


def text_of(body: bytes, fields: Fields) -> str | None:
    """``body`` as text in its declared charset, or in UTF-8; None where it is no such text.

    A peer may name any codec of Python's: those that are no text encodings are left alone, some take very long.
    """
    kind = value_of(fields, "content-type")
    _, _, parameters = kind.partition(";")
    charset = "utf-8"
    for parameter in parameters.split(";"):
        name, _, value = parameter.strip().partition("=")
        if name.lower() == "charset":
            charset = encodings.known(value.strip("\"' "))
    try:
        return body.decode(charset) if charset else None
    except (LookupError, UnicodeDecodeError, ValueError):
        return None
