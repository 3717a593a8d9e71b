"""Conditions on JSON, by a part of JSONPath (RFC 9535).

``$`` is the whole; ``.name``, ``['name']``, ``[0]``, ``[-1]``, ``.*`` and ``[*]`` go into it, ``..name``
and ``..[0]`` look at any depth. Slices, unions and filters are left out: a condition compares instead.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from app.text.patterns import regex
from app.text.strict_json import parse

MAX_NODES = 100_000
"""Values that one step of a path looks at; what lies beyond is taken for missing."""

MAX_STEPS = 16

_NAME = r"[^\W\d][\w-]*"
_STEP = re.compile(
    rf"""(?P<dots>\.\.?)(?P<name>{_NAME}|\*)
    |(?P<deep>\.\.)?\[\s*(?:(?P<star>\*)|(?P<number>-?\d{{1,9}})|(?P<quoted>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"))\s*\]""",
    re.VERBOSE | re.DOTALL,
)
_OPERATION = re.compile(r"\s*(==?|!=|<=?|>=?|~)\s*(.*)", re.DOTALL)

_ALL = None


@dataclass(frozen=True, slots=True)
class Step:
    """``what`` is a member's name, an element's number, or None for all; ``deep`` at any depth."""

    what: str | int | None
    deep: bool

    def apply(self, nodes: Iterator[Any]) -> Iterator[Any]:
        for node in islice(_deep(nodes) if self.deep else nodes, MAX_NODES):
            if self.what is _ALL:
                yield from node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
            elif isinstance(self.what, str):
                if isinstance(node, dict) and self.what in node:
                    yield node[self.what]
            elif isinstance(node, list) and -len(node) <= self.what < len(node):
                yield node[self.what]


def _deep(nodes: Iterator[Any]) -> Iterator[Any]:
    for node in nodes:
        waiting = [node]
        while waiting:
            one = waiting.pop()
            yield one
            if isinstance(one, dict):
                waiting.extend(reversed(one.values()))
            elif isinstance(one, list):
                waiting.extend(reversed(one))


@dataclass(frozen=True, slots=True)
class Condition:
    """Whether some value at a path passes a test."""

    steps: tuple[Step, ...]
    test: Callable[[Any], bool]

    def holds(self, value: Any) -> bool:
        return any(self.test(node) for node in islice(self._nodes(value), MAX_NODES))

    def _nodes(self, value: Any) -> Iterator[Any]:
        nodes: Iterator[Any] = iter((value,))
        for step in self.steps:
            nodes = step.apply(nodes)
        return nodes


def condition(text: str) -> Condition:
    """The condition that ``text`` says: a path that must exist, or ``PATH = JSON`` with one of
    ``= != < <= > >=``, or ``PATH ~ regex``. Raises ValueError, in words."""
    text = text.strip()
    if not text.startswith("$"):
        raise ValueError('must begin with $, as in $.user.name = "x"')
    steps, at = [], 1
    while found := _STEP.match(text, at):
        steps.append(_step(found))
        at = found.end()
    if len(steps) > MAX_STEPS:
        raise ValueError(f"goes more than {MAX_STEPS} steps into it")
    if at == len(text):
        return Condition(tuple(steps), lambda value: True)
    operation = _OPERATION.fullmatch(text, at)
    if operation is None:
        raise ValueError(f"cannot be read from character {at + 1} on: {text[at : at + 20]}")
    return Condition(tuple(steps), _test(operation[1], operation[2]))


def _step(found: re.Match[str]) -> Step:
    deep = found["dots"] == ".." or found["deep"] is not None
    if found["name"] == "*" or found["star"]:
        return Step(_ALL, deep)
    if found["number"]:
        return Step(int(found["number"]), deep)
    if found["quoted"]:
        return Step(re.sub(r"\\(.)", r"\1", found["quoted"][1:-1], flags=re.DOTALL), deep)
    return Step(found["name"], deep)


def _test(operation: str, text: str) -> Callable[[Any], bool]:
    if operation == "~":
        return _searched(text)
    try:
        wanted = parse(text.encode())
    except ValueError as e:
        raise ValueError(f'{text[:40] or "nothing"} is no JSON behind {operation}: write texts as "x"') from e
    if operation in ("=", "=="):
        return lambda value: same(value, wanted)
    if operation == "!=":
        return lambda value: not same(value, wanted)
    if _kind(wanted) not in ("number", "text"):
        raise ValueError(f"{operation} compares numbers or texts")
    compare = _COMPARE[operation]
    return lambda value: _kind(value) == _kind(wanted) and compare(value, wanted)


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


def _kind(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return "word"
    if isinstance(value, str):
        return "text"
    return "number" if isinstance(value, int | float) else "container"


def same(one: Any, other: Any) -> bool:
    """Whether both are the same JSON: 1 is 1.0, and not true."""
    if _kind(one) != _kind(other):
        return False
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[name]) for name, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)
