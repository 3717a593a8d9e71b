"""A lab with fifty outposts at one router: ``python -m tests.fleet [--outposts N] [--rate EVENTS] [--seconds S]``.

0. One outpost alone: events in a second, and their delay, through the router and by the other ways.
1. Outposts, console and router start. Fifty echoes make events at a steady rate for a minute: what is reached, and how
   long does the processor work for an event, in which process?
2. While events go on: the router is killed and started again, the console is killed, an outpost is killed, a link is
   cut for 20 s between network namespaces (or, where those may not be made, the outpost behind it is halted).
3. One outpost floods: the memory of router and console.
4. All outposts are started again and seal what they say. The same load, for a shorter time.
5. The console's capture and those of the outposts hold the same events, each once.

Prints figures; ends with 1 where the captures differ.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import monotonic, sleep

from tests.benchmarks import outposts
from tests.benchmarks.marks import percentile
from tests.fleet import compare
from tests.fleet.lab import Lab, Link, Program, memory
from tests.helpers import ROOT, short_folder, wait_for

CUT, FLOOD, SEALED = 20, 5, 10
"""Seconds."""


class Fleet:
    """One run, and what it has found."""

    def __init__(self, lab: Lab, rate: float, seconds: float) -> None:
        self.lab, self.rate, self.seconds = lab, rate, seconds
        self.figures: dict[str, object] = {}
        self._begin = monotonic()

    def say(self, words: str) -> None:
        print(f"{monotonic() - self._begin:6.1f} s  {words}", flush=True)

    def figure(self, name: str, value: object, words: str) -> None:
        self.figures[name] = value
        self.say(words)

    def run(self) -> bool:
        self.start_router()
        self.ways()
        self.start()
        self.load(self.seconds)
        self.trouble()
        self.flood()
        self.sealed()
        return self.same()

    # -- the parts

    def start_router(self) -> None:
        begin = monotonic()
        self.lab.start_router()
        self.say(f"the router listens after {monotonic() - begin:.1f} s")

    def ways(self) -> None:
        lab = self.lab
        files = {"key": str(lab.folder / "desk.key"), "ca": str(lab.node / "ca.pem")}
        wamp = {"WAMP": {"name": "bench", "target": lab.url(), "login": "desk", **files}}
        with short_folder() as folder:
            local, found = outposts.read(folder, *lab.join("bench"), beside=wamp)
        for line in outposts.in_words(local, found):
            self.say(line)
        self.figures["ways"] = {"local": round(local), **{way: round(one.rate) for way, one in found.items()}}
        self.figures["delays"] = {
            way: {name: [round(1e3 * seconds) for seconds in (median(times), percentile(times, 0.99))]
                  for name, times in (("stored", one.stored), ("shown", one.shown))}
            for way, one in found.items()
        }  # fmt: skip

    def start(self) -> None:
        lab = self.lab
        begin = monotonic()
        self.far = lab.names[-1]
        for name in lab.names:
            lab.start_outpost(name, far=name == self.far)
        lab.start_console()
        self.addresses = {name: lab.address(name) for name in lab.names}
        self.wait("all outposts are read", lambda: lab.figures()[0] == len(lab.names), 300)
        pids = [outpost.process.pid for outpost in lab.outposts.values()]
        each = memory(pids[0])
        self.figure(
            "outposts", {"count": len(pids), "sealed": len(lab.sealed), "megabytes": round(each)},
            f"{len(pids)} outposts, {len(lab.sealed)} of them sealed, are read by one console,"
            f" {monotonic() - begin:.1f} s after the first was started; {each:.0f} MB each",
        )  # fmt: skip
        self.tell_memory("at rest")

    def tell_memory(self, when: str) -> tuple[float, float]:
        lab = self.lab
        assert lab.router is not None
        assert lab.console is not None
        router, console = memory(lab.router.process.pid), memory(lab.console.process.pid)
        self.figure(
            f"memory {when}", {"router": round(router), "console": round(console)},
            f"memory {when}: router {router:.0f} MB, console {console:.0f} MB",
        )  # fmt: skip
        return router, console

    def loading(self, rate: float, seconds: float) -> list[Program]:
        """Clients of all outposts; those behind the link beside it."""
        load = [sys.executable, "-m", "tests.fleet.load"]
        echoes = rate / 2 / len(self.addresses)
        near = [address for name, address in self.addresses.items() if name != self.far]
        far = [*self.lab.link.inside, *load, f"{echoes}", f"{seconds}", self.addresses[self.far]]
        return [Program(*load, f"{echoes * len(near)}", f"{seconds}", *near), Program(*far)]

    def load(self, seconds: float, name: str = "load") -> None:
        self.say(f"{name}: {self.rate:,.0f} events in a second are asked for, for {seconds:.0f} s")
        before, read_before, begin = self.lab.cpu(), self.lab.figures()[1], monotonic()
        waited = os.times()
        clients = self.loading(self.rate, seconds)
        for client in clients:
            client.process.wait()
        lasted = monotonic() - begin
        read = self.lab.figures()[1] - read_before
        made = 2 * sum(int(client.lines[-1]) for client in clients)
        self.figure(
            name, {"asked": self.rate, "made": round(made / lasted), "read": round(read / lasted)},
            f"{made / lasted:,.0f} events/s were made, {read / lasted:,.0f} events/s read through the router meanwhile",
        )  # fmt: skip
        self.tell_memory(f"under {name}")
        begin = monotonic()
        self.caught_up()
        self.figure(
            f"{name} caught up", round(monotonic() - begin, 1), f"all are read {monotonic() - begin:.1f} s later"
        )
        now = os.times()
        clients_took = now.children_user + now.children_system - waited.children_user - waited.children_system
        self.tell_cpu(name, Counter({**(self.lab.cpu() - before), "clients": clients_took}), made)

    def tell_cpu(self, name: str, took: Counter[str], made: int) -> None:
        """What an event costs, in µs of a processor, and how many of them this machine could bear with nothing else to
        do: measured beside other work, the rate that was reached says little."""
        each = {kind: round(1e6 * seconds / made, 1) for kind, seconds in took.items()}
        cores = os.cpu_count() or 1
        bears = cores * made / took.total()
        self.figure(
            f"{name}: processor", {"µs of an event": each, "cores": cores, "events/s at most": round(bears)},
            f"the processor worked {1e6 * took.total() / made:.0f} µs for an event ("
            + ", ".join(f"{kind} {us:g}" for kind, us in each.items())
            + f"): {cores} cores bear {bears:,.0f} events/s",
        )  # fmt: skip

    def sealed(self) -> None:
        lab = self.lab
        lab.end_outposts()
        lab.sealed = lab.names
        self.start()
        self.load(SEALED, "sealed load")

    def trouble(self) -> None:
        lab = self.lab
        assert lab.router is not None
        assert lab.console is not None
        victim = lab.names[0]
        clients = self.loading(min(self.rate, 2000), 55)
        lab.router.end()
        self.say("the router was killed")
        sleep(2)
        lab.start_router()
        self.wait("all are read again", lambda: lab.figures()[0] == len(lab.names), 300)
        lab.console.end()
        self.say("the console was killed")
        lab.outposts[victim].end()
        self.say(f"{victim} was killed")
        lab.start_console()
        lab.start_outpost(victim)
        lab.address(victim)
        self.wait("all are read again", lambda: lab.figures()[0] == len(lab.names), 300)
        self.cut()
        for client in clients:
            client.process.wait()
        self.caught_up()
        self.say("all are read")

    def cut(self) -> None:
        lab = self.lab
        if lab.link.real:
            lab.link.cut()
        else:
            lab.outposts[self.far].process.send_signal(signal.SIGSTOP)
        self.say(
            f"the link of {self.far} is cut" if lab.link.real else f"{self.far} is halted: no link may be made here"
        )
        sleep(CUT)
        if lab.link.real:
            lab.link.mend()
        else:
            lab.outposts[self.far].process.send_signal(signal.SIGCONT)
        self.say("and goes on")
        self.wait("all are read again", lambda: lab.figures()[0] == len(lab.names), 300)

    def flood(self) -> None:
        before = self.tell_memory("before the flood")
        address = self.addresses[self.lab.names[1]]
        client = Program(sys.executable, "-m", "tests.fleet.load", "flood", str(FLOOD), address)
        most = before
        while client.process.poll() is None:
            assert self.lab.router is not None
            assert self.lab.console is not None
            now = memory(self.lab.router.process.pid), memory(self.lab.console.process.pid)
            most = max(most[0], now[0]), max(most[1], now[1])
            sleep(0.5)
        self.figure(
            "memory in the flood", {"router": round(most[0]), "console": round(most[1])},
            f"{int(client.lines[-1]) / 1e6:,.0f} MB were sent to one outpost in {FLOOD} s: router {most[0]:.0f} MB,"
            f" console {most[1]:.0f} MB at most",
        )  # fmt: skip
        self.caught_up()
        self.tell_memory("after the flood")

    # -- the end

    def caught_up(self) -> None:
        """Wait until nothing is behind, and nothing more comes."""
        last: list[tuple[int, int, int]] = []

        def quiet() -> bool:
            last.append(self.lab.figures())
            return len(last) > 4 and last[-1][2] == 0 and len({figures[1] for figures in last[-4:]}) == 1

        wait_for(quiet, 300, 0.6)

    def wait(self, words: str, condition: Callable[[], object], seconds: float) -> None:
        begin = monotonic()
        wait_for(condition, seconds, 0.1)
        self.say(f"{words}, after {monotonic() - begin:.1f} s")

    def same(self) -> bool:
        """Whether the captures hold the same events. They are at rest."""
        lab = self.lab
        wrong = total = 0
        for name in lab.names:
            there = compare.events_of(lab.folder / f"{name}.lpost")
            here = compare.events_at(lab.folder / "console.lpost", name)
            total += there.total()
            missing, more = there - here, here - there
            if missing or more:
                wrong += 1
                self.say(f"{name}: {missing.total()} events are missing, {more.total()} are too many")
                for event in [*missing, *more][:3]:
                    self.say(f"    {event[:5]}")
        self.figure(
            "same", {"events": total, "outposts that differ": wrong},
            f"{total:,} events of {len(lab.names)} outposts were compared: "
            + ("each is in the console's capture once" if not wrong else f"{wrong} outposts differ"),
        )  # fmt: skip
        return not wrong


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--outposts", type=int, default=50)
    parser.add_argument("--rate", type=float, default=20_000, help="events in a second, of all")
    parser.add_argument("--seconds", type=float, default=60)
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # its programs end with it
    link = Link()
    with tempfile.TemporaryDirectory(prefix="post-fleet-") as folder:
        lab = Lab(Path(folder), args.outposts, link)
        fleet = Fleet(lab, args.rate, args.seconds)
        try:
            good = fleet.run()
        except BaseException:
            for program in (lab.router, lab.console):
                if program is not None:
                    print(*program.lines[-20:], sep="\n", file=sys.stderr)
            raise
        finally:
            lab.close()
            link.close()
    (ROOT / "build").mkdir(exist_ok=True)
    (ROOT / "build" / "fleet.json").write_text(f"{json.dumps(fleet.figures, indent=2)}\n")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
