"""app.faults.draws: their figures are those of the distributions, and are decided by what they are drawn for."""

from __future__ import annotations

import math
from itertools import pairwise
from statistics import fmean, pstdev
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock

from app.faults.draws import Draws
from app.faults.lane import Piece
from tests.app.faults.course import Stage

COUNT = 10_000

HEAVY = 0.5
"""How far the deviation of so many figures of the Pareto distribution may be off: it has no fourth moment."""


def draws(candidate: int, seed: int = 7, name: str = "delay", connection: int = 1, side: str = "sent") -> Draws:
    return Draws(seed, name, connection, side, candidate)


SHAPES = {
    # 99th percentile, from the distribution's inverse: of mean 0 and, but for uniform, standard deviation 1
    "uniform": (0.98, 1 / math.sqrt(3)),
    "normal": (2.326, 1.0),
    "lognormal": ((math.exp(0.8 * 2.3263) - math.exp(0.32)) / (math.exp(0.32) * math.sqrt(math.exp(0.64) - 1)), 1.0),
    "pareto": ((0.01 ** (-1 / 3) - 1.5) / math.sqrt(0.75), 1.0),
}


@pytest.mark.parametrize("distribution", SHAPES)
def test_mean_deviation_and_tail(distribution: str):
    found = sorted(draws(number).spread(distribution) for number in range(COUNT))
    p99, deviation = SHAPES[distribution]
    assert fmean(found) == pytest.approx(0, abs=0.04)
    assert pstdev(found) == pytest.approx(deviation, rel=HEAVY if distribution == "pareto" else 0.05)
    assert found[COUNT * 99 // 100] == pytest.approx(p99, rel=0.1)
    if distribution == "uniform":
        assert found[0] >= -1
        assert found[-1] < 1


def test_uniform_figures_are_spread_evenly():
    boxes = [0] * 20
    for number in range(COUNT):
        boxes[int(draws(number).uniform() * 20)] += 1
    # Chi square with 19 degrees of freedom: more than 43.8 once in 1,000.
    assert sum((box - COUNT / 20) ** 2 / (COUNT / 20) for box in boxes) < 43.8


def test_neighbours_have_nothing_in_common():
    """Neither candidates, connections, seeds, names nor sides that differ by little."""

    def correlation(one: list[float], other: list[float]) -> float:
        a, b = fmean(one), fmean(other)
        return sum((x - a) * (y - b) for x, y in zip(one, other, strict=True)) / len(one) * 12

    base = [draws(number).uniform() for number in range(COUNT)]
    for change in (
        {"seed": 8}, {"name": "delay 2"}, {"connection": 2}, {"side": "received"}, {"side": "sent?"},
    ):  # fmt: skip
        other = [draws(number, **change).uniform() for number in range(COUNT)]  # type: ignore[arg-type]
        assert abs(correlation(base, other)) < 0.04, change
    assert abs(correlation(base[:-1], base[1:])) < 0.04


@given(st.integers(0, 2**63), st.text(max_size=20), st.integers(1, 2**40), st.integers(1, 2**40), st.integers(0, 300))
def test_they_depend_on_nothing_else(seed: int, name: str, connection: int, candidate: int, size: int):
    one, other = (Draws(seed, name, connection, "sent", candidate) for _ in range(2))
    for draw in (Draws.uniform, Draws.normal, lambda d: d.below(17), lambda d: d.noise(size)):
        assert draw(one) == draw(other)
    assert 0 <= one.uniform() < 1
    assert len(one.noise(size)) == size


# -- delay, which has all of them


def delays(**options: Any) -> list[float]:
    """The milliseconds by which a fault ``delay`` has each of 10,000 messages come later."""
    stage = Stage(Clock(), {"kind": "delay", **options})
    course, found = stage.open(), []
    for _ in range(COUNT):
        piece = Piece(b"message", lambda data: None)
        stage.faults.strike(course, "sent", "", piece, course.target.outgoing)
        found.append(1000 * max(piece.due.values()))
    return found


@pytest.mark.parametrize("distribution", SHAPES)
def test_a_delay_has_the_mean_and_the_tail_of_its_distribution(distribution: str):
    found = sorted(delays(ms=1_000.0, jitter_ms=100.0, distribution=distribution))
    p99, _ = SHAPES[distribution]
    assert fmean(found) == pytest.approx(1_000, abs=4)
    assert found[COUNT * 99 // 100] == pytest.approx(1_000 + 100 * p99, rel=0.03)


@pytest.mark.parametrize("distribution", ["uniform", "normal", "lognormal", "pareto"])
@pytest.mark.parametrize("wanted", [0.25, 0.9])
def test_a_delay_is_as_much_like_the_one_before_as_its_correlation_says(distribution: str, wanted: float):
    found = delays(ms=10_000.0, jitter_ms=100.0, distribution=distribution, correlation=wanted)
    mean = fmean(found)
    variance = fmean((x - mean) ** 2 for x in found)
    lag = fmean((x - mean) * (y - mean) for x, y in pairwise(found)) / variance
    assert lag == pytest.approx(wanted, abs=0.04)
    # It does not widen or narrow what is drawn.
    heavy = HEAVY if distribution == "pareto" else 0.1
    assert math.sqrt(variance) == pytest.approx(100 * SHAPES[distribution][1], rel=heavy)


def test_the_first_delay_of_a_connection_is_drawn_as_if_there_were_no_correlation():
    stages = [
        Stage(Clock(), {"name": "late", "kind": "delay", "ms": 1_000.0, "jitter_ms": 100.0, "correlation": kept})
        for kept in (0.0, 0.7)
    ]
    firsts = []
    for stage in stages:
        firsts.append([])
        for _ in range(200):
            course, piece = stage.open(), Piece(b"message", lambda data: None)
            stage.faults.strike(course, "sent", "", piece, course.target.outgoing)
            firsts[-1].append(max(piece.due.values()))
    assert firsts[0] == firsts[1]
    assert max(firsts[1]) < 1.1
