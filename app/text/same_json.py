"""Whether two JSON values are the same, which is not what Python's ``==`` says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def same(one: Any, other: Any, count: Callable[[int], None] = lambda values: None) -> bool:
    """Whether both are the same JSON: 1 is 1.0, and not true. ``count`` is told of the values looked at."""
    if kind(one) != kind(other):
        return False
    if isinstance(one, dict) and isinstance(other, dict):
        count(len(one))
        return one.keys() == other.keys() and all(same(value, other[name], count) for name, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        count(len(one))
        return len(one) == len(other) and all(same(*pair, count) for pair in zip(one, other, strict=True))
    if isinstance(one, str):
        count(len(one) >> 8)
    return bool(one == other)


def kind(value: Any) -> str:
    """``number``, ``text``, ``word`` (true, false, null), or ``container`` for all else."""
    if isinstance(value, bool) or value is None:
        return "word"
    if isinstance(value, str):
        return "text"
    return "number" if isinstance(value, int | float) else "container"
