"""Which runs of the program did not end in order. Everything here blocks.

Each run has a file that it keeps locked, and takes away when it ends: one that is there without its lock is of a run
that was killed, or crashed.
"""

from __future__ import annotations

import contextlib
import secrets
from pathlib import Path

from app.files.locks import Held, hold
from app.files.newest import newest

_SUFFIX = ".run"

MAX_LOOKED_AT = 50
"""Files that are looked at, the newest."""


class Run:
    """This run of the program."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path: Path | None = None
        self._lock: Held | None = None

    def begin(self) -> float | None:
        """Say that this run has begun. Returns when the last run began that did not end in order, in seconds since
        1970; None where all have. It is told once. Where the folder cannot be written, nothing is known."""
        found = None
        with contextlib.suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = _left_behind(self._folder)
            path = self._folder / f"{secrets.token_hex(8)}{_SUFFIX}"
            self._lock, self._path = hold(path), path
        return found

    def end(self) -> None:
        """This run ends in order."""
        if self._path is not None:
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)
            self._path = None
        if self._lock is not None:
            self._lock.release()


def _left_behind(folder: Path) -> float | None:
    """When the newest run began whose file nobody locks. The files of all such runs are taken away."""
    found = None
    for path in newest(folder, f"*{_SUFFIX}")[:MAX_LOOKED_AT]:
        with contextlib.suppress(OSError):
            began, lock = path.stat().st_mtime, hold(path)
            if lock is not None:
                found = found or began
                path.unlink(missing_ok=True)
                lock.release()
    return found
