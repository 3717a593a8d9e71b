"""Documents on disk: a JSON file with the first documents (seed), and an SQLite file that stores every change.

All functions block: call them in a thread.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from app.files.confined import read
from app.http.problem_json import Problem
from app.responders.rest import errors
from app.responders.rest.memory import MAX_BYTES, Documents, key_of, with_id
from app.text.strict_json import parse

APPLICATION = 0x4C505354
"""The ``application_id`` in the SQLite files that this module writes."""

_SCHEMA = """
CREATE TABLE document (
    number INTEGER PRIMARY KEY, collection TEXT NOT NULL, id TEXT NOT NULL, body BLOB NOT NULL,
    UNIQUE (collection, id)
);
CREATE TABLE changes (count INTEGER NOT NULL);
INSERT INTO changes VALUES (0);
"""
_PUT = """
INSERT INTO document (collection, id, body) VALUES (?, ?, ?)
ON CONFLICT (collection, id) DO UPDATE SET body = excluded.body
"""


class Change(NamedTuple):
    """A document that was put; deleted, if ``body`` is None."""

    collection: str
    key: str
    body: bytes | None


class Loaded(NamedTuple):
    """The documents, and the file's count of changes."""

    documents: Documents
    changes: int


def load(folder: Path, seed: str, keep: Path | None, uuid: bool = False) -> Loaded:
    """Load the SQLite file ``keep`` or, if it does not exist yet, create it from the seed. Raises PostError."""
    documents = Documents()
    if keep is not None and keep.exists() and keep.stat().st_size:
        with _opened(keep) as database:
            return Loaded(documents, _read(database, keep, documents))
    if seed:
        _add_seed(seed, read(folder, seed, MAX_BYTES), documents, uuid)
    if keep is not None:
        _create(keep, documents)
    return Loaded(documents, 0)


def store(keep: Path, changes: Sequence[Change], expected: int) -> int:
    """Write ``changes`` in their order, in one transaction. Returns the file's new count of changes.

    The changes are on the disk when it returns: SQLite's rollback journal, ``synchronous = FULL``.
    Raises DocumentsError if nothing was written, also when the file's count of changes is not
    ``expected``, because another program has changed the file.
    """
    with _opened(keep) as database:
        database.execute("BEGIN IMMEDIATE")
        matched = database.execute("UPDATE changes SET count = count + 1 WHERE count = ?", (expected,)).rowcount
        if not matched:
            raise errors.DocumentsError(path=keep.name, reason="another program or service has changed it")
        for collection, key, body in changes:
            if body is None:
                database.execute("DELETE FROM document WHERE collection = ? AND id = ?", (collection, key))
            else:
                database.execute(_PUT, (collection, key, body))
        database.execute("COMMIT")
    return expected + 1


@contextmanager
def _opened(keep: Path) -> Iterator[sqlite3.Connection]:
    uri = f"{keep.as_uri()}?mode=rw"
    try:
        with closing(sqlite3.connect(uri, uri=True, timeout=5, isolation_level=None)) as database:
            database.execute("PRAGMA synchronous = FULL")
            yield database  # closing it rolls back what was not committed
    except (sqlite3.Error, OSError) as e:
        raise errors.DocumentsError(path=keep.name, reason=str(e)) from e


def _create(keep: Path, documents: Documents) -> None:
    try:
        os.close(os.open(keep, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as e:
        raise errors.DocumentsError(path=keep.name, reason=e.strerror or e) from e
    rows = [
        (name, key, document.body)
        for name, collection in documents.collections.items()
        for key, document in collection.documents.items()
    ]
    with _opened(keep) as database:
        database.executescript(f"BEGIN IMMEDIATE; PRAGMA application_id = {APPLICATION}; {_SCHEMA}")
        database.executemany(_PUT, rows)
        database.execute("COMMIT")


def _read(database: sqlite3.Connection, keep: Path, documents: Documents) -> int:
    if database.execute("PRAGMA application_id").fetchone()[0] != APPLICATION:
        raise errors.DocumentsError(path=keep.name, reason="it is a file of something else. Choose another name")
    try:
        for collection, key, body in database.execute("SELECT collection, id, body FROM document ORDER BY number"):
            if not isinstance(parse(body), dict):
                raise ValueError(f"{key} in {collection} is no object")
            documents.put(collection, key, body)
    except (Problem, ValueError, TypeError, AttributeError) as e:  # another program has written to the file
        raise errors.DocumentsError(path=keep.name, reason=e) from e
    changes: int = database.execute("SELECT count FROM changes").fetchone()[0]
    return changes


def _add_seed(seed: str, text: bytes, documents: Documents, uuid: bool) -> None:
    """Fill ``documents`` from ``text``, a JSON object of arrays of objects."""
    try:
        collections = parse(text)
        if not isinstance(collections, dict):
            raise ValueError('it must be an object of arrays, as in {"things": [{"id": 1}]}')
        for name, items in collections.items():
            if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
                raise ValueError(f'"{name}" must be an array of objects')
            for item in items:
                _add_document(documents, name, item, documents.next_id(name, uuid))
    except (ValueError, Problem) as e:
        raise errors.DocumentsError(path=seed, reason=e) from e


def _add_document(documents: Documents, name: str, item: dict[str, object], default_id: int | str) -> None:
    identifier = item.get("id", default_id)
    key = key_of(identifier)
    if key is None or key in documents.all(name):
        raise ValueError(f'in "{name}", the id {identifier!r} ' + ("is there twice" if key else "is no text or number"))
    documents.put(name, key, with_id(item, default_id))
