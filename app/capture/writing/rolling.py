"""Adds the figures of each batch to the rollup, for the writer, and keeps the rollup within its bounds."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from app import events
from app.capture import rollup
from app.capture.figures import OUTGOING, Figures, answered, lost
from app.capture.rollup import LEVELS, LOOP
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
_RAW: dict[int, tuple[int, int]] = {
    **dict.fromkeys(_RECEIVED, (rollup.RECEIVED, rollup.MESSAGES_RECEIVED)),
    **dict.fromkeys(_SENT, (rollup.SENT, rollup.MESSAGES_SENT)),
}
_COUNTED: dict[int, int] = {
    events.CONNECTION_OPENED: rollup.OPENED,
    events.CONNECTION_CLOSED: rollup.CLOSED,
    events.FAILURE: rollup.FAILURES,
}
_TOLD = frozenset({*_COUNTED, events.HTTP_REQUEST, events.HTTP_RESPONSE, events.LOST})
"""Kinds that are looked at one by one."""


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
    if len(set(services)) > 1 and len(set(zip(conns, services, strict=True))) > len(of):
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
        second, number = place = when // NS, service or 0
        if kind == events.HTTP_RESPONSE:
            # Not of a client of ours: a relay would count each exchange twice.
            if detail and OUTGOING not in detail:
                status, seconds = answered(detail)
                if status >= 400:
                    all_sums[place][rollup.SERVER_ERRORS if status >= 500 else rollup.CLIENT_ERRORS] += 1
                if seconds is not None:
                    latencies[second, number, rollup.bucket(seconds)] += 1
        elif kind == events.HTTP_REQUEST:
            if detail and OUTGOING not in detail:
                all_sums[place][rollup.REQUESTS] += 1
        elif kind == events.LOST:
            all_sums[place][rollup.LOST] += lost(detail)
        else:
            all_sums[place][_COUNTED[kind]] += 1


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
            if memory is not None:
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
