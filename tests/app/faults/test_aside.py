"""app.faults.aside: pieces that are overtaken by thousands cost no more for each that passes."""

from __future__ import annotations

from time import process_time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock

from app.faults.lane import Lane, Piece


def passed(gaps: list[int], *, loose: bool = True) -> list[int]:
    """The numbers of pieces in the order in which they leave; each may be overtaken by so many."""
    clock, got = Clock(), list[int]()
    lane = Lane(clock, loose=loose)
    for number, gap in enumerate(gaps):
        piece = Piece(b"%d" % number, lambda data: got.append(int(data)), whole=True)
        if gap:
            piece.due["reorder"], piece.gap = clock.seconds() + 60, gap
        lane.put(piece)
    clock.advance(61)
    assert (len(lane), lane.size, clock.getDelayedCalls()) == (0, 0, [])
    return got


@given(st.lists(st.integers(0, 5), max_size=40), st.booleans())
def test_each_is_overtaken_by_as_many_as_it_says(gaps: list[int], loose: bool):
    got = passed(gaps, loose=loose)
    assert sorted(got) == list(range(len(gaps)))
    for number, gap in enumerate(gaps):
        later = sum(1 for other in got[: got.index(number)] if other > number)
        assert later <= gap + sum(1 for other in gaps[number + 1 :] if other)  # those that came to their turn with it
        if not gap and later:
            raise AssertionError(f"{number} was overtaken")


def test_thousands_that_are_overtaken_take_no_time_for_each_that_passes():
    """Half of them stand aside when the others pass: the time is that of 20,000, not of their square."""
    gaps = [10_000] * 10_000 + [10_000 * (number % 2) for number in range(20_000)]
    began = process_time()
    got = passed(gaps)
    assert process_time() - began < 3
    assert sorted(got) == list(range(30_000))


def test_entries_of_those_that_are_gone_do_not_gather():
    clock = Clock()
    lane = Lane(clock, loose=True)

    def put(gap: int) -> None:
        piece = Piece(b"x", lambda data: None, whole=True)
        if gap:
            piece.due["reorder"], piece.gap = clock.seconds() + 86_400, gap
        lane.put(piece)

    put(1 << 62)
    for _ in range(5_000):
        put(1)
        put(0)
    aside: Any = lane._aside
    assert (len(lane), len(aside._by_time), len(aside._by_passed)) == (1, pytest.approx(1, abs=80), 1)
    lane.close()
    assert not clock.getDelayedCalls()
