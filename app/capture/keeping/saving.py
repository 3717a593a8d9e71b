"""Saves a copy of a capture: all of it, or without payloads, without secrets, or only what fits a filter.

A whole copy is SQLite's own backup; ``rewriting`` writes any other. Both read one state of the
file, however it grows meanwhile, and the copy appears under its name only when it is complete.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from app.capture import schema, untrusted
from app.capture.errors import DamagedCaptureError
from app.capture.filters.sql import EVERYTHING, Filter, among
from app.capture.keeping import errors
from app.capture.keeping.redaction import Redactor
from app.capture.keeping.rewriting import Rewriting
from app.capture.keeping.wanted import WHOLE, CancelledError, Progress, Saved, Saving
from app.capture.reading.appearing import appearing, is_open
from app.capture.reading.losses import Lost, Opened, lost
from app.files.errors import UnwritableError

PAGES = 256
"""Pages copied at once."""

CANNOT_SEE = (
    "Not found: what is compressed or written in another way (base64, percent signs), and what a pattern"
    " matches over more than 4 KiB of a stream. Raw bytes of HTTP/2 are taken out whole, and with patterns"
    " those of WebSocket frames; so are local values of failures. Look through the copy before you give it away."
)
"""What the user is told about a redacted copy."""

__all__ = ["CANNOT_SEE", "CancelledError", "Progress", "Saved", "Saving", "save"]


def save(
    source: Path,
    target: Path,
    how: Saving = WHOLE,
    progress: Progress = lambda done, of: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Saved:
    """Save a copy of ``source``, which may be growing, to ``target``. Blocks.

    Raises CancelledError; PatternError; CaptureError for what is wrong with ``source``, CaptureInUseError
    and SavedOverItselfError for ``target``; UnwritableError.
    """
    redactor = Redactor(how.patterns) if how.redacted else None
    db = schema.open_for_reading(source)
    try:
        with contextlib.suppress(OSError):
            if target.samefile(source):
                raise errors.SavedOverItselfError(path=target)
        if is_open(target):
            raise errors.CaptureInUseError(path=target)
        db.cancelled = cancelled
        with appearing(target) as spare:
            with _in_words(source, target, cancelled):
                db.execute("BEGIN")
                missing = lost(Opened(db), how.where)
                if how.whole:
                    untrusted.check_schema(db, source, writing=True)  # so is the copy, which is written to
                    _back_up(db, spare, progress, cancelled)
                else:
                    Rewriting(db, spare, _telling(how, missing), redactor).run(progress, cancelled)
                count = _finish(spare, how)
            return Saved(count, spare.stat().st_size, missing.in_words())
    finally:
        db.close()


def _telling(how: Saving, missing: Lost) -> Saving:
    """The same with the events that tell what is missing, which hardly any filter would let through."""
    if how.where == EVERYTHING or not missing.told:
        return how
    told = among("id", missing.told)
    return replace(how, where=Filter(f"({how.where.sql}) OR {told.sql}", (*how.where.values, *told.values)))


@contextlib.contextmanager
def _in_words(source: Path, target: Path, cancelled: Callable[[], bool]) -> Iterator[None]:
    """Raise the errors of ``save`` in place of those of SQLite, of the system, and for what no writer writes."""
    try:
        yield
    except sqlite3.Error as e:
        if cancelled():
            raise CancelledError from e
        found = untrusted.in_words(e, source)
        if isinstance(found, DamagedCaptureError):
            raise found from e
        raise UnwritableError(path=target, reason=e) from e
    except (OverflowError, TypeError, ValueError, KeyError) as e:
        raise DamagedCaptureError(path=source, reason=f"what is in it is not what we write: {e}") from e
    except OSError as e:
        raise UnwritableError(path=target, reason=e.strerror or e) from e


def _back_up(db: sqlite3.Connection, spare: Path, progress: Progress, cancelled: Callable[[], bool]) -> None:
    # The read that is open from here on keeps a growing file from starting the backup anew.
    db.execute("SELECT count(*) FROM meta").fetchone()

    def step(status: int, left: int, pages: int) -> None:
        if cancelled():
            raise CancelledError
        progress(pages - left, pages)

    with contextlib.closing(sqlite3.connect(spare)) as copy:
        db.backup(copy, pages=PAGES, progress=step)


def _finish(spare: Path, how: Saving) -> int:
    """Write into the copy that it is one, and what it lacks. Returns how many events it has."""
    saved = datetime.now(UTC).isoformat(timespec="seconds")
    with contextlib.closing(sqlite3.connect(spare, isolation_level=None)) as copy:
        before = schema.meta(copy)
        changed = "; ".join(filter(None, (before.get("changed", ""), how.in_words())))
        copy.executemany(
            "INSERT OR REPLACE INTO meta VALUES (?, ?)",
            [
                ("saved", saved),
                ("changed", changed),
                ("closed", time.time_ns()),
                ("identity", schema.new_identity()),
            ],
        )
        # One file, without a log beside it.
        copy.execute("PRAGMA journal_mode = DELETE")
        first, last = copy.execute(schema.RANGE).fetchone()
    return int(last - first + 1)
