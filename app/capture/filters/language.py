r"""The filter language: from what people type to one SQL condition.

    service == "rest" and http.status >= 500
    peer contains 127 and size > 100
    payload matches /GET .*zip/ or payload contains 0d0a0d0a
    kind in {data.received, ws.message} and not summary contains healthz
    bare words as they stand: a substring of summary or payload

Everything that is typed reaches SQL as bound values. Regular expressions are RE2's: they take linear
time, whatever users type and peers send.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Mapping
from functools import cache, partial
from typing import Any

from lark import Lark, Token, Transformer, Tree, UnexpectedCharacters, UnexpectedInput, UnexpectedToken, v_args
from lark.exceptions import VisitError

from app.capture.filters import errors, values
from app.capture.filters.fields import FIELDS, Field
from app.capture.filters.sql import EVERYTHING, Filter, of_kind, of_payload, of_service, substring

__all__ = ["EVERYTHING", "Filter", "named", "of_kind", "of_service", "parse"]

MAX_TYPED = 10_000
"""Characters of a filter."""

MAX_DEPTH = 25
"""Parentheses in parentheses, and ``not`` before ``not``."""

_DEEP = 2
"""Levels of parentheses in SQL from which the deepest part comes first. SQLite's parser has room for a hundred
symbols that wait for what comes behind them, and keeps all that stands before a parenthesis."""

_GRAMMAR = r"""
?start: either
?either: both (OR both)*
?both: one (AND one)*
?one: NOT one -> negation
    | "(" either ")"
    | FIELD COMPARE value -> comparison
    | FIELD CONTAINS value -> contains
    | FIELD MATCHES pattern -> matches
    | FIELD IN "{" value ("," value)* "}" -> member
    | FIELD EXISTS -> exists
    | phrase
phrase: (WORD | STRING | REGEX)+
value: STRING | VALUE
pattern: REGEX | STRING | VALUE

FIELD.9: /[A-Za-z_][\w.]*(?=\s*(==|!=|<=|>=|<|>|\bcontains\b|\bmatches\b|\bexists\b|\bin\s*\{))/
OR.8: /or\b|\|\|/i
AND.8: /and\b|&&/i
NOT.8: /not\b|!(?!=)/i
COMPARE.7: /==|!=|<=|>=|<|>/
CONTAINS.7: /contains\b/i
MATCHES.7: /matches\b/i
EXISTS.7: /exists\b/i
IN.7: /in\b/i
STRING.6: /"([^"\\]|\\.)*"|'([^'\\]|\\.)*'/s
REGEX.5: /\/([^\/\\\n]|\\.)+\/i?(?=[\s)]|$)/
VALUE.2: /[^\s()"'{},]+/
WORD.1: /[^\s()"'{}]+/
%ignore /\s+/
"""

_CONDITION = "a condition, such as size > 100, or a text to search for"
_VALUE = 'a value, such as 200 or "GET /"'
_SIGNS = {
    "OR": "or", "AND": "and", "COMPARE": "==", "CONTAINS": "contains", "MATCHES": "matches", "EXISTS": "exists",
    "IN": "in {", "RPAR": ")", "LBRACE": "{", "RBRACE": "}", "COMMA": ",",
}  # fmt: skip


def parse(typed: str, fields: Mapping[str, Field] = FIELDS) -> Filter:
    """The filter for what was typed, which may name ``fields``.

    Raises FilterError, whose ``at`` is the index of the character that does not fit.
    """
    if not typed.strip():
        return EVERYTHING
    try:
        found = _parsed(typed, fields)
        return Filter(found.sql, tuple(map(_as_text, found.values)))
    except errors.FilterError as e:
        e.typed = typed
        raise


def _as_text(value: str | bytes | float) -> str | bytes | float:
    """A value as SQLite takes it: bytes of the command line that are no text become question marks (PEP 383)."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) and not value.isascii() else value


def _parsed(typed: str, fields: Mapping[str, Field]) -> Filter:
    _guard(typed)
    try:
        tree = _parser().parse(typed)
        result = _Compiler(typed, fields, compares=any(_fields_in(tree))).transform(tree)
    except UnexpectedToken as e:
        at = len(typed) if e.token.type == "$END" else e.pos_in_stream or 0
        raise errors.FilterError(at=at, reason=_unfitting(typed, e)) from e
    except UnexpectedCharacters as e:
        raise errors.FilterError(at=e.pos_in_stream or 0, reason=_stray(typed, e)) from e
    except VisitError as e:
        if isinstance(e.orig_exc, errors.FilterError):
            raise e.orig_exc from None
        raise
    assert isinstance(result, Filter)
    return result


def named(typed: str) -> tuple[frozenset[str], bool]:
    """The fields that a filter names, in small letters, and whether it looks for a text, too.

    Raises FilterError, as ``parse`` does.
    """
    if parse(typed) == EVERYTHING:
        return frozenset(), False
    tree = _parser().parse(typed)
    return frozenset(str(token).lower() for token in _fields_in(tree)), any(tree.find_data("phrase"))


def _fields_in(tree: Tree[Token]) -> Iterator[Token]:
    yield from tree.scan_values(lambda token: isinstance(token, Token) and token.type == "FIELD")


@cache
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr", lexer="contextual")


def _guard(typed: str) -> None:
    if len(typed) > MAX_TYPED:
        raise errors.FilterError(at=MAX_TYPED, reason=f"it is longer than {MAX_TYPED:,} characters")
    if "\0" in typed:
        raise errors.FilterError(at=typed.index("\0"), reason=r"a zero byte is written \x00")
    depth = 0
    for match in re.finditer(r"\(|\)|!(?!=)|\bnot\b", typed, re.IGNORECASE):
        depth += -1 if match[0] == ")" else 1
        if depth > MAX_DEPTH:
            raise errors.FilterError(at=match.start(), reason=f"there are more than {MAX_DEPTH} levels")


def _unfitting(typed: str, e: UnexpectedToken) -> str:
    comes = _next(e.accepts or e.expected)
    if e.token.type == "$END":
        return f"the filter is not complete. After “{typed.split()[-1]}” comes {comes}"
    return f"“{e.token}” does not fit here. Here comes {comes}. To search for it, put the text in quotes"


def _next(accepted: Collection[str]) -> str:
    """What may come next, in words."""
    if "FIELD" in accepted:
        return _CONDITION
    if "VALUE" in accepted:
        return _VALUE
    signs = [f"“{sign}”" for name, sign in _SIGNS.items() if name in accepted]
    return f"{', '.join(signs[:-1])} or {signs[-1]}" if len(signs) > 1 else "".join(signs) or "the end"


def _stray(typed: str, e: UnexpectedInput) -> str:
    character = typed[e.pos_in_stream or 0 :][:1]
    if character in "\"'":
        return f"the quote {character} is not closed"
    return f"“{character}” does not fit here. To search for it, put the text in quotes"


@v_args(inline=True)
class _Compiler(Transformer[Token, Any]):
    """Makes a Filter of each rule of the grammar, the innermost first."""

    def __init__(self, typed: str, fields: Mapping[str, Field], *, compares: bool) -> None:
        """``compares``: whether the filter compares a field with something, and is more than a text."""
        super().__init__()
        self._typed, self._fields, self._compares = typed, fields, compares
        self._levels: dict[Filter, int] = {}

    def _depth(self, part: Filter) -> int:
        """Levels of parentheses that we have made; those of a single condition are few."""
        return self._levels.get(part, 0)

    def either(self, *parts: Any) -> Filter:
        return self._joined(" OR ", parts)

    def both(self, *parts: Any) -> Filter:
        return self._joined(" AND ", parts)

    def _joined(self, word: str, parts: tuple[Any, ...]) -> Filter:
        filters = [part for part in parts if isinstance(part, Filter)]
        depth = max(map(self._depth, filters))
        if depth > _DEEP:
            filters.sort(key=self._depth, reverse=True)
        sql = word.join(f"({part.sql})" for part in filters)
        made = Filter(sql, tuple(value for part in filters for value in part.values))
        self._levels[made] = depth + 1
        return made

    def negation(self, _: Token, inner: Filter) -> Filter:
        # NULL (the status of an event that has none) counts as false, so its negation is true.
        made = Filter(f"({inner.sql}) IS NOT TRUE", inner.values)
        self._levels[made] = self._depth(inner) + 1
        return made

    def phrase(self, *words: Token) -> Filter:
        """Adjacent words are one text, with the white space between them as it was typed."""
        if len(words) == 1 and words[0].type == "STRING":
            return self._text(_unquoted(words[0]))
        _no_mistyped_operator(words, self._fields, self._compares)
        start, end = words[0].start_pos, words[-1].end_pos
        return self._text(self._typed[start:end])

    def _text(self, typed: str) -> Filter:
        field = self._fields.get("payload")
        return substring(typed) if field is None else substring(typed, partial(_looked_up, field))

    def value(self, token: Token) -> Token:
        return token

    def pattern(self, token: Token) -> Token:
        return token

    def comparison(self, name: Token, operator: Token, value: Token) -> Filter:
        field = _field(name, self._fields)
        if field.type == "bytes" and str(operator) not in ("==", "!="):
            raise errors.FilterError(at=operator.start_pos or 0, reason=f"{name} can be ==, !=, contains or matches")
        return self._where(field, lambda: values.compare(field, str(operator), _plain(value)), value, operator)

    def contains(self, name: Token, operator: Token, value: Token) -> Filter:
        field = _field(name, self._fields)
        return self._where(field, lambda: values.contains(field, *_plain(value)), value, operator)

    def matches(self, name: Token, operator: Token, value: Token) -> Filter:
        field = _field(name, self._fields)
        return self._where(field, lambda: values.matches(field, _plain(value)[0], value.type), value, operator)

    def member(self, name: Token, _: Token, *given: Token) -> Filter:
        field = _field(name, self._fields)
        each = [self._where(field, lambda v=v: values.compare(field, "==", _plain(v)), v, name) for v in given]
        return self._joined(" OR ", tuple(each))

    def exists(self, name: Token, _: Token) -> Filter:
        field = _field(name, self._fields)
        if field.type == "bytes":
            return _looked_up(field, of_payload(f"{field.sql} IS NOT NULL"))
        if field.lookup is None:
            return Filter(f"{field.sql} IS NOT NULL")
        if field.lookup.partial:  # what counts is whether the other table knows it
            return Filter(f"{field.lookup.column} IN ({field.lookup.select}{field.sql} <> '')")
        return Filter(f"{field.lookup.column} IS NOT NULL")

    def _where(self, field: Field, make: Any, value: Token, operator: Token) -> Filter:
        try:
            inner: Filter = make()
        except values.WrongValueError as e:
            raise errors.FilterError(at=value.start_pos or 0, reason=str(e)) from None
        if field.lookup is None:
            return inner
        found = _looked_up(field, inner)
        if str(operator) == "!=":  # of the events that have one, all but these
            return Filter(f"{field.lookup.column} IS NOT NULL AND {found.sql}", found.values)
        return found


def _looked_up(field: Field, inner: Filter) -> Filter:
    """The condition ``inner`` on a field, where its value stands."""
    if field.lookup is None:
        return inner
    return Filter(f"{field.lookup.column} IN ({field.lookup.select}({inner.sql}))", inner.values)


_MISTYPED = {"=": "==", "=>": ">=", "=<": "<=", "===": "==", "!==": "!=", "<>": "!=", "=~": "matches"}
_OPERATOR = rf"({'|'.join(sorted(_MISTYPED, key=len, reverse=True))})(?![=<>])(.*)"
_GLUED = re.compile(rf"([A-Za-z_][\w.]*){_OPERATOR}", re.DOTALL)
_LEADING = re.compile(_OPERATOR, re.DOTALL)


def _no_mistyped_operator(words: tuple[Token, ...], fields: Mapping[str, Field], compares: bool) -> None:
    """Raise FilterError where a field is followed by what other languages compare with, as in ``service = shop``.

    ``compares``: the rest of the filter compares, so that this was not meant as a text either.
    """
    for at, word in enumerate(words):
        glued = _GLUED.fullmatch(word)
        leading = _LEADING.fullmatch(word)
        begin = word.start_pos or 0
        if str(word) in _MISTYPED and at and (compares or str(words[at - 1]).lower() in fields):
            name, operator, rest = str(words[at - 1]), str(word), " ".join(words[at + 1 : at + 2])
        elif leading is not None and at and str(words[at - 1]).lower() in fields:
            name, operator, rest = str(words[at - 1]), leading[1], leading[2]
        elif glued is not None and glued[1].lower() in fields and (glued[3] or at + 1 < len(words)):
            name, operator, rest = glued[1], glued[2], glued[3] or str(words[at + 1])
            begin += len(name)
        else:
            continue
        right = f"{name} {_MISTYPED[operator]} {rest or '…'}"
        reason = f"“{operator}” does not compare. Write {right}. To search for the text, put it in quotes"
        raise errors.FilterError(at=begin, reason=reason)


def _field(name: Token, fields: Mapping[str, Field]) -> Field:
    field = fields.get(str(name).lower())
    if field is not None:
        return field
    near = difflib.get_close_matches(str(name).lower(), FIELDS, 1, 0.5)
    instead = f"Did you mean {near[0]}?" if near else f"There are {', '.join(FIELDS)}."
    reason = f"there is no field “{name}”. {instead} To search for the text, put it in quotes"
    raise errors.FilterError(at=name.start_pos or 0, reason=reason)


def _plain(token: Token) -> tuple[str, bool]:
    """The value without its quotes, and whether it had any."""
    if token.type == "STRING":
        return _unquoted(token), True
    return str(token), False


def _unquoted(token: Token) -> str:
    """The text between the quotes. Escaped quotes are unescaped; other escapes are left to the field's type."""
    return re.sub(r"\\([\"'])", r"\1", str(token)[1:-1])
