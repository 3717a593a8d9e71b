"""Conditions on JSON by paths."""

from __future__ import annotations

import re
from time import process_time
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.responders.mock.json_condition import condition
from app.text.same_json import same
from app.text.strict_json import MAX_DEPTH

STORE = {
    "user": {"name": "x", "na-me": 1, "a.b": {"'": 0}, "on": True, "none": None, "é": 1},
    "items": [{"price": 5}, {"price": 11, "tags": ["new"]}, "loose"],
    "n": -1.5,
}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("$", True),
        ("$.user", True),
        ("$.user.none", True),
        ("$.nobody", False),
        ("$.user.name.more", False),
        ('$.user.name = "x"', True),
        ('$.user.name=="x"', True),
        ('$.user.name != "x"', False),
        ('$["user"]["name"] = "x"', True),
        ("$['user']['a.b'][\"'\"] = 0", True),
        ("$.user['a.b']['\\''] = 0", True),
        ("$.user.na-me = 1", True),
        ("$.user.é = 1", True),
        ("$.user.on = true", True),
        ("$.user.on = 1", False),
        ("$.user.none = null", True),
        ("$.items[*].price > 10", True),
        ("$.items[0].price > 10", False),
        ("$.items[-1] = \"loose\"", True),
        ("$.items[3]", False),
        ("$.items[-4]", False),
        ("$.items.*.price >= 11", True),
        ("$..price < 6", True),
        ("$..tags[0] = \"new\"", True),
        ("$..[0]", True),
        ("$..*", True),
        ("$.*.*.*", True),
        ("$.n <= -1.5", True),
        ("$.n < \"a\"", False),
        ('$.user.name < "y"', True),
        ("$.items[1].tags = [\"new\"]", True),
        ("$.items[0] = {\"price\": 5.0}", True),
        ("$.user.name ~ ^x$", True),
        ('$.user.name ~ "^y"', False),
        ("$.n ~ 1", False),
        (" $ ", True),
        # slices, several selectors, filters and functions (RFC 9535, sections 2.3.4, 2.5.1, 2.3.5, 2.4)
        ("$.items[1:].price = 11", True),
        ("$.items[:1].price = 11", False),
        ("$.items[::-1][0]", False),
        ("$.items[-2:-1].price = 11", True),
        ("$.items[0,2] = \"loose\"", True),
        ("$['n','user']['name'] = \"x\"", True),
        ("$.items[?@.price > 10]", True),
        ("$.items[?@.price > 11]", False),
        ("$.items[?@.price == 11 && @.tags[0] == 'new'].price = 11", True),
        ("$.items[?!@.tags].price = 5", True),
        ("$.items[?@.price == $.items[0].price].price = 5", True),
        ("$..[?@.price<6].price = 5", True),
        ("$.items[?length(@.tags) == 1]", True),
        ("$.items[?count(@.*) == 1].price = 5", True),
        ("$.items[?value(@..price) == 11]", True),
        ("$.items[?match(@, 'lo+se')]", True),
        ("$.items[?match(@, 'oo')]", False),
        ("$.items[?search(@, 'oo')]", True),
        ("$.items[?search(@, '(')]", False),
        ("$.user[?@ == true]", True),
        ("$.user[?@ == null]", True),
        ("$[?@ == -1.5]", True),
        ("$ .user ['name'] = \"x\"", True),
        ("$['us\\u0065r'].name", True),
    ],
)  # fmt: skip
def test_a_condition_holds_or_not(text: str, holds: bool) -> None:
    assert condition(text).holds(STORE) is holds


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "must begin with $"),
        ("user", "must begin with $"),
        ("$user", "cannot be read from character 2 on: user"),
        ("$.a[", "cannot be read from character 4"),
        ("$.a = x", 'write texts as "x"'),
        ("$.a =", "nothing is not JSON after ="),
        ("$.a > true", "> compares numbers or texts"),
        ("$.a ~ (", "is not a regular expression"),
        ('$.a ~ "x', "lacks its closing quotation mark"),
        ("$" + ".a" * 17, "goes more than 16 steps"),
        ("$.a[?@.b = 1]", "cannot be read from character 10 on: = 1]"),
        ("$.a[?@.b =~ 'x']", "cannot be read from character 10 on: =~ 'x']"),
        ("$.a[?@ == [1]]", "cannot be read from character 11 on: [1]]"),
        ("$.a[?size(@) == 1]", "from character 6 on: size(@) == 1] (function 'size' is not defined)"),
        ("$.a[?@.* == 1]", "from character 10 on: == 1] (non-singular query is not comparable)"),
        ("$.a[01]", "from character 5 on: 01] (leading zero in index selector)"),
        ("$.a[?@ == 1e999]", "from character 11 on: 1e999] (the number is too large)"),
        ("$.a[?" + "!" * 900 + "@]", "too deep in each other"),
        ("$" + "[?@" * 300 + "]" * 300, "too deep in each other"),
        ("$['" + "a" * 2000 + "']", "is longer than 2,000 characters"),
    ],
)
def test_what_is_no_condition_is_told(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        condition(text)


_TEXTS = st.text(alphabet="$.*[]'\"ab01-\\=<>!~ (?@:,&|)", max_size=16).map(lambda text: f"${text}") | st.text()
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
)


@given(_TEXTS, _JSON)
@example("$..*..*..*..*..*..*..*..*", [[[]] * 50] * 50)
def test_any_text_is_a_condition_that_holds_or_not_or_a_value_error(text: str, value: Any) -> None:
    try:
        found = condition(text)
    except ValueError:
        return
    assert found.holds(value) in (True, False)


@given(_JSON, _JSON)
def test_same_is_equality_where_true_is_not_one(one: Any, other: Any) -> None:
    assert same(one, one)
    assert same(one, other) == same(other, one)
    if same(one, other):
        assert one == other


_NESTED = [[0] * 50 for _ in range(2000)]


def _deep(levels: int) -> Any:
    value: Any = 0
    for _ in range(levels):
        value = [value, "s"]
    return value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$..[?@..[?@..[?@ == 5]]]", _NESTED),
        ("$..*..*..*..* = 1", _NESTED),
        ("$[?@[?$[?@[0] == 1]]]", _NESTED),
        ("$[" + ",".join(["?1==2"] * 300) + "]", [0] * 300_000),
        ("$.l[?@[?$.a == $.b]].x", {"a": [1] * 50_000, "b": [1] * 50_000, "l": [[1, 2]] * 20_000}),
        ("$.l[?@[?$.a <= $.b]].x", {"a": "x" * 400_000, "b": "x" * 400_000, "l": [[1, 2]] * 20_000}),
        ("$.l[?search($.s, @)]", {"s": "b", "l": [f"(a{{500}}){{{i % 900 + 1}}}" for i in range(30_000)]}),
        ("$" + "..*" * 16 + " = 9", _deep(99)),
        ("$..[?@..[?@..x]]", _deep(99)),
        ("$[?search(@, '(a+)+$')]", ["a" * 100_000 + "b"]),
    ],
)
def test_there_is_an_end_to_what_is_looked_at(text: str, value: Any) -> None:
    began = process_time()
    assert not condition(text).holds(value)
    assert process_time() - began < 10


def test_the_innermost_value_of_the_deepest_document_is_found() -> None:
    assert condition('$..[1] = "s"').holds(_deep(MAX_DEPTH))
    assert condition("$..[?@ == 0]").holds(_deep(MAX_DEPTH))


def test_numbers_keep_all_their_digits() -> None:
    assert condition("$[?@ == 12345678901234567890]").holds([12345678901234567890])
    assert not condition("$[?@ == 12345678901234567890]").holds([12345678901234567891])


def test_a_document_may_be_a_text_that_looks_like_json() -> None:
    assert condition('$ = "{"').holds("{")
    assert not condition("$.a").holds('{"a": 1}')


def test_true_and_one_differ_in_filters_too() -> None:
    assert not condition("$[?@ == 1]").holds([True, [1]])
    assert not condition("$[?@.a == @.b]").holds([{"a": [1], "b": [True]}])
    assert not condition("$[?@ < 1]").holds([False])


def test_a_dot_in_a_pattern_is_a_character_and_ends_no_line() -> None:
    assert condition("$[?match(@, 'a.b')]").holds(["aéb"])
    assert not condition("$[?match(@, 'a.b')]").holds(["a\rb", "a\nb"])
    assert condition("$[?match(@, 'a[.]b') && match(@, 'a\\\\.b')]").holds(["a.b"])
    assert not condition("$[?match(@, 'a[.]b')]").holds(["axb"])


def test_true_is_not_one_and_one_is_one_point_nought() -> None:
    assert not same([True], [1])
    assert same({"a": 1}, {"a": 1.0})
