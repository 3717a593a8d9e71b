"""Checkpoints: copies SQLite's write-ahead log into the capture, in a thread, when there is time for it."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

FROM = 64 << 20
"""Bytes in the log from which it is copied when no batch is waiting."""

AT_LATEST, MOST = 768 << 20, 1536 << 20
"""Bytes in the log from which it is copied although batches are waiting, and above which batches wait until it was
copied."""

AT_ONCE = 16 << 20
"""Bytes that may be left at the end of a copy. The writer waits while they are copied: the log can be emptied only
when all of it is in the file."""

WAIT = 0.05
"""Seconds at most for emptying the log: it waits for the writer and for readers, and storing waits meanwhile."""


class Checkpoints:
    """Decides when the log of a capture is copied into it, and copies it in a thread.

    By default, SQLite copies in each commit that makes the log longer than 1,000 pages, and syncs both files
    before the commit ends. Here, a gigabyte that comes at once is written once while it comes, and a second
    time when nothing more comes.

    What cannot be copied (the disk is full; a reader still uses the pages that it would replace) stays in
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
        """Start a copy if it is time. Call it after each commit, in the writer's thread.

        ``more``: whether another batch is waiting.
        """
        logged = self._logged()
        if self._running is not None and (self._running.done() or logged >= MOST):
            self._running.result()
            self._running, logged = None, self._logged()
        if self._running is None:
            self._copied = min(self._copied, logged)  # SQLite may have started the log again
            if logged - self._copied >= FROM and (not more or logged >= self._at_latest()):
                self._running = self._thread.submit(self._copy)

    def _logged(self) -> int:
        return os.fstat(self._log).st_size

    def _at_latest(self) -> int:
        # The copy takes as much space on the disk again.
        return min(AT_LATEST, shutil.disk_usage(self._folder).free // 4)

    def _copy(self) -> None:
        """Copy the log until little was added meanwhile, then empty it."""
        with contextlib.suppress(sqlite3.Error):
            while True:
                self._copied = self._logged()
                self._db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
                if self._logged() - self._copied <= AT_ONCE:
                    break
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    def close(self) -> None:
        """Finish a running copy. Closing again does nothing."""
        if self._log != -1:
            self._thread.shutdown()
            self._db.close()
            os.close(self._log)
            self._log = -1
