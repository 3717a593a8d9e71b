"""Regular expressions over bytes, in time linear to their length, whatever the pattern and the data.

The syntax is RE2's (https://github.com/google/re2/wiki/Syntax), without look-around and back references:
engines that have these can take for ever, and the reactor waits.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any

MAX_LENGTH = 10_000
"""Characters of a pattern."""

MAX_MEMORY = 8 << 20
"""Bytes that one pattern may take, compiled and while it searches."""


@cache
def _engine() -> Any:
    """RE2, imported when first wanted: the Python of a hosted program may lack it. Raises ValueError, in words."""
    try:
        import re2
    except ImportError as e:
        raise ValueError(
            f"needs google-re2, which this Python lacks: {sys.executable} -m pip install google-re2"
        ) from e
    return re2


class Pattern:
    """One compiled expression. Each byte is a character, so that it finds bytes that are no UTF-8, too;
    with ``utf8``, what it searches is UTF-8, and a character may have several bytes.

    Attributes:
        captures: names of the captures: ``0`` for the whole match, then numbers and names of groups.
    """

    __slots__ = ("_compiled", "captures")

    def __init__(self, pattern: bytes, *, ignore_case: bool = False, utf8: bool = False) -> None:
        """``.`` matches line ends, too. Raises ValueError, in words."""
        re2 = _engine()
        options = re2.Options()
        options.log_errors = False
        options.dot_nl = True
        options.max_mem = MAX_MEMORY
        options.case_sensitive = not ignore_case
        options.encoding = re2.Options.Encoding.UTF8 if utf8 else re2.Options.Encoding.LATIN1
        try:
            self._compiled: Any = re2.compile(pattern, options=options)
        except re2.error as e:
            why = e.args[0] if e.args else b""
            raise ValueError(f"is not a regular expression: {_why(why)}") from e
        named = (name.decode() for name in self._compiled.groupindex)
        self.captures: tuple[str, ...] = (*map(str, range(self._compiled.groups + 1)), *named)

    def found_in(self, data: bytes) -> bool:
        return self._compiled.search(data) is not None

    def spans(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Start and end of each match in ``data``; with groups in the pattern, of each group."""
        for match in self._compiled.finditer(data):
            found = range(1, self._compiled.groups + 1) if self._compiled.groups else (0,)
            yield from (match.span(group) for group in found if match.start(group) < match.end(group))

    def search(self, data: bytes) -> dict[str, bytes | None] | None:
        """What the first match in ``data`` captures, by the names in ``captures``; None for no match."""
        match = self._compiled.search(data)
        if match is None:
            return None
        found = {"0": match[0]} | {str(i): group for i, group in enumerate(match.groups(), 1)}
        return found | {name.decode(): match[i] for name, i in self._compiled.groupindex.items()}

    def search_text(self, text: str) -> dict[str, str] | None:
        """As ``search``, for text; a group that took no part in the match captures an empty text.

        Bytes that are no UTF-8 are as ``surrogateescape`` has them, in ``text`` and in what is captured.
        """
        try:
            data = text.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:  # half a pair, as JSON can hold
            data = text.encode("utf-8", "surrogatepass")
        found = self.search(data)
        if found is None:
            return None
        return {name: (value or b"").decode("utf-8", "surrogateescape") for name, value in found.items()}


def _why(words: object) -> str:
    """RE2's words for a mistake, with the part of the pattern that they end with in quotes."""
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
    what, colon, where = text.partition(": ")
    if not colon:
        return what.replace("\\", "“\\”")
    return f"{what} in “{where[:40]}”"


@lru_cache(256)
def regex(text: str, *, ignore_case: bool = False, utf8: bool = False) -> Pattern:
    """The pattern for a text that somebody typed. Raises ValueError, in words."""
    if len(text) > MAX_LENGTH:
        raise ValueError(f"is longer than {MAX_LENGTH:,} characters")
    return Pattern(text.encode("utf-8", "replace"), ignore_case=ignore_case, utf8=utf8)


def problem(text: str, *, utf8: bool = False) -> str | None:
    """What is wrong with ``text`` as a regular expression, or None."""
    try:
        regex(text, utf8=utf8)
    except ValueError as e:
        return str(e)
    return None


_DOT = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\.", re.DOTALL)


@lru_cache(256)
def iregexp(text: str) -> Any | None:
    """What JSONPath's ``match`` and ``search`` call a regular expression (RFC 9485), for text in UTF-8.

    It has ``search`` and ``fullmatch``, which take bytes. None where ``text`` is no expression.
    """
    if len(text) > MAX_LENGTH:
        return None
    re2 = _engine()
    options = re2.Options()
    options.log_errors = False
    options.max_mem = MAX_MEMORY
    # A dot stands for what ends no line (section 5.3); RE2's takes a carriage return.
    text = _DOT.sub(lambda found: r"[^\n\r]" if found[0] == "." else found[0], text)
    try:
        return re2.compile(text.encode("utf-8", "replace"), options=options)
    except re2.error:
        return None


def hex_pattern(text: str) -> Pattern:
    """Hex digits, where ``??`` is any byte and ``*`` any number of them; each can be captured.

    It fits whole messages only. Raises ValueError, in words.
    """
    parts = re.findall(r"\?\?|\*|[0-9a-fA-F]{2}|[\s:,]+|.", text, re.DOTALL)
    if len(text) > MAX_LENGTH or not text.strip():
        raise ValueError(f"must be 1 to {MAX_LENGTH:,} characters of hex, as in 01 03 ?? *")
    pattern = []
    for part in parts:
        if part == "??":
            pattern.append(b"(.)")
        elif part == "*":
            pattern.append(b"(.*?)")
        elif len(part) == 2 and part.isalnum():
            pattern.append(b"\\x" + part.encode())
        elif part.strip(" \t\r\n:,"):
            raise ValueError(f"has {part} where hex needs pairs of digits, ?? for any byte or * for any number of them")
    return Pattern(rb"\A" + b"".join(pattern) + rb"\z")
