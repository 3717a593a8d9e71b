"""The rows of a batch: its events, and what follows from them for connections, failures, notes and sums."""

from __future__ import annotations

import json
import sqlite3
from itertools import count, repeat
from typing import Any

from app import events
from app.capture import schema
from app.capture.writing import outposts, tally
from app.capture.writing.batch import FIELDS, PAYLOAD, SAME, SAME_BUT_ONE, Elsewhere, Sample, Services
from app.capture.writing.rolling import Rolling

_INSERT = (
    "INSERT INTO stored (id, time, kind, service, conn, size, payload, summary, detail, zero, same)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ifnull(?6, length(?7)), ?7, ?8, ?9, ?10, ?11)"
)

_UPDATING = frozenset({events.CONNECTION_CLOSED, events.TLS_OPENED, events.TLS_FAILED, events.LOG})
"""Kinds of events that say more of their connection."""


class Rows:
    """Writes into the tables of one capture, in the transaction that is under way.

    Args:
        offset: what is added to the numbers of connections of this run.
    """

    def __init__(self, db: sqlite3.Connection, rolling: Rolling, offset: int) -> None:
        self._db, self._rolling, self._offset = db, rolling, offset
        self._service_ids: list[int | None] = [None]
        self._far: set[int | None] = set()  # services of outposts

    def define(self, services: Services) -> None:
        """Give the services of the recorder their rows."""
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

    def read_elsewhere(self, elsewhere: Elsewhere) -> None:
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

    def insert(self, first: int, flat: list[Any], sample: Sample | None) -> None:
        """Store the events ``flat``, of which the first gets the id ``first``, and what follows from them."""
        columns = [flat[i::FIELDS] for i in range(FIELDS)]
        _, kinds, services, conns = columns[:4]
        ids, offset = self._service_ids, self._offset
        columns[2] = [ids[s] for s in services]
        columns[3] = [c + offset if c > 0 else -c or None for c in conns]
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

    def _connection(self, number: int) -> int | None:
        """The id of a connection of this run; a negative number is the id of one of an earlier run."""
        return number + self._offset if number > 0 else -number or None


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
