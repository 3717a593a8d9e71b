"""Conditional requests and range requests for a file (RFC 9110 sections 13 and 14)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC
from email.utils import formatdate, parsedate_to_datetime
from time import time

RANGES = 32
"""Ranges of one request that are answered. For more, the whole file is sent."""

Field = Callable[[bytes], str]
"""Returns the value of a request's header by its name; empty if the request does not have it."""

_TAG = re.compile(r'(W/)?"[\x21\x23-\x7e\x80-\xff]*"')


class Validators:
    """The validators of a file (RFC 9110 section 8.8).

    Attributes:
        etag: a strong entity tag, made of size and time.
        modified: the time of the last change, as an HTTP date.
    """

    def __init__(self, size: int, modified: int) -> None:
        """``modified`` in ns since 1970."""
        # Not later than the response's Date (RFC 9110 section 8.8.2.1), and not before 1970.
        self._seconds = min(max(modified // 10**9, 0), int(time()))
        self.etag = f'"{size:x}-{modified:x}"'
        self.modified = formatdate(self._seconds, usegmt=True)

    def status(self, field: Field) -> int:
        """The status that the preconditions give: 200, 304 or 412 (RFC 9110 section 13.2.2)."""
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
        """Whether ranges may be sent: ``If-Range`` is absent, or matches the file as it is now."""
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
    """Start and stop of each satisfiable range in a ``Range`` header; None to send the whole file.

    An empty list means that no range is satisfiable. Many ranges, and overlapping ranges that add up
    to more than the file, are refused: they make a small request send much (CVE-2011-3192).
    """
    unit, _, rest = text.partition("=")
    # Empty members of a list mean nothing (RFC 9110 section 5.6.1.2).
    parts = [part.strip() for part in rest.split(",", 2 * RANGES) if part.strip()]
    if unit.strip().lower() != "bytes" or not parts or len(parts) > RANGES:
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
