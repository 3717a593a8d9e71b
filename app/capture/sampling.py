"""Samples of the program itself, for the rollup: how late its event loop is, and its memory.

They are taken when events are recorded anyway, once in a second at the most: a program that does nothing is not woken.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from time import time_ns

from app.capture.writing.batch import Sample

EVERY = 10**9
"""Nanoseconds between two samples."""

MOST = 1000
"""Times by which the loop was late that one sample tells."""


def memory() -> int | None:
    """Bytes of memory that this process has in use; None where the system does not tell."""
    with suppress(OSError, ValueError, IndexError), open("/proc/self/statm", "rb") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return None


class Sampler:
    """Gathers how late the loop was, until it is told with a batch."""

    def __init__(self, memory: Callable[[], int | None] = memory) -> None:
        self._memory = memory
        self._late: list[float] = []
        self._last = 0

    def late(self, seconds: float) -> None:
        """The loop came so much later than it was to."""
        if len(self._late) < MOST:
            self._late.append(max(0.0, seconds))

    def take(self) -> Sample | None:
        """A sample, if it is time for one."""
        now = time_ns()
        if 0 <= now - self._last < EVERY:
            return None
        self._last = now
        late, self._late = self._late, []
        return now, late, self._memory()
