"""What watches have found before the program was started, as the capture says that is gone on with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app import events
from app.capture.reading import values
from app.capture.reading.store import Store
from app.capture.reading.told import LONGEST, told
from app.watch.result import KEPT, Result

_COUNTED = f"""
SELECT json_group_array(json_array(name, target, checks, well)) FROM (
    SELECT json_extract(detail, '$.watch') AS name, json_extract(detail, '$.target') AS target,
        count(*) AS checks, CAST(total(json_extract(detail, '$.ok') = 1) AS INTEGER) AS well
    FROM event WHERE id BETWEEN ? AND ? AND kind = {events.WATCH_CHECKED}
    AND CASE WHEN typeof(detail) = 'text' AND length(detail) < {LONGEST} THEN json_valid(detail) END
    GROUP BY 1, 2 LIMIT 1000)
"""  # noqa: S608

MOST = 20_000
"""Results that are read of one part of a capture, of all watches."""

Name = tuple[str, str]
"""What a watch is called, and its target: with another one it is another watch."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a part of a capture says: how many checks there were, and how many were well; the results, newest first."""

    counts: dict[Name, tuple[int, int]]
    results: dict[Name, list[Result]]


def found(store: Store, first: int, last: int) -> Found:
    """What the events from ``first`` to ``last`` say of checks."""
    counts = {
        (name, target): (checks, well)
        for name, target, checks, well in store.listed(_COUNTED, (first, last))
        if isinstance(name, str) and isinstance(target, str)
    }
    results: dict[Name, list[Result]] = {name: [] for name in counts}
    if counts:
        for name, result in _results(store, first, last):
            if len(kept := results.setdefault(name, [])) < KEPT:
                kept.append(result)
    return Found(counts, results)


def _results(store: Store, first: int, last: int) -> Iterator[tuple[Name, Result]]:
    for time, _, detail in told(store, [events.WATCH_CHECKED], first, last, MOST):
        name, target, took = detail.get("watch"), detail.get("target"), detail.get("milliseconds")
        if isinstance(name, str) and isinstance(target, str) and isinstance(took, float | int):
            yield (
                (name, target),
                Result(
                    detail.get("ok") is True,
                    max(0.0, float(took)),
                    values.words(detail.get("reason")) or "",
                    _number(detail.get("status")),
                    values.words(detail.get("expires")) or "",
                    time=time,
                ),
            )


def _number(value: Any) -> int:
    return values.number(value) or 0
