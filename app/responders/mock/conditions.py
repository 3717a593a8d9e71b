"""What a rule can ask of a request: one declaration for each condition, with its option and its check."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from app.options import Option, Options
from app.responders.mock import paths
from app.responders.mock.exchange import Exchange
from app.text import patterns
from app.text.strict_json import MISSING

_METHOD = re.compile(r"[!#$%&'*+.^_`|~\w-]+", re.ASCII)
_TERM = re.compile(r"([^=~]+?)\s*(?:([=~])(.*))?", re.DOTALL)
_FIELD = re.compile(r"([!#$%&'*+.^_`|\w-]+)\s*(?:([:~])(.*))?", re.DOTALL | re.ASCII)


class Check(NamedTuple):
    """A condition with the value that one rule gives it.

    Attributes:
        holds: whether a request meets it; may add to the request's captures.
        why_not: what is said of a request that does not.
    """

    holds: Callable[[Exchange], bool]
    why_not: Callable[[Exchange], str]


class Condition(NamedTuple):
    """Attributes:
    option: name, type and help; its check is made of ``make``.
    make: the check for a value of the option, or for one item where that is a list. Raises ValueError, in words.
    counted: whether it is about the number of a request, which only those that meet all else have.
    """

    option: Option
    make: Callable[[Any], Check]
    counted: bool = False


def checks(rule: Options, *, counted: bool = False) -> Iterator[Check]:
    """The checks of a rule, in the order of ``CONDITIONS``; none for what the rule leaves out."""
    for condition in CONDITIONS:
        if condition.counted == counted:
            yield from map(condition.make, _given(rule[condition.option.name]))


def problem_of(make: Callable[[Any], object]) -> Callable[[Any], str | None]:
    """The check of an option whose value, or each item of it, ``make`` must take."""

    def check(value: Any) -> str | None:
        try:
            for one in _given(value):
                make(one)
        except ValueError as e:
            return str(e)
        return None

    return check


def _given(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if value else []


# -- the request line


def _method(text: str) -> Check:
    if not text.strip():
        return Check(lambda exchange: True, _words(""))
    names = [name.strip() for name in text.split(",")]
    if not all(map(_METHOD.fullmatch, names)):
        raise ValueError("must be methods with commas between, as in GET, POST")
    wanted = frozenset(name.upper() for name in names)
    return Check(lambda exchange: exchange.method in wanted, _words(f"the method is not {text}"))


def path_check(text: str) -> Check:
    """The check of a rule's ``path``. Raises ValueError, in words."""
    if text.startswith("~"):
        words = _words(f"the path has no {text[1:]}")
        return _searched(patterns.regex(text[1:]), lambda exchange: exchange.path, words)
    if not text.startswith("/"):
        raise ValueError("must begin with / or, for a regular expression, with ~")
    return Check(paths.matcher(text), lambda exchange: f"the path is not {text}{paths.difference(text, exchange)}")


def _query(text: str) -> Check:
    found = _TERM.fullmatch(text)
    if found is None:
        raise ValueError(f'has "{text[:40]}". Write name=value, name~regex or name')
    name, how, value = found.groups()
    test = _tester(how, value)

    def holds(exchange: Exchange) -> bool:
        return any(given == name and test(exchange, text) for given, text in exchange.query)

    return Check(holds, _words(f"the query has no {text}"))


# -- headers and body


def _field(text: str) -> Check:
    found = _FIELD.fullmatch(text.strip())
    if found is None:
        raise ValueError(f'has "{text[:40]}". Write Name: value, Name~regex or Name')
    name, how, value = found.groups()
    test = _tester(how, value.strip() if value else value)

    def holds(exchange: Exchange) -> bool:
        given = exchange.field(name)
        return given is not None and any(test(exchange, reading) for reading in _readings(given))

    return Check(holds, _words(f"it has no header {text.strip()}"))


def _body_is(text: str) -> Check:
    wanted = text.encode("utf-8", "replace")
    return Check(
        lambda exchange: exchange.content == wanted or exchange.body == wanted, _words("the body is different")
    )


def _body_regex(text: str) -> Check:
    def why_not(exchange: Exchange) -> str:
        return f"the body does not match {text}{exchange.why_no_text()}"

    return _searched(patterns.regex(text), lambda exchange: exchange.text, why_not)


def _body_json(text: str) -> Check:
    # Its library takes 55 ms to import, which a workspace without such a condition need not wait for.
    from app.responders.mock.json_condition import condition

    wanted = condition(text)

    def holds(exchange: Exchange) -> bool:
        return exchange.json is not MISSING and wanted.holds(exchange.json)

    return Check(holds, lambda exchange: f"the body is not JSON with {text}{exchange.why_no_json()}")


# -- how many requests there were


def _call(number: int) -> Check:
    return Check(
        lambda exchange: exchange.call == number,
        lambda exchange: f"it answers only request {number}, and this was request {exchange.call}",
    )


def _times(number: int) -> Check:
    return Check(
        lambda exchange: exchange.answered < number,
        _words(f"it answers only {'once' if number == 1 else f'{number:,} times'}, and has done so"),
    )


# -- parts of checks


def _words(text: str) -> Callable[[Exchange], str]:
    return lambda exchange: text


def _tester(how: str | None, value: str) -> Callable[[Exchange, str], bool]:
    if how is None:
        return lambda exchange, text: True
    if how != "~":
        return lambda exchange, text: text == value
    pattern = patterns.regex(value)
    return lambda exchange, text: _capture(exchange, pattern.search_text(text))


def _readings(text: str) -> list[str]:
    """A header as text in ISO 8859-1, which HTTP once had, and in UTF-8, where it is that."""
    if text.isascii():
        return [text]
    try:
        return [text.encode("latin-1").decode(), text]
    except UnicodeError:
        return [text]


def _searched(pattern: patterns.Pattern, where: Callable[[Exchange], str], why_not: Callable[[Exchange], str]) -> Check:
    return Check(lambda exchange: _capture(exchange, pattern.search_text(where(exchange))), why_not)


def _capture(exchange: Exchange, found: Mapping[str, str] | None) -> bool:
    """Keep what was captured: names as they are, numbers behind those of the captures before."""
    if found is None:
        return False
    before = sum(name.isdigit() for name in exchange.captures)
    for name, text in found.items():
        if name != "0":
            exchange.captures[str(before + int(name)) if name.isdigit() else name] = text
    return True


def _condition(
    name: str, default: Any, help: str, make: Callable[[Any], Check], *, counted: bool = False, **more: Any
) -> Condition:
    return Condition(Option(name, type(default), default, help, check=problem_of(make), **more), make, counted)


_COUNT = {"minimum": 0, "maximum": 1_000_000_000}

CONDITIONS = (
    _condition("method", "", "Methods, separated by commas; empty: any", _method),
    _condition(
        "path", "", "A path such as /users/{id} or /files/{rest*}, or ~ and a regular expression; empty: any",
        path_check,
    ),
    _condition("query", [], "Required query parameters: name=value, name~regex or name", _query),
    _condition("fields", [], "Required headers: Name: value, Name~regex or Name", _field),
    _condition("body_is", "", "The body is exactly this", _body_is, multiline=True),
    _condition("body_regex", "", "Regular expression to find in the body", _body_regex),
    _condition(
        "body_json", [], 'Conditions on a JSON body, such as $.user.name = "x" or $.items[*].price > 10', _body_json,
    ),
    _condition("call", 0, "Answer only the nth matching request; 0: every one", _call, counted=True, **_COUNT),
    _condition(
        "times", 0, "Answer at most this many times, then let later rules answer; 0: always", _times,
        counted=True, **_COUNT,
    ),
)  # fmt: skip
"""The cheapest first: a rule stops at the first that does not hold."""
