"""The rollup of a capture: what charts show, added up for each service and each second, minute and hour.

The writer adds to it in the transaction that stores the events, so that a chart of ten million events reads some
thousand rows. Two tables hold it; their format is part of :mod:`app.capture.schema`:

============  ===========================================================================================
table         holds
============  ===========================================================================================
``rollup``    one row for each service in each second, minute and hour in which it had events
``latency``   how often a latency was in a bucket of the histogram, for the same; the rows of the service
              ``LOOP`` are how late the program's event loop was
============  ===========================================================================================

The number of a row is packed, so that neighbours in time lie beside each other, without an index: ``level`` (an
index of ``LEVELS``), the number of the second, minute or hour since 1970, and the service; in ``latency`` the
bucket, too. An event counts at its own time. Where the clock was set back, the events before and after it count
in the same seconds, as a filter by time finds both.
"""

from __future__ import annotations

import math

LEVELS = (1, 60, 3600)
"""Seconds of a row, by level."""

LOOP = 0xFFFF
"""The service of rows about the program itself."""

MAX_SLOT = (1 << 34) - 1

_SERVICE, _BUCKET = 16, 8

SUMS = (
    "received", "sent", "messages_received", "messages_sent", "opened", "closed", "requests", "client_errors",
    "server_errors", "failures", "lost",
)  # fmt: skip
"""What is added up, by the names of the columns: bytes; messages; connections; requests, and answers with a status
from 400 and from 500; failures; events that were lost."""

RECEIVED, SENT, MESSAGES_RECEIVED, MESSAGES_SENT, OPENED, CLOSED = range(6)
REQUESTS, CLIENT_ERRORS, SERVER_ERRORS, FAILURES, LOST = range(6, len(SUMS))

TABLES = f"""
CREATE TABLE IF NOT EXISTS rollup (
    id INTEGER PRIMARY KEY, {", ".join(f"{name} INTEGER NOT NULL DEFAULT 0" for name in SUMS)}, memory INTEGER
);
CREATE TABLE IF NOT EXISTS latency (id INTEGER PRIMARY KEY, count INTEGER NOT NULL);
"""

_ADDED = ", ".join(f"{name} = {name} + excluded.{name}" for name in SUMS)

ADD = (
    f"INSERT INTO rollup VALUES ({', '.join('?' * (len(SUMS) + 2))}) ON CONFLICT (id) DO UPDATE SET {_ADDED},"  # noqa: S608
    " memory = max(ifnull(memory, 0), ifnull(excluded.memory, memory))"
)
"""The values: number of the row, ``SUMS``, and bytes of memory or NULL."""

ADD_LATENCY = "INSERT INTO latency VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET count = count + excluded.count"

PER_OCTAVE = 8
"""Buckets of a histogram from one latency to the double of it."""

BUCKETS = 1 << _BUCKET


Place = tuple[int, int]
"""Where a figure counts: the second since 1970, and the number of the service, 0 for none."""


def row(level: int, second: int, service: int) -> int:
    """The number of a row of ``rollup``."""
    slot = min(max(second // LEVELS[level], 0), MAX_SLOT)
    return ((level << 34 | slot) << _SERVICE) | service


def bounds(level: int, first: int, last: int) -> tuple[int, int]:
    """The lowest and the highest row from second ``first`` to ``last``, both included."""
    return row(level, first, 0), row(level, last, LOOP)


def bucket_row(number: int, bucket: int) -> int:
    """The number of a row of ``latency`` beside the row ``number`` of ``rollup``."""
    return number << _BUCKET | bucket


def bucket(seconds: float) -> int:
    """The bucket of a latency: eight for each octave from 1 µs; the last one is more than an hour."""
    micros = seconds * 1e6
    if not micros > 1:  # also what is no number
        return 0
    return min(int(PER_OCTAVE * math.log2(micros)), BUCKETS - 1)


def middle(number: float) -> float:
    """Seconds in the middle of a bucket; of ``number - 0.5``, where it begins."""
    return float(1e-6 * 2 ** ((number + 0.5) / PER_OCTAVE))


SERVICE_OF = f"(id & {(1 << _SERVICE) - 1})"
SLOT_OF = f"((id >> {_SERVICE}) & {MAX_SLOT})"
SERVICE_OF_BUCKET = f"((id >> {_BUCKET}) & {(1 << _SERVICE) - 1})"
SLOT_OF_BUCKET = f"((id >> {_SERVICE + _BUCKET}) & {MAX_SLOT})"
BUCKET_OF = f"(id & {BUCKETS - 1})"
"""SQL for the parts of a number."""
