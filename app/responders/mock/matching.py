"""What a rule asks of a request: a list of checks, each with words for when it does not hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from operator import itemgetter
from typing import Any, NamedTuple

from app.responders.mock.exchange import Exchange
from app.responders.mock.json_condition import condition
from app.text import patterns
from app.text.strict_json import MISSING

_TERM = re.compile(r"([^=~]+?)\s*(?:([=~])(.*))?", re.DOTALL)
_FIELD = re.compile(r"([!#$%&'*+.^_`|\w-]+)\s*(?:([:~])(.*))?", re.DOTALL | re.ASCII)
_PARAMETER = re.compile(r"\{(\w+)(\*?)\}")


class Check(NamedTuple):
    """Attributes:
    holds: whether an exchange has it; may add to its captures.
    otherwise: what is said of one that does not.
    """

    holds: Callable[[Exchange], bool]
    otherwise: str


def methods(text: str) -> frozenset[str]:
    """Those in ``GET, POST``; none means any. Raises ValueError."""
    names = [name.strip() for name in text.split(",")] if text.strip() else []
    for name in names:
        if not re.fullmatch(r"[!#$%&'*+.^_`|~\w-]+", name, re.ASCII):
            raise ValueError("must be methods with commas between, as in GET, POST")
    return frozenset(name.upper() for name in names)


def path(text: str) -> Check | None:
    """``/users/{id}``, ``/files/{rest*}``, or a regular expression behind ``~``. Raises ValueError."""
    if not text:
        return None
    if text.startswith("~"):
        return _searched(patterns.regex(text[1:]), lambda exchange: exchange.path, f"the path has no {text[1:]}")
    if not text.startswith("/"):
        raise ValueError("must begin with / or, for a regular expression, with ~")
    return Check(_walker(*_pattern(text)), f"the path is not {text}")


def first_part(text: str) -> str | None:
    """What the path of a request must begin with, up to the second slash; None where that may be anything."""
    if not text.startswith("/"):
        return None
    part = text[1:].split("/")[0]
    return None if "{" in part else part


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


def _walker(parts: list[str | None], names: list[str], rest: str) -> Callable[[Exchange], bool]:
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


def query(text: str) -> Check:
    """``name=value``, ``name~regex`` or ``name``. Raises ValueError."""
    found = _TERM.fullmatch(text)
    if found is None:
        raise ValueError(f'has "{text[:40]}". Write name=value, name~regex or name')
    name, how, value = found.groups()
    test = _tester(how, value)

    def holds(exchange: Exchange) -> bool:
        return any(given == name and test(exchange, text) for given, text in exchange.query)

    return Check(holds, f"the query has no {text}")


def field(text: str) -> Check:
    """``Name: value``, ``Name~regex`` or ``Name``. Raises ValueError."""
    found = _FIELD.fullmatch(text.strip())
    if found is None:
        raise ValueError(f'has "{text[:40]}". Write Name: value, Name~regex or Name')
    name, how, value = found.groups()
    test = _tester(how, value.strip() if value else value)

    def holds(exchange: Exchange) -> bool:
        given = exchange.field(name)
        return given is not None and test(exchange, given)

    return Check(holds, f"it has no field {text.strip()}")


def body_is(text: str) -> Check:
    wanted = text.encode("utf-8", "replace")
    return Check(lambda exchange: exchange.body == wanted, "the body is another")


def body_regex(text: str) -> Check:
    """Raises ValueError."""
    return _searched(patterns.regex(text), lambda exchange: exchange.text, f"the body has no {text}")


def body_json(text: str) -> Check:
    """Raises ValueError."""
    wanted = condition(text)

    def holds(exchange: Exchange) -> bool:
        return exchange.json is not MISSING and wanted.holds(exchange.json)

    return Check(holds, f"the body is no JSON with {text}")


def _tester(how: str | None, value: str) -> Callable[[Exchange, str], bool]:
    if how is None:
        return lambda exchange, text: True
    if how != "~":
        return lambda exchange, text: text == value
    pattern = patterns.regex(value)
    return lambda exchange, text: _capture(exchange, pattern.search_text(text))


def _searched(pattern: patterns.Pattern, where: Callable[[Exchange], str], otherwise: str) -> Check:
    return Check(lambda exchange: _capture(exchange, pattern.search_text(where(exchange))), otherwise)


def _capture(exchange: Exchange, found: Mapping[str, str] | None) -> bool:
    """Keep what was captured: names as they are, numbers behind those of the captures before."""
    if found is None:
        return False
    before = sum(name.isdigit() for name in exchange.captures)
    for name, text in found.items():
        if name != "0":
            exchange.captures[str(before + int(name)) if name.isdigit() else name] = text
    return True


def checks(rule: Any) -> Iterator[tuple[str, Callable[[], Check | None]]]:
    """For each key of ``rule`` that asks for something, how to make its check; the cheapest first."""
    yield "path", lambda: path(rule["path"])
    for key, make in (("query", query), ("fields", field)):
        for text in rule[key]:
            yield key, lambda make=make, text=text: make(text)  # type: ignore[misc]
    for key, make in (("body_is", body_is), ("body_regex", body_regex)):
        if rule[key]:
            yield key, lambda make=make, key=key: make(rule[key])  # type: ignore[misc]
    for text in rule["body_json"]:
        yield "body_json", lambda text=text: body_json(text)  # type: ignore[misc]
