"""Whether a console's capture holds what the captures of its outposts hold, each event once."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

_EVENTS = """
SELECT s.name, e.time, k.name, e.size, e.summary, e.detail, e.payload
FROM event e LEFT JOIN service s ON s.id = e.service JOIN kind k ON k.code = e.kind
"""


def events_of(path: Path) -> Counter[tuple[Any, ...]]:
    """The events of an outpost's capture."""
    return Counter(_rows(path, "", ()))


def events_at(console: Path, outpost: str) -> Counter[tuple[Any, ...]]:
    """The events of one outpost in a console's capture, as the outpost has them."""
    where = "WHERE s.outpost = ? AND k.name NOT IN ('outpost.connected', 'outpost.lost', 'outpost.gap')"
    rows = _rows(console, where, (outpost,))
    return Counter((name.removeprefix(outpost).removeprefix("/") or None, *rest) for name, *rest in rows)


def _rows(path: Path, where: str, values: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        yield from db.execute(_EVENTS + where, values)
