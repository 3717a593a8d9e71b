"""JSON by RFC 8259, within bounds. NaN, members with one name and the like, which Python accepts, are refused."""

from __future__ import annotations

import json
import math
import re
from codecs import BOM_UTF8
from collections.abc import Sequence
from typing import Any

MAX_DEPTH = 100
"""Arrays and objects within each other."""


class Number(float):
    """A number that knows how it was written; one beyond a double's range is infinite.

    Attributes:
        text: as ``1.10``, ``1e3`` or ``1E400``.
    """

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> Number:
        number = super().__new__(cls, text)
        number.text = text
        return number


def parse(text: bytes, *, exact: bool = False) -> Any:
    """The value of the JSON ``text``; ``exact``: with a ``Number`` for each that Python would write otherwise.

    Raises ValueError, in words.
    """
    if text.startswith(BOM_UTF8):
        raise ValueError("it begins with a byte order mark (EF BB BF), which JSON does not have")
    try:
        value = (_decode_exactly if exact else _decode)(text.decode())
    except UnicodeDecodeError as e:
        raise ValueError(f"byte {e.start} is not UTF-8") from e
    except json.JSONDecodeError as e:
        raise ValueError(f"{e.msg} in line {e.lineno}, column {e.colno}") from e
    except RecursionError as e:
        raise ValueError(_TOO_DEEP) from e
    if text.count(b"[") + text.count(b"{") > MAX_DEPTH and not _shallow(value):
        raise ValueError(_TOO_DEEP)
    return value


def written(value: Any) -> bytes:
    """``value`` without white space. Raises ValueError for half a surrogate pair, which no UTF-8 can hold."""
    try:
        return _encode(value).encode()
    except UnicodeEncodeError as e:
        raise ValueError("an escape like \\ud800 stands alone; it is half of a character") from e


def as_written(value: Any) -> bytes:
    """As ``written``, each ``Number`` as its text, and half a surrogate pair as its escape. Raises nothing."""
    return _as_written(value).encode("utf-8")


def _as_written(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{_as_written(name)}:{_as_written(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_as_written, value)) + "]"
    if isinstance(value, Number):
        return value.text
    if isinstance(value, str) and _SURROGATE.search(value):
        return json.dumps(value)
    return str(_encode(value))


MISSING = object()

_INDEX = re.compile(r"[0-9]{1,9}")


def member(value: Any, path: Sequence[str]) -> Any:
    """The value at ``path``, names of members and indexes of elements, in ``value``; or ``MISSING``."""
    for name in path:
        if isinstance(value, dict) and name in value:
            value = value[name]
        elif isinstance(value, list) and _INDEX.fullmatch(name) and int(name) < len(value):
            value = value[int(name)]
        else:
            return MISSING
    return value


_TOO_DEEP = f"arrays and objects are more than {MAX_DEPTH} deep"


def _shallow(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [item for item in level if isinstance(item, dict | list)]
        if not level:
            return True
        level = [inner for item in level for inner in (item.values() if isinstance(item, dict) else item)]
    return False


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in found if names.count(name) > 1)
        raise ValueError(f"{json.dumps(twice)} is there twice in one object")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:40]} is larger than any number here")
    return number


def _whole(text: str) -> int:
    if len(text) > 1000:
        raise ValueError("a number has more than 1,000 digits")
    return int(text)


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _whole_exactly(text: str) -> int | Number:
    return Number(text) if len(text) > 1000 or text == "-0" else int(text)


_SURROGATE = re.compile("[\ud800-\udfff]")
_decode = json.JSONDecoder(
    parse_constant=_refuse, parse_float=_finite, parse_int=_whole, object_pairs_hook=_unique
).decode
_decode_exactly = json.JSONDecoder(
    parse_constant=_refuse, parse_float=Number, parse_int=_whole_exactly, object_pairs_hook=_unique
).decode
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
