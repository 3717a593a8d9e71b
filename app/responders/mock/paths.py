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
                raise ValueError(f"has something behind {piece}, which takes all the rest")
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
