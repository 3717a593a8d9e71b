"""Charts over ten million events, and what keeping and showing them costs under full echo load."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from statistics import median

from app.capture.reading.chart_lines import CARDS, FOREVER
from app.capture.reading.charts import Charts, Span, fitting
from app.capture.reading.own_series import OwnSeries, wish
from app.capture.reading.store import Store
from tests.benchmarks import chart_captures, procs
from tests.benchmarks.context import CACHE, Bench
from tests.benchmarks.echo import SECONDS, Totals, load
from tests.benchmarks.marks import Result, ratios
from tests.benchmarks.program import STARTED_AND_STOPPED, Program, check

COUNT = 10_000_000
POINTS = 600
TIMES = 5
OWN = "http.status >= 500"


def measure(bench: Bench) -> Result:
    count = COUNT // 10 if bench.quick else COUNT
    path = CACHE / f"charts-{count}.lpost"
    chart_captures.make_once(path, count)
    store, charts = Store(path), Charts()
    whole, by_second = [], []
    for _ in range(TIMES):
        whole.append(_read(store, charts, 0))
        by_second.append(_read(store, charts, 3600))
    began = time.perf_counter()
    own = OwnSeries(wish(OWN))
    first = None
    while own.step(store) < 1:
        first = first or time.perf_counter() - began
    took = time.perf_counter() - began
    store.close()
    return Result(
        "chart",
        median(whole),
        notes=[
            f"all charts of {count:,} events with {POINTS} points; the last hour by the second:"
            f" {median(by_second):.2f} s",
            f"a series of one's own ({OWN}): {first or took:.2f} s to its newest part, {took:.1f} s to all of it",
        ],
        details={"whole": whole, "by second": by_second, "own": took},
    )


def _read(store: Store, charts: Charts, seconds: int) -> float:
    """Read all charts, of the last ``seconds`` by the second; 0: of all."""
    began = time.perf_counter()
    charts.step(store)
    extent = charts.extent(store)
    span = fitting(extent.first, extent.last, POINTS)
    if seconds:
        span = Span(extent.last - seconds + 1, extent.last, 1)
    chart = charts.read(store, span)
    assert all(line.values(chart, FOREVER) for card in CARDS for line in card.lines)
    return time.perf_counter() - began


WITHOUT, KEPT, OPEN = "without a rollup", "with it", "with it and the charts open"

ROUNDS = 4
"""Times as many as of other marks, and shorter: what is looked for is a few hundredths."""


def measure_cost(bench: Bench) -> Result:
    """The same program three times: its writer without a rollup, with it, and with the charts in view.

    All three run; the load goes to one after the other, in another order each time.
    """
    names = [WITHOUT, KEPT, OPEN]
    rates: dict[str, list[float]] = {name: [] for name in names}
    used: dict[str, list[float]] = {name: [] for name in names}
    totals = {name: Totals() for name in names}
    sound, lines = True, []
    with ExitStack() as stack:
        programs: dict[str, Program] = {}
        for name in names:
            command = [sys.executable, "-m", "tests.benchmarks.charts_probe", name]
            programs[name] = stack.enter_context(
                bench.program(stack.enter_context(bench.folder()), command=command)
            )  # fmt: skip
        for turn in range(bench.rounds * ROUNDS):
            for name in names[turn % 3 :] + names[: turn % 3]:
                program = programs[name]
                program.settle()
                before, messages = procs.cpu(program.pid, program.writer), totals[name].messages
                address = program.addresses["tcp-echo"]
                rates[name].append(load(address, bench.seconds(SECONDS) / 2, totals[name]))
                program.settle()
                spent = procs.cpu(program.pid, program.writer) - before
                used[name].append(1e6 * spent / (totals[name].messages - messages))
        for name in names:
            whole, line = check(programs[name].capture, totals[name].events - STARTED_AND_STOPPED // 2, name)
            sound = sound and whole and not totals[name].missing
            lines += [] if whole else [line]
    return Result(
        "charts-cost",
        ratios(rates[OPEN], rates[WITHOUT]),
        sound=sound and not any(program.code for program in programs.values()),
        references={name: median(found) for name, found in rates.items()},
        notes=[
            "messages/s: " + ", ".join(f"{name} {median(found):,.0f}" for name, found in rates.items()),
            f"with the rollup alone: {ratios(rates[KEPT], rates[WITHOUT]):.3f}",
            "CPU for a message, program and writer: "
            + ", ".join(f"{name} {median(found):.1f} µs" for name, found in used.items()),
            *lines,
        ],
        details={"rates": rates, "cpu": used},
    )
