"""app.options: mistakes with their place, and which table became which."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.options import Mistake, Option, kept, live, mistakes, problems

ROW = (
    Option("size", int, 0, "Size", minimum=0),
    Option("names", list, [], "Names", check=lambda names: "has an x" if "x" in names else None),
    Option("least", int, 0, "Least"),
)
ROWS = Option(
    "rows", list, [], "Rows", of=ROW, check=lambda rows: "must be at most 2" if len(rows) > 2 else None,
    each=lambda row: [("least", None, "must be at most size")] if row["least"] > row["size"] else [],
)  # fmt: skip
DECLARED = (ROWS, Option("name", str, "", "Name", required=True))


def places(given: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [(f.option, f.table, f.key, f.item, f.text) for f in mistakes(DECLARED, given)]


def test_what_is_right_has_no_faults() -> None:
    assert places({"rows": [{"size": 3, "least": 2}], "name": "x"}) == []


def test_each_fault_has_its_table_option_and_item() -> None:
    rows = [{"size": -1, "names": ["a", "x", "b"]}, {}, {"least": 1}]
    assert places({"rows": rows, "name": "x"}) == [
        ("rows", 0, "size", None, "must be at least 0"),
        ("rows", 0, "names", 1, "has an x"),
        ("rows", 2, "least", None, "must be at most size"),
    ]


def test_the_list_as_a_whole_is_looked_at_when_its_tables_are_right() -> None:
    assert places({"rows": [{}, {}, {}], "name": "x"}) == [("rows", None, "", None, "must be at most 2")]


def test_unknown_and_missing_options_are_faults() -> None:
    assert places({"nam": "x"}) == [
        ("nam", None, "", None, "is unknown. Use one of rows, name"),
        ("name", None, "", None, "is missing"),
    ]
    assert places({"rows": [{"sice": 1}], "name": "x"}) == [
        ("rows", 0, "sice", None, "is unknown. Use one of size, names, least")
    ]


@pytest.mark.parametrize("rows", ["x", [1], [{}, "x"]])
def test_what_is_no_list_of_tables_is_one_fault(rows: Any) -> None:
    assert places({"rows": rows, "name": ""}) == [
        ("rows", None, "", None, "must be tables that hold size, names, least")
    ]


def test_the_words_of_a_fault_name_table_and_option() -> None:
    assert str(Mistake("rows", "is wrong", 1, "size")) == "number 2: size is wrong"
    assert str(Mistake("rows", "is wrong", 1)) == "number 2: is wrong"
    assert str(Mistake("rows", "is wrong")) == "is wrong"


_TABLE = st.dictionaries(
    st.sampled_from(["size", "least", "names", "more"]),
    st.one_of(st.integers(-2, 2), st.lists(st.sampled_from(["a", "x"]), max_size=3)),
)


@given(st.one_of(st.lists(_TABLE, max_size=4), st.just(7)))
def test_a_problem_is_the_first_of_the_faults(rows: Any) -> None:
    given = {"rows": rows, "name": "x"}
    found = list(mistakes(DECLARED, given))
    assert dict(problems(DECLARED, given)) == ({"rows": str(found[0])} if found else {})


# -- which table became which


@given(st.permutations(range(6)))
def test_tables_that_were_moved_are_the_same(order: list[int]) -> None:
    assert kept([{"n": n} for n in range(6)], [{"n": n} for n in order]) == list(order)


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("abc", "aXc", [0, 1, 2]),  # edited
        ("abc", "Xabc", [None, 0, 1, 2]),  # added in front
        ("abc", "ac", [0, 2]),  # removed
        ("abc", "abcX", [0, 1, 2, None]),
        ("aa", "aaa", [0, 1, None]),  # the same twice, and a copy
        ("ab", "ba", [1, 0]),
        ("ab", "Xa", [None, 0]),  # b is gone, and X does not stand where b did
        ("", "ab", [None, None]),
    ],
)
def test_a_table_is_found_again(old: str, new: str, found: list[int | None]) -> None:
    assert kept([{"n": letter} for letter in old], [{"n": letter} for letter in new]) == found


def test_true_and_one_are_different_values() -> None:
    assert kept([{"n": 1}, {"n": 0}], [{"n": 0}, {"n": True}]) == [1, None]


def test_live_marks_options() -> None:
    assert [option.live for option in (*live(*ROW), *ROW)] == [True] * 3 + [False] * 3
