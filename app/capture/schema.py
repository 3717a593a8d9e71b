"""The capture file: one SQLite database, ``application_id`` "LPst", ``user_version`` 1.

=============  ==========================================================================
table          holds
=============  ==========================================================================
``event``      a view; one row for each event, numbered in the order stored, without gaps
               between the oldest and the newest. ``time``: ns since 1970 UTC, taken at
               receipt; ``kind``: a code of ``kind``; ``service``, ``conn``: numbers or NULL;
               ``size``: bytes; ``payload``: the bytes, NULL where there are none;
               ``zero``: 1 where a byte of the payload is zero, at which LIKE would stop;
               ``summary``: one line, NULL for raw data (it is drawn from the payload);
               ``detail``: a JSON object, NULL where there is nothing to add
``stored``     what ``event`` is made of. Bytes that were passed on are stored once: their
               other events have no payload, and in ``same`` the number of the one that has,
               which is of the same batch
``kind``       the code and dotted name of each kind, so that a file explains itself
``service``    the number, name and protocol of each service that was recorded, and the ``outpost`` that has it
               (NULL for our own)
``connection`` one row for each TCP connection or UDP flow: ``peer`` and ``host`` as
               ``address:port``, ``opened`` and ``closed`` as in ``event.time``, how it ended,
               its version of TLS (``failed`` where there was to be one), the ``watch`` whose check it
               is (NULL for all others), the ``upstream`` that serves it, behind a relay (``several``:
               not one alone); up to the newest event
               its bytes and messages (events of data) each way and its failures; ``first`` and
               ``last``: the events in which it was opened and closed
``failure``    the fingerprint of each event of kind ``failure`` or ``loop.blocked``, by which
               they are grouped
``resolution`` the newest word on a group of failures: the ``failure.resolved`` event that
               said it was resolved, or, where ``reopened``, that it was not
``batch``      first and last event of each batch, the unit in which the oldest are dropped
``outpost``    how far the captures of outposts were read: ``name`` of the outpost, ``capture``: the identity of
               its file, ``last``: the id there of the last event that is here, ``clock``: by how many ns its clock
               was ahead of ours. The events are of services whose ``outpost`` is that name; their times are the
               outpost's. It is stored in the transaction that stores them
``outpost_connection`` the number that a connection has in an outpost's capture (``outpost``: a row of the table
               above), and here
``note``       the newest note of each event that has one, which an event ``note`` brought:
               ``event`` is its number, ``colour`` a name or empty
``rollup``     what charts show, added up for each service by the second, minute and hour; its rows are
               numbered as ``app.capture.rollup`` says
``latency``    histograms of latencies, likewise
``meta``       ``created`` (RFC 3339), ``program``, ``run`` and ``sequence`` (the last batch
               stored for that run of the program), ``events`` (how many events of that run were
               stored up to it), ``dropped`` (events that the size
               limit has removed), ``lost`` (events that happened and are not in the file, as its
               events ``events.lost`` say), ``rolled`` (the first event that
               the rollup knows), ``closed``: when it was, in ns since 1970; 0 while it is being
               written, and afterwards if the program did not end as it should. ``identity``
               tells this capture from every other, also when the file is moved. A copy that
               was saved has ``saved`` (RFC 3339) and ``changed``: what it is without, in words
=============  ==========================================================================

Readers need no more than this. Writers belong to :mod:`app.capture.writing.file` alone.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app import __version__, events
from app.capture import errors, rollup, untrusted
from app.capture.filters.values import add_functions
from app.capture.untrusted import RANGE, Guarded
from app.files import databases
from app.text import escapes as text

APPLICATION_ID = 0x4C507374
VERSION = 1
SUFFIX = ".lpost"

__all__ = ["RANGE"]

_TABLES = f"""
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE kind (code INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE service (id INTEGER PRIMARY KEY, name TEXT NOT NULL, protocol TEXT NOT NULL);
CREATE TABLE connection (
    id INTEGER PRIMARY KEY, service INTEGER NOT NULL, peer TEXT, host TEXT,
    opened INTEGER NOT NULL, closed INTEGER, reason TEXT,
    received INTEGER NOT NULL DEFAULT 0, sent INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE batch (id INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL);
CREATE TABLE note (event INTEGER PRIMARY KEY, text TEXT NOT NULL, colour TEXT NOT NULL);
CREATE TABLE stored (
    id INTEGER PRIMARY KEY, time INTEGER NOT NULL, kind INTEGER NOT NULL, service INTEGER,
    conn INTEGER, size INTEGER, same INTEGER, zero INTEGER, summary TEXT, detail TEXT, payload BLOB
);
CREATE INDEX stored_failure ON stored (id) WHERE kind = 18;
CREATE {untrusted.EVENT};
"""

# Captures of earlier builds lack these; readers do without, writers add them.
_FAILURES = """
CREATE INDEX IF NOT EXISTS stored_http ON stored (conn, id) WHERE kind IN (10, 11);
CREATE INDEX IF NOT EXISTS stored_failures ON stored (id) WHERE kind IN (18, 36);
CREATE TABLE IF NOT EXISTS failure (
    event INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL, service INTEGER, conn INTEGER
);
CREATE INDEX IF NOT EXISTS failure_group ON failure (fingerprint, service);
CREATE TABLE IF NOT EXISTS resolution (
    fingerprint TEXT PRIMARY KEY, event INTEGER NOT NULL, reopened INTEGER NOT NULL
) WITHOUT ROWID;
"""
_OUTPOSTS = """
CREATE TABLE IF NOT EXISTS outpost (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, capture TEXT NOT NULL, last INTEGER NOT NULL, clock INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS outpost_connection (
    connection INTEGER PRIMARY KEY, outpost INTEGER NOT NULL, theirs INTEGER NOT NULL
);
"""
_HAS_ROLLUP = "SELECT count(*) FROM sqlite_master WHERE name = 'rollup'"
_COUNTS = dict.fromkeys(("messages_received", "messages_sent", "failures"), "INTEGER NOT NULL DEFAULT 0")
FIGURES = {
    **dict.fromkeys(("tls", "watch", "upstream"), "TEXT"), **dict.fromkeys(("first", "last"), "INTEGER"), **_COUNTS,
}  # fmt: skip
"""Columns of ``connection`` that captures of earlier builds lack, and their types."""


def create(db: sqlite3.Connection) -> None:
    """Lay the tables of an empty capture, all or none."""
    created = datetime.now(UTC).isoformat(timespec="seconds")
    db.executescript(f"BEGIN IMMEDIATE; {_TABLES}")
    complete(db)
    db.executemany(
        "INSERT INTO meta VALUES (?, ?)",
        [("created", created), ("program", f"Listening Post {__version__}"), ("dropped", 0)],
    )
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute(f"PRAGMA user_version = {VERSION}")
    db.execute("COMMIT")


def complete(db: sqlite3.Connection) -> None:
    """Add what a capture lacks that an earlier build has made."""
    db.executemany("INSERT OR IGNORE INTO kind VALUES (?, ?)", events.NAMES.items())
    db.execute("INSERT OR IGNORE INTO meta VALUES ('lost', 0), ('identity', ?)", (new_identity(),))
    if not db.execute(_HAS_ROLLUP).fetchone()[0]:
        db.execute("INSERT OR REPLACE INTO meta VALUES ('rolled', ?)", (db.execute(RANGE).fetchone()[1] + 1,))
    for statement in (_FAILURES + _OUTPOSTS + rollup.TABLES).split(";"):  # not executescript, which would commit
        db.execute(statement)
    present = {name for _, name, *_ in db.execute("PRAGMA table_info(connection)")}
    for name, type in FIGURES.items():
        if name not in present:
            db.execute(f"ALTER TABLE connection ADD COLUMN {name} {type}")
    if "outpost" not in {name for _, name, *_ in db.execute("PRAGMA table_info(service)")}:
        db.execute("ALTER TABLE service ADD COLUMN outpost TEXT")


def new_identity() -> str:
    """What tells a capture from every other."""
    return os.urandom(16).hex()  # as secrets has it, which would load OpenSSL into the writer


def keep_notes(db: sqlite3.Connection, details: Iterable[str]) -> None:
    """Keep what events ``note`` with these details brought, the newest last; an empty one takes the note away."""
    for detail in details:
        note = json.loads(detail)
        text, colour = note.get("text", ""), note.get("colour", "")
        if text or colour:
            values = (note["event"], text, colour)
            db.execute("INSERT OR REPLACE INTO note VALUES (?, ?, ?)", values)
        else:
            db.execute("DELETE FROM note WHERE event = ?", (note.get("event"),))


def is_blank(db: sqlite3.Connection) -> bool:
    """Whether ``db`` has nothing in it: a new file, or one whose writer was killed while it made it."""
    try:
        application = db.execute("PRAGMA application_id").fetchone()[0]
        return not application and not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:
        return False  # it has something that SQLite cannot read


def check(db: sqlite3.Connection, path: Path | str, *, writing: bool) -> None:
    """Raise the error that fits where ``db`` is no capture that we may read, or write.

    Raises:
        NotACaptureError, DamagedCaptureError: for both.
        UnreadableCaptureError: for what may pass; when ``writing``, sqlite3.OperationalError.
        NewerCaptureError: when ``writing`` to a format that this program does not know.
    """
    try:
        untrusted.distrust(db)
        application = db.execute("PRAGMA application_id").fetchone()[0]
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if application != APPLICATION_ID:
            raise errors.NotACaptureError(path=path)
        untrusted.check_schema(db, path, writing=writing)
        # Reads the first and the last page, where a cut-off file shows.
        untrusted.check_ids(db, path)
        pages = db.execute("PRAGMA page_count").fetchone()[0] * db.execute("PRAGMA page_size").fetchone()[0]
    except sqlite3.DatabaseError as e:
        if "not a database" in str(e):
            raise errors.NotACaptureError(path=path) from e
        found = untrusted.in_words(e, path)
        if writing and isinstance(found, errors.UnreadableCaptureError):
            raise  # locked, or a disk that fails: that may pass
        raise found from e
    real = os.path.realpath(path)
    wal = Path(f"{real}-wal")
    if not (wal.exists() and wal.stat().st_size) and os.stat(real).st_size < pages:
        raise errors.DamagedCaptureError(path=path, reason="its end is missing")
    if writing and version > VERSION:
        raise errors.NewerCaptureError(path=path, found=version, known=VERSION)


_NUMBERS = ("sequence", "events", "dropped", "lost", "offset", "closed", "rolled")
_WORDS = ("created", "program", "run", "saved", "changed", "identity")
_KNOWN = f"SELECT key, value FROM meta WHERE key IN ({', '.join(repr(key) for key in _NUMBERS + _WORDS)})"  # noqa: S608
MAX_WORDS = 1000
"""Characters of a value of ``meta``."""


def meta(db: sqlite3.Connection) -> dict[str, Any]:
    """What ``meta`` has of the keys that are ours, with values of their type."""
    found: dict[str, Any] = {}
    for key, value in db.execute(_KNOWN):
        if key in _NUMBERS and isinstance(value, int) and 0 <= value < 2**63:
            found[key] = value
        elif key in _WORDS and isinstance(value, str):
            found[key] = text.one_line(value[:MAX_WORDS])
    return found


def open_for_reading(path: Path | str) -> Guarded:
    """A connection that cannot write, for any thread that uses it alone.

    Raises CaptureMissingError, NotACaptureError, DamagedCaptureError, UnreadableCaptureError.
    """
    try:
        size = os.stat(path).st_size
    except FileNotFoundError as e:
        raise errors.CaptureMissingError(path=path) from e
    except OSError as e:
        raise errors.UnreadableCaptureError(path=path, reason=e.strerror) from e
    real = Path(os.path.realpath(path))  # beside which SQLite has its log
    if not real.is_file() or (size == 0 and not Path(f"{real}-wal").exists()):
        raise errors.NotACaptureError(path=path)
    if reason := databases.trouble(real):
        raise errors.UnreadableCaptureError(path=path, reason=reason)
    uri = real.as_uri()
    try:
        # Not mode=ro: such a reader, if it is the last to close, leaves SQLite's log behind.
        return _checked(f"{uri}?mode=rw", path)
    except errors.UnreadableCaptureError:
        # A WAL database in a folder that cannot be written to has no place for its index;
        # nobody can be writing there either, so it may be read as it lies.
        if os.access(real.parent, os.W_OK):
            raise
        return _checked(f"{uri}?mode=ro&immutable=1", path)


def _checked(uri: str, path: Path | str) -> Guarded:
    try:
        db = sqlite3.connect(
            uri, uri=True, isolation_level=None, check_same_thread=False, timeout=2, factory=Guarded
        )  # fmt: skip
    except sqlite3.OperationalError as e:
        raise errors.UnreadableCaptureError(path=path, reason=e) from e
    try:
        db.guard(path)
        add_functions(db)
        check(db, path, writing=False)
        db.execute(f"CREATE TEMP {untrusted.EVENT}")  # found before a view of that name in the file
        if "upstream" not in {name for _, name, *_ in db.execute("PRAGMA table_info(connection)")}:
            db.execute("CREATE TEMP VIEW connection AS SELECT *, NULL AS upstream FROM main.connection")
        if "outpost" not in {name for _, name, *_ in db.execute("PRAGMA table_info(service)")}:
            db.execute("CREATE TEMP VIEW service AS SELECT *, NULL AS outpost FROM main.service")
        db.execute("PRAGMA query_only = 1")
    except BaseException:
        db.close()
        raise
    return db
