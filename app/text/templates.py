r"""Templates: text with escapes and ``{{ expressions }}`` that renders to bytes.

An expression begins with a function of ``app.text.template_functions.FUNCTIONS``, a quoted text or the
name of a value; filters follow, each behind a ``|``: ``{{1 | upper}}``, ``{{counter 100 5}}``,
``{{crc16 | hex}}``. ``\{{`` is a literal ``{{``. Nothing is evaluated: names are looked up in
tables. Without escapes, every other backslash is text, as in JSON.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from app.text import errors
from app.text.escapes import typed, unescape
from app.text.template_filters import FILTERS
from app.text.template_functions import FUNCTIONS, value_of
from app.text.template_values import (
    MAX_OUTPUT,
    Filter,
    Known,
    Producer,
    Rendering,
    Word,
    WrongError,
    as_bytes,
)

__all__ = ["MAX_EXPRESSIONS", "MAX_OUTPUT", "Template", "problem"]

MAX_EXPRESSIONS = 10_000
"""Expressions in one template."""

_LITERAL = re.compile(r"\\\{\{|\\x[0-9a-fA-F]{2}|\\.?|\{\{", re.DOTALL)
_BRACES = re.compile(r"\\\{\{|\{\{")
_TOKEN = re.compile(r"""\s*(?:("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(\|)|(\}\})|([^\s|"'{}]+))""", re.DOTALL)
_RANDOM = Random()


@dataclass(frozen=True, slots=True)
class _Expression:
    """One ``{{…}}``. ``at``: its position in characters, from 1; ``name``: the value that it needs, or empty."""

    at: int
    name: str
    produce: Producer
    filters: tuple[Filter, ...]
    defaulted: bool

    def render(self, rendering: Rendering) -> bytes:
        try:
            value = self._first(rendering)
            for change in self.filters:
                value = change(rendering, value)
            return as_bytes(value)
        except WrongError as e:
            raise errors.TemplateError(reason=e, position=self.at) from e
        except Exception as e:  # of a value that cannot be written, or a time that no calendar has
            raise errors.TemplateError(reason=f"this cannot be written ({e})", position=self.at) from e

    def _first(self, rendering: Rendering) -> object:
        try:
            return self.produce(rendering)
        except WrongError:
            if self.defaulted:
                return None
            raise


class Template:
    """A template, ready to be rendered often. Its counters count on from one rendering to the next.

    Raises TemplateError, with the position, where ``text`` is no template. ``clock`` gives
    seconds since 1970. ``escapes``: whether a backslash in the text begins an escape.

    Attributes:
        names: the values that it cannot be rendered without.
    """

    def __init__(
        self,
        text: str,
        *,
        clock: Callable[[], float] = time.time,
        random: Random = _RANDOM,
        escapes: bool = True,
    ) -> None:
        self.text = text
        self._clock, self._random = clock, random
        self._parts = _parse(text, escapes=escapes)
        self.names = frozenset(
            part.name for part in self._parts if isinstance(part, _Expression) and part.name and not part.defaulted
        )

    def __repr__(self) -> str:
        return f"Template({self.text!r})"

    def render(self, values: Mapping[str, object]) -> bytes:
        """The bytes, at most ``MAX_OUTPUT``. Raises TemplateError, also for a name that ``values`` lacks.

        Values may be bytes, text, numbers, or None for a known value that is empty.
        """
        rendering = Rendering(values, self._clock(), self._random)
        for part in self._parts:
            at, data = (1, part) if isinstance(part, bytes) else (part.at, part.render(rendering))
            if len(rendering.out) + len(data) > MAX_OUTPUT:
                raise errors.TemplateError(reason=f"this renders to more than {MAX_OUTPUT:,} bytes", position=at)
            rendering.out += data
        return bytes(rendering.out)


def problem(text: str) -> str | None:
    """What is wrong with ``text`` as a template, or None."""
    try:
        _parse(text)
    except errors.TemplateError as e:
        return str(e)
    return None


def _parse(text: str, *, escapes: bool = True) -> list[bytes | _Expression]:
    special = _LITERAL if escapes else _BRACES
    parts: list[bytes | _Expression] = []
    literal = bytearray()
    end = expressions = 0
    while found := special.search(text, end):
        literal += typed(text[end : found.start()])
        end = found.end()
        if found[0] == "{{":
            expressions += 1
            if expressions > MAX_EXPRESSIONS:
                raise _error(f"there are more than {MAX_EXPRESSIONS:,} expressions", found.start())
            expression, end = _expression(text, found.start())
            parts += (bytes(literal), expression)
            literal.clear()
        else:
            literal += b"{{" if found[0] == r"\{{" else _unescaped(found[0], found.start())
    literal += typed(text[end:])
    if len(literal) > MAX_OUTPUT:
        raise _error(f"this renders to more than {MAX_OUTPUT:,} bytes", 0)
    return [*(part for part in parts if part), bytes(literal)]


def _expression(text: str, start: int) -> tuple[_Expression, int]:
    """The expression whose braces begin at ``start``, and where it ends."""
    calls: list[list[Word]] = [[]]
    end = start + 2
    while True:
        token = _TOKEN.match(text, end)
        if token is None:
            raise _error(_why_no_token(text, end), end)
        quoted, bar, close, word = token.groups()
        begin, end = token.start(token.lastindex or 0), token.end()
        if quoted is not None:
            calls[-1].append(Word(_unescaped(quoted[1:-1], begin), True))
        elif word is not None:
            calls[-1].append(Word(typed(word)))
        elif not calls[-1]:
            raise _error("something is missing before this", begin)
        elif bar is not None:
            calls.append([])
        if close is not None:
            break
    try:
        filters = tuple(_made(FILTERS, "filter", call) for call in calls[1:])
        defaulted = any(call[0].data == b"default" for call in calls[1:])
        producer = _producer(calls[0])
        return _Expression(start + 1, _needed(calls[0]), producer, filters, defaulted), end
    except WrongError as e:
        raise _error(str(e), start) from e


def _producer(call: list[Word]) -> Producer:
    if not call[0].quoted and call[0].text in FUNCTIONS:
        producer: Producer = _made(FUNCTIONS, "function", call)
        return producer
    if len(call) > 1:
        raise WrongError(f"{call[0].text[:40]} is not a function. Use one of {', '.join(FUNCTIONS)}")
    return value_of(call[0])


def _needed(call: list[Word]) -> str:
    """The name of the value that ``_producer`` will look up, or nothing."""
    first = call[1] if call[0].text == "pad" and not call[0].quoted else call[0]
    return "" if first.quoted or (first is call[0] and first.text in FUNCTIONS) else first.text


def _made(known: Mapping[str, Known], kind: str, call: list[Word]) -> Any:
    name, words = call[0].text, call[1:]
    if name not in known or call[0].quoted:
        raise WrongError(f"{name[:40]} is not a {kind}. Use one of {', '.join(known)}")
    entry = known[name]
    if not entry.least <= len(words) <= entry.most:
        several = f"{entry.least} to {entry.most}" if entry.least < entry.most else str(entry.least)
        raise WrongError(f"{name} takes {several if entry.most else 'no'} words after it, and got {len(words)}")
    return entry.make(words)


def _unescaped(text: str, position: int) -> bytes:
    try:
        return unescape(text)
    except errors.EscapeError as e:
        raise _error(str(e.fields["reason"]), position) from e


def _why_no_token(text: str, end: int) -> str:
    rest = text[end:].lstrip()
    if not rest or rest == "}":
        return "}} is missing"
    return "a closing quotation mark is missing" if rest[0] in "\"'" else f"{rest[0]} cannot stand here"


def _error(reason: str, index: int) -> errors.TemplateError:
    return errors.TemplateError(reason=reason, position=index + 1)
