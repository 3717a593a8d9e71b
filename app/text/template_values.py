"""What functions and filters of templates work with: words, values, and one rendering of a template."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple

from app.text.checksums import Checksum

MAX_OUTPUT = 1 << 20
"""Bytes that a template may render to."""

MAX_WORK = 4 << 20
"""Bytes that the filters and checksums of one rendering may go through."""

_MAX_NUMBER = 1 << 64


class WrongError(Exception):
    """A function or filter cannot do its work; the message says why."""


class Word(NamedTuple):
    """One word behind a name. ``data`` has no quotes, and its escapes are read."""

    data: bytes
    quoted: bool = False

    @property
    def text(self) -> str:
        return self.data.decode("utf-8", "replace")


@dataclass(slots=True)
class Rendering:
    """The state of one rendering: ``out`` is what was rendered so far, ``work`` the bytes gone through."""

    values: Mapping[str, object]
    time: float
    random: Random
    out: bytearray = field(default_factory=bytearray)
    work: int = 0

    def look_up(self, name: str) -> object:
        try:
            return self.values[name]
        except KeyError:
            known = ", ".join(self.values) or "none"
            raise WrongError(f"there is no value {name} here. Values are: {known}") from None

    def spend(self, data: bytes) -> bytes:
        self.work += len(data)
        if len(data) > MAX_OUTPUT or self.work > MAX_WORK:
            raise WrongError("this is too much to work through in one template")
        return data


class Null:
    """A value that is there and says that it is nothing; ``default`` takes its place."""

    def __str__(self) -> str:
        return "null"


NULL = Null()

Producer = Callable[[Rendering], object]
Filter = Callable[[Rendering, object], object]


def as_bytes(value: object) -> bytes:
    """Bytes as they are, text in UTF-8, None as no bytes, all else as Python's ``str`` writes it.

    In text, what ``surrogateescape`` has made of a byte is that byte again.
    """
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        try:
            return value.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:
            return value.encode("utf-8", "replace")
    if isinstance(value, bytearray | memoryview | Checksum):
        return bytes(value)
    return b"" if value is None else str(value).encode("utf-8", "replace")


def as_number(value: object) -> int:
    """A whole number, or a text that is one: 42, -1, 0x2a. Raises WrongError."""
    if isinstance(value, Checksum):
        return value.value
    if isinstance(value, int):
        return value
    text = as_bytes(value).strip()
    if len(text) > 100 or not re.fullmatch(rb"[+-]?([0-9]+|0[xX][0-9a-fA-F]+)", text):
        raise WrongError(f"“{text.decode('utf-8', 'backslashreplace')[:20]}” is not a whole number")
    return int(text, 16 if b"x" in text.lower() else 10)


def number(word: Word, low: int = -_MAX_NUMBER, high: int = _MAX_NUMBER) -> int:
    """The whole number that ``word`` is written as."""
    found = as_number(word.data)
    if not low <= found <= high:
        raise WrongError(f"{word.text[:24]} must be from {low} to {high}")
    return found


@dataclass(frozen=True, slots=True)
class Known:
    """A function or filter: how many words it takes, and its maker.

    The maker gets the words behind the name in a template, and returns what runs at each rendering.
    Both raise WrongError, with a reason that goes before "at character N".
    """

    least: int
    most: int
    make: Callable[[Sequence[Word]], Any]
