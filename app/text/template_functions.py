"""The functions and filters of templates.

A maker gets the words behind a name in a template, and returns what runs at each rendering.
Both raise WrongError, with a reason that goes before "at character N".
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from random import Random
from typing import Any, Literal, NamedTuple
from uuid import UUID

from app.text import checksums, errors
from app.text.checksums import Checksum
from app.text.escapes import unhex

MAX_OUTPUT = 1 << 20
"""Bytes that a template may render to."""

MAX_WORK = 4 << 20
"""Bytes that the filters and checksums of one rendering may go through; slow ones count four times."""

_MAX_NUMBER = 1 << 64


class WrongError(Exception):
    """The reason, in words."""


class Word(NamedTuple):
    """One word behind a name; a quoted one has had its escapes read."""

    data: bytes
    quoted: bool = False

    @property
    def text(self) -> str:
        return self.data.decode("utf-8", "replace")


@dataclass(slots=True)
class Rendering:
    """One rendering of a template, as far as it has come."""

    values: Mapping[str, object]
    time: float
    random: Random
    out: bytearray = field(default_factory=bytearray)
    work: int = 0

    def look_up(self, name: str) -> object:
        try:
            return self.values[name]
        except KeyError:
            known = ", ".join(self.values) or "none"
            raise WrongError(f"there is no value {name} here. Values are: {known}") from None

    def spend(self, data: bytes, weight: int = 1) -> bytes:
        self.work += len(data) * weight
        if len(data) > MAX_OUTPUT or self.work > MAX_WORK:
            raise WrongError("this is too much to work through in one template")
        return data


Producer = Callable[[Rendering], object]
Filter = Callable[[Rendering, object], object]


def as_bytes(value: object) -> bytes:
    """Bytes stay, text becomes UTF-8, nothing becomes nothing, all else is written as Python does."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "replace")
    if isinstance(value, bytearray | memoryview | Checksum):
        return bytes(value)
    return b"" if value is None else str(value).encode("utf-8", "replace")


def as_number(value: object) -> int:
    """A whole number, or what is written as one: 42, -1, 0x2a."""
    if isinstance(value, Checksum):
        return value.value
    if isinstance(value, int):
        return value
    text = as_bytes(value).strip()
    if len(text) > 100 or not re.fullmatch(rb"[+-]?([0-9]+|0[xX][0-9a-fA-F]+)", text):
        raise WrongError(f"“{text.decode('utf-8', 'backslashreplace')[:20]}” is no whole number")
    return int(text, 16 if b"x" in text.lower() else 10)


# -- functions: what stands first in an expression


def _number(word: Word, low: int = -_MAX_NUMBER, high: int = _MAX_NUMBER) -> int:
    number = as_number(word.data)
    if not low <= number <= high:
        raise WrongError(f"{word.text[:24]} must be from {low} to {high}")
    return number


def _counter(words: Sequence[Word]) -> Producer:
    start, step = ([_number(word) for word in words] + [1, 1][len(words) :])[:2]
    numbers = count(start, step)
    return lambda rendering: next(numbers)


_DIRECTIVES = re.compile(r"(?:[^%]|%[aAbBcdfHIjmMpSUwWxXyYzZGuV%])*")


def _now(words: Sequence[Word]) -> Producer:
    form, zone = ([word.text for word in words] + ["", "utc"][len(words) :])[:2]
    # What else strftime knows differs between systems.
    if not _DIRECTIVES.fullmatch(form) or "\0" in form:
        raise WrongError(f"“{form[:40]}” is no format of time, as %Y-%m-%d %H:%M:%S is")
    if zone not in ("utc", "local"):
        raise WrongError("the zone is utc or local")

    def produce(rendering: Rendering) -> str:
        now = datetime.fromtimestamp(rendering.time, UTC)
        if zone == "local":
            now = now.astimezone()
        if form:
            return now.strftime(form)
        written = now.isoformat(timespec="milliseconds")
        return written.replace("+00:00", "Z") if zone == "utc" else written

    return produce


def _random(words: Sequence[Word]) -> Producer:
    low, high = (_number(word) for word in words)
    if low > high:
        raise WrongError("the first number must not be greater than the second")
    return lambda rendering: rendering.random.randint(low, high)


def _random_hex(words: Sequence[Word]) -> Producer:
    digits = _number(words[0], 1, 4096)
    return lambda rendering: f"{rendering.random.getrandbits(4 * digits):0{digits}x}"


def _uuid(words: Sequence[Word]) -> Producer:
    return lambda rendering: UUID(int=rendering.random.getrandbits(128), version=4)


def _pick(words: Sequence[Word]) -> Producer:
    return lambda rendering: rendering.random.choice(words).data


def value_of(word: Word) -> Producer:
    """A quoted word is itself, any other a value's name."""
    if word.quoted:
        return lambda rendering: word.data
    return lambda rendering: rendering.look_up(word.text)


def _pad(words: Sequence[Word]) -> Producer:
    value, padded = value_of(words[0]), _pad_filter(words[1:])
    return lambda rendering: padded(rendering, value(rendering))


def _summed(name: str) -> Callable[[Sequence[Word]], Producer]:
    """A checksum over what was rendered so far, without the first N bytes if a number is given."""

    def make(words: Sequence[Word]) -> Producer:
        kind, skipped = words, 0
        if words and words[-1].data.isdigit():
            kind, skipped = words[:-1], _number(words[-1], 0, MAX_OUTPUT)
        total = _checksum(name)(kind)
        return lambda rendering: total(rendering, bytes(rendering.out[skipped:]))

    return make


# -- filters: what stands behind a |


def _checksum(name: str) -> Callable[[Sequence[Word]], Filter]:
    def make(words: Sequence[Word]) -> Filter:
        if name != "crc16" and words:
            raise WrongError(f"{name} takes no more words")
        kind = words[0].text if words else "modbus"
        if kind not in checksums.CRC16S or len(words) > 1:
            raise WrongError(f"{' '.join(w.text for w in words)[:40]} is no CRC-16. Use {', '.join(checksums.CRC16S)}")
        if name == "crc16":
            return lambda rendering, value: checksums.crc16(rendering.spend(as_bytes(value), 4), kind)
        total = getattr(checksums, name)
        return lambda rendering, value: total(rendering.spend(as_bytes(value)))

    return make


def _plain(change: Callable[[bytes], object]) -> Callable[[Sequence[Word]], Filter]:
    return lambda words: lambda rendering, value: change(rendering.spend(as_bytes(value)))


def _text(change: Callable[[str], str]) -> Callable[[Sequence[Word]], Filter]:
    def changed(data: bytes) -> bytes:
        return change(data.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")

    return _plain(changed)


def _packed(size: int, order: Literal["big", "little"]) -> Callable[[Sequence[Word]], Filter]:
    def pack(rendering: Rendering, value: object) -> bytes:
        number, bits = as_number(value), 8 * size
        if not -(1 << bits - 1) <= number < 1 << bits:
            raise WrongError(f"{str(number)[:24]} does not fit into {bits} bits")
        return (number % (1 << bits)).to_bytes(size, order)

    return lambda words: pack


def _hex(words: Sequence[Word]) -> Filter:
    def to_hex(rendering: Rendering, value: object) -> str:
        if isinstance(value, Checksum):
            return value.hex
        if isinstance(value, int):
            return f"{value:x}"
        return rendering.spend(as_bytes(value)).hex()

    return to_hex


def _unhexed(data: bytes) -> bytes:
    try:
        return unhex(data.decode("latin-1"))
    except errors.EscapeError as e:
        raise WrongError(str(e.fields["reason"])) from e


def _unbase64(data: bytes) -> bytes:
    try:
        return b64decode(data, validate=True)
    except ValueError as e:
        raise WrongError("this is no base64") from e


def _as_json(data: bytes) -> str:
    return json.dumps(data.decode("utf-8", "replace"), ensure_ascii=False)[1:-1]


def _default(words: Sequence[Word]) -> Filter:
    return lambda rendering, value: words[0].data if value is None or value in (b"", "") else value


def _pad_filter(words: Sequence[Word]) -> Filter:
    width = _number(words[0], -MAX_OUTPUT, MAX_OUTPUT)
    fill = words[1].data if len(words) > 1 else b" "
    if len(fill) != 1:
        raise WrongError("pad fills up with a single character")

    def pad(rendering: Rendering, value: object) -> bytes:
        data = rendering.spend(as_bytes(value))
        return rendering.spend(data.ljust(-width, fill) if width < 0 else data.rjust(width, fill))

    return pad


@dataclass(frozen=True, slots=True)
class Known:
    """A function or filter: how many words it takes, and its maker."""

    least: int
    most: int
    make: Callable[[Sequence[Word]], Any]


FUNCTIONS: Mapping[str, Known] = {
    "counter": Known(0, 2, _counter),
    "now": Known(0, 2, _now),
    "unix": Known(0, 0, lambda words: lambda rendering: int(rendering.time)),
    "unix_ms": Known(0, 0, lambda words: lambda rendering: int(rendering.time * 1000)),
    "random": Known(2, 2, _random),
    "random_hex": Known(1, 1, _random_hex),
    "uuid": Known(0, 0, _uuid),
    "pick": Known(1, 1000, _pick),
    "pad": Known(2, 3, _pad),
    "crc16": Known(0, 2, _summed("crc16")),
    **{name: Known(0, 1, _summed(name)) for name in ("crc32", "sum8", "lrc8", "xor8")},
}

FILTERS: Mapping[str, Known] = {
    "upper": Known(0, 0, _text(str.upper)),
    "lower": Known(0, 0, _text(str.lower)),
    "trim": Known(0, 0, _plain(bytes.strip)),
    "reverse": Known(0, 0, _plain(lambda data: data[::-1])),
    "hex": Known(0, 0, _hex),
    "unhex": Known(0, 0, _plain(_unhexed)),
    "base64": Known(0, 0, _plain(b64encode)),
    "unbase64": Known(0, 0, _plain(_unbase64)),
    "json": Known(0, 0, _plain(_as_json)),
    "length": Known(0, 0, lambda words: lambda rendering, value: len(as_bytes(value))),
    "u8": Known(0, 0, _packed(1, "big")),
    "u16be": Known(0, 0, _packed(2, "big")),
    "u16le": Known(0, 0, _packed(2, "little")),
    "u32be": Known(0, 0, _packed(4, "big")),
    "u32le": Known(0, 0, _packed(4, "little")),
    "default": Known(1, 1, _default),
    "pad": Known(1, 2, _pad_filter),
    "crc16": Known(0, 1, _checksum("crc16")),
    **{name: Known(0, 0, _checksum(name)) for name in ("crc32", "sum8", "lrc8", "xor8")},
}
