"""Capture files: their pages changed in any way."""

from __future__ import annotations

import sqlite3
import tempfile
from array import array
from collections.abc import Callable
from contextlib import closing
from functools import cache
from io import BytesIO
from pathlib import Path
from random import Random
from unittest.mock import patch

from app.capture import untrusted
from app.capture.errors import CaptureError
from app.capture.filters import language
from app.capture.filters.sql import EVERYTHING
from app.capture.keeping.about import about
from app.capture.keeping.saving import save
from app.capture.keeping.wanted import Saving
from app.capture.reading import conversations, exchange_rows, groups, losses, streams
from app.capture.reading.exchange_at import exchange_at
from app.capture.reading.store import Store
from app.commands.printing import output
from app.exports import formats
from app.exports.selection import Selection
from app.files.errors import UnwritableError
from tests.app.capture.hostile import sound
from tests.fuzz.engine import Target


@cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="listening-post-fuzz-"))


def _seed(page_size: int) -> bytes:
    """A capture with pages so small that most of its bytes mean something."""
    path = sound(_folder() / f"{page_size}.lpost")
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for statement in ("journal_mode = DELETE", f"page_size = {page_size}"):
            db.execute(f"PRAGMA {statement}")
        db.execute("VACUUM")
    return path.read_bytes()


def check(data: bytes, random: Random) -> None:
    """Whatever reads a capture reads it, or raises an error in words."""
    path = _folder() / "x.lpost"
    for end in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + end).unlink(missing_ok=True)
    path.write_bytes(data)
    with patch.multiple(untrusted, STEPS=2_000_000, STEPS_PER_BYTE=1):
        for reading in _READINGS:
            try:
                reading(path)
            except (CaptureError, UnwritableError):
                continue


def _read(path: Path) -> None:
    with closing(Store(path)) as store:
        first, last = store.range()
        ids = array("q", range(first, min(last, first + 15) + 1))
        for row in store.rows(ids):
            assert output.line(row).isprintable()
        for id in ids:
            store.event(id)
            exchange_at(store, id)


def _scan(path: Path) -> None:
    with closing(Store(path)) as store:
        first, last = store.range()
        store.count(language.parse("size >= 0 and http.status == 200"))
        exchange_rows.rows(store, exchange_rows.matches(store, EVERYTHING, first, last)[0])
        losses.lost(store, language.parse("time > -5m"))


def _tables(path: Path) -> None:
    with closing(Store(path)) as store:
        conversations.rows(store, conversations.ids(store, EVERYTHING))
        groups.groups(store)


def _streams(path: Path) -> None:
    with closing(Store(path)) as store:
        streams.about(store, 1)
        for form in (streams.BYTES, streams.EXCHANGES, streams.MESSAGES):
            streams.Stream(1, 1, form).read(store)


def _exports(path: Path) -> None:
    with closing(Store(path)) as store:
        for name in formats.names():
            exporter = formats.find(name)
            assert exporter is not None
            Selection(store, exporter).write(BytesIO())


def _saves(path: Path) -> None:
    target = path.with_name("copy.lpost")
    save(path, target)
    save(path, target, Saving(language.parse("size > 0"), payloads=False, redacted=True, patterns=("x+",)))


_READINGS: tuple[Callable[[Path], object], ...] = (about, _read, _scan, _tables, _streams, _exports, _saves)

TARGETS = [
    Target(
        "captures",
        [_seed(512), _seed(4096)],
        check,
        [b"CREATE VIEW stored AS ", b"CREATE TABLE ", b"INTEGER", b"table", b"stored", b"meta", b"\x05", b"\x0d",
        b"\x0a", b"\x02", b"\xff" * 9, b'{"a":' * 50, b"[" * 300,
         b"SQLite format 3\0", b"TEXT PRIMARY KEY", b"'", b'"', b"\0" * 20],
    )
]  # fmt: skip
