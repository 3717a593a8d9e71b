"""Time from the start of the process to a painted window."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from tests.benchmarks import procs
from tests.benchmarks.context import Bench
from tests.benchmarks.display import Watcher
from tests.benchmarks.marks import Result
from tests.benchmarks.program import environment, executable, workspace

RUNS = 5


def measure(bench: Bench) -> Result:
    ours: list[tuple[float, float]] = []
    plain: list[tuple[float, float]] = []
    with bench.folder() as folder:
        command = [*executable(), str(workspace(folder)), "--start", "--capture"]
        other = [sys.executable, "-m", "tests.benchmarks.plain", "qt", "--window"]
        runs = 2 if bench.quick else RUNS
        # The first run of each only fills the file cache.
        for run in range(runs + 1):
            took = once(bench, folder, [*command, str(folder / f"{run}.lpost")])
            beside = once(bench, folder, other)
            if run:
                ours.append(took)
                plain.append(beside)
    painted = median(end for _, end in ours)
    reference = median(end for _, end in plain)
    return Result(
        "start",
        painted,
        references={"an empty window with stock qt5reactor and plain Twisted": reference},
        notes=[
            f"window mapped after {median(mapped for mapped, _ in ours):.2f} s, painted after {painted:.2f} s"
            f" (the figure; {runs} runs: {min(e for _, e in ours):.2f} to {max(e for _, e in ours):.2f} s)",
            f"an empty window with stock qt5reactor and plain Twisted, painted: {reference:.2f} s;"
            f" ours ÷ that: {painted / reference:.2f}",
        ],
        details={"mapped and painted": ours, "reference": plain},
    )


def once(bench: Bench, folder: Path, command: list[str]) -> tuple[float, float]:
    """Seconds until the window was mapped, and until it was painted."""
    watcher = Watcher(bench.screen)
    began = time.monotonic()
    process = subprocess.Popen(
        command,
        cwd=procs.ROOT,
        env=environment(folder, bench.screen),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        mapped, painted = watcher.wait_for_window()
    finally:
        watcher.close()
        time.sleep(0.3)
        procs.end(process)
    return mapped - began, painted - began
