"""Charts of a capture, read from its rollup: sums, connections, latencies and memory over time."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.capture import rollup
from app.capture.reading.store import Store
from app.capture.reading.summary import Summary, place_for, tidy
from app.capture.rollup import LEVELS, LOOP, SUMS

STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
"""Seconds of a point that can be chosen."""

_LONG = (7_200, 21_600, 86_400, 604_800, 2_592_000, 31_536_000)
"""Further ones, for captures over months."""

MOST_POINTS = 5_000

LAST = 253_402_300_799
"""The last second of the year 9999: what a file says of later ones is not shown."""

Histogram = dict[int, int]
"""How often a latency was in each bucket."""


@dataclass(frozen=True, slots=True)
class Span:
    """From second ``first`` to ``last`` (since 1970, both included), in points of ``step`` seconds."""

    first: int
    last: int
    step: int

    @property
    def slots(self) -> range:
        """Where each point begins."""
        return range(self.first - self.first % self.step, self.last + 1, self.step)


def fitting(first: int, last: int, points: int) -> Span:
    """The span with the shortest step with which it has at most so many points."""
    points = max(2, min(points, MOST_POINTS))
    seconds = max(1, last - first + 1)
    step = next((step for step in STEPS + _LONG if seconds / step <= points), 0)
    return Span(first, last, step or math.ceil(seconds / points / _LONG[-1]) * _LONG[-1])


@dataclass(slots=True)
class Chart:
    """What happened in a span.

    Attributes:
        sums: by where a point begins, the sums of ``rollup.SUMS``; points without events are left out.
        open_before: connections that were open before the first point.
        latency, loop: histograms by point: of HTTP, and by how much the event loop was late.
        memory: bytes of memory of the program, the most in each point.
    """

    span: Span
    sums: dict[int, list[int]] = field(default_factory=dict)
    open_before: int = 0
    latency: dict[int, Histogram] = field(default_factory=dict)
    loop: dict[int, Histogram] = field(default_factory=dict)
    memory: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Extent:
    """Seconds of the oldest and the newest event that the rollup knows; and of the event stored last.

    ``first > last`` where it knows none.
    """

    first: int = 1
    last: int = 0
    newest: int = 0


def quantile(histogram: Histogram, share: float) -> float | None:
    """Seconds that this share of the latencies does not exceed, as exactly as a bucket is; None without any."""
    total = sum(histogram.values())
    wanted, reached = max(1, math.ceil(total * share)), 0
    for bucket in sorted(histogram):
        reached += histogram[bucket]
        if reached >= wanted:
            return rollup.middle(bucket)
    return None


Ask = Callable[[str, Sequence[object]], list[Any]]
"""Runs SQL that gives one JSON array."""

_ALL = ", ".join(f"CAST(total({name}) AS INTEGER)" for name in SUMS)

# SQLite gives all operators on bits the same precedence.
_ROW_KEY = f"((({rollup.SLOT_OF} * ?1 / ?2) << 1) | ({rollup.SERVICE_OF} = {LOOP}))"

# Rows of the program itself and of services are read at once, and told apart by the lowest bit of their number.
_SUMS = f"""
SELECT json_group_array(json(row)) FROM (
    SELECT json_array({_ROW_KEY}, {_ALL},
        max(CASE WHEN typeof(memory) = 'integer' THEN memory END)) AS row
    FROM rollup WHERE id BETWEEN ?3 AND ?4 AND ({rollup.SERVICE_OF} = {LOOP} OR %s)
    GROUP BY {_ROW_KEY})
"""  # noqa: S608

_KEY = (
    f"((({rollup.SLOT_OF_BUCKET} * ?1 / ?2) << 9) | ({rollup.BUCKET_OF} << 1) | ({rollup.SERVICE_OF_BUCKET} = {LOOP}))"
)

_LATENCY = f"""
SELECT json_group_array(json(row)) FROM (
    SELECT json_array({_KEY}, CAST(total(count) AS INTEGER)) AS row
    FROM latency WHERE id BETWEEN ?3 AND ?4 AND ({rollup.SERVICE_OF_BUCKET} = {LOOP} OR %s) GROUP BY {_KEY})
"""  # noqa: S608

_OPEN = f"""
SELECT json_group_array(opened) FROM (
    SELECT CAST(total(opened) - total(closed) AS INTEGER) AS opened FROM rollup
    WHERE id BETWEEN ?1 AND ?2 AND {rollup.SERVICE_OF} <> {LOOP} AND %s)
"""  # noqa: S608

_ENDS = """
SELECT json_array((SELECT min(id) FROM rollup WHERE id BETWEEN ?1 AND ?2),
    (SELECT max(id) FROM rollup WHERE id BETWEEN ?1 AND ?2))
"""
_THERE = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN ('rollup', 'latency')"
_NEWEST = "SELECT CAST(time AS INTEGER) / 1000000000 FROM stored ORDER BY id DESC LIMIT 1"


class Charts:
    """Reads charts of one capture, in the thread of its reader.

    What its own rollup does not know is summarised by ``step``, part by part.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """``folder`` is where summaries are remembered; None: nowhere."""
        self._folder = folder
        self._summary: Summary | None = None

    def close(self) -> None:
        if self._summary is not None:
            self._summary.close()

    # -- what the rollup does not know

    def step(self, store: Store) -> float:
        """Summarise the next part of the events that the capture's own rollup does not know, the newest first.

        Returns the share of them that is known now: 1 where nothing is left to do.
        """
        first, last = self._missing(store)
        if first > last:
            return 1.0
        if self._summary is None:
            where = place_for(store.path, self._folder) if self._folder is not None else None
            self._summary = Summary(where)
            if self._folder is not None:
                tidy(self._folder)
            if self._summary.coverage.done(first, last) == 1:
                return 1.0
        self._summary.step(store, first, last)
        return self._summary.coverage.done(first, last)

    def _missing(self, store: Store) -> tuple[int, int]:
        first, last = store.range()
        if not _rolled(store):
            return first, last
        known = store.one("SELECT value FROM meta WHERE key = 'rolled'")
        begin = known[0] if known and isinstance(known[0], int) else first
        return first, min(last, begin - 1)

    def _sources(self, store: Store) -> list[Ask]:
        found: list[Ask] = [store.listed] if _rolled(store) else []
        if self._summary is not None:
            db = self._summary.db
            found.append(lambda sql, values: list(json.loads(db.execute(sql, values).fetchone()[0])))
        return found

    # -- charts

    def extent(self, store: Store) -> Extent:
        """What times there are charts of."""
        ends: list[tuple[int, int]] = []
        for ask in self._sources(store):
            by_level = [_ends(ask, level) for level in range(len(LEVELS))]
            known = [ends for ends in by_level if ends is not None]
            if known:
                # The finer levels are more exact, but may lack their oldest rows.
                exact = [first for level, (first, _) in enumerate(known) if first < known[-1][0] + LEVELS[-1]]
                ends.append((exact[0], max(last for _, last in known[:1])))
        found = store.one(_NEWEST)
        newest = min(max(0, found[0]), LAST) if found else 0
        if not ends:
            return Extent(newest=newest)
        return Extent(min(LAST, *(first for first, _ in ends)), min(LAST, max(last for _, last in ends)), newest)

    def read(self, store: Store, span: Span, service: str = "") -> Chart:
        """The chart of a span; ``service`` is the name of one, or empty for all.

        Its step is longer than the one asked for where seconds are not known as far back.
        """
        sources = self._sources(store)
        level = max((_level(ask, span) for ask in sources), default=0)
        if span.step < LEVELS[level]:
            span = Span(span.first, span.last, LEVELS[level])
        level = max(at for at, seconds in enumerate(LEVELS) if seconds <= span.step)
        among = store.listed("SELECT json_group_array(id) FROM service WHERE name = ?", (service,)) if service else []
        ids = ", ".join(str(int(id)) for id in among if isinstance(id, int)) or "-1"
        only, only_bucket = (f"{sql} IN ({ids})" if service else "1" for sql in _PARTS)
        found = Chart(span)
        slots = span.slots
        first, last = slots.start, slots[-1] + span.step - 1 if len(slots) else span.last
        low, high = rollup.bounds(level, first, last)
        times = (LEVELS[level], span.step, low, high)
        buckets = (*times[:2], rollup.bucket_row(low, 0), rollup.bucket_row(high, rollup.BUCKETS - 1))
        for ask in sources:
            for key, *sums, memory in ask(_SUMS % only, times):
                slot = (key >> 1) * span.step
                if key & 1:
                    found.memory[slot] = max(memory or 0, found.memory.get(slot, 0))
                    continue
                into = found.sums.setdefault(slot, [0] * len(SUMS))
                for at, value in enumerate(sums):
                    into[at] += value
            for key, count in ask(_LATENCY % only_bucket, buckets):
                into_slots = found.loop if key & 1 else found.latency
                histogram = into_slots.setdefault((key >> 9) * span.step, {})
                bucket = key >> 1 & 0xFF
                histogram[bucket] = histogram.get(bucket, 0) + count
            found.open_before += _open_before(ask, first, only)
        return found


_PARTS = (rollup.SERVICE_OF, rollup.SERVICE_OF_BUCKET)


def _rolled(store: Store) -> bool:
    return bool(store.one(_THERE)[0] == 2)


def _ends(ask: Ask, level: int) -> tuple[int, int] | None:
    """Seconds of the oldest and the newest row of a level."""
    first, last = ask(_ENDS, rollup.bounds(level, 0, rollup.MAX_SLOT * LEVELS[level]))
    if first is None or last is None:
        return None
    slots = [(int(id) >> 16) & rollup.MAX_SLOT for id in (first, last)]
    return slots[0] * LEVELS[level], slots[1] * LEVELS[level] + LEVELS[level] - 1


def _level(ask: Ask, span: Span) -> int:
    """The finest level that is known as far back as the span goes."""
    ends = [_ends(ask, level) for level in range(len(LEVELS))]
    for level, known in enumerate(ends):
        if known is None:
            continue
        coarser = zip(ends[level + 1 :], LEVELS[level + 1 :], strict=True)
        older = [1 for other, seconds in coarser if other is not None and other[0] + seconds <= known[0]]
        if not older or span.first >= known[0]:
            return level
    return 0


def _open_before(ask: Ask, first: int, only: str) -> int:
    """Connections that were open before a second: whole hours, then whole minutes, then seconds."""
    total, begin = 0, 0
    for level in reversed(range(len(LEVELS))):
        end = first - first % LEVELS[level]
        if end > begin:
            total += ask(_OPEN % only, rollup.bounds(level, begin, end - 1))[0]
            begin = end
    return total
