"""The row that is selected after the selected one is gone."""

from __future__ import annotations

import pytest

from ui.parts.neighbours import still_there


@pytest.mark.parametrize(
    ("selected", "now", "expected"),
    [
        ("b", "abc", "b"),
        ("b", "acd", "c"),
        ("b", "ad", "d"),
        ("d", "abc", "c"),
        ("b", "xy", "x"),
        ("b", "axcd", "x"),
        ("", "abc", "a"),
        ("b", "", ""),
    ],
)
def test_its_new_name_else_the_next_one_else_the_previous_one_else_the_first(
    selected: str, now: str, expected: str
) -> None:
    assert still_there(selected, list("abcd"), list(now)) == expected
