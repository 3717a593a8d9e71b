"""The sliding window of an alert, and what becomes of it."""

from __future__ import annotations

import pytest

from app.alerts.alert import Alert
from app.alerts.counting import Watched
from app.alerts.looking import Matching

SECOND = 10**9
T0 = 1_795_965_325 * SECOND


def watched(count: int = 3, within: float = 10.0, quiet: float = 60.0) -> Watched:
    return Watched(Alert("a", "x", count, within, quiet))


def at(*seconds: float) -> Matching:
    return Matching([T0 + int(s * SECOND) for s in seconds], len(seconds))


@pytest.mark.parametrize(
    ("times", "told"),
    [
        ((0, 1), 0),
        ((0, 1, 2), 3),
        ((0, 5, 10), 3),
        ((0, 5, 10.001), 0),
        ((0, 20, 40, 41, 42), 3),
        ((0, 1, 2, 50), 3),  # it was so, if only for a moment
        ((0, 0, 0, 0, 0), 5),
    ],
)
def test_it_is_raised_when_so_many_came_within_the_time(times: tuple[float, ...], told: int) -> None:
    assert watched().take(at(*times), 100.0) == told


def test_what_comes_in_several_looks_counts_together() -> None:
    one = watched()
    assert [one.take(at(s), s) for s in (0, 4, 8)] == [0, 0, 3]


def test_a_storm_is_told_once_and_again_after_the_quiet_time() -> None:
    one = watched(quiet=60)
    assert one.take(at(*[0.0] * 10_000), 0.0) == 10_000
    assert one.take(at(*[1.0] * 10_000), 1.0) == 0
    assert one.take(at(*[40.0] * 10), 59.9) == 0
    assert one.take(at(60.0), 60.0) == 0  # one alone is not enough
    assert one.take(at(60.1, 60.2), 60.1) == 10_000 + 10 + 3
    assert one.since == 20_000 + 13


def test_flapping_is_told_once_in_each_quiet_time_and_resolved_when_it_is_calm() -> None:
    one, told = watched(count=1, quiet=300), 0
    for second in range(0, 3_000, 20):
        told += one.take(at(second), float(second)) > 0
        assert one.calm_at() == second + 300
    assert told == 10
    one.resolve()
    assert one.state == "armed"
    assert one.take(at(9_000), 9_000.0) == 1


@pytest.mark.parametrize("jump", [-3_600.0, -5.0, -0.001])
def test_a_clock_that_is_set_back_takes_no_time_away(jump: float) -> None:
    """What came before keeps its distance from what comes afterwards; the jump itself takes no time."""
    apart = watched()
    assert [apart.take(at(s), 0.0) for s in (0, jump, jump + 11, jump + 22, jump + 33)] == [0] * 5
    close = watched()
    assert [close.take(at(s), 0.0) for s in (0, jump, jump + 9)] == [0, 0, 3]


@pytest.mark.parametrize("late", [0.001, 0.5, 9.0])
def test_what_comes_late_from_outposts_counts_at_its_own_time(late: float) -> None:
    """Each second event is of an outpost, and its time before that of the one that came before it."""
    times = [n * 0.1 - late * (n % 2) for n in range(20)]
    raised, apart = watched(count=20), watched(count=20, within=late / 2)
    assert [raised.take(at(time), 0.0) for time in times] == [0] * 19 + [20]
    assert [apart.take(at(time), 0.0) for time in times] == [0] * 20


def test_a_clock_that_is_set_forward_forgets_what_was_before() -> None:
    one = watched()
    assert one.take(at(0, 1), 1.0) == 0
    assert one.take(at(3_600, 3_601), 2.0) == 0
    assert one.take(at(3_602), 3.0) == 3
    assert one.calm_at() == 63.0  # by our clock, which does not jump
