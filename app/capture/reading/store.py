"""Reading a capture, while it grows or afterwards.

A page, or a chunk of matches, is one value of one SQL step. ``sqlite3`` releases and takes back the
interpreter lock at each step, and with a busy reactor each taking can cost 5 ms: row by row, a
page would take a second.
"""

from __future__ import annotations

import json
import os
import sqlite3
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from app.capture import errors, schema, untrusted
from app.capture.filters.language import EVERYTHING, Filter
from app.capture.filters.sql import once_for_all
from app.capture.reading import values as read
from app.events import COLOURS, Event, Note, Row
from app.text import escapes as text
from app.text.escapes import PREVIEW

CHUNK = 131_072
"""Events that are looked at in one step of a scan."""

NAME = "substr({}, 1, 1000)"
"""SQL for a name or an address, which comes once for each row: somebody may have made a long one."""

_ROW = {
    "id": "e.id",
    "time": "e.time",
    "kind": "e.kind",
    "service": NAME.format("s.name"),
    "conn": "e.conn",
    "peer": NAME.format("c.peer"),
    "size": "e.size",
    "summary": "e.summary",
    "head": f"CASE WHEN e.summary IS NULL THEN {once_for_all(f'hex(substr(e.payload, 1, {PREVIEW}))', '-1', 'e.')} END",
    "note": "n.text",
    "colour": "n.colour",
}
"""What ``_row`` takes, in the order of its parameters, and where SQL finds it. (By name it would take longer.)"""

_EVENT = {name: sql for name, sql in _ROW.items() if name != "head"} | {
    "host": NAME.format("c.host"),
    "payload": "e.payload",
    "detail": "e.detail",
}
"""What ``event_of`` takes, likewise."""

_ROWS = f"""
SELECT json_group_array(json_array({", ".join(_ROW.values())}))
FROM (SELECT * FROM event WHERE %s) e
LEFT JOIN service s ON s.id = e.service LEFT JOIN connection c ON c.id = e.conn
LEFT JOIN note n ON n.event = e.id
"""  # noqa: S608

# CROSS JOIN: in the order of the ids, and one event at a time, whose payload may be large.
_EVENTS = f"""
SELECT {", ".join(_EVENT.values())}
FROM json_each(?) wanted CROSS JOIN event e ON e.id = wanted.value
LEFT JOIN service s ON s.id = e.service LEFT JOIN connection c ON c.id = e.conn
LEFT JOIN note n ON n.event = e.id
"""  # noqa: S608

_MARKS = "SELECT json_group_array(json_array(id, kind, size)) FROM event WHERE id BETWEEN ? AND ? AND conn = ?"

Mark = tuple[int, int, int | None]
"""Id, kind and size of an event."""

# Not ``size``, which says how large a payload was, and may say anything. The length of a blob is known without reading
# it; of a text it is not, and a payload that many events refer to would be read for each of them.
_SIZES = """
SELECT e.id, ifnull(length(e.payload), 0) + ifnull(length(e.detail), 0) + ifnull(length(e.summary), 0)
    + CASE WHEN e.same THEN ifnull((SELECT length(first.payload) FROM stored first WHERE first.id = e.same
        AND typeof(first.payload) = 'blob'), 0)
      ELSE 0 END
FROM json_each(?) wanted CROSS JOIN stored e ON e.id = wanted.value
"""

AT_ONCE, PAGE_BYTES = 2_000, 4 << 20
"""Events that are read with one statement, and the bytes of those that are in memory at once."""


class Store:
    """A capture opened for reading. For one thread at a time.

    Every method raises UnreadableCaptureError or DamagedCaptureError for what it cannot read.
    """

    def __init__(self, path: Path | str) -> None:
        """Raises the errors of :func:`app.capture.schema.open_for_reading`."""
        self.path = Path(path)
        self._db = schema.open_for_reading(path)
        self._opened = os.stat(path)
        self._dense = False

    def close(self) -> None:
        self._db.close()

    @property
    def moved(self) -> bool:
        """Whether another file, or none, is where this one was when it was opened."""
        try:
            return not os.path.samestat(self._opened, os.stat(self.path))
        except OSError:
            return True

    def _one(self, sql: str, values: Sequence[object] = ()) -> Any:
        try:
            return self._db.execute(sql, values).fetchone()
        except sqlite3.Error as e:
            raise untrusted.in_words(e, self.path) from e

    def one(self, sql: str, values: Sequence[object] = ()) -> Any:
        """The first row of a query of another module of this package."""
        return self._one(sql, values)

    def listed(self, sql: str, values: Sequence[object] = ()) -> list[Any]:
        """What a query gives as one JSON array: its rows as arrays, or single values."""
        try:
            found: list[Any] = json.loads(self._one(sql, values)[0])
        except ValueError as e:  # a number that JSON has not
            raise errors.DamagedCaptureError(path=self.path, reason="it has numbers that are none") from e
        return found

    def range(self) -> tuple[int, int]:
        """Ids of the oldest and the newest event; ``(1, 0)`` where there is none."""
        try:
            untrusted.check_ids(self._db, self.path)
        except sqlite3.Error as e:
            raise untrusted.in_words(e, self.path) from e
        first, last = self._one(schema.RANGE)
        return first, last

    def ids(self, where: Filter, first: int, last: int) -> Iterator[array[int]]:
        """Ids of the events from ``first`` to ``last`` that match, in chunks, oldest first."""
        while first <= last:
            found, upto = self.matches(where, first, last)
            yield found
            first = upto + 1

    def matches(self, where: Filter, first: int, last: int) -> tuple[array[int], int]:
        """Ids that match among the next ``CHUNK`` events from ``first``, and the last one looked at."""
        end = min(last, first + CHUNK - 1)
        if where == EVERYTHING:
            return array("q", range(first, end + 1)), end
        values = (first, end, *where.values)
        matching = f"FROM event WHERE id BETWEEN ? AND ? AND ({where.sql})"
        # After a chunk in which all matched, counting is often enough: a list of ids takes twice as long.
        if self._dense and self._one(f"SELECT count(*) {matching}", values)[0] == end - first + 1:
            return array("q", range(first, end + 1)), end
        found = self._one(f"SELECT group_concat(id) {matching}", values)[0]
        ids = array("q", map(int, found.split(","))) if found else array("q")
        self._dense = len(ids) == end - first + 1
        return ids, end

    def count(self, where: Filter) -> int:
        """How many events match."""
        sql = f"SELECT count(*) FROM event WHERE {where.sql}"  # noqa: S608
        return int(self._one(sql, where.values)[0])

    def rows(self, ids: array[int]) -> list[Row]:
        """The rows of these events, in order of id; those that are gone are left out."""
        if not ids:
            return []
        if len(ids) == ids[-1] - ids[0] + 1:
            found = self.listed(_ROWS % "id BETWEEN ? AND ?", (ids[0], ids[-1]))
        else:
            wanted = json.dumps(ids.tolist())
            found = self.listed(_ROWS % "id IN (SELECT value FROM json_each(?))", (wanted,))
        return sorted((_row(*values) for values in found), key=_by_id)

    def event(self, id: int) -> Event | None:
        """The whole event, or None where the size limit has dropped it."""
        return next(self._read([id]), None)

    def marks(self, conn: int, first: int, last: int) -> list[Mark]:
        """The events of one connection from ``first`` to ``last``, without what is in them, oldest first."""
        found = self.listed(_MARKS, (first, last, conn))
        return sorted((id, read.number(kind) or 0, read.number(size)) for id, kind, size in found)

    def events(self, where: Filter, first: int, last: int) -> Iterator[Event]:
        """The whole events that match, oldest first, read as they are asked for."""
        for chunk in self.ids(where, first, last):
            for start in range(0, len(chunk), AT_ONCE):
                yield from self._read(chunk[start : start + AT_ONCE].tolist())

    def these(self, ids: list[int]) -> Iterator[Event]:
        """These events, read as they are asked for; those that are gone are left out."""
        for start in range(0, len(ids), AT_ONCE):
            yield from self._read(ids[start : start + AT_ONCE])

    def _read(self, ids: list[int]) -> Iterator[Event]:
        for page in self._pages(ids):
            # Whole pages: a statement left open would keep SQLite from copying its log back into the
            # file, and the log would grow without end.
            for values in self._all(_EVENTS, (json.dumps(page),)):
                yield event_of(*values)

    def _pages(self, ids: list[int]) -> Iterator[list[int]]:
        """``ids`` in parts whose payloads and details fit into memory together."""
        page: list[int] = []
        room = PAGE_BYTES
        for id, size in self._all(_SIZES, (json.dumps(ids),)):
            if page and size > room:
                yield page
                page, room = [], PAGE_BYTES
            page.append(id)
            room -= size
        if page:
            yield page

    def _all(self, sql: str, values: Sequence[object]) -> list[Any]:
        try:
            return self._db.execute(sql, values).fetchall()
        except sqlite3.Error as e:
            raise untrusted.in_words(e, self.path) from e


def event_of(
    id: int, time: Any, kind: Any, service: Any, conn: Any, peer: Any, size: Any, summary: Any, note: Any, colour: Any,
    host: Any, payload: Any, detail: Any,
) -> Event:  # fmt: skip
    """The event of what a capture has, whoever wrote that; the parameters are columns, in the order of ``_EVENT``."""
    payload, size, kind = read.payload(payload), read.number(size), read.number(kind) or 0
    if summary is None:
        summary = text.preview((payload or b"")[:PREVIEW], size or 0)
    about = read.detail(kind, detail) if detail else {}
    # ``service.started`` has no connection: the address is in its detail.
    host = host or about.get("host")
    shown = [read.words(value) for value in (service, peer, summary, host)]
    unescaped: dict[str, str] = {}
    if shown != [service, peer, summary, host]:
        written = zip(("service", "peer", "summary", "host"), (service, peer, summary, host), strict=True)
        unescaped = {name: str(value) for name, value in written if value is not None}
    service, peer, summary, host = shown
    return Event(
        id, read.number(time) or 0, kind, service or "", read.number(conn), peer, size, summary or "", host, payload,
        about, note=_note(note, colour), unescaped=unescaped,
    )  # fmt: skip


def _row(
    id: int, time: Any, kind: Any, service: Any, conn: Any, peer: Any, size: Any, summary: Any, head: Any, note: Any,
    colour: Any,
) -> Row:  # fmt: skip
    size = read.number(size)
    if summary is None:
        summary = text.preview(bytes.fromhex(head or ""), size or 0)
    return Row(
        id, read.number(time) or 0, read.number(kind) or 0, read.words(service) or "", read.number(conn),
        read.words(peer), size, read.words(summary) or "", note=_note(note, colour),
    )  # fmt: skip


def _note(written: Any, colour: Any) -> Note | None:
    if written is None:
        return None
    lines = str(written).split("\n")
    return Note("\n".join(map(text.one_line, lines)), colour if colour in COLOURS else "")


def _by_id(row: Row) -> int:
    return row.id
