"""Splits text of any length into pieces, which a view lays out one by one without blocking the window."""

from __future__ import annotations

from collections.abc import Iterator

from app.text.escapes import escape

PIECE, PIECE_LINES = 8 * 1024, 1000
"""Bytes and lines of one piece. Laying out a piece takes about 10 ms."""

MAX_LINE = 2048
"""Characters after which a line of a payload is broken: Qt lays out each line as a whole."""


def pieces(data: bytes) -> Iterator[str]:
    """``data`` as text in pieces of at most ``PIECE`` bytes, each to be shown below the one before.

    A line ends at each LF, and after ``MAX_LINE`` characters without one.
    """
    at = 0
    while at < len(data):
        end = _end_of_lines(data, at)
        yield _as_lines(data[at:end].removesuffix(b"\n") if end < len(data) else data[at:end])
        at = end


def _end_of_lines(data: bytes, at: int) -> int:
    """The end of the piece that begins at ``at``: after an LF if there is one, else between two characters."""
    end = at
    for _ in range(PIECE_LINES):
        end = data.find(b"\n", end, at + PIECE) + 1
        if not end:
            break
    else:
        return end
    if at + PIECE >= len(data):
        return len(data)
    return data.rfind(b"\n", at, at + PIECE) + 1 or at + len(whole_characters(data[at : at + PIECE + 1], PIECE))


def _as_lines(data: bytes) -> str:
    lines = []
    for line in data.split(b"\n"):
        text = escape(line)
        lines += [text[i : i + MAX_LINE] for i in range(0, len(text), MAX_LINE)] or [""]
    return "\n".join(lines)


def whole_characters(data: bytes, limit: int) -> bytes:
    """The first ``limit`` bytes of UTF-8, without an incomplete character at the end."""
    if len(data) <= limit:
        return data
    for cut in range(limit, limit - 4, -1):
        if data[cut] & 0xC0 != 0x80:
            return data[:cut]
    return data[:limit]
