"""Stores, for the writer, how far the captures of outposts were read, and which of their connections came."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from app.capture.writing.batch import Progress

Numbers = dict[tuple[str, str], int]
"""The row of ``outpost`` for the name of an outpost and the identity of its capture."""


def store(db: sqlite3.Connection, progress: Iterable[Progress]) -> Numbers:
    """Store it, in the transaction that is under way. Returns the rows of all outposts."""
    known: Numbers = {(name, capture): id for id, name, capture in db.execute("SELECT id, name, capture FROM outpost")}
    for name, capture, last, clock in progress:
        if (name, capture) in known:
            values = (last, clock, known[name, capture])
            db.execute("UPDATE outpost SET last = ?, clock = ? WHERE id = ?", values)
        else:
            known[name, capture] = max(known.values(), default=0) + 1
            db.execute("INSERT INTO outpost VALUES (?, ?, ?, ?, ?)", (known[name, capture], name, capture, last, clock))
    return known


def connect(db: sqlite3.Connection, connections: Iterable[tuple[object, ...]]) -> None:
    """Store connections: their number here, the row of their outpost, their number there, service, peer, host, and when
    they were first seen. An event of its opening, if it comes, says the rest."""
    for number, outpost, theirs, service, peer, host, opened in connections:
        db.execute(
            "INSERT OR IGNORE INTO connection (id, service, peer, host, opened) VALUES (?, ?, ?, ?, ?)",
            (number, service, peer, host, opened),
        )
        db.execute("INSERT OR REPLACE INTO outpost_connection VALUES (?, ?, ?)", (number, outpost, theirs))


def tidy(db: sqlite3.Connection) -> None:
    """Forget the connections that were dropped with their events."""
    if db.execute("SELECT 1 FROM outpost LIMIT 1").fetchone():
        db.execute("DELETE FROM outpost_connection WHERE connection NOT IN (SELECT id FROM connection)")
