"""Strict JSON: what is parsed can be written, and says the same."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.text.strict_json import MISSING, member, parse, written

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(_JSON)
def test_what_is_written_is_parsed_to_the_same(value: Any) -> None:
    assert parse(written(value)) == value
    assert parse(json.dumps(value).encode()) == value


@given(st.binary() | st.text(alphabet='{}[]",:\\u0d8e19.-nulNaN ', max_size=40).map(str.encode))
def test_any_bytes_are_a_value_or_a_value_error(text: bytes) -> None:
    with contextlib.suppress(ValueError):
        written(parse(text))


@pytest.mark.parametrize(
    ("path", "found"),
    [("", MISSING), ("a", [1, {"b": 2}]), ("a.1.b", 2), ("a.-1", MISSING), ("a.2", MISSING), ("a.0.b", MISSING)],
)
def test_a_member_is_found_by_its_path(path: str, found: Any) -> None:
    assert member({"a": [1, {"b": 2}]}, path.split(".")) == found
