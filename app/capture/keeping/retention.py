"""Removes old captures from the program's own folder, as far as they have the names that the program gives.

Captures that the user saved elsewhere, or under another name, are never removed.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from app.capture import errors
from app.capture.keeping.about import About, about, size_of
from app.capture.reading.appearing import is_open
from app.text.escapes import amount

_OURS = re.compile(r"\d{4}-\d\d-\d\d \d\d\.\d\d\.\d\d(?: \d+)?(?: \(rescued \d+\))?\.lpost")
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Keeping:
    """What is kept: captures written to in the last ``days``, and ``total`` bytes of all; 0: no limit."""

    days: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class Removed:
    """A capture that was removed. ``why`` is a clause: "it is older than 30 days"."""

    path: Path
    bytes: int
    why: str

    def __str__(self) -> str:
        return f"removed the capture {self.path.name} ({amount(self.bytes)}): {self.why}"


def ours(folder: Path) -> list[Path]:
    """The captures in ``folder`` that have a name of the program's, the oldest first. Blocks."""
    try:
        found = [path for path in folder.iterdir() if _OURS.fullmatch(path.name) and path.is_file()]
    except OSError:
        return []
    return sorted(found, key=_written)


def _written(path: Path) -> float:
    times = [0.0]
    for name in (path, path.with_name(path.name + "-wal")):
        try:
            times.append(name.stat().st_mtime)
        except OSError:
            continue
    return max(times)


def tidy(folder: Path, current: Path | None, keeping: Keeping, now: float | None = None) -> list[Removed]:
    """Remove captures until ``keeping`` is true, the oldest first. Blocks.

    ``current``, and captures that a program has open, are never removed.
    """
    now = time.time() if now is None else now
    captures = [path for path in ours(folder) if not _same(path, current)]
    total = sum(size_of(path) for path in ours(folder))
    removed = []
    for path in captures:
        why = ""
        if keeping.days and now - _written(path) > keeping.days * _DAY:
            why = f"it is older than {keeping.days} days" if keeping.days != 1 else "it is older than a day"
        elif keeping.total and total > keeping.total:
            why = f"all together were more than {amount(keeping.total)}"
        if why and (size := _remove(path)) is not None:
            total -= size
            removed.append(Removed(path, size, why))
    return removed


def _same(path: Path, other: Path | None) -> bool:
    try:
        return other is not None and path.samefile(other)
    except OSError:
        return False


def _remove(path: Path) -> int | None:
    """Remove a capture; returns its bytes, or None if it was not removed."""
    size = size_of(path)
    try:
        if not size or is_open(path):  # its writer has only just made an empty one
            return None
        path.unlink()
        for end in ("-wal", "-shm"):
            path.with_name(path.name + end).unlink(missing_ok=True)
    except OSError:
        return None
    return size


def cut_off(folder: Path, others: Iterable[Path] = ()) -> About | None:
    """The newest capture in ``folder`` apart from ``others``, if its writer ended without closing it. Blocks."""
    for path in reversed(ours(folder)):
        if any(_same(path, other) for other in others):
            continue
        try:
            found = about(path)
        except errors.CaptureError:
            return None
        if found.live:
            continue  # another window's
        return found if found.cut_off and found.last else None
    return None
