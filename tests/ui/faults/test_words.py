"""What is said of a fault, and what sliders mean."""

from __future__ import annotations

from typing import Any

import pytest

from app import faults
from app.faults.when import CONDITIONS
from ui.faults.sliders import POSITIONS, Scale, figures
from ui.faults.words import count_words, kind_words, summary


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"kind": "delay"}, "100 ms"),
        ({"kind": "delay", "ms": 200, "jitter_ms": 50, "probability": 0.3}, "200 ± 50 ms, 30 %"),
        ({"kind": "rate", "bytes_per_second": 30_000}, "30.0 kB/s (240 kbit/s)"),
        ({"kind": "slice", "vary": 8}, "64 ± 8 B"),
        ({"kind": "cut"}, "before the first byte"),
        ({"kind": "cut", "then": "reset"}, "before the first byte, then reset"),
        ({"kind": "cut", "bytes": 7}, "after 7 B"),
        ({"kind": "duplicate", "probability": 0.1}, "at once, 10 %"),
        ({"kind": "reset", "nth": 2, "match": "PAY"}, "nth 2, match PAY"),
        ({"kind": "cut", "part": 0.5, "then": "reset"}, "after 50 %, then reset"),
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


@pytest.mark.parametrize(
    ("kind", "table", "names"),
    [
        ("delay", {}, ["ms"]),
        ("delay", {"jitter_ms": 0.0, "every": 2}, ["ms", "every"]),
        ("reset", {}, ["probability"]),
        ("reset", {"nth": 2}, ["nth"]),
        ("cut", {"bytes": 100, "probability": 0.5}, ["bytes", "probability"]),
        ("status", {"status": 418}, ["probability"]),
        ("quota", {}, ["requests"]),
        ("lose", {"probability": 0.1}, ["probability"]),
    ],
)
def test_the_main_figures_are_the_first_amount_what_is_set_and_the_probability(
    kind: str, table: dict[str, Any], names: list[str]
) -> None:
    found = faults.find(kind)
    assert found is not None
    assert [option.name for option in figures(found, table, found.protocols[0])] == names
