"""Tells when something changed in a folder: by inotify where there is one, else by looking now and then."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

POLL = 2.0
"""Seconds between two looks where the system tells nothing."""


class Watch:
    """Calls ``notice`` when a file in one of the folders, or a folder itself, may have changed.

    Without inotify only folders that exist at the time of ``follow`` are looked at; without any there is
    no timer.
    """

    def __init__(self, reactor: Any, notice: Callable[[], None]) -> None:
        self._reactor, self._notice = reactor, notice
        self._notifier: Any = None
        self._timer: Any = None

    def follow(self, folders: Iterable[Path]) -> None:
        """Watch these in the place of those before. What happened meanwhile is for the caller to find."""
        self.close()
        try:
            self._notifier = _notifier(self._reactor, folders, self._notice)
        except (ImportError, OSError):  # another system, or too many watches
            if any(folder.is_dir() for folder in folders):
                self._timer = self._reactor.callLater(POLL, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self._notice()

    def close(self) -> None:
        notifier, self._notifier = self._notifier, None
        if notifier is not None:
            notifier.loseConnection()
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()


def _notifier(reactor: Any, folders: Iterable[Path], notice: Callable[[], None]) -> Any:
    from twisted.internet import inotify
    from twisted.python.filepath import FilePath

    class Notifier(inotify.INotify):
        closing = False

        def loseConnection(self) -> None:
            # WORKAROUND: INotify closes itself when a folder that it watches is deleted, and its
            # descriptor's number may be somebody else's when it is closed again.
            if not self.closing:
                self.closing = True
                super().loseConnection()

    def changed(_: Any, path: Any, mask: int) -> None:
        if not made.closing:
            notice()

    def appeared(_: Any, path: Any, mask: int) -> None:
        if path.basename() in names:
            changed(_, path, mask)

    made = Notifier(reactor)
    names = {os.fsencode(folder.name) for folder in folders}
    inside = inotify.IN_CLOSE_WRITE | inotify.IN_MOVED_TO | inotify.IN_MOVED_FROM | inotify.IN_DELETE
    inside |= inotify.IN_ATTRIB | inotify.IN_MOVE_SELF
    for folder in folders:
        if folder.is_dir():
            made.watch(FilePath(str(folder)), inside, callbacks=[changed])
        elif folder.parent.is_dir():
            made.watch(FilePath(str(folder.parent)), inotify.IN_CREATE | inotify.IN_MOVED_TO, callbacks=[appeared])
    made.startReading()
    return made
