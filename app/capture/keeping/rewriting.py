"""Writes a copy of a capture event by event, leaving out or masking what is not wanted.

The copy goes through the same code as a live capture, so that its tables agree with its events.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from app import events
from app.capture import schema
from app.capture.filters.sql import EVERYTHING
from app.capture.keeping.redaction import Redactor, Span, masked
from app.capture.keeping.wanted import CancelledError, Progress, Saving
from app.capture.reading import values as read
from app.capture.writing.batch import SAME
from app.capture.writing.file import CaptureFile
from app.text import escapes as text
from app.text.escapes import PREVIEW

BATCH, BATCH_BYTES = 2_000, 1 << 20
"""Events, and bytes of their payloads and details, that are written at once."""

_SAME_FROM = 4096
"""Bytes from which a payload that comes again is stored once, as ``LARGE`` of the recorder."""

_TALLIED = (
    events.CONNECTION_OPENED, events.CONNECTION_CLOSED, events.TLS_OPENED, events.TLS_FAILED, events.FAILURE,
    events.FAILURE_RESOLVED, events.LOOP_BLOCKED, events.NOTE, events.LOST, events.LOG,
)  # fmt: skip
"""Kinds whose detail the tables of the copy are made of."""

_UNLIMITED = 1 << 62


class Copy(CaptureFile):
    """The file of the copy while it is written."""

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
        """Set how connections ended whose closing event was left out. The rows: closed, reason and number."""
        self._db.executemany("UPDATE connection SET closed = ?, reason = ? WHERE id = ?", rows)

    def renumber(self, numbers: list[tuple[int, int]]) -> None:
        self._db.executemany("INSERT INTO renumbered VALUES (?, ?)", numbers)

    def number_of(self, old: int) -> int | None:
        found = self._db.execute("SELECT new FROM renumbered WHERE old = ?", (old,)).fetchone()
        return found[0] if found else None

    def mask(self, id: int, spans: list[Span]) -> None:
        """Mask ``spans`` of an event that is written already; they count from the end of its payload."""
        payload = self._scalar(f"SELECT payload FROM event WHERE id = {int(id)}") or b""  # noqa: S608
        inside = [(len(payload) + start, len(payload) + end) for start, end in spans]
        self._db.execute("UPDATE stored SET payload = ?, same = NULL WHERE id = ?", (masked(payload, inside), id))

    def remove_unused_connections(self) -> None:
        """Remove the connections that no event in the copy belongs to."""
        self._db.execute("DELETE FROM connection WHERE id NOT IN (SELECT conn FROM stored WHERE conn IS NOT NULL)")


_CONNECTION = "id, service, peer, host, opened, closed, reason"

_EVENTS = "SELECT id, time, kind, service, conn, size, {}, summary, detail, {} FROM event WHERE id BETWEEN ? AND ?"

_OPAQUE = f"""
SELECT conn, min(id) * (kind = {events.WS_OPENED}) FROM event
WHERE kind IN ({events.TLS_OPENED}, {events.HTTP_REQUEST}, {events.HTTP_RESPONSE}, {events.WS_OPENED})
AND (kind = {events.WS_OPENED} OR json_valid(detail)
    AND (json_extract(detail, '$.alpn') = 'h2' OR json_extract(detail, '$.stream') IS NOT NULL))
AND conn IS NOT NULL GROUP BY conn, kind = {events.WS_OPENED}
"""  # noqa: S608
"""Connections whose raw bytes cannot be looked into: of HTTP/2 from 0 on, of a WebSocket from its opening."""


class Rewriting:
    """One copy, from ``db`` to a new file at ``spare``."""

    def __init__(self, db: sqlite3.Connection, spare: Path, how: Saving, redactor: Redactor | None) -> None:
        self._db, self._how, self._redactor = db, how, redactor
        self._filtered = how.where != EVERYTHING
        self._copy = Copy(spare, "saved", _UNLIMITED)
        services = db.execute("SELECT id, name, protocol, outpost FROM service ORDER BY id").fetchall()
        self._services = [
            (str(name), str(protocol), *([] if outpost is None else [str(outpost)]))
            for _, name, protocol, outpost in services
        ]
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
        """Write all of it. Raises CancelledError."""
        try:
            first, last = self._begin()
            for start in range(first, last + 1, BATCH):
                if cancelled():
                    raise CancelledError
                self._rewrite(start, min(start + BATCH - 1, last))
                progress(start - first, last - first + 1)
                time.sleep(0.001)  # lets other threads have the interpreter lock
            self._store()
            self._end_connections()
        finally:
            self._copy.close()

    def _begin(self) -> tuple[int, int]:
        first, last = self._db.execute(schema.RANGE).fetchone()
        meta = schema.meta(self._db)
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
            self._copy.remove_unused_connections()
            return
        present = {name for _, name, *_ in self._db.execute("PRAGMA table_info(connection)")}
        columns = ", ".join([_CONNECTION, "received", "sent", *(name for name in schema.FIGURES if name in present)])
        self._copy.add_connections(columns, self._db.execute(f"SELECT {columns} FROM connection"))  # noqa: S608

    def _rewrite(self, first: int, last: int) -> None:
        where, values = self._how.where.sql, self._how.where.values
        # An event that is left out is read all the same when its headers may name secrets of others.
        sql = _EVENTS.format("payload" if self._how.payloads else "NULL", f"ifnull(({where}), 0)")
        given: tuple[Any, ...] = (*values, first, last)
        if self._redactor is None and self._filtered:
            sql += f" AND (kind = {events.NOTE} OR ({where}))"
            given += values
        for row in self._db.execute(f"{sql} ORDER BY id", given):
            self._rewrite_event(*row)

    def _rewrite_event(
        self, id: int, time: Any, kind: Any, service: Any, conn: Any, size: Any, payload: Any, summary: Any,
        detail: Any, wanted: int,
    ) -> None:  # fmt: skip
        time, kind, payload = read.number(time) or 0, read.number(kind) or 0, read.payload(payload)
        conn, size, summary = read.number(conn), read.number(size), read.words(summary)
        if detail is not None and (kind in _TALLIED or self._redactor is not None or type(detail) is not str):
            detail = json.dumps(read.detail(kind, detail))
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
        """Whether the event of a note is in the copy, and the note's detail with the number of that event there."""
        note = {"event": 0, "text": "", "colour": "", **json.loads(detail or "{}")}
        self._store()
        new = self._copy.number_of(note["event"])
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
