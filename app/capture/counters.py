"""What is counted of each service while it is recorded, for whoever reads figures and not events."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds: upper bounds of the classes of durations; the last class has none."""


class Counters:
    """Counts of one service since the program started. They only grow.

    Attributes:
        failures: exceptions that were recorded.
        classes: answered HTTP requests by the first digit of their status.
        durations: those of them that a responder answered, by ``BOUNDS``; ``seconds`` is the sum of their durations.
        faults: hits of faults, by kind.
    """

    __slots__ = ("classes", "durations", "failures", "faults", "seconds")

    def __init__(self) -> None:
        self.failures = 0
        self.classes: Counter[int] = Counter()
        self.durations = [0] * (len(BOUNDS) + 1)
        self.seconds = 0.0
        self.faults: Counter[str] = Counter()

    def __add__(self, other: Counters) -> Counters:
        found = Counters()
        found.failures = self.failures + other.failures
        found.classes, found.faults = self.classes + other.classes, self.faults + other.faults
        found.durations = [a + b for a, b in zip(self.durations, other.durations, strict=True)]
        found.seconds = self.seconds + other.seconds
        return found

    def answered(self, status: int, seconds: float | None = None) -> None:
        """An HTTP request was answered. ``seconds``: None where it was refused before a responder had it."""
        self.classes[status // 100] += 1
        if seconds is not None:
            self.durations[bisect_left(BOUNDS, seconds)] += 1
            self.seconds += seconds
