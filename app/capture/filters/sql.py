"""SQL conditions on the ``event`` view with bound values, of which filters are made."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from app import events
from app.text import errors
from app.text import escapes as text


@dataclass(frozen=True, slots=True)
class Filter:
    """An SQL condition and the values for its question marks. Text that users type is always a value."""

    sql: str = "1"
    values: tuple[str | bytes | int | float, ...] = ()

    def __and__(self, other: Filter) -> Filter:
        if self == EVERYTHING:
            return other
        if other == EVERYTHING:
            return self
        return Filter(f"({self.sql}) AND ({other.sql})", self.values + other.values)


EVERYTHING = Filter()


def substring(typed: str, among: Callable[[Filter], Filter] = lambda inside: inside) -> Filter:
    """Events whose summary or payload contains a text; ``among`` makes a condition on payloads one on what is filtered.

    Small and capital ASCII letters count as the same. Escapes as in ``\\x00`` mean the byte.
    """
    literal = typed.encode("utf-8", "replace")
    try:
        raw = text.unescape(typed)
    except errors.EscapeError:
        raw = literal
    payload = among(in_payload(raw))
    # As blobs, so that bytes that are not UTF-8 are found, too. lower() of SQL and of bytes both
    # change ASCII only.
    return Filter(
        f"{payload.sql} OR (summary IS NOT NULL AND instr(CAST(lower(summary) AS BLOB), ?))",
        (*payload.values, literal.lower()),
    )


def once_for_all(sql: str, key: str, of: str = "") -> str:
    """SQL for the same value of ``payload`` that is worked out once for all events that have the same bytes.

    Bytes that are passed on are stored once, and may be large: without this, they would be read and searched for each
    event. ``key`` is SQL for a number that no other ``sql`` has, or a question mark. Those of ``sql`` are there twice,
    after two of the key's. ``of`` is the table's name and a dot.
    """
    learned = f"ifnull(post_recall({of}same, {key}), post_learn({of}same, {key}, {sql}))"
    return f"CASE WHEN {of}same THEN {learned} ELSE {sql} END"


def of_payload(sql: str, *values: Any) -> Filter:
    """The condition ``sql`` on ``payload``, worked out once for all events that have the same bytes."""
    import hashlib  # not at the top: it loads OpenSSL, and the capture's writer, which imports us, begins without it

    key = int.from_bytes(hashlib.blake2b(repr((sql, values)).encode(), digest_size=7).digest())
    return Filter(once_for_all(f"({sql})", "?"), (key, key, *values, *values))


def in_payload(raw: bytes) -> Filter:
    """Events whose payload contains these bytes; small and capital ASCII letters count as the same."""
    sql, needle = "instr(CAST(lower(payload) AS BLOB), ?)", raw.lower()
    if raw.isascii() and b"\0" not in raw:
        # LIKE takes half the time, but stops at a zero byte; lower() and instr() go past it.
        sql = f"CASE WHEN zero THEN {sql} ELSE CAST(payload AS TEXT) LIKE ? ESCAPE char(92) END"
        return of_payload(sql, needle, _like(raw.decode()))
    return of_payload(sql, needle)


def contains_text(expression: str, typed: str) -> Filter:
    """Rows for which the text ``expression``, of SQL, contains ``typed``."""
    if not typed.isascii():
        return Filter(f"instr(post_folded({expression}), ?)", (typed.casefold(),))  # LIKE knows ASCII only
    if "\0" in typed:
        return Filter(f"instr(lower({expression}), ?)", (typed.lower(),))
    return Filter(f"{expression} LIKE ? ESCAPE char(92)", (_like(typed),))


def _like(text: str) -> str:
    return "%" + re.sub(r"([%_\\])", r"\\\1", text) + "%"


def among(column: str, numbers: Iterable[int]) -> Filter:
    """Rows whose ``column``, an SQL expression of ours, is one of these."""
    return Filter(f"{column} IN (SELECT value FROM json_each(?))", (json.dumps(list(numbers)),))  # noqa: S608


def of_service(name: str) -> Filter:
    """The events of all services that the capture knows by this name."""
    return Filter("service IN (SELECT id FROM service WHERE name = ?)", (name,))


def of_program(name: str) -> Filter:
    """The events of a hosted program and of its ports, which are called ``name/port``."""
    return Filter(
        "service IN (SELECT id FROM service WHERE name = ? OR substr(name, 1, ?) = ?)",
        (name, len(name) + 1, f"{name}/"),
    )


_OF_NONE = "(SELECT i.watch FROM connection AS i WHERE i.id = {}) IS NULL"

WITHOUT_CHECKS = Filter(
    f"kind <> {events.WATCH_CHECKED} AND (conn IS NULL OR kind IN ({events.WATCH_FAILED}, {events.WATCH_RECOVERED})"
    f" OR {_OF_NONE.format('conn')})"
)
"""Events without those of checks: what passed for one on either side, and what it found. Changes of state stay.

For captures of this build alone: those of earlier ones do not know, and have no checks.
"""

CONNECTIONS_WITHOUT_CHECKS = Filter(_OF_NONE.format("event.id"))
"""The same for connections."""


def of_kind(*kinds: int) -> Filter:
    # Spelled out, since a bound value could not be served by the indexes of failures.
    if len(kinds) == 1:
        return Filter(f"kind = {int(kinds[0])}")
    return Filter(f"kind IN ({', '.join(str(int(kind)) for kind in sorted(kinds))})")
