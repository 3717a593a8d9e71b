"""Which events were looked at, of a capture that is read little by little: the newest first."""

from __future__ import annotations

from app.capture.reading.store import CHUNK


class Coverage:
    """An interval of ids.

    Attributes:
        first, last: of the events that were looked at; ``last < first`` where none were.
    """

    def __init__(self, first: int = 1, last: int = 0) -> None:
        self.first, self.last = first, last

    def next(self, first: int, last: int, most: int = CHUNK) -> tuple[int, int] | None:
        """The part of the ids from ``first`` to ``last`` to look at next; None where all were.

        What is new comes before what is old.
        """
        if first > last:
            return None
        if self.last < self.first or self.first > last + 1 or self.last < first - 1:
            return max(first, last - most + 1), last
        if self.last < last:
            return self.last + 1, min(last, self.last + most)
        if self.first > first:
            return max(first, self.first - most), self.first - 1
        return None

    def add(self, first: int, last: int) -> None:
        """These were looked at; they are beside what was, or take its place."""
        if self.last < self.first or first > self.last + 1 or last < self.first - 1:
            self.first, self.last = first, last
        else:
            self.first, self.last = min(self.first, first), max(self.last, last)

    def done(self, first: int, last: int) -> float:
        """The share of these that was looked at, from 0 to 1."""
        if first > last:
            return 1.0
        there = min(last, self.last) - max(first, self.first) + 1
        return max(0, there) / (last - first + 1)
