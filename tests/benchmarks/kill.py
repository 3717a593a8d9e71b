"""``kill -9`` under full echo load: how much of the traffic the capture has."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import TypeVar

from app import events
from tests.benchmarks import procs
from tests.benchmarks.context import Bench
from tests.benchmarks.echo import BUSY
from tests.benchmarks.marks import Result
from tests.benchmarks.program import Program

T = TypeVar("T")

RUNS = 5
SECONDS = 2.0

_HOLES = """
SELECT count(*) FROM (
    SELECT conn, count(*) AS had, max(hex(substr(payload, 1, 8))) AS last FROM event
    WHERE kind = ? GROUP BY conn
) WHERE last != printf('%016X', had - 2)
"""
"""Counts connections that miss a message before their last one. The first message has no number,
the others are numbered from 0."""


def measure(bench: Bench) -> Result:
    runs = [ended(bench, Program.kill) for _ in range(2 if bench.quick else RUNS)]
    ages = [age for _, age, _, _ in runs]
    faults = [fault for *_, found in runs for fault in found]
    return Result(
        "kill",
        max(ages),
        sound=not faults,
        references={"the bound of the design": 250},
        notes=[
            f"{len(runs)} runs: newest event {min(ages):.0f} to {max(ages):.0f} ms older than the last echo that"
            f" the client got, median {median(ages):.0f} ms; {sum(stored for _, _, stored, _ in runs):,} events stored",
            "every file sound, and on no connection a message missing before its last" if not faults else "",
            *faults,
        ],
        details={"ages": ages},
    )


def ended(bench: Bench, end: Callable[[Program], T]) -> tuple[T, float, int, list[str]]:
    """End the program under load, by ``end``.

    Returns what ``end`` returned, the age of the newest stored event in ms, the number of stored
    events, and the faults of the capture.
    """
    with bench.folder() as folder:
        with bench.program(folder) as program:
            program.settle()
            address = program.addresses["tcp-echo"]
            client = procs.start(["load", "cut", address, "--connections", str(BUSY)])
            try:
                procs.answer(client)
                time.sleep(bench.seconds(SECONDS))
                result = end(program)
                last = procs.answer(client)["last"]
            finally:
                procs.end(client)
        return result, *_examine(program.capture, int(last))


def _examine(capture: Path, last: int) -> tuple[float, int, list[str]]:
    faults = []
    # Open it for writing, as the program does, so that SQLite recovers the events in its log.
    db = sqlite3.connect(capture)
    try:
        result = db.execute("PRAGMA integrity_check").fetchone()[0]
        if result != "ok":
            faults.append(f"the file is damaged: {result}")
        newest, stored, span = db.execute("SELECT max(time), count(*), max(id) - min(id) + 1 FROM event").fetchone()
        if stored != span:
            faults.append(f"{span - stored:,} numbers missing among {span:,} events")
        holes = db.execute(_HOLES, (events.DATA_RECEIVED,)).fetchone()[0]
        if holes:
            faults.append(f"messages missing on {holes} connections")
    finally:
        db.close()
    return max(0.0, (last - newest) / 1e6), stored, faults
