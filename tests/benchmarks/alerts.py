"""What armed alerts cost a TCP echo: two programs, one with alerts of which none is raised, loaded in turns."""

from __future__ import annotations

from statistics import median

from tests.benchmarks.context import Bench
from tests.benchmarks.echo import Totals, load
from tests.benchmarks.marks import Result, ratios
from tests.benchmarks.program import STARTED_AND_STOPPED, WORKSPACE, Program, check

SECONDS = 4.0

FILTERS = ("http.status >= 500", "kind == failure", "kind in {service.failed, tls.failed}", "limit exists", "size > 1M")

ALERTS = WORKSPACE + "".join(f'\n[[alert]]\nname = "{when}"\nwhen = "{when}"\n' for when in FILTERS)

WITH, WITHOUT = f"{len(FILTERS)} alerts", "no alert"


def measure(bench: Bench) -> Result:
    rates: dict[str, list[float]] = {WITH: [], WITHOUT: []}
    totals = {WITH: Totals(), WITHOUT: Totals()}
    with bench.folder() as one, bench.folder() as two:
        other = Program(bench.screen, two, two / "capture.lpost")
        with bench.program(one, services=ALERTS) as armed, other as plain:
            programs = {WITH: armed, WITHOUT: plain}
            for turn in range(2 * bench.rounds):
                for name in sorted(programs, reverse=bool(turn % 2)):
                    programs[name].settle()
                    address = programs[name].addresses["tcp-echo"]
                    rates[name].append(load(address, bench.seconds(SECONDS), totals[name]))
            for program in programs.values():
                program.settle()
        found = [check(programs[name].capture, totals[name].events, name) for name in programs]
    sound = all(right for right, _ in found) and not any(one.missing for one in totals.values())
    return Result(
        "alerts",
        ratios(rates[WITH], rates[WITHOUT]),
        sound=sound and armed.code == 0 and plain.code == 0,
        references={name: median(values) for name, values in rates.items()},
        notes=[
            "messages/s: " + ", ".join(f"{name} {median(values):,.0f}" for name, values in rates.items()),
            *(line for _, line in found),
            f"events of each program for {STARTED_AND_STOPPED // 2} services that start and stop are among these",
        ],
        details={"rates": rates},
    )
