"""A request as rules see it; each part is parsed when a rule first asks for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any
from urllib.parse import unquote_to_bytes

from app.http.bodies import decoded
from app.http.contents import media_type
from app.http.request_parts import field, path_of
from app.text import encodings
from app.text.strict_json import MISSING, as_written, member, parse
from app.text.template_values import NULL
from app.text.variables import NONE, Variables, prefixed

MAX_LOOK = 1 << 20
"""Bytes up to which a body is looked at as text or JSON, as it came and decoded."""


class Exchange:
    """A request, as the rule sees it that is looked at.

    Attributes:
        path: as sent, without the query.
        captures: what the rule's path and regular expressions took, by name or number.
        call: the number of this request among those for the rule, from 1.
        answered: how many requests the rule has answered before.

    Texts hold bytes that are no UTF-8 as ``surrogateescape`` does.
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
        return [_decoded(part.encode("latin-1")) for part in self.path.split("/")]

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
    def _looked_at(self) -> tuple[bytes, str]:
        """The body without its content codings and in UTF-8, and why no rule can look at it; "" where one can."""
        body, too_long = self.body, f"longer than {MAX_LOOK >> 20} MiB, which is as far as rules look"
        if len(body) > MAX_LOOK:
            return body, f"it is {too_long}"
        coding = self.field("content-encoding") or ""
        if coding.strip().lower() not in ("", "identity") and body:
            content, cut = decoded(body, [("content-encoding", coding)], MAX_LOOK + 1)
            if cut or len(content) > MAX_LOOK:
                return body, f"decoded it is {too_long}"
            if content == body:
                return body, f"it is said to be coded as {coding[:40]}, and cannot be decoded"
            body = content
        _, charset = media_type([("content-type", self.field("content-type") or "")])
        encoding = encodings.known(charset) if charset else "utf-8"
        if not encoding:
            return body, f"its charset {charset[:40]} is unknown"
        return body if encoding == "utf-8" else encodings.as_utf8(body, encoding), ""

    @property
    def content(self) -> bytes:
        """The body without its content codings and in UTF-8; as it came where that cannot be done."""
        return self._looked_at[0]

    @cached_property
    def text(self) -> str:
        """``content`` as text; empty where no rule can look at it."""
        content, why_not = self._looked_at
        return "" if why_not else content.decode("utf-8", "surrogateescape")

    @cached_property
    def json(self) -> Any:
        """``content`` as JSON; ``MISSING`` where it is none."""
        return self._parsed[0]

    @cached_property
    def _parsed(self) -> tuple[Any, str]:
        content, why_not = self._looked_at
        if why_not or not content:
            return MISSING, why_not or "it is empty"
        try:
            return parse(content, exact=True), ""
        except ValueError as e:
            return MISSING, str(e)

    def why_no_text(self) -> str:
        """Why ``text`` is empty though the body is not, as a colon and words; empty where there is no reason."""
        return f": {self._looked_at[1]}" if self._looked_at[1] else ""

    def why_no_json(self) -> str:
        """As ``why_no_text``, for ``json``."""
        return f": {self._parsed[1]}" if self._parsed[1] else ""


def _decoded(text: bytes) -> str:
    return unquote_to_bytes(text).decode("utf-8", "surrogateescape")


class Values(Mapping[str, object]):
    """The values that templates can name: parts of the request, None for those that it does not have, and variables."""

    PLAIN = ("body", "call", "method", "path")

    def __init__(self, exchange: Exchange, variables: Variables = NONE) -> None:
        self._exchange, self._variables = exchange, variables

    def __getitem__(self, name: str) -> object:
        exchange = self._exchange
        if name == "body":
            return exchange.content
        if name in self.PLAIN:
            value: object = getattr(exchange, name)
            return value
        kind, dot, rest = name.partition(".")
        if dot and kind == "path":
            return exchange.captures.get(rest)
        if dot and kind == "query":
            return next((value for given, value in exchange.query if given == rest), None)
        if dot and kind == "field":
            given = exchange.field(rest)
            return None if given is None else given.encode("latin-1", "replace")  # the bytes, as they came
        if dot and kind == "var":
            return self._variables[rest]
        if kind == "json":
            return _shown(member(exchange.json, rest.split(".") if dot else []))
        if name.isdigit() and name.isascii():
            return exchange.captures.get(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        yield from (
            "path.NAME",
            "query.NAME",
            "field.NAME",
            "json",
            "json.NAME",
            "1",
            *self.PLAIN,
            *prefixed(self._variables),
        )

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _shown(value: Any) -> object:
    if value is MISSING:
        return None
    if value is None:
        return NULL
    return value.encode("utf-8", "replace") if isinstance(value, str) else as_written(value)
