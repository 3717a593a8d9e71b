"""Values of a capture as they are used: of the type that they are declared with, whoever made the file.

SQLite keeps text in a column of numbers, and JSON may hold anything. What does not fit is left out.
"""

from __future__ import annotations

import json
import math
from typing import Any

from app import events
from app.text import escapes as text

MAX_DEPTH = 100
"""Lists and objects inside of each other in a detail. Those of a failure with all its causes are half as many."""


def number(value: object) -> int | None:
    """An integer, or None."""
    return value if type(value) is int else None


def words(value: object) -> str | None:
    """One line in which every character shows, or None."""
    if type(value) is not str:
        return None if value is None else text.one_line(str(value))
    return value if value.isprintable() else text.one_line(value)


def payload(value: object) -> bytes | None:
    """Bytes, or None."""
    if type(value) is str:
        return value.encode("utf-8", "surrogateescape")
    return value if type(value) is bytes else None


def _finite(typed: str) -> float | None:
    found = float(typed)
    return found if math.isfinite(found) else None


_DECODER = json.JSONDecoder(parse_float=_finite, parse_constant=lambda _: None)


def decoded(written: object) -> dict[str, Any]:
    """The JSON object ``written``; an empty one for anything else."""
    if type(written) is not str or _depth(written) > MAX_DEPTH:
        return {}
    try:
        found = _DECODER.decode(written)
    except (ValueError, RecursionError):
        return {}
    return found if type(found) is dict else {}


def _depth(written: str) -> int:
    """At most how deep ``written`` is; exact where it would matter."""
    if written.count("[") + written.count("{") <= MAX_DEPTH:
        return 0
    depth = deepest = 0
    inside = escaped = False
    for character in written:
        if inside:
            inside, escaped = character != '"' or escaped, character == "\\" and not escaped
        elif character == '"':
            inside = True
        elif character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def detail(kind: int, written: object) -> dict[str, Any]:
    """The detail of an event of this kind, without the keys that have a value of another type than declared."""
    found = decoded(written)
    types = _TYPES.get(kind)
    if types:
        for key in [key for key, value in found.items() if key in types and not isinstance(value, types[key])]:
            del found[key]
    if "fields" in found and not _are_fields(found["fields"]):
        del found["fields"]
    for key in _NAMES & found.keys():
        if isinstance(found[key], list):
            found[key] = [item for item in found[key] if isinstance(item, str)]
    return found


def _types(declared: Any) -> Any:
    # JSON writes 1.0 as 1 where another program made it.
    return declared | int if declared is float else declared


_TYPES = {
    code: {key: _types(type) for key, type in {**kind.always, **kind.sometimes}.items()}
    for code, kind in events.KINDS.items()
}

_NAMES = {"offered", "alpn", "extensions", "openssl"}
"""Keys that hold lists of texts."""


def _are_fields(found: object) -> bool:
    """Whether it is a list of pairs of texts: names and values."""
    return isinstance(found, list) and all(
        isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str) and isinstance(pair[1], str)
        for pair in found
    )
