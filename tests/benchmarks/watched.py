"""What the program's eye on itself takes: the reactor watched and metrics scraped; and what a million events leave."""

from __future__ import annotations

import json
import sys
from itertools import pairwise
from statistics import median
from typing import Any

from tests.benchmarks.context import Bench
from tests.benchmarks.echo import Totals, load
from tests.benchmarks.marks import Result
from tests.benchmarks.watched_probe import KINDS, NOTHING, SCRAPED, SLICE, WATCHED

SECONDS = 30.0

INTERVAL = 5.0
"""Seconds between two scrapes. Prometheus' own default is a minute, its guide's example 15 s."""

EVENTS, WARM = 1_000_000, 200_000
"""Events of the soak, and those before it."""

BUSY = 500
"""Events of a slice from which it counts."""

Samples = list[dict[str, Any]]


def measure(bench: Bench) -> Result:
    samples, sound, totals = _run(bench, "alternate", lambda totals: totals.messages > 0, bench.seconds(SECONDS))
    slices = [
        (after["kind"], after["seen"] - before["seen"], after["cpu"] - before["cpu_after"])
        for before, after in pairwise(samples)
        if after["seen"] - before["seen"] > BUSY
    ]
    # Each against its neighbours: what else the machine does then slows all.
    triples = [
        {kind: seconds / seen for kind, seen, seconds in slices[i : i + 3]}
        for i in range(len(slices) - 2)
        if len({kind for kind, *_ in slices[i : i + 3]}) == 3
    ]
    watching = (median(each[WATCHED] / each[NOTHING] for each in triples) - 1) * 100
    more = median(each[SCRAPED] / each[WATCHED] for each in triples) - 1
    scrape = more * SLICE * 1000
    cost = watching + more * SLICE / INTERVAL * 100
    spent = {kind: median(each[kind] for each in triples) * 1e6 for kind in KINDS}
    return Result(
        "watched",
        max(0.0, cost),
        sound=sound and len(triples) > 5,
        references={"µs of an event": spent},
        notes=[
            f"watching the reactor {watching:+.2f} % of {spent[NOTHING]:.2f} µs for an event, in {len(triples)} triples"
            f" of half seconds at {totals.messages / max(1.0, bench.seconds(SECONDS)):,.0f} messages/s",
            f"a scrape takes {scrape:.1f} ms of CPU, with its client; one is made each {INTERVAL:g} s",
        ],
        details={"slices": slices},
    )


def measure_soak(bench: Bench) -> Result:
    count = EVENTS // 5 if bench.quick else EVENTS
    samples, sound, totals = _run(bench, "steady", lambda totals: totals.events > count + WARM, 5.0)
    warm = [sample for sample in samples if sample["seen"] > WARM]
    slopes = {name: _slope(warm, name) for name in ("memory", "descriptors", "objects", "blocks")}
    return Result(
        "soak",
        max(0.0, slopes["memory"] / 1e6),
        sound=sound,
        notes=[
            f"for each 1,000,000 events: memory {slopes['memory'] / 1e6:+.1f} MB,"
            f" descriptors {slopes['descriptors']:+.1f}, objects {slopes['objects']:+,.0f},"
            f" blocks of Python's memory {slopes['blocks']:+,.0f}",
            f"{totals.events:,} events, the first {WARM:,} left out; {totals.connections:,} connections",
        ],
        details={"slopes": slopes},
    )


def _run(bench: Bench, how: str, enough: Any, seconds: float) -> tuple[Samples, bool, Totals]:
    totals = Totals()
    with bench.folder() as folder:
        output = folder / "samples.json"
        command = [sys.executable, "-m", "tests.benchmarks.watched_probe", str(output), how]
        with bench.program(folder, command=command) as program:
            program.settle()
            while not enough(totals):
                load(program.addresses["tcp-echo"], seconds, totals)
            program.settle()
        samples: Samples = json.loads(output.read_text())
    return samples, program.code == 0 and not totals.missing, totals


def _slope(samples: Samples, name: str) -> float:
    """How much it grows with a million events: that of the straight line with the least squares."""
    xs, ys = [s["seen"] / 1e6 for s in samples], [s[name] for s in samples]
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    spread = sum((each - x) ** 2 for each in xs)
    return sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True)) / spread if spread else 0.0
