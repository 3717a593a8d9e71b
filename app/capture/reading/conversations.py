"""All connections of a capture, past and present: sorted and filtered in SQL, read by pages."""

from __future__ import annotations

import json
from array import array
from dataclasses import dataclass, field, fields, replace
from typing import Any

from app.capture.filters.fields import FIELDS, Field
from app.capture.filters.sql import Filter
from app.capture.reading import values as read
from app.capture.reading.store import Store
from app.events import Row


@dataclass(frozen=True, slots=True)
class Conversation(Row):
    """One connection; as a ``Row``, ``id`` and ``conn`` are its number, ``time`` is when it was opened.

    Attributes:
        closed: ns since 1970; None while it is open, or where its end is not in the capture.
        received, sent: bytes.
        tls: the version, or ``"failed"``; None without TLS.
        upstream: the server that a relay has passed it on to; None without one.
        first, last: ids of the events in which it was opened and closed, where they are known.
        live: its number in the running program, if this program opened it and it is still open.
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
    upstream: str | None = None
    first: int | None = None
    last: int | None = None
    live: int | None = field(default=None, kw_only=True)


@dataclass(frozen=True, slots=True)
class Column:
    """One thing that a capture knows of a connection.

    Attributes:
        name: the attribute of ``Conversation`` that holds it, and what SQL calls it here.
        sql: an expression over the tables ``connection c`` and ``service s``.
        read: whether rows have it; if not, it serves for sorting and filtering alone.
        order: what a pane calls it to sort by it; empty: nobody sorts by it.
        collate: how SQL sorts it, where that is not by its bytes.
        field: how a filter names and compares it; its ``sql`` and ``lookup`` are not used.
        missing: what stands for it in a capture of an earlier build, whose table has no column
            of this name; empty where every capture has it.
        null: what a row has where SQL finds NULL, as SQL writes it.
    """

    name: str
    sql: str
    read: bool = True
    order: str = ""
    collate: str = ""
    field: Field | None = None
    missing: str = ""
    null: str = "NULL"


def _number(name: str, help: str) -> Field:
    return Field(name, "number", help, "")


_TLS = Field("tls", "text", "version of TLS, or failed", "", values=(*FIELDS["tls.version"].values, "failed"))

COLUMNS = (
    Column("id", "c.id", order="conn", field=FIELDS["conn"]),
    Column("service", "s.name", order="service", collate="NOCASE", field=FIELDS["service"], null="''"),
    Column("protocol", "s.protocol", field=FIELDS["protocol"], null="''"),
    Column("peer", "c.peer", order="peer", field=FIELDS["peer"]),
    Column("host", "c.host", field=FIELDS["host"], null="''"),
    Column("time", "c.opened", order="opened",
           field=replace(FIELDS["time"], help="when it was opened: 12:03:00, 2026-11-20T12:03:00, or -5m")),
    Column("closed", "c.closed"),
    Column("seconds", "ifnull(c.closed / 1e9, (julianday('now') - 2440587.5) * 86400.0) - c.opened / 1e9", read=False,
           order="seconds", field=_number("seconds", "how long it lasted, or lasts so far")),
    Column("received", "c.received", order="received", null="0",
           field=_number("received", "bytes received; 10k and 2M are known")),
    Column("sent", "c.sent", order="sent", null="0", field=_number("sent", "bytes sent")),
    Column("messages_received", "c.messages_received", order="received.messages", missing="0",
           field=_number("received.messages", "how often data was received")),
    Column("messages_sent", "c.messages_sent", order="sent.messages", missing="0",
           field=_number("sent.messages", "how often data was sent")),
    Column("failures", "c.failures", order="failures", missing="0", field=_number("failures", "failures on it")),
    Column("tls", "c.tls", order="tls", missing="NULL", field=_TLS),
    Column("upstream", "c.upstream", order="upstream", missing="NULL", field=FIELDS["upstream"]),
    Column("reason", "c.reason", order="reason", collate="NOCASE",
           field=replace(FIELDS["reason"], help="how it ended; of one that goes on there is none")),
    Column("first", "c.first", missing="NULL"),
    Column("last", "c.last", missing="NULL"),
)  # fmt: skip

ORDERS = {
    column.order: f"{column.name} COLLATE {column.collate}" if column.collate else column.name
    for column in COLUMNS
    if column.order
}
"""What connections can be sorted by: the names, and what SQL sorts."""

CONVERSATION_FIELDS = {
    column.field.name: replace(column.field, sql=column.name, lookup=None, kinds=(), key="")
    for column in COLUMNS
    if column.field is not None
}
"""What a filter of connections can name."""

_VALUES = {
    # What a row of events has and a connection does not.
    "kind": "0",
    "conn": "e.id",
    "size": "NULL",
    "summary": "ifnull(e.reason, '')",
} | {
    column.name: f"e.{column.name}" if column.null == "NULL" else f"ifnull(e.{column.name}, {column.null})"
    for column in COLUMNS
    if column.read
}
"""The attributes of a ``Conversation`` that SQL gives, and how."""

_READ = [one.name for one in fields(Conversation) if not one.kw_only]
"""These attributes in the order in which a ``Conversation`` takes them: by name it would take longer."""

_TEXTS = frozenset(map(_READ.index, ("service", "peer", "summary", "protocol", "host", "reason", "tls", "upstream")))
"""Where these attributes are texts; the others are numbers."""

_ID, _CLOSED = _READ.index("id"), _READ.index("closed")

# What a search for a text looks through, and what it takes from a row of ``event``.
_SEARCHED = " || '  ' || ".join(f"ifnull({name}, '')" for name in ("s.name", "c.peer", "c.host", "c.reason"))
_TABLE = f"""(
    SELECT %s, {_SEARCHED} AS summary, NULL AS payload, NULL AS zero, NULL AS same
    FROM connection c LEFT JOIN service s ON s.id = c.service
)"""  # noqa: S608

_ROWS = f"""
SELECT json_group_array(json_array({", ".join(_VALUES[name] for name in _READ)}))
FROM json_each(?) wanted CROSS JOIN %s e ON e.id = wanted.value
"""  # noqa: S608

_OFFSET = "(SELECT value FROM meta WHERE key = 'offset' AND typeof(value) = 'integer')"
_RUN = f"SELECT (SELECT value FROM meta WHERE key = 'run'), ifnull({_OFFSET}, 0)"  # noqa: S608


def ids(store: Store, where: Filter, order: str = "conn", *, descending: bool = False) -> array[int]:
    """Numbers of the connections that match, sorted by one of ``ORDERS``."""
    way = "DESC" if descending else ""
    # One value, made of a sorted table: row by row would take the interpreter lock each time.
    by = f"{ORDERS[order]} {way}, id {way}"
    wanted = f"SELECT id FROM {_table(store)} event WHERE {where.sql} ORDER BY {by}"  # noqa: S608
    found = store.one(f"SELECT group_concat(id) FROM ({wanted})", where.values)[0]  # noqa: S608
    return array("q", map(int, found.split(","))) if found else array("q")


def rows(store: Store, wanted: array[int], run: str = "") -> list[Conversation]:
    """The rows of these connections, in the order of ``wanted``, without those that are gone.

    ``run`` is that of the recorder; with it the rows know which connections are live.
    """
    writing, offset = store.one(_RUN)
    found = store.listed(_ROWS % _table(store), (json.dumps(wanted.tolist()),))
    by_id = {row.id: row for row in (_row(offset if writing == run else None, values) for values in found)}
    return [by_id[id] for id in wanted if id in by_id]


def _table(store: Store) -> str:
    present = store.one("SELECT group_concat(name) FROM pragma_table_info('connection')")[0].split(",")
    selected = (
        f"{column.missing if column.missing and column.name not in present else column.sql} AS {column.name}"
        for column in COLUMNS
    )
    return _TABLE % ", ".join(selected)


def _row(offset: int | None, values: list[Any]) -> Conversation:
    """``offset`` is that of the numbers of the run that writes; None where another run has written the capture."""
    for at, value in enumerate(values):
        values[at] = read.words(value) if at in _TEXTS else read.number(value)
    id = values[_ID]
    live = id - offset if offset is not None and id > offset and values[_CLOSED] is None else None
    return Conversation(*values, live=live)
