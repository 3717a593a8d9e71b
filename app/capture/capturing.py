"""The file that is captured into: opened at the start, and changed for another while connections go on."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred

from app import events
from app.capture.keeping.retention import Keeping, tidy
from app.capture.link import DEFAULT_LIMIT, WriterLink
from app.capture.recorder import Recorder
from app.capture.schema import SUFFIX
from app.capture.writing.last_word import LastWord
from app.files.folders import data_folder
from app.signal import Signal


class Capturing:
    """The file that is captured into, after ``open``.

    Attributes:
        folder: of captures that are opened without a path.
        changed: emits the path when it is another file, which is open.
    """

    def __init__(
        self,
        reactor: Any,
        recorder: Recorder,
        in_thread: Callable[..., Deferred[Any]],
        last_word: Callable[[], LastWord | None],
        begin: Callable[[Path], object],
    ) -> None:
        """
        Args:
            in_thread: calls in a thread what blocks.
            last_word: what this returns when a file is opened: the event in it is stored if the program ends without taking it back.
            begin: records what a new file begins with; it is called with the file before.
        """
        self._reactor, self._recorder, self._in_thread = reactor, recorder, in_thread
        self._last_word, self._begin = last_word, begin
        self._link: WriterLink | None = None
        self._limit = DEFAULT_LIMIT
        self._renewal: Deferred[None] | None = None
        self.folder = capture_folder()
        self.changed: Signal[Path] = Signal()

    @property
    def path(self) -> Path | None:
        """None until ``open`` is called."""
        return self._link.path if self._link else None

    @property
    def is_open(self) -> bool:
        """Whether the file is open, or could not be opened."""
        return self._link is not None and bool(self._link.opened.called)

    @property
    def refused(self) -> bool:
        """Whether the file cannot be captured into; the recorder's trouble says why."""
        return self._link is not None and self._link.refused

    @property
    def renewing(self) -> bool:
        """Whether another file is about to be captured into."""
        return self._renewal is not None

    def open(self, path: Path | None, limit: int, keeping: Keeping, folder: Path | None) -> Deferred[None]:
        """Begin to capture. See ``Post.open``."""
        self.folder = folder or self.folder
        self._limit = limit
        path = path or unused_capture(self.folder)
        self._link = WriterLink(self._reactor, self._recorder, path, limit, last_word=self._last_word())
        self._link.start()
        if keeping != Keeping():
            Deferred.fromCoroutine(self._tidy(path, keeping))
        return self._link.opened

    async def _tidy(self, current: Path, keeping: Keeping) -> None:
        try:
            removed = await self._in_thread(tidy, self.folder, current, keeping)
        except Exception as e:
            self._recorder.record_failure(e)
            return
        for removal in removed:
            self._recorder.record(events.LOG, summary=str(removal))

    async def renew(self, limit: int | None, folder: Path | None) -> Path | None:
        """Go on in a new file. See ``Post.new_capture``."""
        old = self._link
        if old is None or self._renewal is not None or not old.opened.called:
            return None
        renewal = self._renewal = Deferred()
        self._limit, self.folder = limit or self._limit, folder or self.folder
        try:
            path = await self._in_thread(unused_capture, self.folder)
            self._recorder.record(events.LOG, summary=f"the capture goes on in {path}")
            released = old.release()
            self._begin(old.path)
            await released
            if await self._link_to(path, old):
                self._recorder.failures = 0  # those of this capture
                self.changed.emit(path)
                return old.path
            await self._link_to(old.path, old)  # its batches are still to be stored
            return None
        finally:
            self._renewal = None
            renewal.callback(None)

    async def _link_to(self, path: Path, old: WriterLink) -> bool:
        """Capture into ``path`` from now on. False if that file will never do."""
        if self._link is not None and self._link is not old:
            await self._link.release()
        self._link = WriterLink(self._reactor, self._recorder, path, self._limit, old.arena, self._last_word())
        self._link.start()
        await self._link.opened
        return not self._link.refused

    async def close(self) -> None:
        """Store every event, and close the file."""
        if self._renewal is not None:
            await self._renewal  # no link can be closed between two files
        self._recorder.resume()  # the capture is to say how much it lacks
        if self._link is not None:
            await self._link.close()


def capture_folder() -> Path:
    """The folder of captures that are opened without a path."""
    return data_folder() / "captures"


def default_capture(folder: Path | None = None) -> Path:
    """The path of a new capture, named by the current time."""
    return (folder or capture_folder()) / f"{datetime.now().astimezone():%Y-%m-%d %H.%M.%S}{SUFFIX}"


def unused_capture(folder: Path) -> Path:
    """As ``default_capture``; with a number behind where a program has made one in the same second.

    The file is made, empty: else another program that begins now would take the same name, and one of the two could
    not capture. Where it cannot be made, the writer will say why. Blocks, for as long as that takes.
    """
    path = default_capture(folder)
    names = (path, *(path.with_name(f"{path.stem} {number}{SUFFIX}") for number in range(2, 1000)))
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        return next(name for name in names if _made(name))
    return path


def _made(path: Path) -> bool:
    """Whether the file is new."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        return True
    return False
