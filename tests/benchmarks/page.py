"""The window with the page of a service open, while the service has 500 connections and 20,000 events/s.

Somebody types in the form of one of its rules, which is applied as they type.
"""

from __future__ import annotations

import json
import sys

from tests.benchmarks import procs
from tests.benchmarks.context import Bench
from tests.benchmarks.load import SIZE
from tests.benchmarks.marks import Result, percentile

SECONDS = 10.0
CONNECTIONS = 500
MESSAGES = 10_000
"""Messages each second; each is an event, and so is its answer."""

SERVICES = f"""version = 1

[[service]]
name = "device"
protocol = "tcp"
listen = "127.0.0.1:0"
responder = "script"

[[service.options.rules]]
when = "text"
match = "READ"
then = ["send OK"]

[[service.options.rules]]
then = ["send {"x" * SIZE}"]
"""


def measure_charts(bench: Bench) -> Result:
    """The same with the dock of charts in view."""
    return measure(bench, "charts")


def measure(bench: Bench, *also: str) -> Result:
    seconds = bench.seconds(SECONDS)
    with bench.folder() as folder:
        output = folder / "page.json"
        command = [sys.executable, "-m", "tests.benchmarks.page_probe", str(output), *also]
        with bench.program(folder, command=command, services=SERVICES) as program:
            program.settle()
            address, load = program.addresses["device"], ["--connections", str(CONNECTIONS), "--rate", str(MESSAGES)]
            done = procs.run(["load", "steady", address, *load, "--seconds", str(seconds)])
        found = json.loads(output.read_text())
    late, keys = (
        [value for when, value in found[name] if done["began"] <= when <= done["ended"]] for name in ("late", "keys")
    )
    return Result(
        "charts-page" if also else "page",
        percentile(late, 0.99),
        sound=program.code == 0 and not done["missing"] and len(keys) > seconds,
        notes=[
            f"{2 * done['rate']:,.0f} events/s on {CONNECTIONS} connections; p50 {percentile(late, 0.5):.1f} ms,"
            f" at most {max(late, default=0):.1f} ms ({len(late)} turns)",
            f"a key typed in the form of a rule, until it is painted: p50 {percentile(keys, 0.5):.1f} ms,"
            f" p99 {percentile(keys, 0.99):.1f} ms ({len(keys)} keys)",
        ],
        details={"rate": 2 * done["rate"], "key p50": percentile(keys, 0.5), "key p99": percentile(keys, 0.99)},
    )
