"""What there is in the program's memory, for whoever looks for a leak: it takes a while, and is done when asked for."""

from __future__ import annotations

import gc
import tracemalloc
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from twisted.internet import defer
from twisted.internet.defer import Deferred

from app.failures.origins import library, short

MOST = 100
"""Rows of a list."""

NOT_RECORDED = ""
"""Where a Deferred was made, while that is not recorded."""


def types() -> Counter[str]:
    """How many objects there are of each type, by its name with the module. Only those that may hold others: Python
    does not know where the others are."""
    return Counter(f"{kind.__module__}.{kind.__qualname__}" for kind in map(type, gc.get_objects()))


def changes(before: Mapping[str, int], now: Mapping[str, int]) -> list[tuple[str, int, int]]:
    """Name, number now and change of the types whose number has changed, what has grown most first."""
    found = [(name, now.get(name, 0), now.get(name, 0) - before.get(name, 0)) for name in {*before, *now}]
    return sorted((row for row in found if row[2]), key=lambda row: (-row[2], row[0]))[:MOST]


def record_deferreds(on: bool) -> None:
    """Have each Deferred that is made from now on know where, or not. All that uses Deferreds is slower meanwhile."""
    defer.setDebugging(on)


def records_deferreds() -> bool:
    return bool(defer.getDebugging())


def waiting() -> Counter[str]:
    """How many Deferreds have not fired, by where they were made: ``plugins/orders.py:18 orders``, or
    ``NOT_RECORDED``."""
    return Counter(_made(found) for found in gc.get_objects() if isinstance(found, Deferred) and not found.called)


def _made(deferred: Deferred[object]) -> str:
    creator = getattr(getattr(deferred, "_debugInfo", None), "creator", None)
    if not creator:
        return NOT_RECORDED
    # Lines as of ``traceback.format_stack``, the outermost first, of which each begins with its place.
    steps = [step for step in (_place(line) for line in creator) if step is not None]
    own = [step for step in steps if library(step[0]) is None]
    file, line, function = (own or steps or [("?", "0", "?")])[-1]
    return f"{short(file)}:{line} {function}"


def _place(entry: str) -> tuple[str, str, str] | None:
    """File, line and function of an entry as ``File "a.py", line 3, in f``."""
    first = entry.strip().partition("\n")[0]
    if not first.startswith('File "'):
        return None
    file, _, rest = first.removeprefix('File "').rpartition('", line ')
    line, _, function = rest.partition(", in ")
    return file, line, function


@dataclass(frozen=True, slots=True)
class Allocated:
    """What one line of code has allocated since the mark, and still holds.

    Attributes:
        where: ``plugins/orders.py:18``.
        size: in bytes.
    """

    where: str
    size: int
    count: int


class Tracing:
    """Memory by the line that allocated it, while it is traced. Everything is slower meanwhile, by half or more.

    Attributes:
        _mark: what there was at the mark; None before the first.
    """

    def __init__(self) -> None:
        self._mark: tracemalloc.Snapshot | None = None

    @property
    def on(self) -> bool:
        return tracemalloc.is_tracing()

    def turn(self, on: bool) -> None:
        """Begin to trace, or end. What was allocated before is not known."""
        if on and not self.on:
            tracemalloc.start()
        elif not on and self.on:
            tracemalloc.stop()
            self._mark = None

    def mark(self) -> None:
        """Compare with now from now on. Blocks."""
        self._mark = self._snapshot() if self.on else None

    def grown(self) -> list[Allocated]:
        """What has grown since the mark, most first. Blocks."""
        if not self.on:
            return []
        now = self._snapshot()
        if self._mark is None:
            rows = [(stat.traceback, stat.size, stat.count) for stat in now.statistics("lineno")]
        else:
            compared = now.compare_to(self._mark, "lineno")
            rows = [(stat.traceback, stat.size_diff, stat.count_diff) for stat in compared if stat.size_diff > 0]
        found = [Allocated(f"{short(t[0].filename)}:{t[0].lineno}", size, count) for t, size, count in rows]
        return sorted(found, key=lambda row: -row.size)[:MOST]

    @staticmethod
    def _snapshot() -> tracemalloc.Snapshot:
        ours = (tracemalloc.Filter(False, tracemalloc.__file__), tracemalloc.Filter(False, __file__))
        return tracemalloc.take_snapshot().filter_traces(ours)
