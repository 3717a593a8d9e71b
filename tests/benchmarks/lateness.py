"""How late the event loop runs a 16 ms timer under full echo load."""

from __future__ import annotations

import json
import sys
from typing import Any

from tests.benchmarks import procs
from tests.benchmarks.context import Bench
from tests.benchmarks.echo import BUSY
from tests.benchmarks.marks import Result, percentile
from tests.benchmarks.program import Plain

SECONDS = 8.0


def measure(bench: Bench) -> Result:
    seconds = bench.seconds(SECONDS)
    with bench.folder() as folder:
        output = folder / "lateness.json"
        command = [sys.executable, "-m", "tests.benchmarks.lateness_probe", str(output)]
        with bench.program(folder, command=command) as program:
            program.settle()
            done = _load(program.addresses["tcp-echo"], seconds)
        ours = _within(json.loads(output.read_text()), done)
    with Plain("qt", "--timer") as stock:
        stock_done = _load(stock.addresses["tcp"], seconds)
    theirs = _within(stock.report["samples"], stock_done)
    return Result(
        "lateness",
        percentile(ours, 0.99),
        sound=program.code == 0 and len(ours) > seconds * 10,
        references={"stock qt5reactor, no window": _summary(theirs)},
        notes=[
            f"ours: {_line(ours)} at {done['rate']:,.0f} messages/s",
            f"stock qt5reactor, no window, nothing recorded: {_line(theirs)} at {stock_done['rate']:,.0f} messages/s",
        ],
        details={"ours": _summary(ours)},
    )


def _load(address: str, seconds: float) -> dict[str, Any]:
    return procs.run(["load", "echo", address, "--connections", str(BUSY), "--seconds", str(seconds)])


def _within(samples: list[tuple[float, float]], done: dict[str, Any]) -> list[float]:
    return [late for when, late in samples if done["began"] <= when <= done["ended"]]


def _summary(late: list[float]) -> dict[str, float]:
    return {"p50": percentile(late, 0.5), "p99": percentile(late, 0.99), "max": max(late, default=0.0)}


def _line(late: list[float]) -> str:
    return ", ".join(f"{name} {value:.1f} ms" for name, value in _summary(late).items()) + f" ({len(late)} turns)"
