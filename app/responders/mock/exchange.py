"""A request as rules see it; each part is parsed when a rule first asks for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any
from urllib.parse import unquote_to_bytes

from app.http.request_parts import field, path_of
from app.text.strict_json import MISSING, member, parse, written

MAX_LOOK = 1 << 20
"""Bytes up to which a body is looked at as text or JSON."""


class Exchange:
    """A request, as the rule sees it that is looked at.

    Attributes:
        path: as sent, without the query.
        captures: what the rule's path and regular expressions took, by name or number.
        call: the number of this request among those for the rule, from 1.
        answered: how many requests the rule has answered before.
    """

    def __init__(self, request: Any) -> None:
        self._request = request
        self.method: str = request.method.decode("latin-1")
        self.path = path_of(request).decode("latin-1")
        self.captures: dict[str, str] = {}
        self.call = self.answered = 0

    @cached_property
    def parts(self) -> list[str]:
        """The path between its slashes, decoded; the first is empty."""
        if "%" not in self.path and self.path.isascii():
            return self.path.split("/")
        return [unquote_to_bytes(part.encode("latin-1")).decode("utf-8", "replace") for part in self.path.split("/")]

    @cached_property
    def query(self) -> list[tuple[str, str]]:
        _, _, query = self._request.uri.partition(b"?")
        pairs = (part.partition(b"=") for part in query.replace(b"+", b"%20").split(b"&") if part)
        return [(_decoded(name), _decoded(value)) for name, _, value in pairs]

    def field(self, name: str) -> str | None:
        """The values of a header, joined with commas; None where there is none."""
        found = self._request.requestHeaders.hasHeader(name)
        return field(self._request, name.encode("latin-1", "replace")) if found else None

    @cached_property
    def body(self) -> bytes:
        content: bytes = self._request.content.read()
        return content

    @cached_property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace") if len(self.body) <= MAX_LOOK else ""

    @cached_property
    def json(self) -> Any:
        """The body as JSON; ``MISSING`` where it is none."""
        if not self.body or len(self.body) > MAX_LOOK:
            return MISSING
        try:
            return parse(self.body)
        except ValueError:
            return MISSING


def _decoded(text: bytes) -> str:
    return unquote_to_bytes(text).decode("utf-8", "replace")


class Values(Mapping[str, object]):
    """The values that templates can name: parts of the request, None for those that it does not have."""

    _KINDS = ("path.", "query.", "field.", "json.")
    _PLAIN = ("body", "call", "method", "path")

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def __getitem__(self, name: str) -> object:
        exchange = self._exchange
        if name in self._PLAIN:
            value: object = getattr(exchange, name)
            return value
        kind, dot, rest = name.partition(".")
        if dot and kind == "path":
            return exchange.captures.get(rest)
        if dot and kind == "query":
            return next((value for given, value in exchange.query if given == rest), None)
        if dot and kind == "field":
            return exchange.field(rest)
        if kind == "json":
            return _shown(member(exchange.json, rest.split(".") if dot else []))
        if name.isdigit() and name.isascii():
            return exchange.captures.get(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        yield from ("path.NAME", "query.NAME", "field.NAME", "json", "json.NAME", "1", *self._PLAIN)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _shown(value: Any) -> object:
    if value is MISSING or value is None:
        return None
    return value if isinstance(value, str) else written(value)
