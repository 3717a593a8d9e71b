"""The figures of a fault that are set by sliders: which they are, and what their positions mean. No Qt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import expm1, floor, log1p, log10
from typing import Any

from app.faults import FaultKind
from app.faults.tables import mistakes
from app.faults.when import CONDITIONS
from app.options import Option
from ui.faults.words import is_number, is_share, spreads

POSITIONS = 1_000
"""Of a slider."""

MOST = 3
"""Figures of one fault at the most."""

TOPS = {"ms": 10_000.0, "s": 600.0, "bytes": 1e6, "bytes/s": 1e8, "": 100.0}
"""What a slider ends with, by unit, where the option allows more. What is typed may be more."""

COUNTED = ("nth", "every", "first")


CODES = ("status", "code")
"""Numbers that are no amounts."""


def figures(kind: FaultKind, table: Mapping[str, Any], protocol: str) -> list[Option]:
    """The numbers that matter: the first of the kind's own that is not 0, what else is set, and the probability.

    How much one of them varies stands beside it. There may be none: a closed port tells no connections apart.
    """
    own = [option for option in kind.options if is_number(option) and option.name not in CODES]
    first = next((option for option in own if option.default), None)
    beside = spreads(kind.options).values()
    found = [option for option in own if (option is first or option.name in table) and option not in beside]
    by_name = {option.name: option for option in CONDITIONS}
    found += [by_name[name] for name in COUNTED if table.get(name)]
    if "probability" in table or (not found and _may_be_by_chance(table, protocol)):
        found.append(by_name["probability"])
    return found[:MOST]


def _may_be_by_chance(table: Mapping[str, Any], protocol: str) -> bool:
    wrong = mistakes([{**table, "probability": 0.5}], protocol, tls=True)
    return all(mistake.key != "probability" for mistake in wrong)


@dataclass(frozen=True, slots=True)
class Scale:
    """What the positions of a slider mean: parts of a whole evenly, anything else by its size."""

    low: float
    high: float
    even: bool
    whole: bool

    @classmethod
    def of(cls, option: Option, value: float) -> Scale:
        """For an option whose value is ``value``, which the scale reaches."""
        low = option.minimum or 0.0
        top = TOPS.get(option.unit, TOPS[""])
        high = min(top, option.maximum) if option.maximum is not None else top
        if is_share(option):
            return cls(0.0, 1.0, even=True, whole=False)
        return cls(low, max(high, value, low + 1), even=False, whole=option.type is int)

    def position(self, value: float) -> int:
        """The nearest position to a value."""
        span = self.high - self.low
        part = (value - self.low) / span if self.even else log1p(max(0.0, value - self.low)) / log1p(span)
        return round(POSITIONS * min(1.0, max(0.0, part)))

    def value(self, position: int) -> float:
        """The value of a position, with at most three digits that count."""
        part, span = position / POSITIONS, self.high - self.low
        if self.even:
            return round(self.low + part * span, 3)
        if position == POSITIONS:
            return self.high
        value = self.low + expm1(part * log1p(span))
        digits = 2 - floor(log10(value)) if value >= 100 else 0 if self.whole or value >= 10 else 1
        return min(self.high, max(self.low, round(value, digits)))
