"""Events as pcapng: how long we take to write it, and tshark to filter it beside our filter on the same events."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter

from tests.benchmarks import captures, procs
from tests.benchmarks.context import CACHE, Bench
from tests.benchmarks.filters import COUNT, RARE
from tests.benchmarks.marks import Result


def measure(bench: Bench) -> Result:
    count = COUNT // 10 if bench.quick else COUNT
    path, packets = CACHE / f"{count}.lpost", CACHE / f"{count}.pcapng"
    captures.make_once(path, count)
    exporting = _export(path, packets)
    repeats = 1 if bench.quick else 3
    theirs, found = [], 0
    for _ in range(repeats):
        began = perf_counter()
        done = subprocess.run(
            ["tshark", "-n", "-r", str(packets), "-Y", f'frame contains "{RARE}"'],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, timeout=300,
        )  # fmt: skip
        theirs.append(perf_counter() - began)
        found = len(done.stdout.splitlines())
    ours = procs.run(["filter_probe", str(path), RARE, str(repeats)], QT_QPA_PLATFORM="offscreen")
    size = packets.stat().st_size
    packets.unlink()
    return Result(
        "tshark",
        median(theirs) / ours["pane"],
        sound=found == ours["matches"] == (count - 1) // captures.EVERY,
        references={"tshark, seconds": median(theirs)},
        notes=[
            f"ours {ours['pane']:.2f} s to the last row, tshark {median(theirs):.1f} s; {found} matches each,"
            f" over {count:,} events, which are twice as many packets: each has its acknowledgement",
            _told(count, exporting, size),
        ],
        details={"ours": ours, "tshark": theirs, "exporting": exporting},
    )


def measure_export(bench: Bench) -> Result:
    count = COUNT // 10 if bench.quick else COUNT
    path, packets = CACHE / f"{count}.lpost", CACHE / f"{count}.pcapng"
    captures.make_once(path, count)
    exporting = _export(path, packets)
    size = packets.stat().st_size
    packets.unlink()
    return Result("pcapng", exporting, notes=[_told(count, exporting, size)], details={"events": count, "bytes": size})


def _export(path: Path, packets: Path) -> float:
    """Seconds that the command takes."""
    began = perf_counter()
    command = [sys.executable, "-m", "ui.entry", "export", str(path), str(packets)]
    subprocess.run(command, cwd=procs.ROOT, check=True, timeout=600)
    return perf_counter() - began


def _told(count: int, exporting: float, size: int) -> str:
    rate = f"{count / exporting:,.0f} events/s"
    return f"the export of {count:,} events took {exporting:.1f} s: {rate}, {size / 1e6:,.0f} MB"
