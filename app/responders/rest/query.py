"""Queries on a collection: filters, sort order, and paging.

``name=x`` selects documents whose member equals x. ``name_op=x`` and ``name:op=x`` use another
operation; so do ``age>=18``, ``<=``, ``>``, ``<`` and ``!=``. ``a.b`` is member b of member a, or
element b of array a. If a name is given twice, either value may match; different names must all
match. ``sort=field,-other``, ``limit`` and ``offset`` set order and page, also with an underscore
before them.
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
"""Bytes of documents in one response. A single larger document is sent all the same."""

MAX_TERMS = 32
"""Filters and sort fields in one query."""

_OPERATIONS = ("eq", "ne", "lt", "lte", "gt", "gte", "contains", "in")
_NAME = re.compile(rf"(.+?)[_:]({'|'.join(_OPERATIONS)})", re.DOTALL)
_SIGNED = re.compile(r"([^<>!]+)(<=?|>=?|!=)(.*)", re.DOTALL)
_SIGNS = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte", "!=": "ne"}
_KEYWORDS = ("limit", "offset", "sort")


class Filter(NamedTuple):
    """One comparison: the member's path, the operation, and the text to compare with."""

    path: tuple[str, ...]
    operation: str
    text: str


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query.

    Attributes:
        filters: groups of filters. In every group at least one filter must match.
        sort: paths to sort by, each with whether it is descending.
        limit: documents on a page; None: not given.
        others: all parameters except limit and offset, as name and value, for the links to other pages.
    """

    filters: tuple[tuple[Filter, ...], ...] = ()
    sort: tuple[tuple[tuple[str, ...], bool], ...] = ()
    offset: int = 0
    limit: int | None = None
    others: tuple[tuple[str, str], ...] = ()

    @property
    def plain(self) -> bool:
        """Whether there are neither filters nor a sort order, so that documents need not be parsed."""
        return not (self.filters or self.sort)


class Page(NamedTuple):
    """One response: a JSON array, the number of documents in it, and the number of all that match."""

    body: bytes
    shown: int
    total: int


def parse_query(parameters: Iterable[tuple[str, str]], max_documents: int) -> Query:
    """The query in these parameters, with at most ``max_documents`` as its limit. Raises Problem 400."""
    groups: dict[tuple[tuple[str, ...], str], list[Filter]] = {}
    sort: list[tuple[tuple[str, ...], bool]] = []
    numbers: dict[str, int] = {}
    others = []
    for name, value in parameters:
        keyword = name.removeprefix("_")
        if keyword == "sort":
            sort += [(_path(term.lstrip("+-")), term.startswith("-")) for term in value.split(",") if term]
        elif keyword in _KEYWORDS:
            numbers[keyword] = _number(keyword, value)
            continue
        elif name.startswith("_"):
            raise Problem(400, f"{name} has no effect here. Use {', '.join(_KEYWORDS)}, or the name of a member")
        else:
            condition = _filter(name, value)
            groups.setdefault((condition.path, condition.operation), []).append(condition)
        others.append((name, value))
    if len(sort) + sum(map(len, groups.values())) > MAX_TERMS:
        raise Problem(400, f"More than {MAX_TERMS} filters and fields to sort by are too many")
    limit = min(numbers["limit"], max_documents) if "limit" in numbers else None
    return Query(_grouped(groups), tuple(sort), numbers.get("offset", 0), limit, tuple(others))


def _grouped(groups: dict[tuple[tuple[str, ...], str], list[Filter]]) -> tuple[tuple[Filter, ...], ...]:
    """Several ``eq`` filters on one member are alternatives. Any other filter must match by itself."""
    grouped: list[tuple[Filter, ...]] = []
    for (_, operation), filters in groups.items():
        if operation == "eq":
            grouped.append(tuple(filters))
        else:
            grouped += [(one,) for one in filters]
    return tuple(grouped)


def _filter(name: str, value: str) -> Filter:
    if name[-1:] in ("<", ">", "!"):  # age>=18, split at the equals sign into "age>" and "18"
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


# -- running the query


def select(bodies: Collection[bytes], query: Query, max_documents: int) -> Page:
    """The page of ``bodies`` that the query asks for. It is slow for many documents: use a thread then."""
    total = len(bodies)
    chosen: Iterable[bytes] = bodies
    if not query.plain:
        parsed = [(body, json.loads(body)) for body in bodies]
        for group in query.filters:
            tests = [(one.path, _test(one)) for one in group]
            parsed = [pair for pair in parsed if any(test(member(pair[1], path)) for path, test in tests)]
        for path, descending in reversed(query.sort):
            parsed.sort(key=lambda pair, path=path: _order(member(pair[1], path)), reverse=descending)  # type: ignore[misc]
        chosen, total = [body for body, _ in parsed], len(parsed)
    limit = max_documents if query.limit is None else query.limit
    parts: list[bytes] = []
    size = 0
    for body in islice(chosen, query.offset, query.offset + limit):
        if parts and size + len(body) > MAX_PAGE:
            break
        parts.append(body)
        size += len(body)
    return Page(b"[%s]\n" % b",".join(parts), len(parts), total)


def links(path: str, query: Query, page: Page) -> bytes:
    """The value of the ``Link`` header (RFC 8288) to the other pages; empty if there are none."""
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
    parameters = "".join(f"{quote(name, safe='')}={quote(value, safe='')}&" for name, value in query.others)
    return ", ".join(
        f'<{path}?{parameters}offset={offset}&limit={size}>; rel="{relation}"' for relation, offset in offsets.items()
    ).encode()


def _order(value: Any) -> tuple[int, Any]:
    """A sort key: missing and null first, then false, true, numbers, strings, and the rest by its JSON."""
    if value is MISSING or value is None:
        return 0, 0
    if isinstance(value, bool):
        return 1, value
    if isinstance(value, int | float):
        return 2, value
    if isinstance(value, str):
        return 3, value
    return 4, json.dumps(value)


def _test(condition: Filter) -> Callable[[Any], bool]:
    """A function that tells whether a value matches the filter."""
    text, operation = condition.text, condition.operation
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

    def matches(value: Any) -> bool:
        if isinstance(value, str):
            return compare(value, text)
        if number is None or isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return compare(value, number)

    return matches


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
