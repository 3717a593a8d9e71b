"""Tells when the files of a program have changed: its script, and what it has imported of its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred

from app.files.watching import Watch

SETTLE = 0.2
"""Seconds between a notice and the look at the files, because editors write in several steps."""

MAX_FILES = 2_000
MAX_FOLDERS = 200
"""Files that are looked at, and folders of these that are watched."""

Stamps = dict[str, tuple[int, int] | None]
"""Time of the last change and size, by path; None: it is gone."""

InThread = Callable[..., Deferred[Any]]


def stamps(files: Iterable[str]) -> Stamps:
    """How these files are now. Blocks."""
    return {path: _stamp(path) for path in files}


def _stamp(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


class Files:
    """The files of one program. Nothing is done while none changes, where the system tells of changes.

    Args:
        changed: called with the name of a file that has changed.
    """

    def __init__(self, reactor: Any, in_thread: InThread, changed: Callable[[str], object]) -> None:
        self._reactor, self._in_thread, self._changed = reactor, in_thread, changed
        self._watch = Watch(reactor, self._on_notice)
        self._known: Stamps = {}
        self._folders: set[str] = set()
        self._due: Any = None
        self._looking = False

    def add(self, files: Iterable[str]) -> None:
        """Watch these, too."""
        new = [path for path in files if path not in self._known][: MAX_FILES - len(self._known)]
        if not new:
            return
        self._known.update(dict.fromkeys(new, (0, 0)))
        folders = self._folders | {os.path.dirname(path) for path in new}
        self._folders = set(sorted(folders)[:MAX_FOLDERS])
        self._follow()
        self._in_thread(stamps, new).addCallback(self._learn)

    def _follow(self) -> None:
        self._watch.follow([Path(folder) for folder in sorted(self._folders)])

    def _learn(self, found: Stamps) -> None:
        for path, stamp in found.items():
            if self._known.get(path) == (0, 0):
                self._known[path] = stamp

    def close(self) -> None:
        """Watch no more, and forget the files."""
        self._watch.close()
        self._known, self._folders = {}, set()
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _on_notice(self) -> None:
        if self._known and self._due is None:
            self._due = self._reactor.callLater(SETTLE, self._on_due)

    def _on_due(self) -> None:
        self._due = None
        self._follow()  # a folder may be another one, and other systems tell only once
        self._in_thread(stamps, list(self._known)).addCallback(self._on_stamps)

    def _on_stamps(self, now: Stamps) -> None:
        before = self._known
        other = [path for path, stamp in now.items() if before.get(path, stamp) not in (stamp, (0, 0))]
        self._known.update({path: stamp for path, stamp in now.items() if path in before})
        there = [path for path in other if now[path] is not None]  # while it is saved, it may be gone for a moment
        if there:
            self._changed(os.path.basename(there[0]))
