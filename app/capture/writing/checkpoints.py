"""Checkpoints: copying SQLite's log into the capture, beside the writing and when there is time for it."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

FROM = 64 << 20
"""Bytes in the log from which it is copied when nothing else is to do."""

AT_LATEST, MOST = 768 << 20, 1536 << 20
"""Bytes in the log from which it is copied although more is waiting to be stored, and above which
that waits until it was."""

AT_ONCE = 16 << 20
"""Bytes left at the end of a copy for which the writer may have to wait: only when all is in the
file can the log be emptied."""

WAIT = 0.05
"""Seconds at most in which the log is to be emptied: whoever is writing is waited for, and so is who
reads, while storing waits."""


class Checkpoints:
    """When the log of a capture is copied into it, and the thread that does that.

    Left alone, SQLite copies in each commit that makes the log longer than 1,000 pages, and has
    the disk take both files before the commit ends. Here a gigabyte that comes at once is written
    once while it comes, and again when nothing more does.

    What cannot be copied (the disk is full; somebody still reads what it would replace) stays in
    the log, as safe and as readable, until the next time.
    """

    def __init__(self, path: Path, log: Path) -> None:
        self._folder = path.parent
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=WAIT)
        self._log = os.open(log, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        self._thread = ThreadPoolExecutor(1, "checkpoints")
        self._running: Future[None] | None = None
        self._copied = 0

    def consider(self, *, more: bool) -> None:
        """Copy if it is time; after each commit, in the writer's thread.

        ``more`` tells whether the next one is waiting.
        """
        logged = self._logged()
        if self._running is not None and (self._running.done() or logged >= MOST):
            self._running.result()
            self._running, logged = None, self._logged()
        if self._running is None:
            self._copied = min(self._copied, logged)  # SQLite may have begun it anew
            if logged - self._copied >= FROM and (not more or logged >= self._at_latest()):
                self._running = self._thread.submit(self._copy)

    def _logged(self) -> int:
        return os.fstat(self._log).st_size

    def _at_latest(self) -> int:
        # The copy takes as much room again.
        return min(AT_LATEST, shutil.disk_usage(self._folder).free // 4)

    def _copy(self) -> None:
        """Copy what the log has until what has come meanwhile is short, and empty it."""
        with contextlib.suppress(sqlite3.Error):
            while True:
                self._copied = self._logged()
                self._db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
                if self._logged() - self._copied <= AT_ONCE:
                    break
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    def close(self) -> None:
        """Finish what is under way. Closing again does nothing."""
        if self._log != -1:
            self._thread.shutdown()
            self._db.close()
            os.close(self._log)
            self._log = -1
