"""The writer: a process of its own that puts batches of events into the capture file.

A process, not a thread, because the interpreter lock would have it steal time from the
network. It reads frames from standard input, each ``<Q`` length and a ``marshal`` of

    (sequence, services, fields)

where ``services`` is the whole list of ``(name, protocol)`` whenever it grew, else None,
and ``fields`` is flat, ``FIELDS`` values an event. Both ends are the same program, which
is why ``marshal`` will do. It answers on standard output with JSON, one object a line:

``{"opened": path, "run": …, "sequence": n, "first": id, "last": id}`` the file is ready
``{"stored": sequence, "first": id, "last": id, "bytes": n}``          a batch is in it;
                                      with ``"rejected": text`` it can never be, and is not
``{"trouble": text}``                                        nothing can be stored now
``{"refused": text}``                                        this file will never do

It ends when its standard input does, after the last batch, and so survives the death of
its parent long enough to store all that the pipe holds.
"""

from __future__ import annotations

import contextlib
import json
import marshal
import os
import select
import signal
import sqlite3
import struct
import sys
import time
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO

from app import errors, events
from app.capture import schema

FIELDS = 8
HEADER = struct.Struct("<Q")
RETRY = 0.5
"""Seconds between two tries while the file cannot be written."""

_INSERT = (
    "INSERT INTO event (id, time, kind, service, conn, size, payload, summary, detail)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ifnull(?6, length(?7)), ?7, ?8, ?9)"
)

Batch = tuple[int, list[tuple[str, str]] | None, list[Any]]


class CaptureFile:
    """One open capture, written by us alone.

    Attributes:
        path: where it is.
        first, last: ids of the oldest and newest event; ``last`` is 0 in an empty file.
        sequence: the newest batch of ``run`` that is in the file.
    """

    def __init__(self, path: Path, run: str, limit: int) -> None:
        """Open or create ``path``. Raises CaptureError for good, sqlite3.Error or OSError for now.

        ``limit`` is the size in bytes above which the oldest batches go.
        """
        self.path, self._run, self._limit = path, run, limit
        self._services: list[tuple[str, str]] = []
        self._service_ids: list[int | None] = [None]
        path.parent.mkdir(parents=True, exist_ok=True)
        existed = path.exists() and path.stat().st_size > 0
        if not existed:
            # Payloads are private: only its owner may read a capture.
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._db = sqlite3.connect(path, isolation_level=None, timeout=5)
        try:
            self._prepare(existed)
        except sqlite3.DatabaseError as e:
            self._db.close()
            if "not a database" in str(e):
                raise errors.NotACaptureError(path=path) from e
            raise
        except BaseException:
            self._db.close()
            raise
        self._inode = path.stat().st_ino

    def _prepare(self, existed: bool) -> None:
        if existed:
            schema.check(self._db, self.path, writing=True)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        if not existed:
            schema.create(self._db)
        self.first, self.last = self._db.execute("SELECT ifnull(min(id), 1), ifnull(max(id), 0) FROM event").fetchone()
        meta = dict(self._db.execute("SELECT key, value FROM meta"))
        same = meta.get("run") == self._run
        self.sequence: int = meta.get("sequence", 0) if same else 0
        # Each run numbers its connections from 1; a second run into one file goes on behind.
        offset = meta.get("offset", 0) if same else self._scalar("SELECT ifnull(max(id), 0) FROM connection")
        self._offset: int = offset
        self._db.executemany(
            "INSERT OR REPLACE INTO meta VALUES (?, ?)",
            [("run", self._run), ("sequence", self.sequence), ("offset", offset)],
        )

    def _scalar(self, sql: str) -> Any:
        return self._db.execute(sql).fetchone()[0]

    def store(self, batch: Batch) -> None:
        """Store one batch, whole or not at all. Raises sqlite3.Error or OSError."""
        sequence, services, flat = batch
        if self._moved():
            raise FileNotFoundError(f"{self.path} was taken away")
        self._db.execute("BEGIN IMMEDIATE")
        try:
            if services is not None:
                self._define(services)
            self._insert(sequence, flat)
            self._db.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise
        self.last += len(flat) // FIELDS
        self.sequence = sequence
        self._trim()

    def _define(self, services: list[tuple[str, str]]) -> None:
        known = {(name, protocol): id for id, name, protocol in self._db.execute("SELECT * FROM service")}
        ids: list[int | None] = [None]
        for name, protocol in services:
            if (name, protocol) not in known:
                known[name, protocol] = len(known) + 1
                self._db.execute("INSERT INTO service VALUES (?, ?, ?)", (known[name, protocol], name, protocol))
            ids.append(known[name, protocol])
        self._service_ids = ids

    def _insert(self, sequence: int, flat: list[Any]) -> None:
        columns = [flat[i::FIELDS] for i in range(FIELDS)]
        times, kinds, services, conns = columns[:4]
        ids, offset = self._service_ids, self._offset
        columns[2] = [ids[s] for s in services]
        columns[3] = [c + offset if c else None for c in conns]
        first = self.last + 1
        self._db.executemany(_INSERT, zip(count(first), *columns, strict=False))
        if events.CONNECTION_OPENED in kinds or events.CONNECTION_CLOSED in kinds:
            self._connections(columns)
        self._db.execute("INSERT INTO batch (first, last) VALUES (?, ?)", (first, first + len(times) - 1))
        self._db.execute("UPDATE meta SET value = ? WHERE key = 'sequence'", (sequence,))

    def _connections(self, columns: list[list[Any]]) -> None:
        opened, closed = [], []
        for when, kind, service, conn, detail in zip(*columns[:4], columns[7], strict=True):
            if kind == events.CONNECTION_OPENED:
                d = json.loads(detail)
                opened.append((conn, service, d["peer"], d["host"], when))
            elif kind == events.CONNECTION_CLOSED:
                d = json.loads(detail)
                closed.append((when, d["reason"], d["received"], d["sent"], conn))
        self._db.executemany(
            "INSERT OR REPLACE INTO connection (id, service, peer, host, opened) VALUES (?, ?, ?, ?, ?)",
            opened,
        )
        self._db.executemany(
            "UPDATE connection SET closed = ?, reason = ?, received = ?, sent = ? WHERE id = ?", closed
        )

    def used(self) -> int:
        """Bytes in use in the file, without the pages that deletions have set free."""
        free: int = self._scalar("PRAGMA freelist_count")
        return int((self._scalar("PRAGMA page_count") - free) * self._scalar("PRAGMA page_size"))

    def _trim(self) -> None:
        """Above the limit, drop the oldest whole batches until 2 % below it, and say so."""
        if self.used() <= self._limit:
            return
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._drop_oldest()
            self._db.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise

    def _drop_oldest(self) -> None:
        first = self.first
        for batch, last in self._db.execute("SELECT id, last FROM batch ORDER BY id").fetchall()[:-1]:
            self._db.execute("DELETE FROM event WHERE id <= ?", (last,))
            self._db.execute("DELETE FROM batch WHERE id = ?", (batch,))
            self.first = last + 1
            if self.used() <= self._limit * 0.98:
                break
        if self.first == first:
            return
        oldest = self._scalar("SELECT time FROM event ORDER BY id LIMIT 1")
        self._db.execute("DELETE FROM connection WHERE closed < ?", (oldest,))
        self._db.execute("UPDATE meta SET value = value + ? WHERE key = 'dropped'", (self.first - first,))
        self.last += 1
        self._db.execute(
            "INSERT INTO event (id, time, kind, summary, detail) VALUES (?, ?, ?, ?, ?)",
            (
                self.last,
                time.time_ns(),
                events.LIMIT_REACHED,
                f"capture limit of {self._limit:,} bytes reached: dropped events {first:,} to {self.first - 1:,}",
                json.dumps({"limit": self._limit, "first": first, "last": self.first - 1}),
            ),
        )
        self._db.execute("UPDATE batch SET last = ? WHERE id = (SELECT max(id) FROM batch)", (self.last,))

    def _moved(self) -> bool:
        try:
            return self.path.stat().st_ino != self._inode
        except OSError:
            return True

    def rescue(self) -> None:
        """Put a copy of what we still hold open where the file was, after it was taken away.

        Raises sqlite3.Error or OSError while there is no place for it.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        spare = self.path.with_name(f".{self.path.name}.rescue")
        spare.unlink(missing_ok=True)
        copy = sqlite3.connect(spare)
        try:
            self._db.backup(copy)
        finally:
            copy.close()
        if self._moved() and not self.path.exists():
            self._db.close()
            os.replace(spare, self.path)
        else:
            spare.unlink(missing_ok=True)

    def close(self) -> None:
        """Fold the log back into the one file and let go of it."""
        with contextlib.suppress(sqlite3.Error):
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._db.close()


class Writer:
    """Takes frames from ``source``, stores them, answers on ``answers``.

    Holds one batch at a time; while that cannot be stored, the pipe fills and the parent,
    which bounds what it keeps, decides what is lost.
    """

    def __init__(self, path: Path, run: str, limit: int, source: BinaryIO, answers: BinaryIO) -> None:
        self._path, self._run, self._limit = path, run, limit
        self._source, self._answers = source, answers
        self._file: CaptureFile | None = None
        self._services: list[tuple[str, str]] | None = None
        self._trouble = ""

    def run(self) -> int:
        """Work until the source ends. Returns the exit code."""
        try:
            while not self._open():
                if self._ended():
                    return 1
                time.sleep(RETRY)
            while (batch := self._read()) is not None:
                self._services = batch[1] or self._services
                while not self._store(batch):
                    if self._ended():
                        return 1
                    time.sleep(RETRY)
        except errors.CaptureError as e:
            self._say(refused=str(e))
            return 1
        finally:
            if self._file is not None:
                self._file.close()
        return 0

    def _read(self) -> Batch | None:
        header = self._source.read(HEADER.size)
        if len(header) < HEADER.size:
            return None
        (length,) = HEADER.unpack(header)
        body = self._source.read(length)
        if len(body) < length:
            return None
        batch: Batch = marshal.loads(body)  # noqa: S302 - our own parent wrote it
        return batch

    def _open(self) -> bool:
        try:
            self._file = CaptureFile(self._path, self._run, self._limit)
        except (sqlite3.Error, OSError) as e:
            self._report(e)
            return False
        self._trouble = ""
        file = self._file
        self._say(
            opened=str(self._path), run=self._run, sequence=file.sequence,
            first=file.first, last=file.last, bytes=file.used(),
        )  # fmt: skip
        return True

    def _store(self, batch: Batch) -> bool:
        """Store ``batch``, mending what can be mended. False: try again later."""
        sequence, _, flat = batch
        try:
            if self._file is None:
                if not self._open():
                    return False
                batch = (sequence, self._services, flat)
            assert self._file is not None
            if sequence > self._file.sequence:
                self._file.store(batch)
        except FileNotFoundError as e:
            self._report(e)
            return self._recreate() and self._store(batch)
        except (sqlite3.Error, OSError) as e:
            self._report(e)
            return False
        except Exception as e:  # a batch that never fits must not keep the others out
            assert self._file is not None
            self._say_stored(sequence, rejected=repr(e))
            return True
        self._trouble = ""
        self._say_stored(sequence)
        return True

    def _say_stored(self, sequence: int, **more: str) -> None:
        assert self._file is not None
        self._say(stored=sequence, first=self._file.first, last=self._file.last, bytes=self._file.used(), **more)

    def _recreate(self) -> bool:
        assert self._file is not None
        try:
            self._file.rescue()
        except (sqlite3.Error, OSError) as e:
            self._report(e)
            return False
        self._file.close()
        self._file = None
        return True

    def _ended(self) -> bool:
        """Whether the parent is gone or asked us to end: its end of the pipe is closed."""
        poller = select.poll() if hasattr(select, "poll") else None
        if poller is None:
            return False
        poller.register(self._source.fileno(), 0)
        return any(event & (select.POLLHUP | select.POLLNVAL) for _, event in poller.poll(0))

    def _report(self, error: Exception) -> None:
        text = in_words(error, self._path)
        if text != self._trouble:
            self._trouble = text
            self._say(trouble=text)

    def _say(self, **message: Any) -> None:
        with contextlib.suppress(OSError):  # a parent that died reads no more; go on storing
            self._answers.write(json.dumps(message).encode() + b"\n")
            self._answers.flush()


def in_words(error: Exception, path: Path) -> str:
    """What keeps us from writing to ``path``, and what to do about it."""
    text = str(error)
    if isinstance(error, FileNotFoundError) and "taken away" in text:
        return f"{path} was taken away. It is being made anew; if its folder is gone, bring it back"
    if "full" in text or getattr(error, "errno", None) == 28:
        return f"No space left for {path}. Free some; the capture then goes on by itself"
    if "readonly" in text or "unable to open" in text or isinstance(error, PermissionError):
        return f"{path} cannot be written to. Make its folder writable, or capture into another file"
    if "locked" in text:
        return f"{path} is in use by another program. Close that, or capture into another file"
    return f"{path} cannot be written: {text}"


def main(argv: list[str]) -> int:
    """``argv``: the capture's path, the run's token, the size limit in bytes."""
    # Ctrl+C reaches the whole foreground group, yet we end only when the pipe does.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    return Writer(Path(argv[0]), argv[1], int(argv[2]), sys.stdin.buffer, sys.stdout.buffer).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
