"""Tells what of the program only grows. Samples are taken while the program is awake anyway, so there may be gaps."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

from app import events
from app.capture.recorder import Recorder
from app.program.figures import BY_NAME, written

EVERY = 30.0
"""Seconds between two samples, at the least."""

SLOT, SLOTS = 300.0, 12
"""A trend is that of the smallest values in 12 times 5 minutes: what comes and goes in between does not count."""

SHARE = 0.1
"""Growth, as a part of the first value, from which a trend is worth a word."""


@dataclass(frozen=True, slots=True)
class Trend:
    """A figure that has only grown.

    Attributes:
        first, last: its values at the beginning and at the end.
        seconds: between them.
    """

    what: str
    first: int
    last: int
    seconds: float


@dataclass(slots=True)
class _Course:
    """The smallest value of each slot, the newest last: ``(slot, value)``."""

    slots: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=SLOTS + 1))

    def add(self, slot: int, value: int) -> None:
        if self.slots and self.slots[-1][0] == slot:
            self.slots[-1] = (slot, min(value, self.slots[-1][1]))
        else:
            self.slots.append((slot, value))

    def grown(self) -> tuple[int, int, float] | None:
        """First and last value, and the seconds between, if it has grown from each whole slot to the next for long
        enough; a program that was idle for more than half of that time tells nothing."""
        whole = list(self.slots)[:-1]  # the newest is not over
        if not whole:
            return None
        span = whole[-1][0] - whole[0][0] + 1
        if span < SLOTS or 2 * len(whole) <= span:
            return None
        values = [value for _, value in whole]
        if any(b <= a for a, b in pairwise(values)):
            return None
        return values[0], values[-1], span * SLOT


class Growth:
    """Takes samples and finds trends. Each is told once, and again after it has gone on for as long."""

    def __init__(self, read: Callable[[], dict[str, int]], tell: Callable[[Trend], object]) -> None:
        self._read, self._tell = read, tell
        self._courses: dict[str, _Course] = {name: _Course() for name, figure in BY_NAME.items() if figure.least}
        self._due = 0.0

    def sample(self, now: float) -> None:
        """Take a sample, unless the last one is new. ``now``: seconds of any clock that does not jump."""
        if now < self._due:
            return
        self._due = now + EVERY
        found = self._read()
        for name, course in self._courses.items():
            if name not in found:
                continue
            course.add(int(now // SLOT), found[name])
            grown = course.grown()
            if grown is None:
                continue
            first, last, seconds = grown
            if last - first >= max(BY_NAME[name].least, SHARE * first):
                course.slots.clear()
                self._tell(Trend(name, first, last, seconds))


def record(recorder: Recorder, trend: Trend) -> None:
    """Record a trend."""
    from_to = f"from {written(trend.what, trend.first)} to {written(trend.what, trend.last)}"
    minutes = round(trend.seconds / 60)
    words = f"{BY_NAME[trend.what].title}: only grows, {from_to} in {minutes} minutes. See Help, This program"
    detail = {"what": trend.what, "first": trend.first, "last": trend.last, "seconds": trend.seconds}
    recorder.record(events.GROWING, summary=words, detail=json.dumps(detail))
