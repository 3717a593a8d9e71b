"""Conditions on JSON by paths."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.responders.mock.json_path import condition, same

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
        ("$.a[1:2]", "cannot be read from character 4"),
        ("$.a[?@.b]", "cannot be read from character 4"),
        ("$.a = x", 'write texts as "x"'),
        ("$.a =", "nothing is no JSON behind ="),
        ("$.a > true", "> compares numbers or texts"),
        ("$.a ~ (", "is no regular expression"),
        ('$.a ~ "x', "lacks its closing quotation mark"),
        ("$" + ".a" * 17, "goes more than 16 steps"),
    ],
)
def test_what_is_no_condition_is_told(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        condition(text)


_TEXTS = st.text(alphabet="$.*[]'\"ab01-\\=<>!~ (", max_size=16).map(lambda text: f"${text}") | st.text()
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


def test_true_is_not_one_and_one_is_one_point_nought() -> None:
    assert not same([True], [1])
    assert same({"a": 1}, {"a": 1.0})
