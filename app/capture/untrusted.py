"""What a database must be before it is read or written as a capture: anybody may have made the file.

SQLite runs what the schema of a file holds: a view may compute without end, a trigger runs with each
row that is written, a generated column takes any amount of memory. And the pages of a table can be
linked so that reading them never ends. So each of our tables must be a plain table, the view
``event`` is always our own, and a statement may take as many steps as the file's size explains.
See https://www.sqlite.org/security.html.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.capture import errors

STEPS = 50_000_000
"""Steps of SQLite's virtual machine that a statement may take, whatever the size of the file: about a second."""

STEPS_PER_BYTE = 10
"""Steps more for each byte of the file. An event takes 60 bytes or more, and a filter some hundred steps for it."""

LOOK = 2_000_000
"""Steps between two looks at how many there were."""

MAX_LENGTH = 512 << 20
"""Bytes of one value."""

MIN_EVENT = 8
"""Bytes that an event takes in the file at least."""

MAX_ID = 1 << 53
"""Above every number of an event or a connection: JSON has no larger ones."""

EVENT = """VIEW event AS SELECT id, time, kind, service, conn, size,
    CASE WHEN same THEN (SELECT payload FROM stored AS first WHERE first.id = stored.same
        AND typeof(first.payload) = 'blob') ELSE payload END AS payload,
    CASE WHEN same THEN (SELECT zero FROM stored AS first WHERE first.id = stored.same) ELSE zero END AS zero,
    summary, detail, same FROM stored"""
"""The view of the events with their payloads, as it follows CREATE or CREATE TEMP. A payload that others refer to is
a blob, as a writer makes it: of a text, SQLite would have to read all to know its length."""

RANGE = "SELECT ifnull((SELECT min(id) FROM stored), 1), ifnull((SELECT max(id) FROM stored), 0)"
"""Ids of the oldest and the newest event. (SQLite would read all for a min and a max in one SELECT.)"""

_TABLES = ("meta", "kind", "service", "connection", "batch", "note", "stored")
_LATER = ("failure", "resolution", "rollup", "latency", "outpost", "outpost_connection")
"""Captures of earlier builds lack these."""

_PLAIN = re.compile(r'CREATE TABLE "?\w+"? \(\s*\w+ (?:INTEGER|TEXT) PRIMARY KEY\b[^()]*\)(?: WITHOUT ROWID)?')
"""A table that computes nothing: CHECK, AS and DEFAULT with an expression have parentheses of their own."""

_COLUMNS = re.compile(r"CREATE INDEX \w+ ON \w+ \([\w, ]+\)(?: WHERE kind (?:= \d+|IN \([\d, ]+\)))?")
"""An index of columns: one of an expression is computed for each row that is written."""


class Guarded(sqlite3.Connection):
    """A connection whose statements end when they take more steps than the size of the file explains.

    They raise sqlite3.OperationalError "interrupted" then, and also once ``cancelled`` says so.

    Attributes:
        cancelled: asked now and then while a statement runs.
    """

    def guard(self, path: Path | str) -> None:
        """Begin to, for the database at ``path``."""
        self._path, self._steps = path, 0
        self.cancelled: Callable[[], bool] = bool
        distrust(self)
        self.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_LENGTH)
        self.set_progress_handler(self._look, LOOK)

    def execute(self, sql: str, values: Any = (), /) -> sqlite3.Cursor:
        self._steps = 0
        try:
            return super().execute(sql, values)
        except UnicodeDecodeError as e:
            # What SQLite says quotes the file, and that is no text.
            raise sqlite3.DatabaseError("malformed") from e

    def _look(self) -> bool:
        self._steps += LOOK
        return self.cancelled() or self._steps > STEPS + STEPS_PER_BYTE * file_size(self._path)


def distrust(db: sqlite3.Connection) -> None:
    """Have SQLite look at the pages of ``db`` more closely, and call no function that its schema names."""
    db.execute("PRAGMA trusted_schema = 0")
    db.execute("PRAGMA cell_size_check = 1")


def file_size(path: Path | str) -> int:
    """Bytes of a capture and its log; 0 where there is no file."""
    found = 0
    real = os.path.realpath(path)
    for name in (real, f"{real}-wal"):
        try:
            found += os.stat(name).st_size
        except OSError:
            continue
    return found


def check_schema(db: sqlite3.Connection, path: Path | str, *, writing: bool) -> None:
    """Raise DamagedCaptureError where one of our tables is missing, NotACaptureError where it is no plain table.

    When ``writing``, also for what SQLite would run then: a trigger, or an index of an expression.
    """
    missing = set(_TABLES)
    for type, name, table, sql in db.execute("SELECT type, lower(name), lower(tbl_name), sql FROM main.sqlite_master"):
        if name in _TABLES or name in _LATER:
            missing.discard(name)
            fits = type == "table" and isinstance(sql, str) and _PLAIN.fullmatch(sql)
        elif writing and (table in _TABLES or table in _LATER):
            fits = type == "index" and (sql is None or (isinstance(sql, str) and _COLUMNS.fullmatch(sql)))
        else:
            fits = True
        if not fits:
            raise errors.NotACaptureError(path=path)
    if missing:
        raise errors.DamagedCaptureError(path=path, reason=f"no such table: {', '.join(sorted(missing))}")


def check_ids(db: sqlite3.Connection, path: Path | str) -> None:
    """Raise DamagedCaptureError where events are numbered as no writer does it: readers go through all numbers."""
    first, last = db.execute(RANGE).fetchone()
    pages = db.execute("PRAGMA page_count").fetchone()[0] * db.execute("PRAGMA page_size").fetchone()[0]
    numbers = isinstance(first, int) and isinstance(last, int)
    if not numbers or first < 1 or last >= MAX_ID or (last - first) * MIN_EVENT > pages:
        raise errors.DamagedCaptureError(path=path, reason="its events are not numbered one after the other")


def in_words(error: sqlite3.Error, path: Path | str) -> errors.CaptureError:
    """The error to raise for what SQLite says about a capture that is read."""
    reason = str(error)
    if "interrupted" in reason:
        return errors.DamagedCaptureError(path=path, reason="reading it takes longer than its size explains")
    if isinstance(error, sqlite3.OperationalError) and not re.search("malformed|decode|JSON|no such", reason):
        return errors.UnreadableCaptureError(path=path, reason=reason)
    return errors.DamagedCaptureError(path=path, reason=reason)
