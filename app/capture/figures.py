"""What is to be added to a rollup: figures of events, from the writer and from summaries of older captures alike."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from math import inf
from typing import Any

from app.capture import rollup
from app.capture.rollup import LEVELS, LOOP, SUMS, Place

OUTGOING = '"outgoing": true'
"""In the details of requests and responses of a client of ours."""

_STATUS, _SECONDS = '{"status": ', '"seconds": '

_LARGEST = 1 << 62
"""A file that is copied may say anything; SQLite holds no larger sums than twice that."""


class Figures:
    """What is to be added to the rollup."""

    def __init__(self) -> None:
        self.sums: defaultdict[Place, list[int]] = defaultdict(lambda: [0] * len(SUMS))
        self.latencies: defaultdict[tuple[int, int, int], int] = defaultdict(int)
        self.memory: dict[int, int] = {}

    def rows(self) -> Iterable[tuple[int | None, ...]]:
        """Rows for ``rollup.ADD``, of all levels."""
        for level, seconds in enumerate(LEVELS):
            merged: defaultdict[Place, list[int]] = defaultdict(lambda: [0] * len(SUMS))
            for (second, service), sums in self.sums.items():
                into = merged[second // seconds, service]
                for at, value in enumerate(sums):
                    into[at] += value
            for (slot, service), sums in merged.items():
                yield rollup.row(level, slot * seconds, service), *(min(value, _LARGEST) for value in sums), None
            for second, memory in self.memory.items():
                yield rollup.row(level, second, LOOP), *[0] * len(SUMS), memory

    def buckets(self) -> Iterable[tuple[int, int]]:
        """Rows for ``rollup.ADD_LATENCY``, of all levels."""
        for level in range(len(LEVELS)):
            merged: defaultdict[int, int] = defaultdict(int)
            for (second, service, bucket), count in self.latencies.items():
                merged[rollup.bucket_row(rollup.row(level, second, service), bucket)] += count
            yield from merged.items()


def answered(detail: str) -> tuple[int, float | None]:
    """Status and seconds of the detail of a response; 0 and None where it has none.

    Reading all of it as JSON takes ten times as long. A quote in a text is written with a backslash, so that no
    text of a peer looks like these keys.
    """
    at = detail.rfind(_SECONDS)
    if at > 0 and detail[14:15] == "," and detail.startswith(_STATUS):
        end = detail.find(",", at)
        try:
            status, seconds = int(detail[11:14]), float(detail[at + 11 : end if end > 0 else -1])
        except ValueError:
            pass
        else:
            if 0 <= seconds < inf:
                return status, seconds
    told = _json(detail)
    code, took = told.get("status"), told.get("seconds")
    known = float(took) if isinstance(took, int | float) and abs(took) < _LARGEST else None
    return code if isinstance(code, int) else 0, known


def lost(detail: str | None) -> int:
    count = _json(detail).get("count")
    return count if isinstance(count, int) and 0 < count < 1 << 53 else 0


def _json(detail: str | None) -> dict[str, Any]:
    try:
        told = json.loads(detail or "{}")
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}
