"""The request target that a relay sends to its upstream (RFC 9112 section 3.2)."""

from __future__ import annotations

import re
from urllib.parse import quote

_ABSOLUTE = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")
"""The part of the absolute form before the path (RFC 9112 section 3.2.2)."""

_DOTS = re.compile(rb"(\.|%2[Ee]){1,2}\Z")


def below(base: bytes, target: bytes) -> bytes:
    """``target`` with ``base`` before its path. Dot segments in ``target`` cannot leave ``base``.

    ``base`` has no slash at its end. With an empty ``base`` no path is changed; with any ``base``,
    neither ``*`` nor a path without dot segments is.
    """
    if target == b"*":
        return target
    if not target.startswith(b"/"):
        absolute = _ABSOLUTE.match(target)
        target = target[absolute.end() :] if absolute else b""
        if not target.startswith(b"/"):
            target = b"/" + target
    if not base:
        return target
    path, mark, query = target.partition(b"?")
    return base + _without_dots(path) + mark + query


def of_websocket(own: str, target: str) -> str:
    """The target of a WebSocket handshake with the upstream.

    ``own`` is the path and the query of the upstream's URL, ``target`` what the client asks for, a character for
    each byte. A client that asks for ``/`` gets the path of the URL as it is written, because most clients of a
    single endpoint name no path. Queries are joined.
    """
    path, _, query = below(b"", target.encode("latin-1", "replace")).partition(b"?")
    base, _, own_query = own.encode().partition(b"?")
    if path != b"/":
        base = below(base.rstrip(b"/"), path)
    both = b"&".join(part for part in (own_query, query) if part)
    return quote(base + b"?" * bool(both) + both, safe=_PRINTABLE)


_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))


def _without_dots(path: bytes) -> bytes:
    """Remove dot segments (RFC 3986 section 5.2.4). A percent-encoded dot counts as a dot (section 6.2.2.2)."""
    kept: list[bytes] = []
    segments = path.split(b"/")[1:]
    for segment in segments:
        if not _DOTS.match(segment):
            kept.append(segment)
        elif len(segment.lower().replace(b"%2e", b".")) == 2 and kept:
            kept.pop()
    if _DOTS.match(segments[-1]):
        kept.append(b"")
    return b"/" + b"/".join(kept)
