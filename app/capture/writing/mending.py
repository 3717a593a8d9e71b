"""Mends the values of events that no capture can hold, so that they cost only themselves and not their whole batch."""

from __future__ import annotations

import json
from typing import Any

from app.capture.writing.batch import FIELDS, PAYLOAD

LARGEST = (1 << 63) - 1
"""The largest number that SQLite holds."""

LONGEST = 900_000_000
"""Bytes of the longest payload or text that SQLite holds, less some for the rest of the event."""

_SIZE, _SUMMARY, _DETAIL = 4, 6, 7


def mended(fields: list[Any]) -> list[Any]:
    """``fields`` of a batch with each value of peers and responders as SQLite holds it.

    A number that is too large becomes none, half a surrogate pair its escape, what is no text its description. A
    payload that is too long is cut. The size says what it was, where it is known.
    """
    fields = list(fields)
    for start in range(0, len(fields), FIELDS):
        size, payload = fields[start + _SIZE], fields[start + PAYLOAD]
        fields[start + _SIZE] = size if type(size) is int and 0 <= size <= LARGEST else None
        if isinstance(payload, bytes | bytearray | memoryview) and (
            type(payload) is not bytes or len(payload) > LONGEST
        ):
            fields[start + PAYLOAD] = bytes(payload[:LONGEST])
            fields[start + _SIZE] = len(payload)
        fields[start + _SUMMARY] = _text(fields[start + _SUMMARY])
        fields[start + _DETAIL] = _detail(fields[start + _DETAIL])
    return fields


def _text(value: Any) -> str | None:
    if value is None:
        return None
    # Not str(value): that would call a method of a subclass.
    words = "".join(value) if isinstance(value, str) else repr(value)
    return words[: LONGEST // 4].encode("utf-8", "backslashreplace").decode()


def _detail(value: Any) -> str | None:
    """JSON of an object in which all texts are whole."""
    if value is None:
        return None
    try:
        found = json.loads(value)
    except (TypeError, ValueError, RecursionError):
        found = value
    return _text(json.dumps(_whole(found if isinstance(found, dict) else {"text": _text(found)})))


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, dict):
        return {_text(name): _whole(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if type(value) is int and abs(value) > LARGEST:
        return LARGEST if value > 0 else -LARGEST
    return value
