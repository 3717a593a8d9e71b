"""Saves a copy of a capture: all of it, or without payloads, without secrets, or only what fits a filter.

A whole copy is SQLite's own backup. Any other is written event by event as the writer does it,
so that every table of it is true for what is in it. Both read one state of the file, however
it grows meanwhile, and appear under their name only when they are complete.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app import events
from app.capture import schema
from app.capture.errors import DamagedCaptureError
from app.capture.filters.sql import EVERYTHING, Filter
from app.capture.keeping import errors
from app.capture.keeping.redaction import Redactor, Span, masked
from app.capture.reading.appearing import appearing, is_open
from app.capture.writing.batch import SAME
from app.capture.writing.file import CaptureFile
from app.files.errors import UnwritableError
from app.text import escapes as text
from app.text.escapes import PREVIEW

Progress = Callable[[int, int], object]
"""Is told how much is done, and of how much, in a unit of its own."""

BATCH, BATCH_BYTES = 2_000, 1 << 20
"""Events, and bytes of them, that are written at once."""

PAGES = 256
"""Pages copied at once."""

CANNOT_SEE = (
    "Not found: what is compressed or written in another way (base64, percent signs), and what a pattern"
    " matches over more than 4 KiB of a stream. Raw bytes of HTTP/2 are taken out whole, and with patterns"
    " those of WebSocket frames; so are local values of failures. Look through the copy before you give it away."
)
"""What people are to know of a redacted copy."""

_SAME_FROM = 4096
_UNLIMITED = 1 << 62


class CancelledError(Exception):
    """Somebody did not want it any more. Nothing is left of it."""


@dataclass(frozen=True, slots=True)
class Saving:
    """What is saved.

    Attributes:
        where: which events; notes on them come along.
        payloads: with the bytes, or only with their sizes.
        redacted: without the values of secret fields, and what ``patterns`` match.
    """

    where: Filter = EVERYTHING
    payloads: bool = True
    redacted: bool = False
    patterns: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        return self == Saving()

    def in_words(self) -> str:
        """What the copy is without; empty for a whole one."""
        words = ["only some events"] if self.where != EVERYTHING else []
        words += [] if self.payloads else ["without payloads"]
        words += ["redacted"] if self.redacted else []
        return ", ".join(words)


@dataclass(frozen=True, slots=True)
class Saved:
    """What came of it: events and bytes of the file."""

    events: int
    bytes: int


def save(
    source: Path,
    target: Path,
    how: Saving = Saving(),
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
        db.set_progress_handler(cancelled, 100_000)
        with appearing(target) as spare:
            with _in_words(source, target):
                db.execute("BEGIN")
                if how.whole:
                    _back_up(db, spare, progress, cancelled)
                else:
                    _Rewriting(db, source, spare, how, redactor).run(progress, cancelled)
                count = _finish(spare, source, how)
            return Saved(count, spare.stat().st_size)
    finally:
        db.close()


@contextlib.contextmanager
def _in_words(source: Path, target: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as e:
        if "interrupted" in str(e):
            raise CancelledError from e
        if "malformed" in str(e):
            raise DamagedCaptureError(path=source, reason=e) from e
        raise UnwritableError(path=target, reason=e) from e
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


def _finish(spare: Path, source: Path, how: Saving) -> int:
    """Say in the copy what it is. Returns its events."""
    saved = datetime.now(UTC).isoformat(timespec="seconds")
    with contextlib.closing(sqlite3.connect(spare, isolation_level=None)) as copy:
        before = dict(copy.execute("SELECT key, value FROM meta WHERE key = 'changed'"))
        changed = "; ".join(filter(None, (before.get("changed", ""), how.in_words())))
        copy.executemany(
            "INSERT OR REPLACE INTO meta VALUES (?, ?)",
            [("saved", saved), ("changed", changed), ("closed", time.time_ns())],
        )
        # One file, without a log beside it.
        copy.execute("PRAGMA journal_mode = DELETE")
        first, last = copy.execute(schema.RANGE).fetchone()
    return int(last - first + 1)


class _Copy(CaptureFile):
    """The copy while it is written."""

    def begin(self, first: int, dropped: int, created: Any, changed: str) -> None:
        self.first, self.last = first, first - 1
        self._db.execute("PRAGMA secure_delete = ON")  # what is masked later leaves nothing in free pages
        self._db.execute("PRAGMA synchronous = OFF")  # it is worth nothing until it is complete
        self._db.execute("CREATE TEMP TABLE renumbered (old INTEGER PRIMARY KEY, new INTEGER)")
        self._db.executemany(
            "INSERT OR REPLACE INTO meta VALUES (?, ?)",
            [("dropped", dropped), ("created", created), ("changed", changed)],
        )

    def add_connections(self, columns: str, rows: Iterable[Any]) -> None:
        marks = ", ".join("?" * len(columns.split(", ")))
        self._db.executemany(f"INSERT OR REPLACE INTO connection ({columns}) VALUES ({marks})", rows)  # noqa: S608

    def end_connections(self, rows: Iterable[Any]) -> None:
        """Say how connections ended whose end is not among the events. The rows: closed, reason and number."""
        self._db.executemany("UPDATE connection SET closed = ?, reason = ? WHERE id = ?", rows)

    def renumber(self, numbers: list[tuple[int, int]]) -> None:
        self._db.executemany("INSERT INTO renumbered VALUES (?, ?)", numbers)

    def number_of(self, old: int) -> int | None:
        found = self._db.execute("SELECT new FROM renumbered WHERE old = ?", (old,)).fetchone()
        return found[0] if found else None

    def mask(self, id: int, spans: list[Span]) -> None:
        """Take out what was found to be secret in an event that is written; spans count from its end."""
        payload = self._scalar(f"SELECT payload FROM event WHERE id = {int(id)}") or b""  # noqa: S608
        inside = [(len(payload) + start, len(payload) + end) for start, end in spans]
        self._db.execute("UPDATE stored SET payload = ?, same = NULL WHERE id = ?", (masked(payload, inside), id))

    def forget_strangers(self) -> None:
        """Let go of connections of which there is no event."""
        self._db.execute("DELETE FROM connection WHERE id NOT IN (SELECT conn FROM stored WHERE conn IS NOT NULL)")


_CONNECTION = "id, service, peer, host, opened, closed, reason"

_EVENTS = "SELECT id, time, kind, service, conn, size, {}, summary, detail, {} FROM event WHERE id BETWEEN ? AND ?"

_OPAQUE = f"""
SELECT conn, min(id) * (kind = {events.WS_OPENED}) FROM event
WHERE kind IN ({events.TLS_OPENED}, {events.HTTP_REQUEST}, {events.HTTP_RESPONSE}, {events.WS_OPENED})
AND (kind = {events.WS_OPENED} OR json_extract(detail, '$.alpn') = 'h2' OR json_extract(detail, '$.stream') IS NOT NULL)
AND conn IS NOT NULL GROUP BY conn, kind = {events.WS_OPENED}
"""  # noqa: S608
"""Connections whose raw bytes cannot be looked into: of HTTP/2 from 0 on, of a WebSocket from its opening."""


class _Rewriting:
    """One copy, event by event."""

    def __init__(
        self, db: sqlite3.Connection, source: Path, spare: Path, how: Saving, redactor: Redactor | None
    ) -> None:
        self._db, self._source, self._how, self._redactor = db, source, how, redactor
        self._filtered = how.where != EVERYTHING
        self._copy = _Copy(spare, "saved", _UNLIMITED)
        services = db.execute("SELECT id, name, protocol FROM service ORDER BY id").fetchall()
        self._services = [(name, protocol) for _, name, protocol in services]
        self._service = {id: number for number, (id, *_) in enumerate(services, 1)}
        self._opaque: dict[int, int] = {}
        self._sequence = 0
        self._clear()

    def _clear(self) -> None:
        self._flat: list[Any] = []
        self._numbers: list[tuple[int, int]] = []
        self._pending: dict[int, int] = {}
        self._bytes = 0
        self._last: bytes | None = None

    def run(self, progress: Progress, cancelled: Callable[[], bool]) -> None:
        try:
            first, last = self._begin()
            for start in range(first, last + 1, BATCH):
                if cancelled():
                    raise CancelledError
                self._some(start, min(start + BATCH - 1, last))
                progress(start - first, last - first + 1)
                time.sleep(0.001)  # others want the interpreter, too
            self._store()
            self._end_connections()
        finally:
            self._copy.close()

    def _begin(self) -> tuple[int, int]:
        first, last = self._db.execute(schema.RANGE).fetchone()
        meta = dict(self._db.execute("SELECT key, value FROM meta"))
        begin = 1 if self._filtered else first
        self._copy.begin(begin, meta.get("dropped", 0), meta.get("created"), meta.get("changed", ""))
        self._copy.add_connections(_CONNECTION, self._db.execute(f"SELECT {_CONNECTION} FROM connection"))  # noqa: S608
        if self._redactor is not None:
            for conn, begins in self._db.execute(_OPAQUE):
                if begins == 0 or self._how.patterns:
                    self._opaque[conn] = min(begins, self._opaque.get(conn, begins))
        return first, last

    def _end_connections(self) -> None:
        if self._filtered:
            self._copy.end_connections(self._db.execute("SELECT closed, reason, id FROM connection"))
            self._copy.forget_strangers()
            return
        columns = ", ".join(name for _, name, *_ in self._db.execute("PRAGMA table_info(connection)"))
        self._copy.add_connections(columns, self._db.execute(f"SELECT {columns} FROM connection"))  # noqa: S608

    def _some(self, first: int, last: int) -> None:
        where, values = self._how.where.sql, self._how.where.values
        # What is not wanted is read all the same if it may tell what is secret in the rest.
        sql = _EVENTS.format("payload" if self._how.payloads else "NULL", f"ifnull(({where}), 0)")
        given: tuple[Any, ...] = (*values, first, last)
        if self._redactor is None and self._filtered:
            sql += f" AND (kind = {events.NOTE} OR ({where}))"
            given += values
        for row in self._db.execute(f"{sql} ORDER BY id", given):
            self._take(*row)

    def _take(
        self, id: int, time: int, kind: int, service: int | None, conn: int | None, size: int | None,
        payload: bytes | None, summary: str | None, detail: str | None, wanted: int,
    ) -> None:  # fmt: skip
        if size is None and payload is not None:
            size = len(payload)
        if self._redactor is not None:
            payload, summary, detail = self._redact(self._redactor, id, kind, conn, payload, summary, detail)
        elif not self._how.payloads and kind == events.FAILURE and detail:
            detail = json.dumps(_without_locals(json.loads(detail)))
        if kind == events.WS_MESSAGE and summary and not self._how.payloads:
            summary = summary.partition("  ")[0]
        if kind == events.NOTE and self._filtered:
            wanted, detail = self._renumbered(detail)
        if not wanted:
            return
        new = self._copy.last + len(self._numbers) + 1
        self._numbers.append((id, new))
        self._pending[id] = len(self._flat)
        written: Any = payload
        if payload is not None and len(payload) >= _SAME_FROM and payload == self._last:
            written = SAME
        elif payload is not None:
            self._last, self._bytes = payload, self._bytes + len(payload)
        self._bytes += len(detail or "")
        self._flat.extend((time, kind, self._service.get(service or 0, 0), conn or 0, size, written, summary, detail))
        if len(self._numbers) >= BATCH or self._bytes > BATCH_BYTES:
            self._store()

    def _store(self) -> None:
        if self._numbers:
            self._sequence += 1
            self._copy.renumber(self._numbers)
            self._copy.store((self._sequence, self._services if self._sequence == 1 else None, self._flat))
        self._clear()

    def _renumbered(self, detail: str | None) -> tuple[int, str | None]:
        """Whether a note is on an event that is in the copy, and its detail with the number that it has there."""
        note = json.loads(detail or "{}")
        self._store()
        new = self._copy.number_of(note.get("event", 0))
        return (0, detail) if new is None else (1, json.dumps(note | {"event": new}))

    # -- redacting

    def _redact(
        self, redactor: Redactor, id: int, kind: int, conn: int | None,
        payload: bytes | None, summary: str | None, detail: str | None,
    ) -> tuple[bytes | None, str | None, str | None]:  # fmt: skip
        if detail:
            detail = json.dumps(redactor.detail(json.loads(detail), conn))
        if payload:
            payload = self._redacted(redactor, id, kind, conn, payload)
        if summary is not None:
            words, gap, _ = summary.partition("  ")
            if kind == events.WS_MESSAGE and payload is not None:
                summary = words + gap + text.preview(payload[:PREVIEW], len(payload))
            summary = redactor.text(summary, conn)
        if kind == events.CONNECTION_CLOSED and conn is not None:
            redactor.closed(conn)
        return payload, summary, detail

    def _redacted(self, redactor: Redactor, id: int, kind: int, conn: int | None, payload: bytes) -> bytes:
        if conn is None or kind not in (events.DATA_RECEIVED, events.DATA_SENT):
            return redactor.whole(payload, conn)
        if id >= self._opaque.get(conn, id + 1):
            return b"*" * len(payload)
        result, before = redactor.stream(conn, id, payload, received=kind == events.DATA_RECEIVED)
        for old, spans in before:
            self._mask(old, spans)
        return result

    def _mask(self, old: int, spans: list[Span]) -> None:
        if old in self._pending:
            self._store()
        new = self._copy.number_of(old)
        if new is not None:
            self._copy.mask(new, spans)


def _without_locals(detail: Any) -> Any:
    """The detail of a failure without the values that its frames had, which show what was received."""
    if isinstance(detail, dict):
        return {key: [] if key == "locals" else _without_locals(value) for key, value in detail.items()}
    return [_without_locals(item) for item in detail] if isinstance(detail, list) else detail
