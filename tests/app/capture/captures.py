"""Captures and batches for the tests of this folder."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from app import events
from app.capture.writing.file import CaptureFile

SERVICES = [("echo", "tcp")]
LIMIT = 1_000_000_000


def event(payload: bytes | None = b"x", kind: int = events.DATA_RECEIVED, conn: int = 0, **more: Any) -> list[Any]:
    """The values of one event of the first service, as they stand in a batch."""
    detail = json.dumps(more["detail"]) if "detail" in more else None
    return [more.get("time", 10**18), kind, 1, conn, more.get("size"), payload, more.get("summary"), detail]


def opened(conn: int, peer: str = "127.0.0.1:5", **more: Any) -> list[Any]:
    detail = {"peer": peer, "host": "127.0.0.1:9007"}
    return event(None, events.CONNECTION_OPENED, conn, summary="accepted", detail=detail, **more)


def closed(conn: int, **more: Any) -> list[Any]:
    detail = {"reason": "closed by the peer", "received": 1, "sent": 2, "unsent": 0, "seconds": 1.0}
    return event(None, events.CONNECTION_CLOSED, conn, summary="closed", detail=detail, **more)


def batch(sequence: int, *rows: list[Any], services: Any = SERVICES) -> Any:
    return sequence, services, [value for row in rows for value in row]


def make(path: Path, *rows: list[Any], run: str = "run", limit: int = LIMIT) -> Path:
    """A finished capture of one batch."""
    file = CaptureFile(path, run, limit)
    file.store(batch(file.sequence + 1, *rows))
    file.close()
    return path


def read(path: Path, sql: str, *values: Any) -> list[Any]:
    """The rows of a query on the capture, as any SQLite tool would read it."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True)) as db:
        return db.execute(sql, values).fetchall()


def payloads(path: Path) -> list[bytes | None]:
    return [payload for (payload,) in read(path, "SELECT payload FROM event ORDER BY id")]


def is_sound(path: Path) -> bool:
    """Whether SQLite finds it whole, and its ids have no gaps."""
    [(result,)] = read(path, "PRAGMA integrity_check")
    [(first, last, count)] = read(path, "SELECT ifnull(min(id), 1), ifnull(max(id), 0), count(*) FROM event")
    return bool(result == "ok" and last - first + 1 == count)
