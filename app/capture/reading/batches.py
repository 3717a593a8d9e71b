"""Events in batches, as they are stored, for another program that keeps a capture of its own."""

from __future__ import annotations

from typing import Any

from app.capture.reading.store import Store
from app.capture.reading.stored import Stored

MOST = 5_000
"""Events of one batch."""

FIRST = 64
"""Events whose sizes are looked at first, then four times as many: SQLite reads a payload to know its length."""

# One step of SQL for all: see ``app.capture.reading.store``. The sizes come first, because events may be large.
_SIZES = """
SELECT json_group_array(json_array(id, size)) FROM (
    SELECT e.id, ifnull(length(e.payload), 0) + ifnull(length(e.summary), 0) + ifnull(length(e.detail), 0) AS size
    FROM event e WHERE e.id > ? ORDER BY e.id LIMIT ?)
"""

_EVENTS = """
SELECT json_group_array(json_array(
    e.id, e.time, e.kind, s.name, s.protocol, e.conn, c.peer, c.host, e.size, e.summary, e.detail,
    CASE WHEN length(e.payload) < ? THEN hex(e.payload) END, ifnull(length(e.payload), -1), ifnull(s.outpost, '')))
FROM event e LEFT JOIN service s ON s.id = e.service LEFT JOIN connection c ON c.id = e.conn
WHERE e.id BETWEEN ? AND ?
"""

_PART = "SELECT hex(substr(payload, ?, ?)) FROM event WHERE id = ?"

_IDENTITY = "SELECT (SELECT value FROM meta WHERE key = 'identity')"


def identity(store: Store) -> str:
    """What tells this capture's file from every other; it stays when the file is moved."""
    return str(store.one(_IDENTITY)[0] or "")


def batch(store: Store, after: int, most_bytes: int, inline: int) -> list[Stored]:
    """The events after the id ``after``, oldest first: with about ``most_bytes``, and one at the least.

    Payloads of ``inline`` bytes and more are left out. Raises what ``Store`` raises.
    """
    last, total, count, look = after, 0, 0, FIRST
    while count < MOST:
        sizes = sorted(store.listed(_SIZES, (last, look)))
        for id, size in sizes:
            total += min(size, inline)
            if total > most_bytes and last > after:
                break
            last = id
        count += len(sizes)
        if total > most_bytes or len(sizes) < look:
            break
        look = min(4 * look, MOST - count)
    if last == after:
        return []
    return [_stored(*values) for values in sorted(store.listed(_EVENTS, (inline, after + 1, last)))]


def part(store: Store, event: int, offset: int, most_bytes: int) -> bytes:
    """Bytes of the payload of an event, from ``offset``; none where it has no more."""
    found = store.one(_PART, (offset + 1, most_bytes, event))
    return bytes.fromhex(found[0] or "") if found else b""


def _stored(*values: Any) -> Stored:
    *facts, payload, length, outpost = values
    left_out = max(0, length) if payload is None else 0
    return Stored(*[*facts, None if payload is None else bytes.fromhex(payload), left_out, outpost])
