"""How times are written."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from ui.looks import times
from ui.looks.times import TimeFormat

TIME = 1_700_000_000_482_007_118


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    yield
    times.use(TimeFormat())


def test_local_time_to_the_microsecond_unless_told_otherwise() -> None:
    assert times.clock(TIME) == f"{datetime.fromtimestamp(TIME // 10**9, UTC).astimezone():%H:%M:%S}.482 007"


@pytest.mark.parametrize(("digits", "end"), [(3, ".482"), (6, ".482 007"), (9, ".482 007 118")])
def test_as_many_digits_as_chosen(digits: int, end: str) -> None:
    times.use(TimeFormat(utc=True, digits=digits))
    assert times.clock(TIME) == f"22:13:20{end}"
    assert times.chars() == len(times.clock(TIME))


def test_whoever_has_less_room_says_how_many() -> None:
    assert times.clock(TIME, 3).endswith(".482")


def test_the_zone_is_that_of_the_clock() -> None:
    assert times.zone() is None
    times.use(TimeFormat(utc=True))
    assert times.zone() is UTC
    assert times.moment(TIME).utcoffset() == UTC.utcoffset(None)
