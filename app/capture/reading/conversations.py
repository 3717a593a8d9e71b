"""All connections of a capture, past and present: sorted and filtered in SQL, read by pages."""

from __future__ import annotations

import json
from array import array
from dataclasses import dataclass, replace

from app.capture.filters.fields import FIELDS, Field
from app.capture.filters.sql import Filter
from app.capture.reading.store import Store
from app.events import Row

_SECONDS = "ifnull(closed / 1e9, (julianday('now') - 2440587.5) * 86400.0) - time / 1e9"

ORDERS = {
    "conn": "id", "service": "name COLLATE NOCASE", "peer": "peer", "opened": "time", "seconds": _SECONDS,
    "received": "received", "sent": "sent", "received.messages": "messages_received",
    "sent.messages": "messages_sent", "failures": "failures", "tls": "tls", "reason": "reason COLLATE NOCASE",
}  # fmt: skip
"""What connections can be sorted by: names of fields, and what SQL sorts."""

_NEWER = ("tls", "messages_received", "messages_sent", "failures", "first", "last")
"""Columns that captures of earlier builds lack."""

# Named as a row of ``event`` is, so that the filter language and its search for a text serve here, too.
_TABLE = """(
    SELECT c.id, c.opened AS time, c.closed, s.name, s.protocol, c.peer, c.host, c.reason, c.received, c.sent, {newer},
        concat AS summary, NULL AS payload, NULL AS zero
    FROM connection c LEFT JOIN service s ON s.id = c.service
)""".replace(
    "concat", " || '  ' || ".join(f"ifnull({name}, '')" for name in ("s.name", "c.peer", "c.host", "c.reason"))
)

_ROWS = """
SELECT json_group_array(json_array(e.id, e.time, e.closed, e.name, e.protocol, e.peer, e.host, e.reason, e.received,
    e.sent, e.messages_received, e.messages_sent, e.failures, e.tls, e.first, e.last))
FROM json_each(?) wanted CROSS JOIN %s e ON e.id = wanted.value
"""

_RUN = "SELECT (SELECT value FROM meta WHERE key = 'run'), ifnull((SELECT value FROM meta WHERE key = 'offset'), 0)"


def _counted(name: str, help: str, sql: str) -> Field:
    return Field(name, "number", help, sql)


CONVERSATION_FIELDS = {
    field.name: field
    for field in (
        replace(FIELDS["conn"], sql="id"),
        replace(FIELDS["service"], subquery="", column=""),
        replace(FIELDS["protocol"], subquery="", column=""),
        replace(FIELDS["peer"], subquery="", column=""),
        replace(FIELDS["host"], subquery="", column=""),
        replace(FIELDS["time"], help="when it was opened: 12:03:00, 2026-11-20T12:03:00, or -5m"),
        _counted("seconds", "how long it lasted, or lasts so far", _SECONDS),
        _counted("received", "bytes received; 10k and 2M are known", "received"),
        _counted("sent", "bytes sent", "sent"),
        _counted("received.messages", "how often data was received", "messages_received"),
        _counted("sent.messages", "how often data was sent", "messages_sent"),
        _counted("failures", "failures on it", "failures"),
        Field("tls", "text", "version of TLS, or failed", "tls", values=(*FIELDS["tls.version"].values, "failed")),
        replace(FIELDS["reason"], sql="reason", help="how it ended; of one that goes on there is none"),
    )
}
"""What a filter of connections can name."""


@dataclass(frozen=True, slots=True)
class Conversation(Row):
    """One connection; as a ``Row``, ``id`` and ``conn`` are its number, ``time`` is when it was opened.

    Attributes:
        closed: ns since 1970; None while it is open, or where the capture ends before it does.
        received, sent: bytes.
        tls: the version; ``"failed"``; None without.
        first, last: ids of the events in which it was opened and closed, where they are known.
        live: its number in the program that runs, where that one has opened it.
    """

    protocol: str = ""
    host: str = ""
    closed: int | None = None
    reason: str | None = None
    received: int = 0
    sent: int = 0
    messages_received: int = 0
    messages_sent: int = 0
    failures: int = 0
    tls: str | None = None
    first: int | None = None
    last: int | None = None
    live: int | None = None


def ids(store: Store, where: Filter, order: str = "conn", *, descending: bool = False) -> array[int]:
    """Numbers of the connections that match, sorted by one of ``ORDERS``."""
    way = "DESC" if descending else ""
    # One value, made of a sorted table: row by row would take the interpreter lock each time.
    by = f"{ORDERS[order]} {way}, id {way}"
    wanted = f"SELECT id FROM {_table(store)} event WHERE {where.sql} ORDER BY {by}"  # noqa: S608
    found = store.one(f"SELECT group_concat(id) FROM ({wanted})", where.values)[0]  # noqa: S608
    return array("q", map(int, found.split(","))) if found else array("q")


def rows(store: Store, wanted: array[int], run: str = "") -> list[Conversation]:
    """These connections in the order asked for, less those that are gone; ``run`` is the recorder's."""
    writing, offset = store.one(_RUN)
    found = json.loads(store.one(_ROWS % _table(store), (json.dumps(wanted.tolist()),))[0])
    by_id = {values[0]: _row(offset if writing == run else None, *values) for values in found}
    return [by_id[id] for id in wanted if id in by_id]


def _table(store: Store) -> str:
    present = store.one("SELECT group_concat(name) FROM pragma_table_info('connection')")[0].split(",")
    absent = {"tls": "NULL", "first": "NULL", "last": "NULL"}
    newer = (f"c.{name}" if name in present else f"{absent.get(name, 0)} AS {name}" for name in _NEWER)
    return _TABLE.format(newer=", ".join(newer))


def _row(
    offset: int | None, id: int, time: int, closed: int | None, name: str | None, protocol: str | None,
    peer: str | None, host: str | None,
    reason: str | None, received: int | None, sent: int | None, messages_received: int, messages_sent: int,
    failures: int, tls: str | None, first: int | None, last: int | None,
) -> Conversation:  # fmt: skip
    live = id - offset if offset is not None and id > offset and closed is None else None
    return Conversation(
        id, time, 0, name or "", id, peer, None, reason or "", protocol or "", host or "", closed, reason,
        received or 0, sent or 0, messages_received, messages_sent, failures, tls, first, last, live,
    )  # fmt: skip
