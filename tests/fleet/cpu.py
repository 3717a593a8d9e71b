"""How long the processor worked for each kind of process, from ``/proc``."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def seconds(pids: Iterable[int]) -> float:
    """Of these processes, in the kernel, too."""
    total = 0.0
    for pid in pids:
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += (int(fields[11]) + int(fields[12])) / TICKS
    return total


def children(pid: int) -> list[int]:
    """What a process has started, and what that has."""
    found = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += [int(child), *children(int(child))]
    return found


def by_kind(outposts: Iterable[int], console: int, router: int) -> Counter[str]:
    """Seconds so far. Outposts and console have a writer each; a router has a worker."""
    outposts = list(outposts)
    return Counter(
        {
            "outposts": seconds(outposts),
            "their writers": seconds(child for pid in outposts for child in children(pid)),
            "router": seconds([router, *children(router)]),
            "console": seconds([console]),
            "its writer": seconds(children(console)),
        }
    )
