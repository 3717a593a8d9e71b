"""Conditions on JSON: a JSONPath, and what a value there must be."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.responders.mock.json_path import Query
from app.text.patterns import regex
from app.text.same_json import kind, same
from app.text.strict_json import parse

_OPERATION = re.compile(r"\s*(==?|!=|<=?|>=?|~)\s*(.*)", re.DOTALL)
_PIECE = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|.""", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Condition:
    """Whether some value at a path passes a test."""

    path: Query
    test: Callable[[Any], bool]

    def holds(self, document: Any) -> bool:
        return any(map(self.test, self.path.values(document)))


def condition(text: str) -> Condition:
    """The condition that ``text`` says: a path that must exist, or ``PATH = JSON`` with one of
    ``= != < <= > >=``, or ``PATH ~ regex``. Raises ValueError, in words."""
    text = text.strip()
    if not text.startswith("$"):
        raise ValueError('must begin with $, as in $.user.name = "x"')
    end = _end_of_path(text)
    path = Query(text[:end].rstrip())
    if end == len(text):
        return Condition(path, lambda value: True)
    operation = _OPERATION.fullmatch(text, end)
    if operation is None:
        raise ValueError(f"cannot be read from character {end + 1} on: {text[end : end + 20]}")
    return Condition(path, _test(operation[1], operation[2]))


def _end_of_path(text: str) -> int:
    """Where the path ends: at an operator outside of brackets, which hold filters with operators of their own."""
    opened: list[int] = []
    for piece in _PIECE.finditer(text):
        if piece[0] == "[":
            opened.append(piece.start())
        elif piece[0] == "]" and opened:
            opened.pop()
        elif piece[0] in "=!<>~" and not opened:
            return piece.start()
    if opened:
        rest = text[opened[0] : opened[0] + 20]
        raise ValueError(f"cannot be read from character {opened[0] + 1} on: {rest} (the bracket is not closed)")
    return len(text)


def _test(operation: str, text: str) -> Callable[[Any], bool]:
    if operation == "~":
        return _searched(text)
    try:
        wanted = parse(text.encode())
    except ValueError as e:
        raise ValueError(f'{text[:40] or "nothing"} is not JSON after {operation}: write texts as "x"') from e
    if operation in ("=", "=="):
        return lambda value: same(value, wanted)
    if operation == "!=":
        return lambda value: not same(value, wanted)
    if kind(wanted) not in ("number", "text"):
        raise ValueError(f"{operation} compares numbers or texts")
    compare = _COMPARE[operation]
    return lambda value: kind(value) == kind(wanted) and compare(value, wanted)


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def _searched(text: str) -> Callable[[Any], bool]:
    if text.startswith('"'):
        try:
            text = json.loads(text)
        except ValueError as e:
            raise ValueError(f"{text[:40]} lacks its closing quotation mark") from e
    pattern = regex(text)
    return lambda value: isinstance(value, str) and pattern.search_text(value) is not None
