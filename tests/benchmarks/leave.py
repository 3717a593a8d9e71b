"""SIGTERM under full echo load: how long the program takes to store all events and exit."""

from __future__ import annotations

import time
from statistics import median

from tests.benchmarks.context import Bench
from tests.benchmarks.kill import ended
from tests.benchmarks.marks import Result
from tests.benchmarks.program import Program

RUNS = 3


def measure(bench: Bench) -> Result:
    runs = [_once(bench) for _ in range(1 if bench.quick else RUNS)]
    took = [seconds for seconds, _ in runs]
    faults = [fault for _, found in runs for fault in found]
    return Result(
        "leave",
        max(took),
        sound=not faults,
        notes=[f"{len(runs)} runs: {min(took):.2f} to {max(took):.2f} s, median {median(took):.2f} s", *faults],
        details={"took": took},
    )


def _once(bench: Bench) -> tuple[float, list[str]]:
    """Seconds until the program exited, and the faults found."""
    (code, took), behind, _, faults = ended(bench, _leave)
    if code:
        faults.append(f"exit code {code}")
    if behind:
        faults.append(f"the newest event is {behind:.0f} ms older than the last echo that the client got")
    return took, faults


def _leave(program: Program) -> tuple[int, float]:
    began = time.monotonic()
    return program.leave(), time.monotonic() - began
