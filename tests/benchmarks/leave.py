"""SIGTERM under full echo load: how long the program takes to store all and leave."""

from __future__ import annotations

import signal
import time
from statistics import median

from tests.benchmarks import procs
from tests.benchmarks.context import Bench
from tests.benchmarks.echo import BUSY
from tests.benchmarks.kill import examine
from tests.benchmarks.marks import Result

RUNS = 3
SECONDS = 2.0


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
    """Seconds until it had left, and what was wrong."""
    with bench.folder() as folder:
        with bench.program(folder) as program:
            program.settle()
            client = procs.start(["load", "cut", program.addresses["tcp-echo"], "--connections", str(BUSY)])
            try:
                procs.answer(client)
                time.sleep(bench.seconds(SECONDS))
                began = time.monotonic()
                code = program.end(signal.SIGTERM)
                took = time.monotonic() - began
                last = procs.answer(client)["last"]
            finally:
                procs.end(client)
        behind, _, faults = examine(program.capture, int(last))
    if code:
        faults.append(f"exit code {code}")
    if behind:
        faults.append(f"the newest event is {behind:.0f} ms older than the last echo that the client got")
    return took, faults
