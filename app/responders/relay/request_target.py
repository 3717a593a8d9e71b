"""The request target that a relay sends to its upstream (RFC 9112 section 3.2)."""

from __future__ import annotations

import re

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
