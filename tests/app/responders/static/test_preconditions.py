"""Conditions and ranges, whatever clients send."""

from __future__ import annotations

import json
from email.utils import parsedate_to_datetime
from time import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.responders.static.listing import as_json
from app.responders.static.lookup import Entry, Listing
from app.responders.static.preconditions import RANGES, Validators, ranges

NUMBERS = st.integers(0, 10**20) | st.integers(0, 120)


@given(st.text(), st.integers(0, 1000))
def test_any_field_can_be_read(text: str, size: int) -> None:
    for found in (ranges(text, size), ranges(f"bytes={text}", size)):
        assert found is None or all(0 <= start < stop <= size for start, stop in found)


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=50), st.integers(0, 100))
def test_no_more_is_sent_than_the_file_holds(asked: list[tuple[int, int]], size: int) -> None:
    found = ranges("bytes=" + ", ".join(f"{first}-{last}" for first, last in asked), size)
    assert found is None or (len(found) <= RANGES and sum(stop - start for start, stop in found) <= size)


@given(st.integers(0, 99), st.integers(0, 99))
def test_a_range_is_that_of_python(first: int, last: int) -> None:
    data = bytes(range(100))
    found = ranges(f"bytes={first}-{last}", 100)
    if first > last:
        assert found is None
    else:
        ((start, stop),) = found or []
        assert data[start:stop] == data[first : last + 1]


@given(st.text(), st.text())
def test_any_condition_has_an_answer(tags: str, date: str) -> None:
    validators = Validators(10, 1_700_000_000_123_456_789)
    for name in ("if-match", "if-none-match"):
        for other in ("if-modified-since", "if-unmodified-since", "if-range"):
            fields = {name: tags, other: date}
            assert validators.status(lambda key, fields=fields: fields.get(key, "")) in (200, 304, 412)  # type: ignore[misc]


def test_a_tag_changes_with_size_and_time() -> None:
    tags = {Validators(size, modified).etag for size in (1, 2) for modified in (10**18, 10**18 + 1)}
    assert len(tags) == 4


@pytest.mark.parametrize("seconds", [-(10**14), -1, 4 * 10**11])
def test_any_time_of_a_file_is_told_as_a_date(seconds: int) -> None:
    now = time()
    validators = Validators(10, seconds * 10**9)
    told = parsedate_to_datetime(validators.modified).timestamp()
    assert told == 0 if seconds < 0 else int(now) <= told <= time()
    shown = json.loads(as_json(Listing((Entry("file", 10, seconds),), cut=False)))
    assert shown[0]["modified"] == ("1970-01-01T00:00:00Z" if seconds < 0 else "9999-12-31T23:59:59Z")
