"""What faults cost a TCP echo: none set, one that never hits, and one that lets all pass."""

from __future__ import annotations

from statistics import median

from tests.benchmarks import procs
from tests.benchmarks.context import Bench
from tests.benchmarks.echo import Totals, load
from tests.benchmarks.marks import Result, ratios
from tests.benchmarks.program import check

SECONDS = 3.0

NONE, NEVER, PASSING = "no fault", "one that never hits", "delay of 0 ms"

FAULTS = {
    NONE: "",
    NEVER: '[[service.fault]]\nkind = "reset"\nmatch = "PAY"\n',
    PASSING: '[[service.fault]]\nkind = "delay"\nms = 0\n',
}

SERVICES = "version = 1\n" + "".join(
    f'\n[[service]]\nname = "{name}"\nprotocol = "tcp"\nlisten = "127.0.0.1:0"\nresponder = "echo"\n{fault}'
    for name, fault in FAULTS.items()
)


def measure(bench: Bench) -> Result:
    totals = Totals()
    rates: dict[str, list[float]] = {name: [] for name in FAULTS}
    trips: dict[str, list[float]] = {name: [] for name in FAULTS}
    passing = 0
    with bench.folder() as folder:
        with bench.program(folder, services=SERVICES) as program:
            addresses = [program.addresses[name] for name in FAULTS]
            for _ in range(bench.rounds):
                for name, address in zip(FAULTS, addresses, strict=True):
                    before = totals.connections
                    program.settle()
                    rates[name].append(load(address, bench.seconds(SECONDS), totals))
                    passing += totals.connections - before if name == PASSING else 0
                program.settle()
                done = procs.run(["load", "trip", *addresses, "--seconds", str(bench.seconds(SECONDS))])
                totals.add(sum(done["messages"]), len(addresses))
                passing += 1
                for name, microseconds in zip(FAULTS, done["µs"], strict=True):
                    trips[name].append(microseconds)
            program.settle()
        sound, line = check(
            program.capture,
            2 * totals.messages + 2 * totals.connections + 2 * passing + 2 * len(FAULTS),
            f"2 × {totals.messages:,} messages + 2 × {totals.connections:,} connections + 2 × {passing:,} faults + 6",
        )
    added = {name: median(trips[name]) - median(trips[NONE]) for name in (NEVER, PASSING)}
    return Result(
        "faults",
        added[PASSING],
        sound=sound and not totals.missing and program.code == 0,
        references={name: median(values) for name, values in rates.items()},
        notes=[
            "messages/s: " + ", ".join(f"{name} {median(values):,.0f}" for name, values in rates.items()),
            *(f"{name} ÷ {NONE}: {ratios(rates[name], rates[NONE]):.2f}" for name in (NEVER, PASSING)),
            "µs there and back: "
            + ", ".join(f"{name} {median(values):,.0f}" for name, values in trips.items())
            + f"; added: {added[NEVER]:.0f} and {added[PASSING]:.0f}",
            line,
        ],
        details={"rates": rates, "trips": trips},
    )
