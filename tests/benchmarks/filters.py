"""A filter over a million events: in the pane, to its last row, and through the store alone."""

from __future__ import annotations

from typing import Any

from tests.benchmarks import captures, procs
from tests.benchmarks.context import CACHE, Bench
from tests.benchmarks.marks import Result

COUNT = 1_000_000
RARE, ALL = captures.NEEDLE.decode(), captures.IN_ALL.decode()


def measure(bench: Bench) -> Result:
    count = COUNT // 10 if bench.quick else COUNT
    path = CACHE / f"{count}.lpost"
    captures.make_once(path, count)
    found: dict[str, Any] = {}
    for needle in (RARE, ALL):
        found[needle] = procs.run(
            ["filter_probe", str(path), needle, str(3 if bench.quick else 5)], QT_QPA_PLATFORM="offscreen"
        )
    rare, everything = found[RARE], found[ALL]
    expected = (count - 1) // captures.EVERY
    sound = rare["matches"] == expected and everything["matches"] == count - 1
    notes = [
        f"{name} ({of['matches']:,} matches): pane {of['pane']:.2f} s, store alone {of['store']:.2f} s,"
        f" one SQL statement {of['sqlite']:.2f} s; a 16 ms timer at most {of['pause']:.0f} ms late"
        for name, of in (("rare needle", rare), ("needle in all", everything))
    ]
    if count != COUNT:
        notes.append(f"over {count:,} events only")
    return Result(
        "filter",
        max(rare["pane"], everything["pane"]),
        sound=sound,
        references={"one SQL statement, needle in all": everything["sqlite"]},
        notes=[*notes, "file in the system's cache; medians; the figure is the slower of the two"],
        details=found | {"events": count},
    )
