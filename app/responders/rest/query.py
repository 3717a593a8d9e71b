"""What is asked of a collection: filters, order, and which part of it.

``name=x`` filters; ``name_op=x`` and ``name:op=x`` compare otherwise, ``age>=18`` and the like
as they read. ``a.b`` is member b of a, or the element of that number. One name given twice
means either of its values, several names mean all of them. ``sort=field,-other``, ``limit``
and ``offset`` (also with an underscore before them) choose the rest.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple
from urllib.parse import quote

from app.http.problem_json import Problem
from app.text.strict_json import MISSING, member

MAX_PAGE = 16 << 20
"""Bytes of documents in one answer, unless a single one is larger."""

MAX_TERMS = 32
"""Filters and fields to sort by."""

_WORDS = ("eq", "ne", "lt", "lte", "gt", "gte", "contains", "in")
_NAME = re.compile(rf"(.+?)[_:]({'|'.join(_WORDS)})", re.DOTALL)
_SIGNED = re.compile(r"([^<>!]+)(<=?|>=?|!=)(.*)", re.DOTALL)
_SIGNS = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte", "!=": "ne"}
_OWN = ("limit", "offset", "sort")


class Filter(NamedTuple):
    """One comparison: the member's path, the operation, and what to compare with."""

    path: tuple[str, ...]
    operation: str
    text: str


@dataclass(frozen=True, slots=True)
class Query:
    """``filters``: all groups must hold, and of each group one filter."""

    filters: tuple[tuple[Filter, ...], ...] = ()
    sort: tuple[tuple[tuple[str, ...], bool], ...] = ()
    offset: int = 0
    limit: int | None = None
    others: tuple[tuple[str, str], ...] = ()

    @property
    def plain(self) -> bool:
        """Whether it takes documents as they come, without a look into them."""
        return not (self.filters or self.sort)


class Page(NamedTuple):
    """The documents of one answer, as a JSON array; how many they are, and how many there are in all."""

    body: bytes
    shown: int
    total: int


def understood(parameters: Iterable[tuple[str, str]], most: int) -> Query:
    """The query in these parameters; ``most`` documents at a time. Raises Problem 400."""
    groups: dict[tuple[tuple[str, ...], str], list[Filter]] = {}
    sort: list[tuple[tuple[str, ...], bool]] = []
    numbers: dict[str, int] = {}
    others = []
    for name, value in parameters:
        own = name.removeprefix("_")
        if own == "sort":
            sort += [(_path(term.lstrip("+-")), term.startswith("-")) for term in value.split(",") if term]
        elif own in _OWN:
            numbers[own] = _number(own, value)
            continue
        elif name.startswith("_"):
            raise Problem(400, f"{name} means nothing here. Use {', '.join(_OWN)}, or the name of a member")
        else:
            found = _filter(name, value)
            groups.setdefault((found.path, found.operation), []).append(found)
        others.append((name, value))
    if len(sort) + sum(map(len, groups.values())) > MAX_TERMS:
        raise Problem(400, f"More than {MAX_TERMS} filters and fields to sort by are too many")
    limit = numbers.get("limit")
    given = None if limit is None else min(limit, most)
    return Query(_grouped(groups), tuple(sort), numbers.get("offset", 0), given, tuple(others))


def _grouped(groups: dict[tuple[tuple[str, ...], str], list[Filter]]) -> tuple[tuple[Filter, ...], ...]:
    """Filters for equality of one member are alternatives; any other must hold by itself."""
    found: list[tuple[Filter, ...]] = []
    for (_, operation), filters in groups.items():
        if operation == "eq":
            found.append(tuple(filters))
        else:
            found += [(one,) for one in filters]
    return tuple(found)


def _filter(name: str, value: str) -> Filter:
    if name[-1:] in ("<", ">", "!"):  # age>=18, cut at its equals sign
        return Filter(_path(name[:-1]), _SIGNS[name[-1] + "="], value)
    if signed := _SIGNED.fullmatch(name):  # age>18
        return Filter(_path(signed[1]), _SIGNS[signed[2]], signed[3])
    if worded := _NAME.fullmatch(name):
        return Filter(_path(worded[1]), worded[2], value)
    return Filter(_path(name), "eq", value)


def _path(name: str) -> tuple[str, ...]:
    return tuple(name.split("."))


def _number(name: str, text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise Problem(400, f"{name} must be a whole number from 0 up, as in {name}=10")
    return int(text)


# -- answering


def select(bodies: Collection[bytes], query: Query, most: int) -> Page:
    """The part of ``bodies`` that is asked for. Takes a while for many: call it in a thread then."""
    total = len(bodies)
    chosen: Iterable[bytes] = bodies
    if not query.plain:
        found = [(body, json.loads(body)) for body in bodies]
        for group in query.filters:
            tests = [(one.path, _test(one)) for one in group]
            found = [pair for pair in found if any(test(member(pair[1], path)) for path, test in tests)]
        for path, descending in reversed(query.sort):
            found.sort(key=lambda pair, path=path: _order(member(pair[1], path)), reverse=descending)  # type: ignore[misc]
        chosen, total = [body for body, _ in found], len(found)
    limit = most if query.limit is None else query.limit
    parts: list[bytes] = []
    size = 0
    for body in islice(chosen, query.offset, query.offset + limit):
        if parts and size + len(body) > MAX_PAGE:
            break
        parts.append(body)
        size += len(body)
    return Page(b"[%s]\n" % b",".join(parts), len(parts), total)


def links(path: str, query: Query, page: Page) -> bytes:
    """The ``Link`` field (RFC 8288) to the other parts; empty where this is all."""
    if query.limit is None and not query.offset and page.shown == page.total:
        return b""
    size = query.limit if query.limit is not None else page.shown
    if not size:
        return b""
    offsets = {"first": 0}
    if query.offset:
        offsets["prev"] = max(0, query.offset - size)
    if page.shown and query.offset + page.shown < page.total:
        offsets["next"] = query.offset + page.shown
    offsets["last"] = query.offset + (max(0, page.total - 1 - query.offset) // size) * size
    if query.offset >= page.total:
        offsets["last"] = max(0, page.total - 1) // size * size
    kept = "".join(f"{quote(name, safe='')}={quote(value, safe='')}&" for name, value in query.others)
    return ", ".join(
        f'<{path}?{kept}offset={offset}&limit={size}>; rel="{relation}"' for relation, offset in offsets.items()
    ).encode()


def _order(value: Any) -> tuple[int, Any]:
    """Missing and null first, then false and true, numbers, texts, and the rest as it is written."""
    if value is MISSING or value is None:
        return 0, 0
    if isinstance(value, bool):
        return 1, value
    if isinstance(value, int | float):
        return 2, value
    if isinstance(value, str):
        return 3, value
    return 4, json.dumps(value)


def _test(wanted: Filter) -> Callable[[Any], bool]:
    text, operation = wanted.text, wanted.operation
    number = _as_number(text)
    if operation == "eq":
        return lambda value: _equal(value, text, number)
    if operation == "ne":
        return lambda value: not _equal(value, text, number)
    if operation == "in":
        each = [(part, _as_number(part)) for part in text.split(",")]
        return lambda value: any(_equal(value, part, as_number) for part, as_number in each)
    if operation == "contains":
        return lambda value: _contains(value, text, number)
    compare = _COMPARE[operation]

    def holds(value: Any) -> bool:
        if isinstance(value, str):
            return compare(value, text)
        if number is None or isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return compare(value, number)

    return holds


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "gte": lambda a, b: a >= b,
}


def _as_number(text: str) -> float | int | None:
    """The number that ``text`` is in JSON; None for what is none there, as 0666 and other telephone numbers."""
    if re.fullmatch(r"-?(0|[1-9][0-9]{0,299})", text):
        return int(text)
    found = re.fullmatch(r"-?(0|[1-9][0-9]{0,299})(\.[0-9]{1,300})?([eE][+-]?[0-9]{1,3})?", text)
    return float(text) if found else None


def _equal(value: Any, text: str, number: float | None) -> bool:
    if isinstance(value, str):
        return value == text
    if isinstance(value, bool) or value is None:
        return json.dumps(value) == text
    if isinstance(value, int | float):
        return number is not None and value == number
    return False


def _contains(value: Any, text: str, number: float | None) -> bool:
    if isinstance(value, str):
        return text.casefold() in value.casefold()
    return isinstance(value, list) and any(_equal(item, text, number) for item in value)
