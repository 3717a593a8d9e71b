"""The open capture file, in the writer process: stores batches, drops the oldest, and is rescued if it was removed."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import sqlite3
import stat
import sys
import time
from collections.abc import Iterator
from itertools import count, repeat
from pathlib import Path
from typing import Any

from app import events, limits
from app.capture import errors, schema, untrusted
from app.capture.writing import outposts, tally
from app.capture.writing.batch import FIELDS, PAYLOAD, SAME, SAME_BUT_ONE, Batch, Elsewhere, Sample, Services
from app.capture.writing.checkpoints import Checkpoints
from app.capture.writing.log import Log
from app.capture.writing.rolling import Rolling
from app.files import databases

PAGE_SIZE = 16_384
"""Bytes. With SQLite's default of 4,096, large payloads are stored half as fast; with larger pages, a few small
events cause more to be written."""

_INSERT = (
    "INSERT INTO stored (id, time, kind, service, conn, size, payload, summary, detail, zero, same)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ifnull(?6, length(?7)), ?7, ?8, ?9, ?10, ?11)"
)


_UPDATING = frozenset({events.CONNECTION_CLOSED, events.TLS_OPENED, events.TLS_FAILED, events.LOG})
"""Kinds of events that say more of their connection."""


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
        self._service_ids: list[int | None] = [None]
        self._far: set[int | None] = set()  # services of outposts
        self._spoiled = False
        _check_kind(path)
        if path.exists() and (reason := databases.trouble(path)):
            raise errors.UnreadableCaptureError(path=path, reason=reason)
        path.parent.mkdir(parents=True, exist_ok=True)
        # Kept open until SQLite has closed the file: closing it earlier would release SQLite's own locks.
        self._held = _create(path)
        try:
            _lock(self._held)
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
        self._rolling = Rolling(self._db, self._limit)
        self.first, self.last = self._db.execute(schema.RANGE).fetchone()
        meta = schema.meta(self._db)
        same = meta.get("run") == self._run
        self.sequence: int = meta.get("sequence", 0) if same else 0
        self.events: int = meta.get("events", 0) if same else 0
        # Each run numbers its connections from 1; those of a later run into the same file follow the earlier ones.
        offset = meta.get("offset", 0) if same else self._scalar("SELECT ifnull(max(id), 0) FROM connection")
        if not isinstance(offset, int) or not 0 <= offset < untrusted.MAX_ID:
            raise errors.DamagedCaptureError(path=self.path, reason="it has numbers that no connection has")
        self._offset: int = offset
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
                self._define(services)
            if elsewhere is not None:
                self._read_elsewhere(elsewhere)
            self._insert(sequence, flat, sample)
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

    def _define(self, services: Services) -> None:
        known = {one[1:]: one[0] for one in self._db.execute("SELECT id, name, protocol, outpost FROM service")}
        ids: list[int | None] = [None]
        for name, protocol, *outpost in services:
            key = name, protocol, outpost[0] if outpost else None
            if key not in known:
                known[key] = len(known) + 1
                self._db.execute(
                    "INSERT INTO service (id, name, protocol, outpost) VALUES (?, ?, ?, ?)", (known[key], *key)
                )
            ids.append(known[key])
        self._service_ids = ids
        self._far = {known[key] for key in known if key[2] is not None}

    def _read_elsewhere(self, elsewhere: Elsewhere) -> None:
        """Store how far outposts were read, and which of their connections came."""
        progress, connections = elsewhere
        numbers = outposts.store(self._db, progress)
        ids = self._service_ids
        outposts.connect(
            self._db,
            [
                (self._connection(ours), numbers[name, capture], theirs, ids[service], peer, host, opened)
                for name, capture, theirs, ours, service, peer, host, opened in connections
            ],
        )

    def _connection(self, number: int) -> int | None:
        """The id of a connection of this run; a negative number is the id of one of an earlier run."""
        return number + self._offset if number > 0 else -number or None

    def _insert(self, sequence: int, flat: list[Any], sample: Sample | None) -> None:
        columns = [flat[i::FIELDS] for i in range(FIELDS)]
        times, kinds, services, conns = columns[:4]
        ids, offset = self._service_ids, self._offset
        columns[2] = [ids[s] for s in services]
        columns[3] = [c + offset if c > 0 else -c or None for c in conns]
        first = self.last + 1
        payloads = columns[PAYLOAD]
        same = _take_same(payloads, first) if SAME in payloads or SAME_BUT_ONE in payloads else repeat(None)
        zero = [1 if payload is not None and 0 in payload else None for payload in payloads]
        self._db.executemany(_INSERT, zip(count(first), *columns, zero, same, strict=False))
        present = set(kinds)
        if events.CONNECTION_OPENED in present:
            self._open_connections(first, columns)
        added = tally.added(kinds, columns[3], columns[4], payloads)
        self._db.executemany(tally.ADD, (one for one in added if one[-1] is not None))
        self._rolling.add(columns, present, added, sample)
        if not _UPDATING.isdisjoint(present):
            self._update_connections(first, columns)
        if not events.FAILURES.isdisjoint(present):
            self._db.executemany("INSERT INTO failure VALUES (?, ?, ?, ?)", tally.failures(first, columns))
        if events.FAILURE_RESOLVED in present:
            self._db.executemany(
                "INSERT OR REPLACE INTO resolution VALUES (?, ?, ?)", tally.resolutions(first, columns, self._far)
            )
        if events.LOST in present:
            self._count_lost(kinds, columns[7])
        if events.NOTE in present:
            # That of an outpost is on an event there.
            rows = zip(kinds, columns[2], columns[7], strict=True)
            notes = (detail for kind, service, detail in rows if kind == events.NOTE and service not in self._far)
            schema.keep_notes(self._db, notes)
        self._db.execute("INSERT INTO batch (first, last) VALUES (?, ?)", (first, first + len(times) - 1))
        counts = [(sequence, "sequence"), (self.events + len(times), "events")]
        self._db.executemany("UPDATE meta SET value = ? WHERE key = ?", counts)

    def _count_lost(self, kinds: list[int], details: list[str]) -> None:
        lost = sum(json.loads(d).get("count", 0) for kind, d in zip(kinds, details, strict=True) if kind == events.LOST)
        self._db.execute("UPDATE meta SET value = value + ? WHERE key = 'lost'", (lost,))

    def _open_connections(self, first: int, columns: list[list[Any]]) -> None:
        opened = []
        for number, (when, kind, service, conn, detail) in enumerate(zip(*columns[:4], columns[7], strict=True), first):
            if kind == events.CONNECTION_OPENED:
                d = json.loads(detail)
                opened.append((conn, service, d.get("peer"), d.get("host"), when, number, d.get("watch")))
        self._db.executemany(
            "INSERT OR REPLACE INTO connection (id, service, peer, host, opened, first, watch)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            opened,
        )

    def _update_connections(self, first: int, columns: list[list[Any]]) -> None:
        """Store how connections ended, what was agreed on for TLS, and which upstream serves them."""
        closed, tls, served = [], [], []
        for number, (when, kind, conn, detail) in enumerate(
            zip(*columns[:2], columns[3], columns[7], strict=True), first
        ):
            if kind == events.CONNECTION_CLOSED:
                d = json.loads(detail)
                closed.append((when, d.get("reason"), d.get("received", 0), d.get("sent", 0), number, conn))
            elif kind == events.TLS_OPENED:
                tls.append((json.loads(detail).get("version", "TLS"), conn))
            elif kind == events.TLS_FAILED:
                tls.append(("failed", conn))
            elif kind == events.LOG and conn and detail and '"through"' in detail:
                served.append((tally.upstream(detail), conn))
        self._db.executemany(
            "UPDATE connection SET closed = ?, reason = ?, received = ?, sent = ?, last = ? WHERE id = ?", closed
        )
        self._db.executemany("UPDATE connection SET tls = ? WHERE id = ?", tls)
        self._db.executemany("UPDATE connection SET upstream = ? WHERE id = ?", served)

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
        return os.pread(self._held, len(_MAGIC), 0) != _MAGIC if hasattr(os, "pread") else False

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
                    _clear(log)
            os.replace(spare, self.path)
            return 0
        if os.path.lexists(self.path) and not _is_capture(self.path):
            set_aside(self.path)
        if not self.path.exists():
            os.replace(spare, self.path)
            return 0
        if os.fstat(self._held).st_nlink == 0:
            os.replace(spare, _free_name(self.path))
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
                whole = is_whole(self._copied())
        self._spoiled = True
        aside = set_aside(self.path) if overwritten or not whole else None
        log = self._log.paths[0]
        with contextlib.suppress(OSError):
            if aside is not None and not overwritten:  # it may be mended with its log
                _copy(log, aside.with_name(aside.name + "-wal"))
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
        os.close(_create(spare))
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


def _take_same(payloads: list[Any], first: int) -> list[int | None]:
    """Replace each ``SAME`` and ``SAME_BUT_ONE`` by None. Returns, for each event, the id of the event that has
    its bytes, or None; ``first`` is the id of the first event."""
    same: list[int | None] = [None] * len(payloads)
    last = last_but_one = None
    for number, payload in enumerate(payloads, first):
        if payload is SAME or payload is SAME_BUT_ONE:
            same[number - first] = last if payload is SAME else last_but_one
            payloads[number - first] = None
        elif payload is not None:
            last, last_but_one = number, last
    return same


def _create(path: Path) -> int:
    # Payloads are private: only the owner may read a capture.
    return os.open(path, os.O_CREAT | os.O_RDWR | getattr(os, "O_BINARY", 0), 0o600)


def _copy(source: Path, target: Path) -> None:
    os.close(_create(target))
    shutil.copyfile(source, target)


def _lock(file: int) -> None:
    """Keep other writers out, which would use the same event ids. Raises BlockingIOError."""
    if sys.platform == "linux":
        # Elsewhere this lock and those of SQLite exclude each other, and readers would be kept out as well.
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _check_kind(path: Path) -> None:
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


def _is_capture(path: Path) -> bool:
    """Whether the file begins as a capture does. It must not be open in this process."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return False
        with open(path, "rb") as file:
            head = file.read(100)
    except OSError:
        return False
    return head.startswith(_MAGIC) and head[68:72] == schema.APPLICATION_ID.to_bytes(4, "big")


_MAGIC = b"SQLite format 3\0"


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
    name = _free_name(path)
    os.rename(path, name)
    return name


def _clear(log: Path) -> None:
    if log.is_file() and not log.stat().st_size:  # a reader has made it
        log.unlink()
    else:
        set_aside(log)


def _free_name(path: Path) -> Path:
    names = (path.with_name(f"{path.stem} (rescued {n}){path.suffix}") for n in count(1))
    return next(name for name in names if not os.path.lexists(name))
