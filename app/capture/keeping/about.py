"""Facts about a capture that need no reading of its events: for opening it, and for finding one after a crash."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from app import events
from app.capture import schema, untrusted
from app.capture.reading import losses, values
from app.capture.reading.appearing import is_open
from app.capture.reading.losses import Lost

_FAILURES = ", ".join(map(str, sorted(events.FAILURES)))


@dataclass(frozen=True, slots=True)
class About:
    """What is known of a capture at one moment.

    Attributes:
        created: RFC 3339, empty where it is not known.
        closed: when it was closed, in ns since 1970; 0 if it was not; None where that is not known.
        live: whether a program is writing to it.
        changed: what a saved copy lacks, in words; empty for other captures.
        first, last: ids of its oldest and newest event.
        dropped: events that the size limit has removed.
        left_open: connections that were not closed.
        bytes: the size of the file and its log.
        lost: the events that happened and are not in it.
    """

    path: Path
    created: str
    program: str
    closed: int | None
    live: bool
    changed: str
    first: int
    last: int
    dropped: int
    services: tuple[str, ...]
    failures: int
    left_open: int
    bytes: int
    lost: Lost

    @property
    def cut_off(self) -> bool:
        """Whether the program that wrote the capture ended without closing it."""
        return self.closed == 0 and not self.live


_SERVICES = "SELECT substr(name, 1, 200) FROM service GROUP BY name ORDER BY min(id) LIMIT 200"


def about(path: Path) -> About:
    """Read the facts. Blocks. Raises the errors of :func:`app.capture.schema.open_for_reading`."""
    held = is_open(path)
    with closing(schema.open_for_reading(path)) as db:
        try:
            meta = schema.meta(db)
            first, last = db.execute(schema.RANGE).fetchone()
            services = db.execute(_SERVICES).fetchall()
            failures = f"SELECT count(*) FROM event WHERE kind IN ({_FAILURES})"  # noqa: S608
            return About(
                path, meta.get("created", ""), meta.get("program", ""), meta.get("closed"),
                meta.get("closed") == 0 and held, meta.get("changed", ""), first, last, meta.get("dropped", 0),
                tuple(values.words(name) or "" for (name,) in services), db.execute(failures).fetchone()[0],
                db.execute("SELECT count(*) FROM connection WHERE closed IS NULL").fetchone()[0], size_of(path),
                losses.lost(losses.Opened(db)),
            )  # fmt: skip
        except sqlite3.Error as e:
            raise untrusted.in_words(e, path) from e


size_of = untrusted.file_size
