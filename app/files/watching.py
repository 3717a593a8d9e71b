"""Watches folders for changes: by inotify on Linux, elsewhere by a timer."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

POLL = 2.0
"""Seconds between two notices on systems without inotify."""


class Watch:
    """Calls ``notice`` when a file in one of the folders, or a folder itself, may have changed.

    Without inotify, ``notice`` is called once, ``POLL`` seconds after ``follow``, if one of the folders
    exists: the caller looks for changes and calls ``follow`` again.
    """

    def __init__(self, reactor: Any, notice: Callable[[], None]) -> None:
        self._reactor, self._notice = reactor, notice
        self._notifier: Any = None
        self._timer: Any = None

    def follow(self, folders: Iterable[Path]) -> None:
        """Watch these folders instead of the previous ones. The caller looks for changes made meanwhile."""
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
            # WORKAROUND: INotify closes itself when a watched folder is deleted. Closing it again could
            # close another file that got the same descriptor number.
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
