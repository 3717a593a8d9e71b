"""TOML with what is wrong in words, and the line of each of its keys."""

from __future__ import annotations

import re
import tomllib
from typing import Any

Path = tuple[str | int, ...]
"""Keys and positions in arrays, as in ``("service", 0, "options", "root")``."""

_TOKEN = re.compile(
    r'(?P<text>"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\')'
    r'|(?P<space>[ \t\r]+|#[^\n]*)|\n|[\[\]{}=,.]|[^\s"\'#\[\]{}=,.]+',
    re.DOTALL,
)

MOST_KEYS = 50
"""Keys that dots may join. Python's parser takes time that grows with the square of their number."""

# Linear in what is no TOML, too: a text without an end takes the rest.
_LEXEME = re.compile(
    r'(?P<part>"""(?:[^"\\]++|\\.|"(?!""))*+(?:"{3,5}|\\?\Z)|\'\'\'(?:[^\']++|\'(?!\'\'))*+(?:\'{3,5}|\Z)'
    r'|"(?:[^"\\\n]++|\\[^\n])*+"?|\'[^\'\n]*+\'?|[A-Za-z0-9_-]++)'
    r"|(?P<dot>\.)|(?P<space>[ \t]++)|\#[^\n]*+|.",
    re.DOTALL,
)


class NotTOMLError(ValueError):
    """Text that is not TOML: why, in words, with the line and the key ("" where that is not known)."""

    def __init__(self, line: int, key: str, text: str) -> None:
        super().__init__(text)
        self.line, self.key = line, key


def loads(source: str) -> dict[str, Any]:
    """The data of ``source``. Raises NotTOMLError."""
    check_keys(source)
    try:
        data = tomllib.loads(source)
        huge = _huge(data)
    except tomllib.TOMLDecodeError as e:
        at = re.search(r"\(at line (\d+)", str(e))
        line = int(at[1]) if at else len(source.splitlines()) or 1
        raise NotTOMLError(line, "", f"this is not TOML: {re.sub(r' ?[(]at .*[)]', '', str(e))}") from e
    except RecursionError as e:
        raise NotTOMLError(1, "", "this has more brackets in brackets than can be read") from e
    except ValueError as e:  # by int(), without a line: a number of thousands of digits
        raise NotTOMLError(1, "", f"this cannot be read: {str(e).partition(';')[0]}") from e
    if huge:
        key = next(name for name in reversed(huge) if isinstance(name, str))
        line = lines_of(source).get(huge, 1)
        raise NotTOMLError(line, key, "this number has more than the 64 bits that TOML has")
    return data


def check_keys(source: str) -> None:
    """Raise NotTOMLError where more keys are joined than Python's parser takes in good time."""
    if all(line.count(".") <= MOST_KEYS for line in source.split("\n")):
        return
    dots = 0
    for found in _LEXEME.finditer(source):
        if found["dot"]:
            dots += 1
            if dots > MOST_KEYS:
                line = source.count("\n", 0, found.start()) + 1
                raise NotTOMLError(line, "", f"a key joins more than {MOST_KEYS} others with dots")
        elif not found["part"] and not found["space"]:
            dots = 0


def _huge(value: Any, place: Path = ()) -> Path:
    """Where an integer stands that TOML does not have, and that could not even be printed; empty without one."""
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return place
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return next(filter(None, (_huge(item, (*place, key)) for key, item in inner)), ())


def lines_of(source: str) -> dict[Path, int]:
    """The line, from 1, where each key, table and array item of ``source`` first occurs.

    ``source`` must be valid TOML, which is not checked.
    """
    return _Scan(source).read()


class _Scan:
    """One pass over the tokens; ``_tokens[_at]`` is the next token and its line."""

    def __init__(self, source: str) -> None:
        self._tokens: list[tuple[str, int]] = []
        line = 1
        for match in _TOKEN.finditer(source):
            if match["space"] is None:
                self._tokens.append((match[0], line))
            line += match[0].count("\n")
        self._tokens.append(("", line))
        self._at = 0
        self._found: dict[Path, int] = {}
        self._counts: dict[Path, int] = {}

    def read(self) -> dict[Path, int]:
        table: Path = ()
        while self._next:
            if self._next == "\n":
                self._at += 1
            elif self._next == "[":
                table = self._header()
            else:
                self._pair(table)
        return self._found

    @property
    def _next(self) -> str:
        return self._tokens[self._at][0]

    def _note(self, path: Path, line: int) -> None:
        self._found.setdefault(path, line)

    def _skip(self, *marks: str) -> int:
        before = self._at
        while self._next in marks and self._next:
            self._at += 1
        return self._at - before

    def _header(self) -> Path:
        line = self._tokens[self._at][1]
        is_item = self._skip("[") == 2
        keys = self._key()
        self._skip("]")
        path: Path = ()
        for number, key in enumerate(keys, 1):
            path += (key,)
            self._note(path, line)
            if is_item and number == len(keys):
                self._counts[path] = self._counts.get(path, -1) + 1
            if path in self._counts:
                path += (self._counts[path],)
                self._note(path, line)
        return path

    def _key(self) -> list[str]:
        keys = []
        while self._next and self._next not in "=]":
            if self._next != ".":
                keys.append(_unquoted(self._next))
            self._at += 1
        return keys

    def _pair(self, path: Path) -> None:
        line = self._tokens[self._at][1]
        for key in self._key():
            path += (key,)
            self._note(path, line)
        self._skip("=")
        self._value(path)

    def _value(self, path: Path) -> None:
        self._note(path, self._tokens[self._at][1])
        if self._skip_one("["):
            item = 0
            while self._skip("\n", ",") or not self._skip_one("]"):
                if self._next not in ("]", ""):
                    self._value((*path, item))
                    item += 1
        elif self._skip_one("{"):
            while self._skip("\n", ",") or not self._skip_one("}"):
                if self._next not in ("}", ""):
                    self._pair(path)
        else:
            self._at += self._next != ""
            while self._next not in ("", "\n", ",", "]", "}"):
                self._at += 1

    def _skip_one(self, mark: str) -> bool:
        if self._next not in (mark, ""):
            return False
        self._at += self._next == mark
        return True


def _unquoted(token: str) -> str:
    if token[0] not in "\"'":
        return token
    try:
        return str(tomllib.loads(f"key = {token}")["key"])
    except tomllib.TOMLDecodeError:  # no valid TOML: for example a control character in quotes
        return token
