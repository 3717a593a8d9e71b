"""UDP: what a steady sender costs, and whether a fast one is kept up with."""

from __future__ import annotations

import time
from typing import Any

from app import events
from app.capture.filters.language import of_kind
from app.capture.reading.store import Store
from tests.benchmarks import procs
from tests.benchmarks.context import Bench
from tests.benchmarks.marks import Result
from tests.benchmarks.program import Plain, Program, count

STEADY, FAST, FASTER = 250, 20_000, 60_000
SECONDS = 8.0
FLOOD_SECONDS = 10.0


def measure_steady(bench: Bench) -> Result:
    seconds = bench.seconds(SECONDS)
    with bench.folder() as folder, bench.program(folder) as program, Plain("epoll") as epoll, Plain("qt") as qt:
        program.settle()
        writer = program.writer
        main, stored = _cost(program.addresses["udp-echo"], seconds, program.pid, writer)
        plain = _cost(epoll.addresses["udp"], seconds, epoll.pid)[0]
        stock = _cost(qt.addresses["udp"], seconds, qt.pid)[0]
        program.settle()
    return Result(
        "udp",
        main + stored,
        sound=program.code == 0,
        references={"plain Twisted on epoll": plain, "stock qt5reactor, no window": stock},
        notes=[
            f"the window's process {main:.1f} %, the writer's {stored:.1f} % (the figure is both)",
            f"plain Twisted on epoll {plain:.1f} %, stock qt5reactor without a window {stock:.1f} %,"
            " neither recording nor showing",
        ],
        details={"main": main, "writer": stored},
    )


def _cost(address: str, seconds: float, pid: int, writer: int = 0) -> tuple[float, float]:
    """Per cent of a core that a steady flow takes, of the process and of its writer."""
    sender = procs.start(["load", "flow", address, "--rate", str(STEADY), "--seconds", str(seconds + 2)])
    try:
        time.sleep(1)
        began, main, stored = time.monotonic(), procs.cpu(pid), procs.cpu(writer)
        time.sleep(seconds)
        took = time.monotonic() - began
        shares = (procs.cpu(pid) - main) / took * 100, (procs.cpu(writer) - stored) / took * 100
        procs.answer(sender)
    finally:
        procs.end(sender)
    return shares


def measure_flood(bench: Bench) -> Result:
    seconds = bench.seconds(FLOOD_SECONDS)
    fast, faster = _lost(bench, FAST, seconds), _lost(bench, FASTER, seconds)
    losses = {}
    for reactor, name in (("epoll", "plain Twisted on epoll"), ("qt", "stock qt5reactor, no window")):
        with Plain(reactor) as plain:
            sent = _flood(plain.addresses["udp"], FAST, seconds)["sent"]
            plain.settle()
        losses[name] = sent - plain.report["datagrams"]
    return Result(
        "flood",
        fast["lost"],
        for_aim=faster["lost"],
        sound=all(of["code"] == 0 and of["unseen"] >= 0 for of in (fast, faster)),
        references={f"lost by {name}, recording nothing": lost for name, lost in losses.items()},
        notes=[
            *(
                f"sent {of['sent']:,} in {of['seconds']:.1f} s, stored {of['stored']:,}, reported lost"
                f" {of['reported']:,}, lost unseen {of['unseen']:,}; {of['back']:,} echoes came back;"
                f" {of['cpu']:.1f} s of CPU, {of['memory']:.0f} MB at the most"
                for of in (fast, faster)
            ),
            f"recording nothing, of {FAST:,}/s: " + ", ".join(f"{name} lost {lost:,}" for name, lost in losses.items()),
        ],
        details={"fast": fast, "faster": faster},
    )


def _lost(bench: Bench, rate: int, seconds: float) -> dict[str, Any]:
    """What became of so many datagrams a second."""
    with bench.folder() as folder:
        with bench.program(folder) as program:
            program.settle()
            before = procs.cpu(program.pid)
            done = _flood(program.addresses["udp-echo"], rate, seconds)
            program.settle()
            used = procs.cpu(program.pid) - before
            most = procs.memory(program.pid)[1]
        stored = count(program.capture, events.DATAGRAM_RECEIVED)
        reported = _reported(program)
    lost = int(done["sent"]) - stored
    more = {"stored": stored, "reported": reported, "lost": lost, "unseen": lost - reported}
    return done | more | {"cpu": used, "memory": most, "code": program.code}


def _flood(address: str, rate: int, seconds: float) -> dict[str, Any]:
    return procs.run(["load", "flow", address, "--rate", str(rate), "--seconds", str(seconds)])


def _reported(program: Program) -> int:
    """Datagrams that the capture says the kernel dropped."""
    store = Store(program.capture)
    try:
        limits = store.events(of_kind(events.LIMIT_REACHED), *store.range())
        return sum(event.detail.get("dropped", 0) for event in limits)
    finally:
        store.close()
