"""The writer: a process of its own that puts batches of events into the capture file.

It is a process, not a thread, because a thread would hold the interpreter lock and delay the
network. It reads batches from standard input (:mod:`app.capture.writing.batch`) and answers on
standard output with JSON, one object a line:

``{"opened": path, "run": …, "sequence": n, "first": id, "last": id}``  the file is ready; with
                                      ``"events"`` how many of this run are in it, ``"newest"`` the time of
                                      the newest, and ``"elsewhere"`` how many more are in a file that was
                                      rescued since the last such answer
``{"stored": sequence, "first": id, "last": id, "bytes": n}``          a batch is in it;
                                      with ``"rejected": text`` it can never be stored
``{"trouble": text}``                                        nothing can be stored now; with
                                      ``"passing": true`` it soon can: the file is being made anew
``{"refused": text}``                                        this file can never be used

It ends after the last batch, when its standard input ends. If its parent dies, it still stores
all that the pipe holds.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import select
import shutil
import signal
import sqlite3
import sys
import time
from mmap import mmap
from pathlib import Path
from typing import Any, BinaryIO

from app.capture import errors
from app.capture.writing import arena, mending
from app.capture.writing.batch import Batch, Services, read
from app.capture.writing.file import CaptureFile
from app.capture.writing.last_word import left
from app.capture.writing.places import put_back, set_aside

POLLS = hasattr(select, "poll")
RETRY = 0.5
"""Seconds between two tries while the file cannot be written."""

FULL_BELOW = 64 << 10
"""Bytes free on a disk below which it counts as full."""


MEMORY_TRIES = 10
"""How often a batch is tried for which there was too little memory."""

UNFIT = (sqlite3.InterfaceError, sqlite3.ProgrammingError, sqlite3.DataError)
"""What SQLite raises for a value that it cannot hold, besides OverflowError and UnicodeError."""


class Writer:
    """Reads frames from ``source`` and large payloads from ``shared``, stores them, and answers on ``answers``.

    It holds one batch at a time. While that cannot be stored the pipe fills up, and the parent, which bounds
    what it keeps, decides what is lost.
    """

    def __init__(
        self, path: Path, run: str, limit: int, source: BinaryIO, answers: BinaryIO, shared: mmap | bytes = b"",
        *, again: bool = False, last_word: int | None = None,
    ) -> None:  # fmt: skip
        """``again``: whether the run has had the file open before. ``last_word``: the file of ``LastWord``."""
        self._path, self._run, self._limit = path, run, limit
        self._source, self._answers, self._shared = source, answers, shared
        self._file: CaptureFile | None = None
        self._services: Services | None = None
        self._trouble = ""
        self._short_of_memory = 0
        self._opened = again
        self._last_word = last_word
        self._rescue_failed = False
        self._elsewhere = 0

    def run(self) -> int:
        """Work until the source ends. Returns the exit code."""
        try:
            while not self._open():
                if self._ended():
                    return 1
                time.sleep(RETRY)
            while (batch := read(self._source, self._shared)) is not None:
                self._services = batch[1] or self._services
                while not self._store(batch):
                    if self._ended():
                        return 1
                    time.sleep(RETRY)
            self._store_last_word()
        except errors.CaptureError as e:
            self._say(refused=str(e))
            return 1
        except MemoryError as e:
            # It came while a batch was read, whose rest is in the pipe. The next writer is sent it again.
            self._report(e)
            return 1
        finally:
            if self._file is not None:
                with contextlib.suppress(MemoryError):
                    self._file.close()
        return 0

    def _store_last_word(self) -> None:
        """Store what the program left us to say, if it has ended without having taken it back."""
        if self._last_word is not None and self._file is not None and (fields := left(self._last_word)):
            self._store((self._file.sequence + 1, None, fields))

    def _open(self) -> bool:
        try:
            self._file = CaptureFile(self._path, self._run, self._limit)
        except (sqlite3.Error, OSError) as e:
            self._report(e)
            return False
        except errors.CaptureError as e:
            if not self._opened:
                raise
            # Another file is at the path now.
            self._report(e)
            with contextlib.suppress(OSError):
                set_aside(Path(os.path.realpath(self._path)))
            return False
        self._trouble = ""
        self._opened = True
        file = self._file
        self._say(
            opened=str(self._path), run=self._run, sequence=file.sequence, events=file.events,
            newest=file.newest(), elsewhere=self._elsewhere, first=file.first, last=file.last, bytes=file.used(),
        )  # fmt: skip
        self._elsewhere = 0
        return True

    def _store(self, batch: Batch, *, salvaged: bool = False, mended: bool = False) -> bool:
        """Store ``batch``; if the file was removed or spoiled, make it anew first. False: try again later."""
        sequence = batch[0]
        try:
            if self._file is None:
                if not self._open():
                    return False
                batch = (sequence, self._services, *batch[2:])
            assert self._file is not None
            if sequence > self._file.sequence:
                self._file.store(batch, more=self._waits())
        except errors.TakenAwayError as e:
            if not self._rescue_failed:  # else what was said last is what keeps it from being made anew
                self._report(e, passing=True)
            return self._recreate() and self._store(batch)
        except (sqlite3.Error, OSError, errors.CaptureError) as e:
            if isinstance(e, UNFIT) and not self._is_stored(sequence):
                return self._mend(batch, e, salvaged=salvaged, mended=mended)
            if not salvaged and self._file is not None and _is_spoiled(e):
                return self._salvage(damaged=isinstance(e, errors.LogDamagedError)) and self._store(
                    batch, salvaged=True
                )
            if not self._is_stored(sequence):
                self._report(e)
                return False
        except MemoryError as e:
            if not self._is_stored(sequence):
                if self._short_of_memory < MEMORY_TRIES:
                    self._short_of_memory += 1
                    self._report(e)
                    return False
                self._say_stored(sequence, rejected="the writer had too little memory for it")
                return True
        except Exception as e:  # one batch that can never be stored must not stop the others
            if not self._is_stored(sequence):
                return self._mend(batch, e, salvaged=salvaged, mended=mended)
        self._short_of_memory = 0
        self._trouble = ""
        self._say_stored(sequence)
        return True

    def _mend(self, batch: Batch, why: Exception, *, salvaged: bool, mended: bool) -> bool:
        """Store what can be kept of a batch that holds values which cannot; reject it if it was ``mended`` already."""
        sequence, services, flat, *more = batch
        if not mended:
            better: Any = (sequence, services, mending.mended(flat), *more)
            return self._store(better, salvaged=salvaged, mended=True)
        self._say_stored(sequence, rejected=f"the capture cannot hold it: {why!r}")
        return True

    def _is_stored(self, sequence: int) -> bool:
        """Whether a batch is in the file; what comes after that, as dropping the oldest, may have failed."""
        return self._file is not None and sequence <= self._file.sequence

    def _say_stored(self, sequence: int, **more: str) -> None:
        assert self._file is not None
        self._say(stored=sequence, first=self._file.first, last=self._file.last, bytes=self._file.used(), **more)

    def _recreate(self) -> bool:
        assert self._file is not None
        try:
            self._elsewhere += self._file.rescue()
        except (sqlite3.Error, OSError) as e:
            self._rescue_failed = True
            self._report(e)
            return False
        self._rescue_failed = False
        self._file.close()
        self._file = None
        return True

    def _salvage(self, *, damaged: bool) -> bool:
        """``damaged``: whether only its log is."""
        assert self._file is not None
        try:
            aside = self._file.salvage()
        except OSError as e:
            self._report(e)
            return False
        path = self._file.path
        self._file.close()
        self._file = None
        if aside is None:
            text = f"Another program has written into the log of {path}. The capture is written again, with all it held"
        elif damaged and self._put_back(aside, path):
            text = f"Another program has written into the log of {path}. What only the log held is lost"
        else:
            text = f"Another program has written into {path}. It is set aside as {aside.name}; a new file is begun"
        self._trouble = text
        self._say(trouble=text, passing=True)
        return True

    def _put_back(self, aside: Path, path: Path) -> bool:
        try:
            return put_back(aside, path)
        except OSError:
            return False

    def _waits(self) -> bool:
        """Whether at least a part of the next batch has come."""
        return bool(self._poll(select.POLLIN) & select.POLLIN) if POLLS else False

    def _ended(self) -> bool:
        """Whether the parent has closed its end of the pipe: it has ended, or asks us to end."""
        return bool(self._poll(0) & (select.POLLHUP | select.POLLNVAL)) if POLLS else False

    def _poll(self, events: int) -> int:
        poller = select.poll()
        poller.register(self._source.fileno(), events)
        return sum(event for _, event in poller.poll(0))

    def _report(self, error: Exception, *, passing: bool = False) -> None:
        """``passing``: it is being mended now, and peers are to wait."""
        text = in_words(error, self._path)
        if text != self._trouble:
            self._trouble = text
            self._say(trouble=text, passing=passing)

    def _say(self, **message: Any) -> None:
        with contextlib.suppress(OSError):  # a parent that died reads no more; go on storing
            self._answers.write(json.dumps(message).encode() + b"\n")
            self._answers.flush()


def _is_spoiled(error: Exception) -> bool:
    """Whether the capture is none any more, or damaged."""
    codes = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
    return isinstance(error, errors.CaptureError) or (getattr(error, "sqlite_errorcode", 0) & 0xFF) in codes


def in_words(error: Exception, path: Path) -> str:
    """Why ``path`` cannot be written, and what to do about it."""
    text, number = str(error), getattr(error, "errno", None)
    if isinstance(error, errors.CaptureError):
        return text
    if isinstance(error, MemoryError):
        return f"{path} cannot be written: the writer has too little memory. It is tried again"
    if "full" in text or number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) or _is_full(path):
        return f"No space left for {path}. Free some; the capture then goes on by itself"
    if isinstance(error, IsADirectoryError):
        return f"{path} is a folder. Capture into a file in it"
    if isinstance(error, NotADirectoryError | FileExistsError):
        return f"{path} cannot be made: {path.parent} is not a folder. Capture into another file"
    if isinstance(error, BlockingIOError) or "locked" in text:
        return f"{path} is in use by another program. Close that, or capture into another file"
    if "readonly" in text or "unable to open" in text or number in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{path} cannot be written to. Make its folder writable, or capture into another file"
    return f"{path} cannot be written: {text}"


def _is_full(path: Path) -> bool:
    # SQLite calls it an I/O error where the disk is too full for its index.
    try:
        return shutil.disk_usage(os.path.dirname(os.path.realpath(path))).free < FULL_BELOW
    except OSError:
        return False


def main(argv: list[str]) -> int:
    """``argv``: the capture's path, the run's token, the size limit in bytes, perhaps "again", where the run has
    had the file open before, and perhaps ``arena=FILE`` and ``last-word=FILE``, the files of shared memory.
    """
    # Ctrl+C is sent to the whole foreground group, but the writer ends only with its pipe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    path, run, limit, *more = argv
    files = {name: int(file) for name, _, file in (word.partition("=") for word in more) if file}
    memory = arena.shared(files["arena"]) if "arena" in files else b""
    return Writer(
        Path(path), run, int(limit), sys.stdin.buffer, sys.stdout.buffer, memory,
        again="again" in more, last_word=files.get("last-word"),
    ).run()  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
