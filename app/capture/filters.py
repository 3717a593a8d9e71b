"""Which events to show: a condition on the ``event`` table, with its parameters bound."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app import errors, text


@dataclass(frozen=True, slots=True)
class Filter:
    """An SQL condition and the values for its question marks. What a user types is only ever a value."""

    sql: str = "1"
    values: tuple[str | bytes | int, ...] = ()

    def __and__(self, other: Filter) -> Filter:
        if self == EVERYTHING:
            return other
        if other == EVERYTHING:
            return self
        return Filter(f"({self.sql}) AND ({other.sql})", self.values + other.values)


EVERYTHING = Filter()


def parse(typed: str) -> Filter:
    """The filter for what was typed: a substring of the summary or of the payload.

    Small and capital ASCII letters count as the same. Escapes as in ``\\x00`` mean the byte.
    """
    typed = typed.strip()
    if not typed:
        return EVERYTHING
    literal = typed.encode("utf-8", "replace")
    try:
        raw = text.unescape(typed)
    except errors.EscapeError:
        raw = literal
    in_payload, needle = "instr(CAST(lower(payload) AS BLOB), ?)", raw.lower()
    values: tuple[str | bytes, ...] = (needle,)
    if raw.isascii() and b"\0" not in raw:
        # LIKE takes half the time, but stops at a zero byte.
        in_payload = f"CASE WHEN zero THEN {in_payload} ELSE CAST(payload AS TEXT) LIKE ? ESCAPE char(92) END"
        values = (needle, "%" + re.sub(r"([%_\\])", r"\\\1", raw.decode()) + "%")
    # lower() and instr() go past zero bytes. As blobs, because bytes that are not UTF-8 have to
    # be found, too. Both lower() change ASCII only, so they meet.
    return Filter(
        f"{in_payload} OR (summary IS NOT NULL AND instr(CAST(lower(summary) AS BLOB), ?))",
        (*values, literal.lower()),
    )


def of_service(name: str) -> Filter:
    """The events of the services that have, or had, this name."""
    return Filter("service IN (SELECT id FROM service WHERE name = ?)", (name,))


def of_kind(kind: int) -> Filter:
    # Spelled out, since a bound value could not be served by the index of failures.
    return Filter(f"kind = {int(kind)}")
