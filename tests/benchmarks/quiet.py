"""What the program uses while nothing happens, with charts in view, alerts armed and metrics served."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from app.files.folders import APP_NAME
from tests.benchmarks import procs
from tests.benchmarks.alerts import ALERTS
from tests.benchmarks.charts import OPEN
from tests.benchmarks.context import Bench
from tests.benchmarks.marks import Result
from tests.benchmarks.program import Plain, Program

SECONDS = 30.0

REST = 210.0
"""Seconds before: Qt removes pictures that are in use no more from its cache each 30 s, until none is left."""


class Meter:
    """CPU and wake-ups of some processes since it was made."""

    def __init__(self, *pids: int) -> None:
        self._pids = pids
        self._began = time.monotonic()
        self._cpu = {pid: procs.cpu(pid) for pid in pids}
        self._wakeups = {pid: procs.wakeups(pid) for pid in pids}

    def read(self) -> tuple[float, float, dict[str, float]]:
        """Per cent of one core, wake-ups a second, and those of each thread."""
        seconds = time.monotonic() - self._began
        share = sum(procs.cpu(pid) - self._cpu[pid] for pid in self._pids) / seconds * 100
        threads = {
            name: (count - self._wakeups[pid].get(name, 0)) / seconds
            for pid in self._pids
            for name, count in procs.wakeups(pid).items()
        }
        return share, sum(threads.values()), {name: rate for name, rate in threads.items() if rate}


def _armed(bench: Bench, folder: Path, command: list[str]) -> Program:
    """The program with all that only waits to be asked."""
    settings = folder / "config" / APP_NAME / "window.ini"
    settings.parent.mkdir(parents=True)
    settings.write_text("[General]\nserves_metrics=true\nmetrics_address=127.0.0.1:0\n")
    return bench.program(folder, command=command, services=ALERTS)


def measure(bench: Bench) -> Result:
    command = [sys.executable, "-m", "tests.benchmarks.charts_probe", OPEN]
    with (
        bench.folder() as folder,
        _armed(bench, folder, command) as program,
        Plain("epoll") as epoll,
        Plain("qt") as qt,
    ):
        program.settle()
        time.sleep(2)
        first = Meter(program.pid, program.writer)
        time.sleep(bench.seconds(REST))
        at_first = first.read()[1]
        ours, plain, stock = Meter(program.pid, program.writer), Meter(epoll.pid), Meter(qt.pid)
        time.sleep(bench.seconds(SECONDS))
        share, rate, threads = ours.read()
        references = {
            "plain Twisted on epoll": plain.read()[:2],
            "stock qt5reactor, no window": stock.read()[:2],
        }
    return Result(
        "quiet",
        rate,
        sound=program.code == 0,
        references={name: {"cpu %": cpu, "wakeups/s": wakes} for name, (cpu, wakes) in references.items()},
        notes=[
            f"ours, window and writer: {share:.3f} % of a core, {rate:.2f} wake-ups/s"
            + "".join(f"; {name}: {each:.2f}" for name, each in threads.items()),
            f"in the {bench.seconds(REST):.0f} s before, with Qt's cache of pictures: {at_first:.2f} wake-ups/s",
            *(f"{name}: {cpu:.3f} %, {wakes:.2f} wake-ups/s" for name, (cpu, wakes) in references.items()),
        ],
        details={"threads": threads, "cpu %": share},
    )
