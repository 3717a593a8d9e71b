"""Some inputs for each target, the same in each run; ``make bench`` feeds them for a minute."""

from __future__ import annotations

import math
from random import Random

import pytest

from tests.fuzz.engine import Target, fuzz, mutated
from tests.fuzz.targets import TARGETS

INPUTS = {"captures": 60, "json lines and csv": 100}
"""How many inputs those get of which each takes milliseconds; the others get 300."""


@pytest.mark.parametrize("name", TARGETS)
def test_its_first_inputs_do_not_break_it(name: str) -> None:
    inputs = INPUTS.get(name, 300)
    outcome = fuzz(TARGETS[name], math.inf, inputs=inputs)
    assert not outcome.broken, outcome.broken
    assert outcome.count == inputs


def test_what_breaks_a_target_is_found_and_can_be_fed_again() -> None:
    """The engine itself: a parser that fails for a word between others."""

    def check(data: bytes, random: Random) -> None:
        assert b"bad" not in data, "as it should"

    target = Target("broken", [b"good seed"], check, [b"bad", b"fine"])
    outcome = fuzz(target, 5)
    assert "as it should" in outcome.broken
    again = mutated(target, Random(f"broken 0 {outcome.count - 1}"))
    assert repr(again) in outcome.broken
    assert fuzz(target, 5) == outcome


def test_an_input_that_takes_too_long_breaks_a_target(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.fuzz.engine.SLOW", 0.0)
    assert "it took" in fuzz(Target("slow", [b"x"], lambda data, random: sum(range(100_000)) and None), 0).broken
