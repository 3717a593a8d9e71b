"""Writes a capture that appears under its name only once it is complete; tells whether a capture is open."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

from app.files import databases, errors


def is_open(path: Path) -> bool:
    """Whether any program, this one included, has the capture open for reading or writing. Blocks."""
    if not path.is_file() or not path.stat().st_size or databases.trouble(path.resolve()):
        return False
    # Through SQLite only: closing a file of our own would drop the locks that SQLite has on it in this process.
    try:
        db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True, timeout=0, isolation_level=None)
        with contextlib.closing(db):
            # Only the sole connection to a database can take it out of WAL mode.
            return bool(db.execute("PRAGMA journal_mode = DELETE").fetchone()[0] == "wal")
    except sqlite3.OperationalError as e:
        return "locked" in str(e)
    except (sqlite3.DatabaseError, UnicodeDecodeError):  # the second where what SQLite quotes is no text
        return False


@contextlib.contextmanager
def appearing(target: Path) -> Iterator[Path]:
    """A new file in the folder of ``target``: it replaces ``target`` if the block succeeds, and is removed if not."""
    try:
        number, name = tempfile.mkstemp(dir=target.absolute().parent, prefix=f".{target.name}.")
        os.close(number)
    except OSError as e:
        raise errors.UnwritableError(path=target, reason=e.strerror or e) from e
    spare = Path(name)
    try:
        yield spare
        with open(spare, "rb+") as file:
            os.fsync(file.fileno())
        for log in _logs(target):  # SQLite would apply the log of the old file to the new one
            log.unlink(missing_ok=True)
        os.replace(spare, target)
    except OSError as e:
        raise errors.UnwritableError(path=target, reason=e.strerror or e) from e
    finally:
        for rest in (spare, *_logs(spare)):
            with contextlib.suppress(OSError):
                rest.unlink(missing_ok=True)


def _logs(path: Path) -> list[Path]:
    return [path.with_name(path.name + end) for end in ("-wal", "-shm", "-journal")]
