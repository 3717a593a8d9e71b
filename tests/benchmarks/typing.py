"""Time from the last key of a typed filter to its first rows, under full echo load."""

from __future__ import annotations

import json
import sys
from statistics import median

from tests.benchmarks import procs
from tests.benchmarks.context import Bench
from tests.benchmarks.echo import BUSY
from tests.benchmarks.marks import Result

SECONDS = 12.0
FILTER = "size == 64"


def measure(bench: Bench) -> Result:
    seconds = bench.seconds(SECONDS)
    with bench.folder() as folder:
        output = folder / "typing.json"
        command = [sys.executable, "-m", "tests.benchmarks.typing_probe", str(output), FILTER]
        with bench.program(folder, command=command) as program:
            address = program.addresses["tcp-echo"]
            done = procs.run(["load", "echo", address, "--connections", str(BUSY), "--seconds", str(seconds)])
        took = [took for when, took in json.loads(output.read_text()) if when <= done["ended"]]
    return Result(
        "typing",
        median(took) if took else 0.0,
        sound=program.code == 0 and len(took) >= 2,
        references={"pause in which nothing is looked for": 0.15},
        notes=[
            f"{len(took)} times, at most {max(took, default=0):.2f} s, at {done['rate']:,.0f} messages/s;"
            f" 0.15 s of it the box waits for the typing to end"
        ],
        details={"seconds": took},
    )
