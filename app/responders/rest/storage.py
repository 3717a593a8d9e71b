"""Documents on disk: a JSON file with the first documents (seed), and an SQLite file that stores every change.

The file is named by a workspace, which may come from a stranger: no code in it runs, and every statement on it is
bounded. All functions block: call them in a thread.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from app.files.confined import read
from app.files.databases import trouble
from app.http.problem_json import Problem
from app.responders.rest import errors
from app.responders.rest.memory import MAX_BYTES, MAX_DOCUMENT, MAX_DOCUMENTS, Documents, as_id, key_of, with_id
from app.text.strict_json import parse

APPLICATION = 0x4C505354
"""The ``application_id`` in the SQLite files that this module writes."""

_TABLES = {
    "document": """CREATE TABLE document (
    number INTEGER PRIMARY KEY, collection TEXT NOT NULL, id TEXT NOT NULL, body BLOB NOT NULL,
    UNIQUE (collection, id)
)""",
    "changes": "CREATE TABLE changes (count INTEGER NOT NULL)",
}
_SCHEMA = "; ".join((*_TABLES.values(), "INSERT INTO changes VALUES (0);"))
_OTHERS = 1000
"""Tables and indexes that a file may have beside ours."""
_STEPS, _MOST = 10_000, 10_000
"""Of SQLite's machine, after how many steps we count one, and how many of these a file gets: ten times what all
documents that there can be need."""
_PUT = """
INSERT INTO document (collection, id, body) VALUES (?, ?, ?)
ON CONFLICT (collection, id) DO UPDATE SET body = excluded.body
"""

_KINDS = {str: "a TEXT", int: "an INTEGER", float: "a REAL", type(None): "NULL"}
"""What else SQLite may hold where a BLOB belongs, by its type in Python."""


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
    if keep is not None and keep.exists() and (not keep.is_file() or keep.stat().st_size):
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
    if why := trouble(keep):
        raise errors.DocumentsError(path=keep.name, reason=why)
    uri = f"{keep.as_uri()}?mode=rw"
    count = 0

    def too_much() -> bool:
        nonlocal count
        count += 1
        return count > _MOST

    try:
        with closing(sqlite3.connect(uri, uri=True, timeout=5, isolation_level=None)) as database:
            # What a file says is not to be run, nor to be believed; see https://sqlite.org/security.html
            database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 2 * MAX_DOCUMENT)
            database.set_progress_handler(too_much, _STEPS)
            for pragma in ("trusted_schema = OFF", "cell_size_check = ON", "mmap_size = 0", "synchronous = FULL"):
                database.execute(f"PRAGMA {pragma}")
            if keep.stat().st_size:
                _check(database, keep)
            yield database  # closing it rolls back what was not committed
    except (sqlite3.Error, sqlite3.Warning, OSError) as e:
        endless = count > _MOST and "interrupted" in str(e)
        reason = "reading it takes far longer than documents need: it is damaged, or made to" if endless else str(e)
        raise errors.DocumentsError(path=keep.name, reason=reason) from e


def _check(database: sqlite3.Connection, keep: Path) -> None:
    """Raises DocumentsError for a file that is not as ``_create`` made it: a view or a trigger could do anything."""
    if database.execute("PRAGMA application_id").fetchone()[0] != APPLICATION:
        raise errors.DocumentsError(path=keep.name, reason="it is a file of something else. Choose another name")
    found = database.execute("SELECT type, name, sql FROM sqlite_schema LIMIT ?", (_OTHERS,)).fetchall()
    ours = {name: sql for kind, name, sql in found if kind == "table"}
    strange = [f"a {kind}, {str(name)[:40]!r}" for kind, name, _ in found if kind not in ("table", "index")]
    strange += [f"a table {name!r} of another kind" for name, sql in _TABLES.items() if ours.get(name) != sql]
    if len(found) == _OTHERS:
        strange.append(f"{_OTHERS:,} tables and indexes")
    if strange:
        raise errors.DocumentsError(
            path=keep.name, reason=f"it has {strange[0]}, which no file of ours has. Choose another name"
        )


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
    query = "SELECT collection, id, body FROM document ORDER BY number LIMIT ?"
    try:
        for count, (collection, key, body) in enumerate(database.execute(query, (MAX_DOCUMENTS + 1,))):
            if not isinstance(collection, str) or not isinstance(key, str):
                raise ValueError("the name of a collection or an id is not a text")
            if not isinstance(body, bytes):
                raise ValueError(f"{key} in {collection} is not a BLOB of JSON, but {_KINDS[type(body)]}")
            document = parse(body)
            if not isinstance(document, dict):
                raise ValueError(f"{key} in {collection} is not an object")
            if count == MAX_DOCUMENTS:
                raise ValueError(f"it has more than {MAX_DOCUMENTS:,} documents")
            own: Any = document.get("id")
            documents.put(collection, own if key_of(own) == key else as_id(key, uuid=False), body)
    except (Problem, ValueError) as e:  # another program has written to the file
        raise errors.DocumentsError(path=keep.name, reason=e) from e
    except sqlite3.OperationalError as e:
        if "Could not decode" not in str(e):
            raise
        raise errors.DocumentsError(path=keep.name, reason="a text in it is not UTF-8") from e
    changes: tuple[object] | None = database.execute("SELECT count FROM changes").fetchone()
    if changes is None or not isinstance(changes[0], int):
        raise errors.DocumentsError(path=keep.name, reason="it does not say how often it was changed")
    return changes[0]


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
    identifier: Any = item.get("id", default_id)
    key = key_of(identifier)
    if key is None or key in documents.all(name):
        raise ValueError(
            f'in "{name}", the id {identifier!r} ' + ("is there twice" if key else "is not a text or a number")
        )
    documents.put(name, identifier, with_id(item, identifier))
