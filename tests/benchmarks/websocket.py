"""WebSocket echo and broadcast with full capture, beside plain autobahn; and whether large messages are lost."""

from __future__ import annotations

from statistics import median

from app import events
from app.capture.filters.language import of_kind
from app.capture.reading.store import Store
from tests.benchmarks import procs
from tests.benchmarks.context import Bench
from tests.benchmarks.marks import Result, ratios
from tests.benchmarks.program import Plain, Program, count

CONNECTIONS, READERS = 50, 100
SECONDS = 4.0
OURS, PLAIN = "ours", "plain autobahn on epoll"

SERVICES = "version = 1\n" + "".join(
    f'\n[[service]]\nname = "{name}"\nprotocol = "websocket"\nlisten = "127.0.0.1:0"\nresponder = "{name}"\n'
    for name in ("echo", "broadcast")
)


def measure_echo(bench: Bench) -> Result:
    return _beside_plain(bench, "echo", 2)


def measure_broadcast(bench: Bench) -> Result:
    return _beside_plain(bench, "broadcast", 1 + CONNECTIONS)


def _beside_plain(bench: Bench, name: str, events_each: int) -> Result:
    """One service, whose name is the load's, and plain autobahn by turns."""
    rates: dict[str, list[float]] = {OURS: [], PLAIN: []}
    messages = missing = 0.0
    with bench.folder() as folder:
        with bench.program(folder, services=SERVICES) as program, Plain("epoll", "--websocket") as plain:
            for _ in range(bench.rounds):
                program.settle()
                done = _load(name, program.addresses[name], bench)
                rates[OURS].append(done["rate"])
                messages, missing = messages + done["messages"], missing + done["missing"]
                program.settle()
                rates[PLAIN].append(_load(name, plain.addresses[name], bench)["rate"])
            program.settle()
            most = procs.memory(program.pid)[1]
        noted, lost = count(program.capture, events.WS_MESSAGE), lost_events(program)
    expected = int(messages) * events_each
    return Result(
        f"ws-{name}",
        ratios(rates[OURS], rates[PLAIN]),
        sound=noted == expected and not lost and not missing and program.code == 0,
        references={PLAIN: median(rates[PLAIN])},
        notes=[
            "messages/s: " + ", ".join(f"{who} {median(values):,.0f}" for who, values in rates.items()),
            f"capture: {noted:,} messages noted of {expected:,}; {lost:,} events lost; {most:.0f} MB at the most",
        ],
        details={"rates": rates, "memory": most},
    )


def _load(name: str, address: str, bench: Bench) -> dict[str, float]:
    seconds = str(bench.seconds(SECONDS))
    return procs.run(["websocket_load", name, address, "--connections", str(CONNECTIONS), "--seconds", seconds])


def measure_large(bench: Bench) -> Result:
    """One client sends 5 messages of 1 MiB to 100 readers."""
    load = ["--connections", str(READERS), "--messages", "5"]
    return _measure_lost(bench, "ws-large", "broadcast", ["large", *load], 5 * (1 + READERS))


def measure_deflated(bench: Bench) -> Result:
    """One client sends 200 messages at once that compress to a thousandth of their 1 MiB."""
    return _measure_lost(bench, "ws-deflated", "echo", ["deflated", "--messages", "200"], 400)


def _measure_lost(bench: Bench, mark: str, service: str, load: list[str], expected: int) -> Result:
    with bench.folder() as folder:
        with bench.program(folder, services=SERVICES) as program:
            program.settle()
            kind, *more = load
            done = procs.run(["websocket_load", kind, program.addresses[service], *more])
            procs.settle(program.pid, program.writer, patience=120)
            most = procs.memory(program.pid)[1]
        noted, lost = count(program.capture, events.WS_MESSAGE), lost_events(program)
    return Result(
        mark,
        max(lost, expected - noted),
        for_aim=most,
        sound=not done["missing"] and program.code == 0,
        notes=[
            f"capture: {noted:,} messages noted of {expected:,}; {lost:,} events lost;"
            f" {done['missing']:,.0f} messages missing at the clients, after {done['seconds']:.1f} s",
        ],
        details={"memory": most, "load": done},
    )


def lost_events(program: Program) -> int:
    """Events that the capture says were lost."""
    store = Store(program.capture)
    try:
        return sum(event.detail.get("count", 0) for event in store.events(of_kind(events.LOST), *store.range()))
    finally:
        store.close()
