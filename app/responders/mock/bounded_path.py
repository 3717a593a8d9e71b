"""The library python-jsonpath, with a bound on what one query may look at.

It has no bound of its own: two filters in each other take minutes over a document of some kilobytes. So each value
that it looks at is counted here. Its functions ``match`` and ``search`` would use Python's regular expressions, which
can hang: here they use RE2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from jsonpath import JSONPath, JSONPathEnvironment, JSONPathMatch
from jsonpath.exceptions import JSONPathSyntaxError
from jsonpath.filter import IntegerLiteral, RelativeFilterQuery, RootFilterQuery
from jsonpath.function_extensions import Count, ExpressionType, FilterFunction, Length, Value
from jsonpath.lex import Lexer
from jsonpath.parse import Parser
from jsonpath.stream import TokenStream
from jsonpath.token import TOKEN_LBRACKET, TOKEN_SELF

from app.text.patterns import iregexp
from app.text.same_json import same
from app.text.strict_json import MAX_DEPTH

MAX_WORK = 100_000
"""Values that one query looks at; a long text counts as several, a regular expression as ``_PATTERN_WORK``."""

_PATTERN_WORK = 1000


class TooMuchError(Exception):
    """The query has looked at ``MAX_WORK`` values."""


class _Lexer(Lexer):
    # The library's own ends at U+FFFF. The hyphen is no part of the RFC: rules have had it in names.
    key_pattern = r"[\u0080-\U0010FFFFa-zA-Z_][\u0080-\U0010FFFFa-zA-Z0-9_-]*"


class _Parser(Parser):
    env: Environment

    def __init__(self, *, env: JSONPathEnvironment) -> None:
        super().__init__(env=env)
        del self.token_map[TOKEN_LBRACKET]  # arrays in filters, which the RFC has not

    def parse_absolute_query(self, stream: TokenStream) -> RootFilterQuery:
        stream.next()
        return RootFilterQuery(_Path(env=self.env, segments=self.parse_query(stream)))

    def parse_relative_query(self, stream: TokenStream) -> RelativeFilterQuery:
        stream.eat(TOKEN_SELF)
        return RelativeFilterQuery(_Path(env=self.env, segments=self.parse_query(stream)))

    def parse_integer_literal(self, stream: TokenStream) -> IntegerLiteral:
        token = stream.next()
        if len(token.value) > 1 and token.value.startswith("0"):
            raise JSONPathSyntaxError("leading zero in a number", token=token)
        try:
            # The library rounds all of them to what a float can hold.
            return IntegerLiteral(
                value=int(token.value) if token.value.lstrip("-").isdigit() else int(float(token.value))
            )
        except OverflowError as e:
            raise JSONPathSyntaxError("the number is too large", token=token) from e


class _Path(JSONPath):
    """A query that counts its nodes. Its document may be a text, which the library would parse as JSON."""

    __slots__ = ()
    env: Environment

    def finditer(self, data: Any, *, filter_context: Mapping[str, Any] | None = None) -> Iterable[JSONPathMatch]:
        nodes: Iterable[JSONPathMatch] = (_Node(data, data, self.env.count),)
        for segment in self.segments:
            nodes = segment.resolve(nodes)
        return nodes


class _Node(JSONPathMatch):
    """A value, without its path and its children: both cost more than finding it."""

    __slots__ = ("_count",)

    def __init__(self, obj: Any, root: Any, count: Callable[[int], None]) -> None:
        count(1)
        self.obj, self.root, self._count = obj, root, count

    def new_child(self, obj: object, key: int | str) -> _Node:
        return _Node(obj, self.root, self._count)

    def add_child(self, *children: JSONPathMatch) -> None:
        pass

    def filter_context(self) -> Mapping[str, Any]:
        return {}


class Environment(JSONPathEnvironment):
    """The library's settings for one query, and the count of what it has looked at."""

    lexer_class = _Lexer
    parser_class = _Parser
    max_recursion_depth = 2 * MAX_DEPTH  # no document is as deep; the library counts the texts in it, too

    def __init__(self) -> None:
        self._left = 0
        self._patterns: dict[str, Any] = {}
        super().__init__(strict=True)

    def begin(self) -> None:
        self._left = MAX_WORK
        self._patterns.clear()

    def count(self, values: int) -> None:
        self._left -= values
        if self._left < 0:
            raise TooMuchError

    def compile(self, path: str) -> JSONPath:
        made = super().compile(path)
        assert isinstance(made, JSONPath)
        return _Path(env=self, segments=made.segments)

    def setup_function_extensions(self) -> None:
        self.function_extensions |= {
            "length": Length(), "count": Count(), "value": Value(),
            "match": _Matches(self, whole=True), "search": _Matches(self, whole=False),
        }  # fmt: skip

    def is_truthy(self, obj: object) -> bool:
        self.count(1)  # a filter was evaluated for one value
        return super().is_truthy(obj)

    def _eq(self, left: object, right: object) -> bool:
        if isinstance(left, dict | list | str | int | float) and isinstance(right, dict | list | str | int | float):
            return same(left, right, self.count)
        return super()._eq(left, right)

    def _lt(self, left: object, right: object) -> bool:
        if isinstance(left, str) and isinstance(right, str):
            self.count(min(len(left), len(right)) >> 8)
        # Python takes true for a number.
        return not isinstance(left, bool) and not isinstance(right, bool) and super()._lt(left, right)

    def pattern(self, text: str) -> Any:
        """The expression, or None where it is none."""
        if text not in self._patterns:
            self.count(_PATTERN_WORK)
            self._patterns[text] = iregexp(text)
        return self._patterns[text]


class _Matches(FilterFunction):
    """``match`` (``whole``) and ``search`` (RFC 9535, sections 2.4.6 and 2.4.7)."""

    arg_types = [ExpressionType.VALUE, ExpressionType.VALUE]  # noqa: RUF012  -- the base class has them so
    return_type = ExpressionType.LOGICAL

    def __init__(self, environment: Environment, whole: bool) -> None:
        self._environment, self._whole = environment, whole

    def __call__(self, value: object, pattern: object) -> bool:
        if not isinstance(value, str) or not isinstance(pattern, str):
            return False
        found = self._environment.pattern(pattern)
        if found is None:
            return False
        self._environment.count(len(value) >> 8)
        data = value.encode("utf-8", "replace")
        return (found.fullmatch(data) if self._whole else found.search(data)) is not None
