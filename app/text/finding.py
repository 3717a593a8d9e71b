"""Finds all places of a text, or of bytes, a piece at a time, so that nobody has to wait for a long one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

PIECE = 1 << 16
"""Characters or bytes that are looked through at a time."""

MOST = 10_000
"""Places that are found at the most."""

_PAIRS = re.compile(r"(?:[0-9a-fA-F]{2})(?:\s+[0-9a-fA-F]{2})+")
_NUMBER = re.compile(r"0[xX]((?:[0-9a-fA-F]{2}\s*)+)")


def places(text: str | bytes, wanted: str | bytes, *, case: bool, start: int = 0) -> Iterator[int | None]:
    """Where ``wanted`` begins in ``text``, at the most ``MOST`` times, without overlap; None after each piece.

    With ``case``, capital letters are not small ones; of bytes, only ASCII letters have a case.
    """
    if not wanted:
        return
    escaped: Any = re.escape(wanted)  # type: ignore[type-var]
    pattern: re.Pattern[Any] = re.compile(escaped, re.RegexFlag(0) if case else re.IGNORECASE)
    at, count = start, 0
    while at < len(text):
        end = min(len(text), at + PIECE)
        # What begins in this piece may end in the next one.
        for match in pattern.finditer(text, at, end + len(wanted) - 1):
            yield match.start()
            at = match.end()
            count += 1
            if count == MOST:
                return
        at = max(at, end)
        yield None


def bytes_wanted(typed: str) -> bytes | None:
    """The bytes that ``de ad`` or ``0xdead`` mean; None where ``typed`` is a text."""
    if found := _NUMBER.fullmatch(typed.strip()):
        return bytes.fromhex(found[1])
    return bytes.fromhex(typed) if _PAIRS.fullmatch(typed.strip()) else None
