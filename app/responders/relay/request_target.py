"""The target of a request on its way to an upstream."""

from __future__ import annotations

import re

_ABSOLUTE = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")
"""What comes before the path in the absolute form (RFC 9112 section 3.2.2)."""

_DOTS = re.compile(rb"(\.|%2[Ee]){1,2}\Z")


def below(base: bytes, target: bytes) -> bytes:
    """``target`` with ``base`` before its path, which no dot segment in it can leave.

    ``base`` has no slash at its end. ``*`` and paths without dot segments keep their bytes, and
    where there is no ``base``, so do all.
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
    """RFC 3986 section 5.2.4; a dot may be percent-encoded, which means the same (section 6.2.2.2)."""
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
