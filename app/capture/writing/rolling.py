"""Adds the figures of each batch to the rollup, for the writer, and keeps the rollup within its bounds."""

from __future__ import annotations

import json
import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from math import isfinite
from typing import Any

from app import events
from app.capture import rollup
from app.capture.rollup import LEVELS, LOOP, SUMS, Place
from app.capture.writing.batch import Sample
from app.capture.writing.tally import Added

MOST_ROWS, MOST_BUCKETS = 86_400, 400_000
"""Rows of each level, and those of its histograms, in a capture of ``FULL`` bytes or more: some 30 MB of all levels.
One service that is busy all the time has its last day by the second, its last month by the minute."""

FULL = 1 << 30
LEAST_ROWS, LEAST_BUCKETS = 600, 2_000

LOOK = 256
"""Batches between two looks at how many rows there are."""

NS = 10**9

_RECEIVED = (events.DATA_RECEIVED, events.DATAGRAM_RECEIVED)
_SENT = (events.DATA_SENT, events.DATAGRAM_SENT)
_RAW = {kind: (rollup.RECEIVED, rollup.MESSAGES_RECEIVED) for kind in _RECEIVED} | {
    kind: (rollup.SENT, rollup.MESSAGES_SENT) for kind in _SENT
}
_COUNTED = {
    events.CONNECTION_OPENED: rollup.OPENED,
    events.CONNECTION_CLOSED: rollup.CLOSED,
    events.FAILURE: rollup.FAILURES,
}
_TOLD = frozenset({*_COUNTED, events.HTTP_REQUEST, events.HTTP_RESPONSE, events.LOST})
"""Kinds that are looked at one by one."""

_STATUS = re.compile(r'\{"status": (\d{3}),')
_SECONDS = re.compile(r"\d[\d.e+-]*")
_OUTGOING, _SECONDS_KEY = '"outgoing": true', '"seconds": '


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
                yield rollup.row(level, slot * seconds, service), *sums, None
            for second, memory in self.memory.items():
                yield rollup.row(level, second, LOOP), *[0] * len(SUMS), memory

    def buckets(self) -> Iterable[tuple[int, int]]:
        """Rows for ``rollup.ADD_LATENCY``, of all levels."""
        for level in range(len(LEVELS)):
            merged: defaultdict[int, int] = defaultdict(int)
            for (second, service, bucket), count in self.latencies.items():
                merged[rollup.bucket_row(rollup.row(level, second, service), bucket)] += count
            yield from merged.items()


def figures(columns: Sequence[Sequence[Any]], present: AbstractSet[int], added: Sequence[Added]) -> Figures:
    """The figures of a batch.

    ``columns`` are those of its events, ``present`` the kinds among them; ``added`` is what its connections get.
    """
    found = Figures()
    times, kinds, services, conns = columns[:4]
    second = min(times) // NS
    if second == max(times) // NS and (of := _services_of(services, conns)) is not None:
        # All of one second, as nearly always: what was added up by connections need not be added up again.
        for received, sent, messages_received, messages_sent, _, conn in added:
            sums = found.sums[second, of[conn]]
            sums[rollup.RECEIVED] += received
            sums[rollup.SENT] += sent
            sums[rollup.MESSAGES_RECEIVED] += messages_received
            sums[rollup.MESSAGES_SENT] += messages_sent
    else:
        _add_raw(found, columns)
    if not _TOLD.isdisjoint(present):
        _add_told(found, times, kinds, services, columns[7])
    return found


def _services_of(services: Sequence[int | None], conns: Sequence[int | None]) -> dict[int | None, int] | None:
    """The service of each connection; None where one has several."""
    of = dict(zip(conns, services, strict=True))
    if len(set(of.values())) > 1 or len(set(services)) > 1:
        if len(set(zip(conns, services, strict=True))) > len(of):
            return None
    return {conn: service or 0 for conn, service in of.items()}


def _add_raw(found: Figures, columns: Sequence[Sequence[Any]]) -> None:
    for when, kind, service, size, payload in zip(*columns[:3], columns[4], columns[5], strict=True):
        if kind in _RAW:
            bytes_, messages = _RAW[kind]
            sums = found.sums[when // NS, service or 0]
            sums[bytes_] += size or len(payload or b"")
            sums[messages] += 1


def _add_told(
    found: Figures, times: Sequence[int], kinds: Sequence[int], services: Sequence[int | None], details: Sequence[Any]
) -> None:
    all_sums, latencies = found.sums, found.latencies
    for when, kind, service, detail in zip(times, kinds, services, details, strict=True):
        if kind not in _TOLD:
            continue
        place = when // NS, service or 0
        if kind == events.HTTP_RESPONSE:
            # Not of a client of ours: a relay would count each exchange twice.
            if detail and _OUTGOING not in detail:
                status, seconds = answered(detail)
                if status >= 400:
                    all_sums[place][rollup.SERVER_ERRORS if status >= 500 else rollup.CLIENT_ERRORS] += 1
                if seconds is not None:
                    latencies[*place, rollup.bucket(seconds)] += 1
        elif kind == events.HTTP_REQUEST:
            if detail and _OUTGOING not in detail:
                all_sums[place][rollup.REQUESTS] += 1
        elif kind == events.LOST:
            all_sums[place][rollup.LOST] += _lost(detail)
        else:
            all_sums[place][_COUNTED[kind]] += 1


def answered(detail: str) -> tuple[int, float | None]:
    """Status and seconds of the detail of a response; 0 and None where it has none.

    Reading all of it as JSON takes ten times as long. A quote in a text is written with a backslash, so that no
    text of a peer looks like these keys.
    """
    status, at = _STATUS.match(detail), detail.rfind(_SECONDS_KEY)
    if status is not None and at > 0 and (number := _SECONDS.match(detail, at + len(_SECONDS_KEY))):
        try:
            return int(status[1]), float(number[0])
        except ValueError:
            pass
    told = _json(detail)
    code, seconds = told.get("status"), told.get("seconds")
    known = isinstance(seconds, int | float) and isfinite(seconds)
    return code if isinstance(code, int) else 0, float(seconds) if known else None


def _lost(detail: str | None) -> int:
    count = _json(detail).get("count")
    return count if isinstance(count, int) and 0 < count < 1 << 53 else 0


def _json(detail: str | None) -> dict[str, Any]:
    try:
        told = json.loads(detail or "{}")
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


class Rolling:
    """The rollup of one open capture."""

    def __init__(self, db: sqlite3.Connection, limit: int) -> None:
        """``limit`` is the size of the capture in bytes, of which the rollup takes a small share."""
        self._db = db
        share = min(1.0, limit / FULL)
        self._rows = max(LEAST_ROWS, int(MOST_ROWS * share))
        self._buckets = max(LEAST_BUCKETS, int(MOST_BUCKETS * share))
        self._batches = 0

    def add(
        self,
        columns: Sequence[Sequence[Any]],
        present: AbstractSet[int],
        added: Sequence[Added],
        sample: Sample | None = None,
    ) -> None:
        """Add a batch as to ``figures``, and perhaps a sample, in the transaction that is under way."""
        found = figures(columns, present, added)
        if sample is not None:
            when, late, memory = sample
            second = when // NS
            for seconds in late:
                found.latencies[second, LOOP, rollup.bucket(seconds)] += 1
            found.memory[second] = memory
        self._db.executemany(rollup.ADD, found.rows())
        if found.latencies:
            self._db.executemany(rollup.ADD_LATENCY, found.buckets())
        self._batches += 1
        if self._batches % LOOK == 0:
            self.prune()

    def prune(self) -> None:
        """Where a level has more rows than it may have, drop its oldest, and a tenth more."""
        for level in range(len(LEVELS)):
            low, high = rollup.bounds(level, 0, rollup.MAX_SLOT * LEVELS[level])
            cut = self._cut("rollup", low, high, self._rows)
            other = self._cut("latency", rollup.bucket_row(low, 0), rollup.bucket_row(high + 1, 0), self._buckets)
            cut = max(cut, other >> 8)
            if cut > low:
                self._db.execute("DELETE FROM rollup WHERE id >= ? AND id < ?", (low, cut))
                self._db.execute("DELETE FROM latency WHERE id >= ? AND id < ?", (low << 8, cut << 8))

    def _cut(self, table: str, low: int, high: int, most: int) -> int:
        """The oldest row that stays; 0 where all may."""
        count = f"SELECT count(*) FROM {table} WHERE id BETWEEN ? AND ?"  # noqa: S608
        there = self._db.execute(count, (low, high)).fetchone()[0]
        if there <= most:
            return 0
        sql = f"SELECT id FROM {table} WHERE id BETWEEN ? AND ? ORDER BY id LIMIT 1 OFFSET ?"  # noqa: S608
        found: int = self._db.execute(sql, (low, high, there - most + most // 10)).fetchone()[0]
        return found
