"""Events that happened and are not in a capture: how many, when and why, as its events ``events.lost`` say."""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from app import events
from app.capture import schema
from app.capture.filters.sql import EVERYTHING, Filter
from app.capture.reading import values
from app.capture.reading.store import CHUNK

FILTER = "kind == events.lost"
"""What shows the events that tell of losses."""

MAX_REASONS = 5
"""Different reasons that are told."""

MAX_EACH = 1000
"""Losses that are told apart."""

NEAR = 60 * 10**9
"""Nanoseconds."""

_MAX_DETAIL = 2000

_TOLD = f"""
SELECT json_group_array(json_array(id, CAST(time AS INTEGER), substr(CAST(detail AS TEXT), 1, ?))) FROM event
WHERE id BETWEEN ? AND ? AND kind = {events.LOST}
"""  # noqa: S608

# What was lost is known by its time alone: everything else of it is NULL, and a condition on it is not known.
_COULD_FIT = (
    "SELECT max(ifnull(({}), 1)) FROM (SELECT ? AS id, value AS time, NULL AS kind, NULL AS service, NULL AS conn,"
    " NULL AS size, NULL AS payload, NULL AS zero, NULL AS same, NULL AS summary, NULL AS detail, NULL AS answer"
    " FROM json_each(?)) AS event"
)


class Readable(Protocol):
    """A capture, as :class:`app.capture.reading.store.Store`."""

    def one(self, sql: str, values: Sequence[object] = ()) -> Any: ...

    def range(self) -> tuple[int, int]: ...


class Opened:
    """A capture that is open as a database. Lets the errors of ``sqlite3`` through."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def one(self, sql: str, values: Sequence[object] = ()) -> Any:
        return self._db.execute(sql, values).fetchone()

    def range(self) -> tuple[int, int]:
        first, last = self.one(schema.RANGE)
        return first, last


@dataclass(frozen=True, slots=True)
class Lost:
    """What a capture, or a part of it, lacks.

    Attributes:
        count: of events.
        since, until: between which times they happened, in ns since 1970; 0 where that is not known.
        why: the reasons, the first one first.
        told: ids of the events ``events.lost`` that say so.
    """

    count: int = 0
    since: int = 0
    until: int = 0
    why: tuple[str, ...] = ()
    told: array[int] = field(default_factory=lambda: array("q"))

    def __bool__(self) -> bool:
        return self.count > 0

    def in_words(self) -> str:
        """One sentence; empty where nothing is missing."""
        if not self.count:
            return ""
        what = "1 event that happened is" if self.count == 1 else f"{self.count:,} events that happened are"
        why = f": {'; '.join(self.why)}" if self.why else ""
        return f"{what} missing here{self._when()}{why}. See {FILTER}"

    def _when(self) -> str:
        if not self.since:
            return ""
        since, until = _second(self.since), _second(self.until)
        return f", of {since}" if since == until else f", from {since} to {until}"


def lost(store: Readable, where: Filter = EVERYTHING) -> Lost:
    """What is missing among the events that fit ``where``, as far as can be known.

    Of an event that was lost only its time is known. So a condition on the time tells which are meant;
    any other one might have fitted.
    """
    counted = count(store)
    if not counted:
        return Lost()
    total = _Sum()
    for id, time, detail in _told(store):
        one = _loss(id, time, detail)
        if where == EVERYTHING or _could_fit(store, where, one, time):
            total.add(one)
    # The size limit may have removed events that told of losses.
    if where == EVERYTHING and counted > total.count:
        total.count = counted
    return total.result()


def count(store: Readable) -> int:
    """How many events are missing, as the capture counts them; none in those of earlier builds."""
    known = store.one("SELECT value FROM meta WHERE key = 'lost'")
    return max(0, known[0]) if known and isinstance(known[0], int) else 0


def each(store: Readable) -> list[Lost]:
    """Each loss that is told of, oldest first; of many, the last ``MAX_EACH``."""
    return list(deque((_loss(*told) for told in _told(store)), MAX_EACH)) if count(store) else []


def around(losses: Iterable[Lost], since: int, until: int) -> Lost:
    """All of these that may have happened near a time, from ``NEAR`` before to ``NEAR`` after it."""
    total = _Sum()
    for one in losses:
        if one.since <= until + NEAR and one.until >= since - NEAR:
            total.add(one)
    return total.result()


def _told(store: Readable) -> Iterator[tuple[int, int, str]]:
    first, last = store.range()
    for start in range(first, last + 1, CHUNK):
        found = store.one(_TOLD, (_MAX_DETAIL, start, min(start + CHUNK - 1, last)))[0]
        for id, time, detail in sorted(json.loads(found), key=lambda row: row[0]):
            yield id, values.number(time) or 0, detail or ""


class _Sum:
    def __init__(self) -> None:
        self.count, self.since, self.until = 0, 0, 0
        self.why: list[str] = []
        self.told = array("q")

    def add(self, one: Lost) -> None:
        self.count += one.count
        self.since = min(self.since or one.since, one.since)
        self.until = max(self.until, one.until)
        self.told.extend(one.told)
        self.why += [why for why in one.why if why not in self.why and len(self.why) < MAX_REASONS]

    def result(self) -> Lost:
        return Lost(self.count, self.since, self.until, tuple(self.why), self.told)


def _loss(id: int, time: int, detail: str) -> Lost:
    """What one event tells; a file may hold anything."""
    told = values.decoded(detail)
    time = values.number(time) or 0
    count, why = told.get("count"), values.words(told.get("why"))
    since, until = _ns(told.get("from"), time), _ns(told.get("until"), time)
    number = count if isinstance(count, int) and count > 0 else 1
    return Lost(number, min(since, until), max(since, until), (why,) if why else (), array("q", [id]))


def _could_fit(store: Readable, where: Filter, one: Lost, time: int) -> bool:
    # A condition changes its mind only at the values that it compares with.
    given = [value for value in where.values if isinstance(value, int) and one.since < value < one.until]
    times = [one.since, one.until, time, *(value + step for value in given for step in (-1, 0, 1))]
    # In a row where all is NULL, this has to be not known either.
    unknown = where.sql.replace(" IS NOT NULL", " IS NULL")
    fits = store.one(_COULD_FIT.format(unknown), (*where.values, one.told[0], json.dumps(times)))
    return bool(fits[0])


def _ns(text: Any, otherwise: int) -> int:
    """Nanoseconds since 1970 of a time as ``rfc3339`` writes it."""
    try:
        seconds, _, fraction = str(text).rstrip("Z").partition(".")
        whole = int(datetime.fromisoformat(f"{seconds}+00:00").timestamp())
        return whole * 10**9 + int(fraction[:9].ljust(9, "0") or 0)
    except (ValueError, OverflowError):
        return otherwise


def _second(time: int) -> str:
    try:
        return f"{datetime.fromtimestamp(time // 10**9, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):
        return "a time that cannot be"
