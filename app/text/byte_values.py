"""Bytes read as numbers and times, and written as source code."""

from __future__ import annotations

import struct
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

VALUES = (
    "uint 8", "int 8", "uint 16", "int 16", "uint 32", "int 32", "uint 64", "int 64", "float 32", "float 64",
    "time 32", "time 64", "float 16",
)  # fmt: skip
"""What ``read`` can read. Times are Unix times in UTC: of 32 bits in
seconds, of 64 in whichever of s, ms, µs and ns makes a time of our days of it."""

_CODES = {
    "uint 8": "B", "int 8": "b", "uint 16": "H", "int 16": "h", "uint 32": "I", "int 32": "i", "uint 64": "Q",
    "int 64": "q", "float 16": "e", "float 32": "f", "float 64": "d", "time 32": "I", "time 64": "q",
}  # fmt: skip

_BEGIN = datetime(1970, 1, 1, tzinfo=UTC)
_PER_SECOND = (1, 10**3, 10**6, 10**9)
_YEARS = (1_000_000_000 - 365 * 86_400 * 20, 4_102_444_800)
"""1981 to 2100, in s: outside of it, a number is not taken for a time."""


def read(data: bytes, name: str, *, little: bool) -> str | None:
    """The first bytes of ``data`` as one of ``VALUES``, in words; None where there are too few, or no time."""
    code = ("<" if little else ">") + _CODES[name]
    size = struct.calcsize(code)
    if len(data) < size:
        return None
    (value,) = struct.unpack(code, data[:size])
    if name == "time 32":
        return _time(value, 1)
    if name == "time 64":
        return next((_time(value, per) for per in _PER_SECOND if _YEARS[0] <= value / per < _YEARS[1]), None)
    if name.startswith("float"):
        digits = {"float 16": 4, "float 32": 8, "float 64": 13}[name]
        return f"{value:.{digits}g}"
    return str(value)


def _time(value: int, per: int) -> str:
    seconds, rest = divmod(value, per)
    fraction = f".{rest * 1000 // per:03}" if per > 1 else ""
    return f"{_BEGIN + timedelta(seconds=seconds):%Y-%m-%d %H:%M:%S}{fraction}"


def as_c(data: bytes) -> str:
    """An array in C, twelve bytes to a line."""
    rows = (data[i : i + 12] for i in range(0, len(data), 12))
    lines = "".join("    " + " ".join(f"0x{byte:02x}," for byte in row) + "\n" for row in rows)
    return f"const unsigned char data[{len(data)}] = {{\n{lines}}};\n"


def as_python(data: bytes) -> str:
    """A bytes literal of Python."""
    return repr(data)


def as_base64(data: bytes) -> str:
    return b64encode(data).decode("ascii")


SOURCES: tuple[tuple[str, Callable[[bytes], str]], ...] = (
    ("Copy as &C array", as_c),
    ("Copy as &Python bytes", as_python),
    ("Copy as &Base64", as_base64),
)
