"""The open capture file, in the writer process: stores batches, drops the oldest, and is rescued if it was removed."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app import events, limits
from app.capture import errors, schema, untrusted
from app.capture.writing import outposts, places
from app.capture.writing.batch import FIELDS, Batch
from app.capture.writing.checkpoints import Checkpoints
from app.capture.writing.log import Log
from app.capture.writing.rolling import Rolling
from app.capture.writing.rows import Rows
from app.files import databases

PAGE_SIZE = 16_384
"""Bytes. With SQLite's default of 4,096, large payloads are stored half as fast; with larger pages, a few small
events cause more to be written."""


class CaptureFile:
    """One open capture; no other process writes to it.

    Attributes:
        path: where it is; that which a symbolic link leads to.
        first, last: ids of the oldest and newest event; ``last`` is 0 in an empty file.
        sequence: the newest batch of ``run`` that is in the file.
        events: how many events of ``run`` were stored in the file up to that one.
    """

    def __init__(self, path: Path, run: str, limit: int) -> None:
        """Open or create ``path``. Raises CaptureError if it can never be used, sqlite3.Error or OSError if not now.

        ``limit`` is the size in bytes above which the oldest batches are dropped.
        """
        # SQLite has its log beside the file, not beside a link to it.
        self.path = path = Path(os.path.realpath(path))
        self._run, self._limit = run, limit
        self._spoiled = False
        places.check_kind(path)
        if path.exists() and (reason := databases.trouble(path)):
            raise errors.UnreadableCaptureError(path=path, reason=reason)
        path.parent.mkdir(parents=True, exist_ok=True)
        # Kept open until SQLite has closed the file: closing it earlier would release SQLite's own locks.
        self._held = places.create(path)
        try:
            places.lock(self._held)
            self._db = sqlite3.connect(path, isolation_level=None, timeout=5)
            try:
                self._prepare()
                self._log = Log(path)
                self._checkpoints = Checkpoints(path, self._log.paths[0])
            except BaseException:
                self._db.close()
                raise
        except BaseException:
            os.close(self._held)
            raise

    def _prepare(self) -> None:
        blank = schema.is_blank(self._db)
        if blank:
            self._db.execute(f"PRAGMA page_size = {PAGE_SIZE}")
        else:
            schema.check(self._db, self.path, writing=True)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute("PRAGMA wal_autocheckpoint = 0")
        self._db.execute("PRAGMA journal_size_limit = 0")  # so that the log's size shows how much is in it
        if blank:
            schema.create(self._db)
        else:
            schema.complete(self._db)
        self.first, self.last = self._db.execute(schema.RANGE).fetchone()
        meta = schema.meta(self._db)
        same = meta.get("run") == self._run
        self.sequence: int = meta.get("sequence", 0) if same else 0
        self.events: int = meta.get("events", 0) if same else 0
        # Each run numbers its connections from 1; those of a later run into the same file follow the earlier ones.
        offset = meta.get("offset", 0) if same else self._scalar("SELECT ifnull(max(id), 0) FROM connection")
        if not isinstance(offset, int) or not 0 <= offset < untrusted.MAX_ID:
            raise errors.DamagedCaptureError(path=self.path, reason="it has numbers that no connection has")
        self._rows = Rows(self._db, Rolling(self._db, self._limit), offset)
        self._db.executemany(
            "INSERT OR REPLACE INTO meta VALUES (?, ?)",
            [
                ("run", self._run),
                ("sequence", self.sequence),
                ("events", self.events),
                ("offset", offset),
                ("closed", 0),
            ],
        )

    def _scalar(self, sql: str) -> Any:
        return self._db.execute(sql).fetchone()[0]

    def store(self, batch: Batch, *, more: bool = False) -> None:
        """Store one batch, whole or not at all. ``more``: whether another one is waiting.

        Raises sqlite3.Error or OSError; TakenAwayError where it has to be rescued, and another CaptureError where it
        has to be salvaged.
        """
        sequence, services, flat, *more_of_it = batch
        sample, elsewhere = (*more_of_it, None, None)[:2]
        if self._moved():
            raise errors.TakenAwayError(path=self.path)
        if self._overwritten():
            raise errors.NotACaptureError(path=self.path)
        if self._log.damaged():
            raise errors.LogDamagedError(path=self.path)
        if self._log.gone():
            raise errors.LogTakenAwayError(path=self.path)
        with self._transaction():
            if services is not None:
                self._rows.define(services)
            if elsewhere is not None:
                self._rows.read_elsewhere(elsewhere)
            self._rows.insert(self.last + 1, flat, sample)
            self._count(sequence, len(flat) // FIELDS)
        self.last += len(flat) // FIELDS
        self.events += len(flat) // FIELDS
        self.sequence = sequence
        self._trim()
        self._checkpoints.consider(more=more)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise

    def _count(self, sequence: int, number: int) -> None:
        """Note that the batch ``sequence`` is stored, with ``number`` events."""
        first = self.last + 1
        self._db.execute("INSERT INTO batch (first, last) VALUES (?, ?)", (first, first + number - 1))
        counts = [(sequence, "sequence"), (self.events + number, "events")]
        self._db.executemany("UPDATE meta SET value = ? WHERE key = ?", counts)

    def newest(self) -> int:
        """The time of the newest event, in ns since 1970; 0 where there is none of ``run``."""
        found = self._db.execute("SELECT time FROM stored ORDER BY id DESC LIMIT 1").fetchone()
        return found[0] if found and self.events and isinstance(found[0], int) else 0

    def used(self) -> int:
        """Bytes in use in the file, without the pages that deletions have freed."""
        free: int = self._scalar("PRAGMA freelist_count")
        return int((self._scalar("PRAGMA page_count") - free) * self._scalar("PRAGMA page_size"))

    def _trim(self) -> None:
        """If the file is above its limit, drop the oldest batches until it is 2 % below, and record that."""
        if self.used() <= self._limit:
            return
        first, last = self.first, self.last
        try:
            with self._transaction():
                self._drop_oldest()
        except BaseException:
            self.first, self.last = first, last
            raise

    def _drop_oldest(self) -> None:
        first = self.first
        for batch, last in self._db.execute("SELECT id, last FROM batch ORDER BY id").fetchall()[:-1]:
            self._db.execute("DELETE FROM stored WHERE id <= ?", (last,))
            self._db.execute("DELETE FROM batch WHERE id = ?", (batch,))
            self.first = last + 1
            if self.used() <= self._limit * 0.98:
                break
        if self.first == first:
            return
        self._db.execute("DELETE FROM failure WHERE event < ?", (self.first,))
        self._db.execute("DELETE FROM resolution WHERE fingerprint NOT IN (SELECT fingerprint FROM failure)")
        oldest = self._scalar("SELECT time FROM stored ORDER BY id LIMIT 1")
        self._db.execute("DELETE FROM connection WHERE closed < ?", (oldest,))
        self._db.execute("DELETE FROM note WHERE event < ?", (self.first,))
        outposts.tidy(self._db)
        self._db.execute("UPDATE meta SET value = value + ? WHERE key = 'dropped'", (self.first - first,))
        self.last += 1
        span = {"first": first, "last": self.first - 1}
        reached = limits.CAPTURE_BYTES.reached(self._limit, **span).carrying(**span)
        self._db.execute(
            "INSERT INTO stored (id, time, kind, summary, detail) VALUES (?, ?, ?, ?, ?)",
            (self.last, time.time_ns(), events.LIMIT_REACHED, reached.text, reached.detail()),
        )
        self._db.execute("UPDATE batch SET last = ? WHERE id = (SELECT max(id) FROM batch)", (self.last,))

    def _moved(self) -> bool:
        try:
            return not os.path.samestat(self.path.stat(), os.fstat(self._held))
        except OSError:
            return True

    def _overwritten(self) -> bool:
        """Whether something else was written into our file."""
        return os.pread(self._held, len(places.MAGIC), 0) != places.MAGIC if hasattr(os, "pread") else False

    def rescue(self) -> int:
        """Write a copy of the file, which is still open here, to its path after it, or its log, was removed.

        If another capture is at the path now, the copy gets a free name beside it; no copy is made if ours
        was only moved. Anything else at the path is set aside. Returns how many events of ``run`` are in another
        file than the one at the path. Raises sqlite3.Error or OSError as long as the copy cannot be written.
        """
        spare = self._copied()
        self._fold()
        self._log.remove()
        if not self._moved():
            for log in self._log.paths:
                if os.path.lexists(log):  # somebody else's: SQLite would apply it to our copy
                    places.clear_log(log)
            os.replace(spare, self.path)
            return 0
        if os.path.lexists(self.path) and not places.is_capture(self.path):
            places.set_aside(self.path)
        if not self.path.exists():
            os.replace(spare, self.path)
            return 0
        if os.fstat(self._held).st_nlink == 0:
            os.replace(spare, places.free_name(self.path))
        else:
            spare.unlink()
        return self.events

    def salvage(self) -> Path | None:
        """Put a copy of what we still hold in the place of our file, into which, or into whose log, something else was
        written, if the copy is whole. Set aside our file where it is not, or where it was written into.

        Returns where the file is now, or None where that was in its log alone and the copy is whole. Close this
        afterwards. Raises OSError.
        """
        overwritten = self._overwritten()
        whole = False
        with contextlib.suppress(sqlite3.Error):
            if overwritten or self._log.readable():
                whole = places.is_whole(self._copied())
        self._spoiled = True
        aside = places.set_aside(self.path) if overwritten or not whole else None
        log = self._log.paths[0]
        with contextlib.suppress(OSError):
            if aside is not None and not overwritten:  # it may be mended with its log
                places.copy(log, aside.with_name(aside.name + "-wal"))
            # SQLite would copy it into the file when that is closed.
            os.truncate(log, 0)
        self._log.remove()
        if whole:
            os.replace(self._spare, self.path)
        else:
            self._spare.unlink(missing_ok=True)
        return aside

    @property
    def _spare(self) -> Path:
        return self.path.with_name(f".{self.path.name}.rescue")

    def _copied(self) -> Path:
        """A copy beside the file of what we hold open."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        spare = self._spare
        spare.unlink(missing_ok=True)
        os.close(places.create(spare))
        with contextlib.closing(sqlite3.connect(spare)) as copy:
            self._db.backup(copy)
        return spare

    def _fold(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Copy the log into the file and close it."""
        self._checkpoints.close()
        if not self._spoiled and not self._overwritten():
            with contextlib.suppress(sqlite3.Error):
                self._db.execute("UPDATE meta SET value = ? WHERE key = 'closed'", (time.time_ns(),))
            self._fold()
        if self._moved():
            self._log.remove()
        self._db.close()
        self._log.close()
        os.close(self._held)
