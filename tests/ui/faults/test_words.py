"""What is said of a fault, and what sliders mean."""

from __future__ import annotations

from typing import Any

import pytest

from app import faults
from app.faults.when import CONDITIONS
from ui.faults.figures import POSITIONS, Scale, figures
from ui.faults.words import count_words, kind_words, summary


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"kind": "delay"}, "100 ms"),
        ({"kind": "delay", "ms": 200, "jitter_ms": 50, "probability": 0.3}, "200 ± 50 ms, 30 %"),
        ({"kind": "rate", "bytes_per_second": 30_000}, "30.0 kB/s"),
        ({"kind": "reset", "nth": 2, "match": "PAY"}, "nth 2, match PAY"),
        ({"kind": "cut", "part": 0.5, "then": "reset"}, "part 50 %, then reset"),
        ({"kind": "corrupt", "how": "byte", "peer": ["10.0.0.7", "10.1.0.0/16"]}, "byte, peer 10.0.0.7, 10.1.0.0/16"),
        ({"kind": "stall", "enabled": False}, "1,000 ms, off at first"),
        ({"kind": "reset", "match": "a\nb" + "x" * 100}, r"match a\nb" + "x" * 35 + "…"),
    ],
)
def test_figures_and_conditions_in_a_line(table: dict[str, Any], words: str) -> None:
    assert summary(faults.find(table["kind"]), table) == words


def test_a_kind_that_is_not_there_has_its_conditions() -> None:
    assert summary(None, {"kind": "of a plugin", "every": 3}) == "every 3"


def test_counts_and_sides() -> None:
    assert [count_words(hits) for hits in (0, 1, 1204)] == ["0 hits", "1 hit", "1,204 hits"]
    assert kind_words("delay", "sent") == "delay on sent"


def numbers() -> list[Any]:
    own = [option for name in faults.names() if (kind := faults.find(name)) for option in kind.options]
    return [option for option in (*own, *CONDITIONS) if option.type in (int, float)]


@pytest.mark.parametrize("option", numbers(), ids=lambda option: option.name)
def test_a_slider_goes_from_end_to_end_and_gives_what_is_valid(option: Any) -> None:
    scale = Scale.of(option, option.default)
    values = [scale.value(position) for position in range(POSITIONS + 1)]
    assert values == sorted(values)
    assert values[0] == scale.low
    assert values[-1] == scale.high
    for value in values:
        assert option.problem(int(value) if option.type is int else value) is None
    assert abs(scale.position(scale.value(POSITIONS // 2)) - POSITIONS // 2) < POSITIONS / 50


def test_the_main_figures_are_the_first_with_a_unit_what_is_set_and_the_probability() -> None:
    delay, corrupt = faults.find("delay"), faults.find("corrupt")
    assert delay is not None
    assert corrupt is not None
    assert [option.name for option in figures(delay, {})] == ["ms"]
    assert [option.name for option in figures(delay, {"jitter_ms": 0.0, "every": 2})] == ["ms", "jitter_ms", "every"]
    assert [option.name for option in figures(corrupt, {})] == ["probability"]
