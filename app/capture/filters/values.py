"""From a field, an operator and a typed value to an SQL condition with bound values."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from app import events
from app.capture.filters.fields import Field
from app.capture.filters.sql import Filter, contains_text, in_payload, of_payload
from app.http.frames import stream_of
from app.text import errors, patterns
from app.text import escapes as text

_SCALES = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}
_NUMBER = re.compile(r"(-?\d+(?:\.\d+)?)([kmg]?)b?", re.IGNORECASE)
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d{1,9})?))?")
_AGO = re.compile(r"-(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400}
_HEX = re.compile(r"(?:0x)?((?:[0-9a-f]{2})+)", re.IGNORECASE)

_SQL_OPERATORS = {"==": "=", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}

MAX_LOOKED_AT = 1 << 20
"""Bytes at the beginning of a payload that are searched with a regular expression."""


MAX_KNOWN = 10_000
"""Values of payloads that many events have which are remembered; a value is short."""


class WrongValueError(Exception):
    """A value that does not fit its field; the text says which values do."""


def compare(field: Field, operator: str, value: tuple[str, bool]) -> Filter:
    """The condition ``field operator value``; ``value`` is the text, and whether it was in quotes."""
    typed, quoted = value
    sql = _SQL_OPERATORS[operator]
    if field.type == "time":
        return _compare_time(sql, typed)
    if field.type == "number":
        return Filter(f"{field.sql} {sql} ?", (_number(field, typed),))
    if field.type == "kind":
        codes = _kinds(typed)
        among = ", ".join(map(str, codes))
        if operator not in ("==", "!="):
            raise WrongValueError("a kind can be ==, !=, in {…}, contains or matches")
        return Filter(f"kind {'NOT ' if operator == '!=' else ''}IN ({among})")
    if field.type == "bytes":
        return of_payload(f"{field.sql} {sql} ?", _bytes(typed, quoted))
    if field.type == "address" and operator in ("==", "!="):
        # A whole address, or one without its port.
        found = f"({field.sql} = ? OR rtrim({field.sql}, '0123456789') IN (? || ':', '[' || ? || ']:'))"
        return Filter(found if operator == "==" else f"NOT {found}", (typed, typed, typed))
    wanted = _text(typed)
    if not wanted.isascii() and operator in ("==", "!="):
        return Filter(f"post_folded({field.sql}) {sql} ?", (wanted.casefold(),))  # NOCASE knows ASCII only
    return Filter(f"{field.sql} {sql} ? COLLATE NOCASE", (wanted,))


def contains(field: Field, typed: str, quoted: bool) -> Filter:
    if field.type == "bytes":
        return in_payload(_bytes(typed, quoted))
    if field.type == "kind":
        return _kinds_whose(lambda name: typed.lower() in name)
    if field.type == "time":
        raise WrongValueError("a time can be compared with == != < <= > >=")
    return contains_text(field.sql, _text(typed))


def matches(field: Field, typed: str, token: str) -> Filter:
    """The condition that ``field`` matches an expression; for the token REGEX, ``typed`` has the slashes and flags."""
    pattern = typed
    if token == "REGEX":
        inside, _, flags = typed[1:].rpartition("/")
        pattern = ("(?i)" if flags else "") + inside.replace(r"\/", "/")
    if wrong := patterns.problem(pattern, utf8=field.type != "bytes"):
        raise WrongValueError(f"the expression {wrong}")
    if field.type == "kind":
        return _kinds_whose(lambda name: search(pattern, name) == 1)
    if field.type == "time":
        raise WrongValueError("a time can be compared with == != < <= > >=")
    found = f"post_matches(?, {field.sql})"
    return of_payload(found, pattern) if field.type == "bytes" else Filter(found, (pattern,))


# -- regular expressions


def search(pattern: str, value: Any) -> int | None:
    """The SQL function ``post_matches``: 1 or 0; NULL where the value is NULL."""
    if value is None:
        return None
    is_text = not isinstance(value, bytes)
    data = str(value).encode("utf-8", "replace") if is_text else value
    return int(patterns.regex(pattern, utf8=is_text).found_in(data[:MAX_LOOKED_AT]))


def folded(value: Any) -> str | None:
    """The SQL function ``post_folded``: a text in which small and capital letters are the same."""
    return None if value is None else str(value).casefold()


def header_lines(fields: str | None) -> str | None:
    """The SQL function ``post_headers``: headers, a JSON list of pairs, as a text to search in.

    It looks like JSON without its escapes. A value that came as UTF-8 is that text, any other is Latin-1.
    """
    if fields is None:
        return None
    try:
        pairs = json.loads(fields)
        return "[" + ",".join(f'["{_as_sent(name)}","{_as_sent(value)}"]' for name, value in pairs) + "]"
    except (ValueError, TypeError, RecursionError):
        return fields  # not what the program writes


def _as_sent(text: str) -> str:
    """``text``, in which each character stands for a byte, as it was meant (RFC 9110 section 5.5)."""
    if text.isascii():
        return text
    try:
        return text.encode("latin-1").decode()
    except UnicodeError:
        return text


def add_functions(db: sqlite3.Connection) -> None:
    """Make known to a database what the conditions call."""
    db.create_function("post_matches", 2, search, deterministic=True)
    db.create_function("post_folded", 1, folded, deterministic=True)
    db.create_function("post_headers", 1, header_lines, deterministic=True)
    db.create_function("post_stream", 1, stream_of, deterministic=True)
    known: dict[tuple[Any, int], Any] = {}

    def learn(event: Any, key: int, value: Any) -> Any:
        if len(known) >= MAX_KNOWN:
            known.clear()
        known[event, key] = value
        return value

    db.create_function("post_recall", 2, lambda event, key: known.get((event, key)))
    db.create_function("post_learn", 3, learn)


# -- values


def _number(field: Field, typed: str) -> float | int:
    match = _NUMBER.fullmatch(typed)
    if not match:
        raise WrongValueError(f"{field.name} is a number, as in {field.name} > 100")
    number = float(match[1]) * _SCALES[match[2].lower()]
    # SQLite keeps 64 bits; beyond them only the order counts.
    return int(number) if number.is_integer() and abs(number) < 2**63 else number


def _compare_time(sql: str, typed: str) -> Filter:
    if ago := _AGO.fullmatch(typed):
        return Filter(
            f"time {sql} ?", (_bounded(time.time_ns() - int(min(float(ago[1]) * _UNITS[ago[2]] * 1e9, 1e30))),)
        )
    if clock := _CLOCK.fullmatch(typed):
        hours, minutes, seconds = int(clock[1]), int(clock[2]), float(clock[3] or 0)
        if hours > 23 or minutes > 59 or seconds >= 60:
            raise WrongValueError(f"{typed} is not a time of day")
        of_day = ((hours * 60 + minutes) * 60) * 10**9 + round(seconds * 1e9)
        # The time of day of any day, in local time, as the log shows it.
        local = "(strftime('%s', time / 1000000000, 'unixepoch', 'localtime') % 86400 * 1000000000 + time % 1000000000)"
        return Filter(f"{local} {sql} ?", (of_day,))
    try:
        moment = datetime.fromisoformat(typed)
        return Filter(f"time {sql} ?", (_bounded(int(moment.astimezone().timestamp() * 1e6) * 1000),))
    except (ValueError, OverflowError, OSError) as e:
        raise WrongValueError("a time is written 12:03:00, 2026-11-20T12:03:00, or -5m for five minutes ago") from e


def _bounded(number: int) -> int:
    return max(-(2**63), min(number, 2**63 - 1))


def _kinds(typed: str) -> list[int]:
    found = [code for code, name in events.NAMES.items() if name == typed.lower()]
    if not found:
        names = ", ".join(events.NAMES.values())
        raise WrongValueError(f"there is no kind “{typed}”. Use one of {names}")
    return found


def _kinds_whose(fits: Callable[[str], bool]) -> Filter:
    """Events of the kinds whose name ``fits``."""
    return Filter(f"kind IN ({', '.join(str(code) for code, name in events.NAMES.items() if fits(name))})")


def _text(typed: str) -> str:
    try:
        return text.unescape(typed).decode("utf-8", "replace")
    except errors.EscapeError:
        return typed


def _bytes(typed: str, quoted: bool) -> bytes:
    if not quoted and (digits := _HEX.fullmatch(typed)):
        return bytes.fromhex(digits[1])
    try:
        return text.unescape(typed)
    except errors.EscapeError:
        return typed.encode("utf-8", "replace")
