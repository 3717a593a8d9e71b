"""TCP echo with full capture, without and with thousands of idle connections."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

from tests.benchmarks import procs
from tests.benchmarks.context import Bench
from tests.benchmarks.marks import Result, ratios
from tests.benchmarks.program import STARTED_AND_STOPPED, Plain, Program, check

BUSY, IDLE = 100, 8_000
SECONDS = 4.0

OURS, EPOLL, STOCK = "ours", "plain Twisted on epoll", "stock qt5reactor"


class Totals:
    """The totals of all clients of one server, from which the expected number of events follows.

    Attributes:
        busy: largest share of a core that the clients used. Near 1, the clients limit the rate.
    """

    def __init__(self) -> None:
        self.busy = 0.0
        self.messages = self.connections = self.missing = 0

    @property
    def events(self) -> int:
        return 2 * self.messages + 2 * self.connections + STARTED_AND_STOPPED

    def add(self, messages: float, connections: float, missing: float = 0) -> None:
        self.messages += int(messages)
        self.connections += int(connections)
        self.missing += int(missing)


def load(address: str, seconds: float, totals: Totals | None = None) -> float:
    """Messages per second on 100 busy connections."""
    done = procs.run(["load", "echo", address, "--connections", str(BUSY), "--seconds", str(seconds)])
    if totals is not None:
        totals.add(done["messages"], done["connections"], done["missing"])
        totals.busy = max(totals.busy, done["busy"])
    return float(done["rate"])


@contextmanager
def idle(address: str, totals: Totals | None = None) -> Iterator[None]:
    """Keep idle connections open while the block runs."""
    holder = procs.start(["load", "hold", address, "--connections", str(IDLE)])
    try:
        count = procs.answer(holder)["connections"]
        if totals is not None:
            totals.add(count, count)
        yield
        procs.finish(holder)
    finally:
        procs.end(holder)


def measure_echo(bench: Bench) -> Result:
    totals = Totals()
    rates: dict[str, list[float]] = {OURS: [], EPOLL: [], STOCK: []}
    with bench.folder() as folder:
        with bench.program(folder) as program, Plain("epoll") as epoll, Plain("qt") as stock:
            for _ in range(bench.rounds):
                program.settle()
                rates[OURS].append(load(program.addresses["tcp-echo"], bench.seconds(SECONDS), totals))
                program.settle()
                rates[EPOLL].append(load(epoll.addresses["tcp"], bench.seconds(SECONDS)))
                rates[STOCK].append(load(stock.addresses["tcp"], bench.seconds(SECONDS)))
            program.settle()
        sound, line = check(
            program.capture,
            totals.events,
            f"2 × {totals.messages:,} messages + 2 × {totals.connections:,} connections + 8",
        )
    return Result(
        "echo",
        ratios(rates[OURS], rates[EPOLL]),
        sound=sound and not totals.missing and program.code == 0,
        references={name: median(rates[name]) for name in (EPOLL, STOCK)},
        notes=[
            _rates(rates),
            f"ours ÷ stock qt5reactor: {ratios(rates[OURS], rates[STOCK]):.2f};"
            f" the clients used {totals.busy:.0%} of a core at the most",
            line,
        ],
        details={"rates": rates, "messages": totals.messages, "unanswered": totals.missing},
    )


def measure_idle(bench: Bench) -> Result:
    totals = Totals()
    with bench.folder() as folder:
        with bench.program(folder) as program:
            ours = _with_and_without(program, program.addresses["tcp-echo"], bench, bench.rounds, totals)
            program.settle()
        sound, line = check(
            program.capture,
            totals.events,
            f"2 × {totals.messages:,} messages + 2 × {totals.connections:,} connections + 8",
        )
    with Plain("epoll") as epoll:
        plain = _with_and_without(epoll, epoll.addresses["tcp"], bench, 1)
    with Plain("qt") as qt:
        stock = _with_and_without(qt, qt.addresses["tcp"], bench, 1)
    pairs = {OURS: ours, EPOLL: plain, STOCK: stock}
    found = {name: ratios(pair["beside idle"], pair["alone"]) for name, pair in pairs.items()}
    return Result(
        "idle",
        found[OURS],
        sound=sound and not totals.missing and program.code == 0,
        references={name: found[name] for name in (EPOLL, STOCK)},
        notes=[
            *(
                f"{name}: {median(pair['alone']):,.0f} alone, {median(pair['beside idle']):,.0f} messages/s"
                f" beside {IDLE:,} idle: {found[name]:.2f}"
                for name, pair in pairs.items()
            ),
            line,
        ],
        details=pairs,
    )


def _with_and_without(
    server: Program | Plain, address: str, bench: Bench, rounds: int, totals: Totals | None = None
) -> dict[str, list[float]]:
    rates: dict[str, list[float]] = {"alone": [], "beside idle": []}
    for _ in range(rounds):
        server.settle()
        rates["alone"].append(load(address, bench.seconds(SECONDS), totals))
        server.settle()
        with idle(address, totals):
            server.settle()
            rates["beside idle"].append(load(address, bench.seconds(SECONDS), totals))
    server.settle()
    return rates


def _rates(rates: dict[str, list[float]]) -> str:
    return "messages/s: " + ", ".join(f"{name} {median(values):,.0f}" for name, values in rates.items())
