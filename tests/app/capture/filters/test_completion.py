"""app.capture.filters.completion."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.capture.filters.completion import combined, condition, suggestions
from app.capture.filters.fields import FIELDS
from app.capture.filters.language import parse

KNOWN = {"service": ["rest", "ws echo"]}


def offered(typed: str) -> list[str]:
    return [s.text for s in suggestions(typed, len(typed), KNOWN)]


@pytest.mark.parametrize(
    ("typed", "some"),
    [
        ("", ["id", "service", "not"]),
        ("ser", ["service"]),
        ("status", ["http.status"]),
        ("http.", ["http.method", "http.target"]),
        ("size ", ["==", ">"]),
        ("payload ", ["contains", "matches"]),
        ("time ", [">", "<"]),
        ("service == ", ["rest", '"ws echo"']),
        ("service == r", ["rest"]),
        ("kind == data", ["data.received", "data.sent"]),
        ("kind in {data.received, ws.m", ["ws.message"]),
        ("direction==", ["received", "sent"]),
        ("size > 100 ", ["and", "or"]),
        ("size > 100 a", ["and"]),
        ("(size > 100) ", ["and", "or"]),
        ('service == "ws echo" ', ["and", "or"]),
        ("size > 100 and not pe", ["peer"]),
        ("size exists ", ["and", "or"]),
    ],
)
def test_offers(typed: str, some: list[str]) -> None:
    assert set(some) <= set(offered(typed))
    start = suggestions(typed, len(typed), KNOWN)[0].start
    assert typed[start:] == typed.split(" ")[-1].split("{")[-1].split("(")[-1].split("==")[-1]


@pytest.mark.parametrize("typed", ['payload contains "ab', "and", "size > 1", "service", "zzz"])
def test_offers_nothing_within_quotes_or_for_what_is_whole(typed: str) -> None:
    assert offered(typed) == []


def test_what_is_behind_the_cursor_does_not_matter() -> None:
    assert [s.text for s in suggestions("ser == x", 3, KNOWN)] == ["service"]


def test_only_this_and_not_this_become_conditions() -> None:
    assert condition("service", "ws echo") == 'service == "ws echo"'
    assert condition("conn", 7, exclude=True) == "conn != 7"
    assert combined("", "conn == 7") == "conn == 7"
    assert combined("zip", "conn == 7") == "zip and conn == 7"
    assert combined("zip or zap", "conn == 7") == "(zip or zap) and conn == 7"


@given(st.text(max_size=30), st.integers(0, 30))
def test_nothing_that_is_typed_raises(typed: str, cursor: int) -> None:
    for suggestion in suggestions(typed, cursor, KNOWN):
        assert 0 <= suggestion.start <= len(typed)


@given(st.sampled_from([name for name in FIELDS if FIELDS[name].type == "text"]), st.text(min_size=1, max_size=20))
def test_the_condition_of_a_cell_is_a_filter(field: str, value: str) -> None:
    where = parse(condition(field, value))
    assert where.values[-1:] == (value if value.isascii() else value.casefold(),)
