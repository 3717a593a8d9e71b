"""Whether a client has a file already, and which parts of it it wants (RFC 9110 sections 13 and 14)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC
from email.utils import formatdate, parsedate_to_datetime
from time import time

RANGES = 32
"""Ranges of one request that are answered; for more, the whole is sent."""

Field = Callable[[bytes], str]
"""Gives a request's field by its name; empty where there is none."""

_TAG = re.compile(r'(W/)?"[\x21\x23-\x7e\x80-\xff]*"')


class Validators:
    """What tells whether a file is still the same.

    Attributes:
        etag: strong, from size and time.
        modified: as an HTTP date.
    """

    def __init__(self, size: int, modified: int) -> None:
        """``modified`` in ns since 1970."""
        # No later than the answer's Date (RFC 9110 section 8.8.2.1), and of a year that such a date can have.
        self._seconds = min(max(modified // 10**9, 0), int(time()))
        self.etag = f'"{size:x}-{modified:x}"'
        self.modified = formatdate(self._seconds, usegmt=True)

    def status(self, field: Field) -> int:
        """200, or 304 or 412 in its place (RFC 9110 section 13.2.2)."""
        if tags := field(b"if-match"):
            if not self._matches(tags, weakly=False):
                return 412
        elif (since := _seconds(field(b"if-unmodified-since"))) is not None and self._seconds > since:
            return 412
        if tags := field(b"if-none-match"):
            return 304 if self._matches(tags, weakly=True) else 200
        since = _seconds(field(b"if-modified-since"))
        return 304 if since is not None and self._seconds <= since else 200

    def wants_ranges(self, field: Field) -> bool:
        """Whether ``If-Range``, where there is one, is of this file as it is now."""
        condition = field(b"if-range")
        return not condition or condition in (self.etag, self.modified)

    def _matches(self, tags: str, weakly: bool) -> bool:
        if tags.strip() == "*":
            return True
        found = [match[0] for match in _TAG.finditer(tags)]
        return self.etag in ([tag.removeprefix("W/") for tag in found] if weakly else found)


def _seconds(date: str) -> float | None:
    if not date:
        return None
    try:
        return parsedate_to_datetime(date).replace(tzinfo=UTC).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None


def ranges(text: str, size: int) -> list[tuple[int, int]] | None:
    """Start and stop of each range that ``Range`` asks for and the file has; None to send the whole.

    An empty list means that it has none of them. Many ranges, and such as overlap to more
    than the file holds, are a way to have much sent for little (CVE-2011-3192).
    """
    unit, _, rest = text.partition("=")
    parts = [part.strip() for part in rest.split(",")]
    if unit.strip().lower() != "bytes" or len(parts) > RANGES:
        return None
    found = []
    for part in parts:
        match = re.fullmatch(r"(\d{0,19})\s*-\s*(\d{0,19})", part, re.ASCII)
        if match is None or not (match[1] or match[2]):
            return None
        if not match[1]:
            start, stop = max(0, size - int(match[2])), size
        else:
            start, stop = int(match[1]), min(int(match[2]) + 1, size) if match[2] else size
            if match[2] and int(match[2]) < start:
                return None
        if start < stop:
            found.append((start, stop))
    return None if sum(stop - start for start, stop in found) > size else found
