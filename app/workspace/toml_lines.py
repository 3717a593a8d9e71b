"""The line of each key of a TOML file, for error messages."""

from __future__ import annotations

import re
import tomllib

Path = tuple[str | int, ...]
"""Keys and positions in arrays, as in ``("service", 0, "options", "root")``."""

_TOKEN = re.compile(
    r'(?P<text>"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\')'
    r'|(?P<space>[ \t\r]+|#[^\n]*)|\n|[\[\]{}=,.]|[^\s"\'#\[\]{}=,.]+',
    re.DOTALL,
)


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
