"""Mutated inputs for every parser that a peer or a file reaches, a minute each."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.benchmarks.context import Bench
from tests.benchmarks.marks import Result
from tests.benchmarks.procs import ROOT
from tests.fuzz.targets import TARGETS

SECONDS = 60.0
"""For each target."""


def measure(bench: Bench) -> Result:
    # Other inputs each time: the same ones find nothing that they have not found before.
    seed = random.SystemRandom().randrange(1 << 30)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        outcomes = list(pool.map(lambda name: _run(name, bench.seconds(SECONDS), seed), TARGETS))
    counts = {outcome["target"]: outcome["count"] for outcome in outcomes}
    broken = [outcome for outcome in outcomes if outcome["broken"]]
    per_line = [f"{name}: {count:,}" for name, count in counts.items()]
    notes = [f"{sum(counts.values()):,} inputs, seed {seed}, {bench.seconds(SECONDS):g} s for each target"]
    notes += [", ".join(per_line[at : at + 5]) for at in range(0, len(per_line), 5)]
    notes += [f"{outcome['target']} broke: {outcome['broken'].splitlines()[-1]}" for outcome in broken]
    return Result("fuzz", len(broken), notes=notes, details={"seed": seed, "inputs": counts, "broken": broken})


def _run(name: str, seconds: float, seed: int) -> dict[str, Any]:
    """A process of its own: one that a target takes down does not take the others with it."""
    command = [sys.executable, "-m", "tests.fuzz", name, "--seconds", str(seconds), "--seed", str(seed), "--json"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=seconds + 120, check=False
    )  # fmt: skip
    try:
        outcome: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        return {"target": name, "count": 0, "broken": f"it ended with {done.returncode}\n{done.stderr[-500:]}"}
    return outcome
