"""The filters of templates: what stands behind a ``|``."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from app.text import checksums, errors
from app.text.checksums import Checksum
from app.text.escapes import unhex
from app.text.template_values import (
    MAX_OUTPUT,
    NULL,
    Filter,
    Known,
    Rendering,
    Word,
    WrongError,
    as_bytes,
    as_number,
    number,
)

Summer = Callable[[bytes], Checksum]


def checksum(name: str) -> Callable[[Sequence[Word]], Filter]:
    """The maker of the filter for a checksum, one of ``CHECKSUMS``."""

    def make(words: Sequence[Word]) -> Filter:
        try:
            total = CHECKSUMS[name](" ".join(word.text for word in words))
        except ValueError as e:
            raise WrongError(str(e)) from e
        return lambda rendering, value: total(rendering.spend(as_bytes(value)))

    return make


def _only(name: str, total: Summer) -> Callable[[str], Summer]:
    def named(kind: str) -> Summer:
        if kind:
            raise ValueError(f"{name} takes no more words")
        return total

    return named


CHECKSUMS: Mapping[str, Callable[[str], Summer]] = {
    "crc": checksums.crc,
    "crc16": lambda kind: checksums.crc16_named(kind or "modbus"),
    **{
        name: _only(name, total)
        for name, total in (
            ("crc32", checksums.crc32), ("sum8", checksums.sum8), ("lrc8", checksums.lrc8), ("xor8", checksums.xor8),
        )
    },
}  # fmt: skip
"""What computes a checksum, by its name and the kind behind that. Raises ValueError, in words."""

KINDS = {"crc": (1, 1), "crc16": (0, 1)}
"""Of the checksums that come in kinds, how many words may stand behind the name."""


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
        raise WrongError("this is not base64") from e


def _as_json(data: bytes) -> str:
    return json.dumps(data.decode("utf-8", "replace"), ensure_ascii=False)[1:-1]


def _default(words: Sequence[Word]) -> Filter:
    return lambda rendering, value: words[0].data if value is None or value in (b"", "", NULL) else value


def pad_filter(words: Sequence[Word]) -> Filter:
    width = number(words[0], -MAX_OUTPUT, MAX_OUTPUT)
    fill = words[1].data if len(words) > 1 else b" "
    if len(fill) != 1:
        raise WrongError("pad fills up with a single character")

    def pad(rendering: Rendering, value: object) -> bytes:
        data = rendering.spend(as_bytes(value))
        return rendering.spend(data.ljust(-width, fill) if width < 0 else data.rjust(width, fill))

    return pad


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
    "pad": Known(1, 2, pad_filter),
    **{name: Known(*KINDS.get(name, (0, 0)), checksum(name)) for name in CHECKSUMS},
}
