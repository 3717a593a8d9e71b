"""Checksums that instruments put behind their messages."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cache
from typing import Literal

Order = Literal["big", "little"]


@dataclass(frozen=True, slots=True)
class Checksum:
    """A sum of ``size`` bytes, and the order in which those that use it send them."""

    value: int
    size: int
    order: Order = "big"

    def __bytes__(self) -> bytes:
        return self.value.to_bytes(self.size, self.order)

    @property
    def hex(self) -> str:
        """Its digits as people write the number, whatever the order on the wire."""
        return f"{self.value:0{2 * self.size}x}"


@dataclass(frozen=True, slots=True)
class _CRC16:
    """Parameters as in the CRC RevEng catalogue (https://reveng.sourceforge.io/crc-catalogue/16.htm).

    ``polynomial`` is reversed where ``reflected``.
    """

    polynomial: int
    start: int
    end: int
    reflected: bool


_CRC16S = {
    "modbus": _CRC16(0xA001, 0xFFFF, 0, True),
    "arc": _CRC16(0xA001, 0, 0, True),
    "usb": _CRC16(0xA001, 0xFFFF, 0xFFFF, True),
    "ccitt": _CRC16(0x1021, 0xFFFF, 0, False),  # known as CCITT-FALSE, too
    "xmodem": _CRC16(0x1021, 0, 0, False),
    "kermit": _CRC16(0x8408, 0, 0, True),
    "x25": _CRC16(0x8408, 0xFFFF, 0xFFFF, True),
    "dnp": _CRC16(0xA6BC, 0, 0xFFFF, True),
}

CRC16S = tuple(_CRC16S)
"""Names of the kinds of CRC-16."""


def crc16(data: bytes, kind: str = "modbus") -> Checksum:
    """A CRC-16 of one of ``CRC16S``; the reflected ones go low byte first. Some 0.1 s for a megabyte."""
    how = _CRC16S[kind]
    table, crc = _table(how.polynomial, how.reflected), how.start
    if how.reflected:
        for byte in data:
            crc = crc >> 8 ^ table[(crc ^ byte) & 0xFF]
    else:
        for byte in data:
            crc = (crc << 8 & 0xFF00) ^ table[crc >> 8 ^ byte]
    return Checksum(crc ^ how.end, 2, "little" if how.reflected else "big")


@cache
def _table(polynomial: int, reflected: bool) -> tuple[int, ...]:
    table = []
    for byte in range(256):
        crc = byte if reflected else byte << 8
        for _ in range(8):
            crc = crc >> 1 ^ polynomial * (crc & 1) if reflected else (crc << 1 ^ polynomial * (crc >> 15)) & 0xFFFF
        table.append(crc)
    return tuple(table)


def crc32(data: bytes) -> Checksum:
    """The CRC-32 of Ethernet, zip and PNG."""
    return Checksum(zlib.crc32(data), 4)


def sum8(data: bytes) -> Checksum:
    """The sum of all bytes, modulo 256."""
    return Checksum(sum(data) & 0xFF, 1)


def lrc8(data: bytes) -> Checksum:
    """What makes the sum of all bytes zero, as in Modbus ASCII."""
    return Checksum(-sum(data) & 0xFF, 1)


def xor8(data: bytes) -> Checksum:
    """All bytes joined by exclusive or, as in NMEA 0183."""
    whole, size = int.from_bytes(data, "big"), len(data)
    while size > 1:
        half = (size + 1) // 2  # fold the upper half onto the lower one
        whole = (whole >> 8 * half) ^ (whole & (1 << 8 * half) - 1)
        size = half
    return Checksum(whole, 1)
