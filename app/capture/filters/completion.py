"""Completions for a filter that is being typed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.capture.filters.fields import FIELDS, TYPES, Field
from app.text.escapes import escape

_MEANINGS = {
    "==": "is", "!=": "is not", ">": "is more than", ">=": "is at least", "<": "is less than", "<=": "is at most",
    "contains": "contains this", "matches": "matches this expression, such as /GET .*zip/", "in {": "is one of",
    "exists": "is present", "and": "both hold", "or": "at least one holds", "not": "does not hold",
}  # fmt: skip

_TYPED = re.compile(r"[^\s(){},=<>!]*$")
_COMPARISON = r"([A-Za-z_][\w.]*)\s*(?:==|!=|<=|>=|<|>|\bcontains\b|\bmatches\b)"
_BEFORE_VALUE = re.compile(rf"{_COMPARISON}\s*$", re.IGNORECASE)
_IN_SET = re.compile(r"([A-Za-z_][\w.]*)\s+in\s*\{[^}]*$", re.IGNORECASE)
_BEFORE_OPERATOR = re.compile(r"(?:^|[\s(!])([A-Za-z_][\w.]*)\s+$")
_AFTER_OPERAND = re.compile(
    rf"(?:{_COMPARISON}\s*(?:\"[^\"]*\"|'[^']*'|[^\s(){{}}\"']+)|\bexists|[)}}])\s+$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """``text`` can replace what is typed from index ``start`` on; ``help`` says what it means."""

    start: int
    text: str
    help: str


def suggestions(
    typed: str, cursor: int, known: Mapping[str, Sequence[str]], fields: Mapping[str, Field] = FIELDS
) -> list[Suggestion]:
    """The completions at the cursor.

    ``known``: values that fields have at present, such as the names of services, by the field's name.
    """
    before = typed[:cursor]
    if _quote_is_open(before):
        return []
    match = _TYPED.search(before)
    assert match is not None
    start, begun = match.start(), match[0]
    head = before[:start]
    offered = [Suggestion(start, text, help) for text, help in _offers(head, known, fields)]
    fitting = [s for s in offered if s.text.lower().startswith(begun.lower())]
    if begun and not fitting:
        fitting = [s for s in offered if begun.lower() in s.text.lower()]
    return [] if [s.text for s in fitting] == [begun] else fitting


def _offers(head: str, known: Mapping[str, Sequence[str]], fields: Mapping[str, Field]) -> list[tuple[str, str]]:
    if match := _IN_SET.search(head) or _BEFORE_VALUE.search(head):
        field = fields.get(match[1].lower())
        return [(_quoted(value), "") for value in (known.get(field.name) or field.values)] if field else []
    if _AFTER_OPERAND.search(head):
        return [(word, _MEANINGS[word]) for word in ("and", "or")]
    if (match := _BEFORE_OPERATOR.search(head)) and (field := fields.get(match[1].lower())):
        return [(operator, _MEANINGS[operator]) for operator in operators(field)]
    return [*((field.name, field.help) for field in fields.values()), ("not", _MEANINGS["not"])]


def operators(field: Field) -> tuple[str, ...]:
    """The operators that mean something for a field."""
    return TYPES[field.type]


def _quoted(value: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_.:/-]+", value):
        return value
    return '"' + escape(value.encode("utf-8", "replace")).replace('"', r"\"") + '"'


def _quote_is_open(text: str) -> bool:
    quote, skip = "", False
    for character in text:
        if skip:
            skip = False
        elif quote and character == "\\":
            skip = True
        elif quote == character:
            quote = ""
        elif not quote and character in "\"'":
            quote = character
    return bool(quote)


def condition(field: str, value: object, *, exclude: bool = False) -> str:
    """The filter that shows only rows with this value, or with ``exclude`` all others."""
    return f"{field} {'!=' if exclude else '=='} {_quoted(str(value))}"


def combined(typed: str, more: str) -> str:
    """The filter that was typed, joined with another condition."""
    typed = typed.strip()
    if not typed:
        return more
    return f"({typed}) and {more}" if re.search(r"\bor\b|\|\|", typed) else f"{typed} and {more}"
