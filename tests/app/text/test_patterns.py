"""app.text.patterns."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.text import patterns


@pytest.mark.parametrize(
    ("text", "data", "captured"),
    [
        ("01 03", b"\1\3", ()),
        ("01:03,0a", b"\1\3\n", ()),
        ("01 03", b"\1\3\0", None),
        ("01 03", b"\0\1\3", None),
        ("01 ?? 0a", b"\1\n\n", (b"\n",)),
        ("01 ??", b"\1", None),
        ("?? ?? *", b"ab\ncd", (b"a", b"b", b"\ncd")),
        ("01 *", b"\1", (b"",)),
        ("* 0d 0a", b"x\r\n", (b"x",)),
        ("2e2a", b".*", ()),
        ("2e2a", b"xx", None),
    ],
)
def test_hex_is_compared_with_the_whole_message(text: str, data: bytes, captured: tuple[bytes, ...] | None) -> None:
    found = patterns.hex_pattern(text).search(data)
    assert (None if found is None else tuple(found.values())[1:]) == captured


@pytest.mark.parametrize("text", ["", "  ", "0", "01 0", "xy", "01 ? 02", "01-02", "0" * 10_001])
def test_what_is_no_hex_is_said_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="hex"):
        patterns.hex_pattern(text)


@given(st.binary(min_size=1, max_size=20), st.binary(max_size=20))
def test_the_digits_of_a_message_fit_it_and_no_other(data: bytes, other: bytes) -> None:
    pattern = patterns.hex_pattern(data.hex(" "))
    assert pattern.found_in(data)
    assert pattern.found_in(other) is (data == other)


@pytest.mark.parametrize("text", ["(", "*", "(" * 5000, "a**", "x" * 10_001])
def test_what_is_no_regex_is_said_in_words(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a regular expression|is longer than"):
        patterns.regex(text)


def test_a_dot_of_a_regex_is_any_byte() -> None:
    assert patterns.regex("^a.b.$").found_in(b"a\nb\xff")


def test_captures_are_named_by_number_and_name() -> None:
    pattern = patterns.regex(r"(\d)(?P<word>\w)|(x)")
    assert pattern.captures == ("0", "1", "2", "3", "word")
    assert pattern.search(b" 1b") == {"0": b"1b", "1": b"1", "2": b"b", "3": None, "word": b"b"}
    assert pattern.search(b"-") is None


@pytest.mark.parametrize("text", ["(a+)+$", "(a|a)*b", "(.*)*x", "(a?){50}a{50}"])
def test_a_search_takes_linear_time(text: str) -> None:
    """Python's own would need longer than the world exists: this bound is wide, and not about speed."""
    before = time.process_time()
    patterns.regex(text).search(b"a" * 100_000 + b"!")
    assert time.process_time() - before < 5


def test_case_counts_unless_it_is_said_not_to() -> None:
    assert not patterns.regex("GET").found_in(b"get")
    assert patterns.regex("GET", ignore_case=True).found_in(b"get")


@pytest.mark.parametrize("text", [r"(?<=a)b", r"(a)\1", "(?=x)"])
def test_what_would_need_going_back_is_refused_in_words(text: str) -> None:
    assert "is not a regular expression: invalid" in str(patterns.problem(text))
