"""The rollup of a capture, or of a part of it, whose writer kept none: made from its events, and remembered.

An opened capture is never written to. What was made of it is kept in a file of the data folder, which can be
removed at any time.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from app import events
from app.capture import rollup
from app.capture.figures import OUTGOING, Figures, answered, lost
from app.capture.reading.coverage import Coverage
from app.capture.reading.store import Store
from app.files.newest import newest

MOST_KEPT = 20
"""Summaries in the folder; the one unused for the longest goes first."""

_SECOND = "CAST(time AS INTEGER) / 1000000000"
_SERVICE = f"(CAST(ifnull(service, 0) AS INTEGER) & {rollup.LOOP})"
_SIZE = "CASE WHEN typeof(size) = 'integer' THEN size ELSE ifnull(length(payload), 0) END"


def _sum(what: str, *kinds: int) -> str:
    return f"CAST(total(CASE WHEN kind IN ({', '.join(map(str, kinds))}) THEN {what} END) AS INTEGER)"


_SUMS = (
    _sum(_SIZE, events.DATA_RECEIVED, events.DATAGRAM_RECEIVED),
    _sum(_SIZE, events.DATA_SENT, events.DATAGRAM_SENT),
    _sum("1", events.DATA_RECEIVED, events.DATAGRAM_RECEIVED),
    _sum("1", events.DATA_SENT, events.DATAGRAM_SENT),
    _sum("1", events.CONNECTION_OPENED),
    _sum("1", events.CONNECTION_CLOSED),
    _sum(f"detail IS NOT NULL AND NOT instr(detail, '{OUTGOING}')", events.HTTP_REQUEST),
    "0",
    "0",
    _sum("1", events.FAILURE),
    "0",
)

_FIGURES = f"""
SELECT json_group_array(json_array(second, service, {", ".join(rollup.SUMS)})) FROM (
    SELECT {_SECOND} AS second, {_SERVICE} AS service,
        {", ".join(f"{sql} AS {name}" for sql, name in zip(_SUMS, rollup.SUMS, strict=True))}
    FROM event WHERE id BETWEEN ? AND ? GROUP BY 1, 2)
"""  # noqa: S608

_TOLD = f"""
SELECT json_group_array(json_array({_SECOND}, {_SERVICE}, kind, CAST(detail AS TEXT))) FROM stored
WHERE id BETWEEN ? AND ? AND kind IN ({events.HTTP_RESPONSE}, {events.LOST}) AND detail IS NOT NULL
"""  # noqa: S608


class Summary:
    """The rollup of the events that the capture's own does not know, in a database of ours.

    Attributes:
        db: has the tables of the rollup.
        coverage: the events that are in it.
    """

    def __init__(self, path: Path | None = None) -> None:
        """``path``: where it is remembered; None: in memory alone."""
        self.db = self._open(path)
        self.coverage = Coverage(*self._known())

    def _open(self, path: Path | None) -> sqlite3.Connection:
        if path is not None:
            with suppress(OSError, sqlite3.Error):
                path.parent.mkdir(parents=True, exist_ok=True)
                db = _prepared(str(path))
                path.touch()
                return db
        return _prepared(":memory:")

    def _known(self) -> tuple[int, int]:
        found = self.db.execute("SELECT first, last FROM covered").fetchone()
        return found or (1, 0)

    def step(self, store: Store, first: int, last: int) -> bool:
        """Add the next part of the events from ``first`` to ``last``. False where there is none."""
        part = self.coverage.next(first, last)
        if part is None:
            return False
        found = summarised(store, *part)
        self.coverage.add(*part)
        self.db.execute("BEGIN")
        self.db.executemany(rollup.ADD, found.rows())
        self.db.executemany(rollup.ADD_LATENCY, found.buckets())
        self.db.execute("DELETE FROM covered")
        self.db.execute("INSERT INTO covered VALUES (?, ?)", (self.coverage.first, self.coverage.last))
        self.db.execute("COMMIT")
        return True

    def close(self) -> None:
        self.db.close()


def summarised(store: Store, first: int, last: int) -> Figures:
    """The figures of these events, as the writer would have added them up."""
    found = Figures()
    for second, service, *sums in store.listed(_FIGURES, (first, last)):
        if any(sums):
            found.sums[second, service] = sums
    for second, service, kind, detail in store.listed(_TOLD, (first, last)):
        if kind == events.LOST:
            found.sums[second, service][rollup.LOST] += lost(detail)
        elif OUTGOING not in detail:
            status, seconds = answered(detail)
            if status >= 400:
                found.sums[second, service][rollup.SERVER_ERRORS if status >= 500 else rollup.CLIENT_ERRORS] += 1
            if seconds is not None:
                found.latencies[second, service, rollup.bucket(seconds)] += 1
    return found


def _prepared(path: str) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=2)
    try:
        db.execute("PRAGMA synchronous = OFF")  # it can be made again
        for statement in rollup.TABLES.split(";"):
            db.execute(statement)
        db.execute("CREATE TABLE IF NOT EXISTS covered (first INTEGER, last INTEGER)")
    except BaseException:
        db.close()
        raise
    return db


def place_for(capture: Path, folder: Path) -> Path | None:
    """Where the summary of a capture is remembered in ``folder``; None where the file cannot be told from others."""
    try:
        about = capture.stat()
        with closing(sqlite3.connect(f"{capture.resolve().as_uri()}?mode=ro", uri=True)) as db:
            created = db.execute("SELECT value FROM meta WHERE key = 'created'").fetchone()
    except (OSError, sqlite3.Error):
        return None
    known: list[Any] = [str(capture.resolve()), about.st_ino, about.st_mtime_ns, about.st_size, created]
    name = hashlib.blake2b(json.dumps(known).encode(), digest_size=16).hexdigest()
    return folder / f"{name}.rollup"


def tidy(folder: Path) -> None:
    """Remove the summaries that nobody has used for the longest, until few are left. Blocks."""
    with suppress(OSError):
        for path in newest(folder, "*.rollup")[MOST_KEPT:]:
            path.unlink(missing_ok=True)
