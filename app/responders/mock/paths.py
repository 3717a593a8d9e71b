"""Paths as rules have them: ``/users/{id}``, ``/files/{rest*}``."""

from __future__ import annotations

import re
from collections.abc import Callable
from operator import itemgetter

from app.responders.mock.exchange import Exchange

_PARAMETER = re.compile(r"\{(\w+)(\*?)\}")


def first_part(text: str) -> str | None:
    """What the path of a request must begin with, up to the second slash; None where that may be anything."""
    if not text.startswith("/"):
        return None
    part = text[1:].split("/")[0]
    return None if "{" in part else part


def likeness(text: str, given: list[str]) -> float:
    """How much a path with these ``names`` is like ``text``: 1 but for slashes and the case of letters, 0 not at all.

    Of a regular expression nothing can be said: 0.
    """
    if not text.startswith("/"):
        return 0.0
    ours = names(text)
    if ours and (rest := _PARAMETER.fullmatch(ours[-1])) and rest[2]:
        ours, given = ours[:-1], given[: len(ours) - 1]
    if not ours or not given:
        return float(ours == given)
    free = [_PARAMETER.fullmatch(name) is not None for name in ours]
    alike = [1.0 if any_ else _alike(*pair) for any_, *pair in zip(free, ours, given, strict=False)]
    # A parameter takes anything, which alone says nothing about what was meant.
    meant = all(free) or any(like for like, any_ in zip(alike, free, strict=False) if not any_)
    return sum(alike) / max(len(ours), len(given)) if meant else 0.0


def difference(text: str, exchange: Exchange) -> str:
    """What alone is different between ``text`` and a path that is much like it, as a colon and words; or nothing."""
    given = "/".join(exchange.parts)
    if given != text and given.rstrip("/") == text.rstrip("/"):
        return ": the slash at its end makes the difference"
    return ": large and small letters are different" if given.casefold() == text.casefold() != given else ""


def names(path: str) -> list[str]:
    """What stands between the slashes of a path, in small letters, for ``likeness``."""
    return [name for name in path.casefold().split("/") if name]


def _alike(one: str, other: str) -> float:
    """1 for the same, 0.5 where one is the other but for a letter more, less or wrong, or two exchanged; else 0."""
    if one == other:
        return 1.0
    short, long = sorted((len(one), len(other)))
    if short < 3 or long - short > 1 or long > 100:
        return 0.0
    before, behind = _common(one, other), _common(one[::-1], other[::-1])
    exchanged = one[before : before + 2] == other[before : before + 2][::-1] and short == long
    return 0.5 if before + behind >= long - 1 - exchanged else 0.0


def _common(one: str, other: str) -> int:
    """Letters at the beginning that both have."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(one), len(other)))


def matcher(text: str) -> Callable[[Exchange], bool]:
    """Whether a request has the path ``text``; keeps what its parameters take. Raises ValueError."""
    return _matcher(*_pattern(text))


def _pattern(text: str) -> tuple[list[str | None], list[str], str]:
    """For each part of a path its text, or None for any; the names of those; the name of the rest."""
    parts: list[str | None] = []
    names: list[str] = []
    pieces = text.split("/")
    for number, piece in enumerate(pieces, 1):
        found = _PARAMETER.fullmatch(piece)
        if found is None:
            if "{" in piece or "}" in piece:
                raise ValueError(f"has braces in {piece}: a parameter is all between two slashes, as in /users/{{id}}")
            parts.append(piece)
        elif found[1] in names:
            raise ValueError(f"has {{{found[1]}}} twice")
        elif found[2]:
            if number < len(pieces):
                raise ValueError(f"has something after {piece}, which takes all the rest")
            return parts, names, found[1]
        else:
            parts.append(None)
            names.append(found[1])
    return parts, names, ""


def _matcher(parts: list[str | None], names: list[str], rest: str) -> Callable[[Exchange], bool]:
    count, free = len(parts), [i for i, part in enumerate(parts) if part is None]
    # All at once: with a thousand rules this is what takes the time.
    fixed = itemgetter(*(i for i, part in enumerate(parts) if part is not None))
    wanted = fixed(parts)

    def holds(exchange: Exchange) -> bool:
        given = exchange.parts
        if len(given) < count or (len(given) > count and not rest) or fixed(given) != wanted:
            return False
        if not all(given[i] for i in free):
            return False
        for name, i in zip(names, free, strict=True):
            exchange.captures[name] = given[i]
        if rest:
            exchange.captures[rest] = "/".join(given[count:])
        return True

    return holds
