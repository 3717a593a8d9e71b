"""Captures as files: made for their owner alone, locked against other writers, and set aside."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sqlite3
import stat
import sys
from itertools import count
from pathlib import Path

from app.capture import errors, schema
from app.files import databases

MAGIC = b"SQLite format 3\0"
"""What an SQLite file begins with."""


def create(path: Path) -> int:
    """Open a file, or make it. Payloads are private: only its owner may read it. Returns the descriptor."""
    return os.open(path, os.O_CREAT | os.O_RDWR | getattr(os, "O_BINARY", 0), 0o600)


def copy(source: Path, target: Path) -> None:
    """Copy a file into one for its owner alone. Raises OSError."""
    os.close(create(target))
    shutil.copyfile(source, target)


def lock(file: int) -> None:
    """Keep other writers out, which would use the same event ids. Raises BlockingIOError."""
    if sys.platform == "linux":
        # Elsewhere this lock and those of SQLite exclude each other, and readers would be kept out as well.
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def check_kind(path: Path) -> None:
    """Raise NotAFileError for a folder, a device or a pipe, which some would wait for ever to open, and for no path."""
    try:
        mode = os.stat(path).st_mode
    except OSError as e:
        if e.errno in _NO_PATH:
            raise errors.NotAFileError(path=path, what=_NO_PATH[e.errno]) from e
        return  # there is none yet; or opening it tells what is wrong
    if not stat.S_ISREG(mode):
        what = next((words for fits, words in _KINDS if fits(mode)), "no file")
        raise errors.NotAFileError(path=path, what=what)


_NO_PATH = {
    errno.ELOOP: "a link that leads back to itself",
    errno.ENOTDIR: "below something that is not a folder",
    errno.ENAMETOOLONG: "a name too long for the system",
}

_KINDS = (
    (stat.S_ISDIR, "a folder"), (stat.S_ISFIFO, "a named pipe"), (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"), (stat.S_ISBLK, "a device"),
)  # fmt: skip


def is_capture(path: Path) -> bool:
    """Whether the file begins as a capture does. It must not be open in this process."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return False
        with open(path, "rb") as file:
            head = file.read(100)
    except OSError:
        return False
    return head.startswith(MAGIC) and head[68:72] == schema.APPLICATION_ID.to_bytes(4, "big")


def is_whole(path: Path) -> bool:
    """Whether SQLite finds nothing wrong with a database."""
    if databases.trouble(path):
        return False
    with contextlib.closing(sqlite3.connect(path)) as db:
        return bool(db.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")


def put_back(aside: Path, path: Path) -> bool:
    """Have a file that was set aside with its log at its path again, if both are whole. It must not be open here.

    Raises OSError.
    """
    try:
        if os.path.lexists(path) or not is_whole(aside):
            return False
    except sqlite3.Error:
        return False
    os.rename(aside, path)
    return True


def set_aside(path: Path) -> Path:
    """Rename the file to a name that is free, beside where it is. Returns it. Raises OSError."""
    name = free_name(path)
    os.rename(path, name)
    return name


def clear_log(log: Path) -> None:
    """Remove a log that is empty, or set it aside. Raises OSError."""
    if log.is_file() and not log.stat().st_size:  # a reader has made it
        log.unlink()
    else:
        set_aside(log)


def free_name(path: Path) -> Path:
    """A name beside ``path`` that nothing has."""
    names = (path.with_name(f"{path.stem} (rescued {n}){path.suffix}") for n in count(1))
    return next(name for name in names if not os.path.lexists(name))
