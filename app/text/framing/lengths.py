"""How the length of a message is written on the wire."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal, NamedTuple

Order = Literal["big", "little"]

MOST_VARINT = 10
"""Bytes in which a varint of 64 bits fits."""


class WrongLengthError(Exception):
    """The bytes are no length. Its text says what they would have to be; ``read``: how many it looked at."""

    def __init__(self, text: str, read: int) -> None:
        super().__init__(text)
        self.read = read


class Encoding(NamedTuple):
    """Attributes:
    read: the length at the beginning of the bytes, and how many bytes it takes; None where more must come.
        Raises WrongLengthError.
    write: a length as bytes. Raises OverflowError for one that cannot be written.
    most: the largest number that can be written; None: any.
    """

    read: Callable[[bytes], tuple[int, int] | None]
    write: Callable[[int], bytes]
    most: int | None = None


def binary(size: int, order: Order) -> Encoding:
    """A number of ``size`` bytes."""

    def read(data: bytes) -> tuple[int, int] | None:
        return (int.from_bytes(data[:size], order), size) if len(data) >= size else None

    return Encoding(read, lambda length: length.to_bytes(size, order), (1 << 8 * size) - 1)


def decimal(size: int) -> Encoding:
    """``size`` decimal digits with zeros before them, as ISO 8583 has them over TCP."""

    def read(data: bytes) -> tuple[int, int] | None:
        digits = data[:size]
        if wrong := re.search(rb"[^0-9]", digits):
            raise WrongLengthError(f"not {size} decimal digits", wrong.end())
        return (int(digits), size) if len(digits) == size else None

    def write(length: int) -> bytes:
        digits = b"%0*d" % (size, length)
        if len(digits) > size or length < 0:
            raise OverflowError
        return digits

    return Encoding(read, write, 10**size - 1)


def octet_count() -> Encoding:
    """Decimal digits and a space, as syslog has them over TCP (RFC 6587 section 3.4.1)."""

    def read(data: bytes) -> tuple[int, int] | None:
        digits = re.match(rb"(?:[1-9][0-9]{0,19})?", data)
        assert digits is not None
        end = digits.end()
        if data[end : end + 1] == b" " and end:
            return int(digits[0]), end + 1
        if len(data) > end:
            raise WrongLengthError("not decimal digits followed by a space", end + 1)
        return None

    def write(length: int) -> bytes:
        if length <= 0:
            raise OverflowError
        return b"%d " % length

    return Encoding(read, write)


def varint() -> Encoding:
    """Seven bits in each byte, the low ones first, the highest bit set in all but the last: MQTT, protobuf."""

    def read(data: bytes) -> tuple[int, int] | None:
        number = 0
        for i, byte in enumerate(data[:MOST_VARINT]):
            number |= (byte & 0x7F) << 7 * i
            if byte < 0x80:
                return number, i + 1
        if len(data) >= MOST_VARINT:
            raise WrongLengthError(f"not a varint of at most {MOST_VARINT} bytes", MOST_VARINT)
        return None

    def write(length: int) -> bytes:
        if length < 0:
            raise OverflowError
        written = bytearray()
        while length > 0x7F:
            written.append(0x80 | length & 0x7F)
            length >>= 7
        return bytes((*written, length))

    return Encoding(read, write)
