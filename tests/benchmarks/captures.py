"""Large captures, made by the writer's own code."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from app import events
from app.capture import errors
from app.capture.reading.store import Store
from app.capture.writing.file import CaptureFile

BATCH = 10_000
SIZE = 64
NEEDLE, EVERY = b"needle", 100_000
"""A text that one payload in ``EVERY`` contains."""

IN_ALL = b"reading"
"""A text that every payload contains."""

LIMIT = 1 << 40


def make(path: Path, count: int) -> None:
    """Write a capture of exactly ``count`` events: one connection of tcp-echo, and its data."""
    path.parent.mkdir(parents=True, exist_ok=True)
    remove(path)
    file = CaptureFile(path, "benchmark", LIMIT)
    try:
        services = [("tcp-echo", "tcp")]
        opened = json.dumps({"peer": "127.0.0.1:50000", "host": "127.0.0.1:9007"})
        flat: list[object] = [1, events.CONNECTION_OPENED, 1, 1, 0, None, "accepted", opened]
        sequence = 0
        for number in range(1, count):
            kind = events.DATA_RECEIVED if number % 2 else events.DATA_SENT
            flat += (1_700_000_000_000_000_000 + number * 1000, kind, 1, 1, None, payload(number), None, None)
            if (number + 1) % BATCH == 0 or number + 1 == count:
                sequence += 1
                file.store((sequence, services if sequence == 1 else None, flat))
                flat = []
    finally:
        file.close()


def payload(number: int) -> bytes:
    word = NEEDLE if number % EVERY == 0 else b"value"
    return (b"%012d sensor %s reading=%d " % (number, word, number * 7919)).ljust(SIZE, b".")[:SIZE]


def make_once(path: Path, count: int) -> None:
    """Call ``make``, unless the capture exists already."""
    with contextlib.suppress(errors.CaptureError):
        store = Store(path)
        first, last = store.range()
        known = store.event(count)
        store.close()
        # The program may have added events of its own at the end.
        if first == 1 and count <= last < count + 1000 and known and known.payload == payload(count - 1):
            return
    make(path, count)


def remove(path: Path) -> None:
    for end in ("", "-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)
