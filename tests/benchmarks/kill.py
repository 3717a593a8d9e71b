"""``kill -9`` under full echo load: what is in the capture then."""

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
"""Connections of which a message is missing before their last: the first message is a bare one,
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
    """End the program under load.

    What ``end`` returned, milliseconds that the capture was behind, how many events it holds, and
    what is wrong with it.
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
    # For writing, as the program would open it: SQLite recovers what the log holds.
    db = sqlite3.connect(capture)
    try:
        said = db.execute("PRAGMA integrity_check").fetchone()[0]
        if said != "ok":
            faults.append(f"the file is damaged: {said}")
        newest, stored, span = db.execute("SELECT max(time), count(*), max(id) - min(id) + 1 FROM event").fetchone()
        if stored != span:
            faults.append(f"{span - stored:,} numbers missing among {span:,} events")
        holes = db.execute(_HOLES, (events.DATA_RECEIVED,)).fetchone()[0]
        if holes:
            faults.append(f"messages missing on {holes} connections")
    finally:
        db.close()
    return max(0.0, (last - newest) / 1e6), stored, faults
