"""Measures the marks, prints them, writes ``build/bench.json``.

python -m tests.benchmarks [NAME ...] [--quick]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime

from app import __version__
from tests.benchmarks import (
    alerts,
    charts,
    display,
    echo,
    faults,
    filters,
    fuzz,
    http,
    kill,
    lateness,
    leave,
    memory,
    outposts,
    package,
    page,
    quiet,
    relay,
    startup,
    tshark,
    typing,
    udp,
    watched,
    websocket,
)
from tests.benchmarks.context import Bench
from tests.benchmarks.marks import MARKS, Result
from tests.benchmarks.procs import ROOT

MEASUREMENTS: dict[str, Callable[[Bench], Result]] = {
    "echo": echo.measure_echo,
    "idle": echo.measure_idle,
    "http": http.measure,
    "inspector": http.measure_inspector,
    "rest": http.measure_rest,
    "mock": http.measure_mock,
    "ws-echo": websocket.measure_echo,
    "ws-broadcast": websocket.measure_broadcast,
    "ws-large": websocket.measure_large,
    "ws-deflated": websocket.measure_deflated,
    "relay": relay.measure,
    "faults": faults.measure,
    "alerts": alerts.measure,
    "outposts": outposts.measure,
    "filter": filters.measure,
    "pcapng": tshark.measure_export,
    "tshark": tshark.measure,
    "typing": typing.measure,
    "memory": memory.measure,
    "lateness": lateness.measure,
    "page": page.measure,
    "charts-page": page.measure_charts,
    "chart": charts.measure,
    "charts-cost": charts.measure_cost,
    "quiet": quiet.measure,
    "watched": watched.measure,
    "soak": watched.measure_soak,
    "start": startup.measure,
    "size": package.measure_size,
    "frozen": package.measure_start,
    "udp": udp.measure_steady,
    "flood": udp.measure_flood,
    "kill": kill.measure,
    "leave": leave.measure,
    "fuzz": fuzz.measure,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Measures the marks.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"only these: {', '.join(MEASUREMENTS)}")
    parser.add_argument("--quick", action="store_true", help="short and rough")
    args = parser.parse_args()
    unknown = [name for name in args.names if name not in MEASUREMENTS]
    if unknown:
        parser.error(f"no such mark: {', '.join(unknown)}; there are {', '.join(MEASUREMENTS)}")
    began = time.monotonic()
    left_out = () if package.built() else ("size", "frozen")
    if left_out and not args.names:
        print("Nothing was packaged, so its size and start are left out: make package", flush=True)
    names = args.names or [name for name in MEASUREMENTS if name not in left_out]
    results, broken = _measure(names, args.quick)
    took = time.monotonic() - began
    _write(results, broken, args.quick, took)
    missed = [r.key for r in results if r.verdict == "missed"] + list(broken)
    print(f"\n{len(results) + len(broken)} marks in {took:.0f} s; missed: {', '.join(missed) or 'none'}")
    return 1 if broken else 0


def _measure(names: list[str], quick: bool) -> tuple[list[Result], dict[str, str]]:
    results: list[Result] = []
    broken: dict[str, str] = {}
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}{', quick' if quick else ''}\n", flush=True)
    with display.screen() as screen:
        for name in names:
            began = time.monotonic()
            try:
                result = MEASUREMENTS[name](Bench(screen, quick))
            except Exception as e:  # one mark that cannot be measured does not hide the others
                traceback.print_exc()
                broken[name] = repr(e)
                print(f"{MARKS[name].title}\n    missed: could not be measured: {e!r}", flush=True)
                continue
            result.seconds = time.monotonic() - began
            results.append(result)
            print("\n".join(result.lines()), flush=True)
    return results, broken


def _write(results: list[Result], broken: dict[str, str], quick: bool, took: float) -> None:
    found = {
        "program": f"Listening Post {__version__}",
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "quick": quick,
        "seconds": round(took),
        "marks": [result.as_json() for result in results],
        "not measured": broken,
    }
    path = ROOT / "build" / "bench.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    sys.exit(main())
