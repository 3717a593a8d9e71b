"""SQLite's log of the open capture, and its index, as another program may leave them: removed, cut off, overwritten.

SQLite writes on into a log that was removed, and reads nothing of one that was emptied: what it held is lost when the
writer ends before the log is copied into the capture.
"""

from __future__ import annotations

import contextlib
import os
import struct
from pathlib import Path

_INDEX = struct.Struct("=14xHI12x8s8x")
"""Of the index, in the machine's order: the page size, how many frames the log holds, and its salt
(https://sqlite.org/walformat.html#the_wal_index_file_format)."""

_HEAD, _FRAME, _SALT = 32, 24, slice(16, 24)
"""Bytes of the log's header, of a frame's header, and where the log has its salt."""


class Log:
    """The log and the index of a capture that is open in this process.

    Close it after SQLite has closed the capture: closing a file releases the locks that SQLite has on it.
    """

    def __init__(self, path: Path) -> None:
        """``path`` is the capture's. Raises OSError."""
        self.paths = [path.with_name(path.name + end) for end in ("-wal", "-shm")]
        self._files: list[int] = []
        try:
            for one in self.paths:
                self._files.append(os.open(one, os.O_RDONLY | getattr(os, "O_BINARY", 0)))
        except OSError:
            self.close()
            raise

    def gone(self) -> bool:
        """Whether one of them is not at its path any more."""
        return not all(self._is_ours(path, file) for path, file in zip(self.paths, self._files, strict=True))

    def damaged(self) -> bool:
        """Whether the log lacks some of what SQLite has written into it, or has another beginning."""
        return not self._looks_right(whole=True)

    def readable(self) -> bool:
        """Whether nothing is read from it that SQLite has not written: what is missing is an error, then."""
        return self._looks_right(whole=False)

    def _looks_right(self, *, whole: bool) -> bool:
        if not hasattr(os, "pread"):
            return True
        log, index = self._files
        known = os.pread(index, _INDEX.size, 0)
        size, head = os.fstat(log).st_size, os.pread(log, _HEAD, 0)
        # The index says first that the log is begun anew, and then that is done, perhaps in another thread.
        if len(known) < _INDEX.size or os.pread(index, _INDEX.size, 0) != known:
            return True
        page, frames, salt = _INDEX.unpack(known)
        frame = _FRAME + (page & 0xFE00) + ((page & 1) << 16)
        if not frames:
            return True
        if whole:
            return bool(head[_SALT] == salt and size >= _HEAD + frames * frame)
        return bool(head[_SALT] == salt or size < _HEAD + frame)

    def remove(self) -> None:
        """Remove them from their paths, where SQLite leaves them, and would apply them to a new file."""
        for path, file in zip(self.paths, self._files, strict=True):
            if self._is_ours(path, file):
                with contextlib.suppress(OSError):
                    path.unlink()

    def _is_ours(self, path: Path, file: int) -> bool:
        try:
            return os.path.samestat(path.stat(), os.fstat(file))
        except OSError:
            return False

    def close(self) -> None:
        for file in self._files:
            os.close(file)
        self._files = []
