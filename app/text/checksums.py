"""Checksums that instruments put behind their messages."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Literal

import anycrc

Order = Literal["big", "little"]


@dataclass(frozen=True, slots=True)
class Checksum:
    """A checksum of ``size`` bytes, and the byte order in which its protocols send it."""

    value: int
    size: int
    order: Order = "big"

    def __bytes__(self) -> bytes:
        return self.value.to_bytes(self.size, self.order)

    @property
    def hex(self) -> str:
        """The number in hex digits, whatever its byte order on the wire."""
        return f"{self.value:0{2 * self.size}x}"


CRCS = tuple(re.sub(r"^CRC(\d+)-", r"crc-\1/", name).lower() for name in anycrc.models)
"""Names of all CRCs in the catalogue of CRC RevEng (https://reveng.sourceforge.io/crc-catalogue/all.htm), by width."""

_SHORT = {
    "modbus": "CRC16-MODBUS",
    "arc": "CRC16-ARC",
    "usb": "CRC16-USB",
    "ccitt": "CRC16-IBM-3740",  # known as CCITT-FALSE, too; the catalogue calls another one so
    "xmodem": "CRC16-XMODEM",
    "kermit": "CRC16-KERMIT",
    "x25": "CRC16-IBM-SDLC",
    "dnp": "CRC16-DNP",
}

CRC16S = tuple(_SHORT)
"""Short names of kinds of CRC-16."""


def _key(name: str) -> str:
    return re.sub(r"[-/_]", "", name.lower())


# Without the aliases that are a width alone: which CRC-16 people mean by that differs.
_BY_KEY = {
    **{_key(alias): name for alias, name in anycrc.aliases.items() if not re.fullmatch(r"CRC\d+", alias)},
    **{_key(name): name for name in anycrc.models},
}


def crc(name: str) -> Callable[[bytes], Checksum]:
    """What computes the CRC that the catalogue calls ``name``, or an alias: CRC-16/MODBUS, crc16-modbus, modbus.

    The reflected ones go low byte first. Of a width that is no number of bytes the upper bits are zero.
    Some 3 µs for a message of 2 kB. Raises ValueError, in words, for a name that is not there.
    """
    found = _BY_KEY.get(_key(name))
    if found is None:
        raise ValueError(f"{name[:40]} is not a CRC of the catalogue, such as crc-16/modbus")
    return _of_model(found)


def crc16_named(kind: str) -> Callable[[bytes], Checksum]:
    """As ``crc``, for one of ``CRC16S`` or what follows the slash in the name of another CRC-16."""
    found = _SHORT.get(kind) or _BY_KEY.get(_key(f"crc16{kind}"))
    if found is None:
        raise ValueError(f"{kind[:40]} is not a CRC-16. Use {', '.join(CRC16S)} or another of the catalogue")
    return _of_model(found)


def crc16(data: bytes, kind: str = "modbus") -> Checksum:
    """The CRC-16 of ``data``; ``kind`` as in ``crc16_named``."""
    return crc16_named(kind)(data)


@cache
def _of_model(name: str) -> Callable[[bytes], Checksum]:
    parameters = anycrc.models[name]
    model, size = anycrc.CRC(*parameters), (parameters.width + 7) // 8
    order: Order = "little" if parameters.refout else "big"
    return lambda data: Checksum(model.calc(data), size, order)


def crc32(data: bytes) -> Checksum:
    """The CRC-32 of Ethernet, zip and PNG."""
    return Checksum(zlib.crc32(data), 4)


def sum8(data: bytes) -> Checksum:
    """The sum of all bytes, modulo 256."""
    return Checksum(sum(data) & 0xFF, 1)


def lrc8(data: bytes) -> Checksum:
    """The two's complement of the sum of all bytes, as in Modbus ASCII."""
    return Checksum(-sum(data) & 0xFF, 1)


def xor8(data: bytes) -> Checksum:
    """All bytes joined by exclusive or, as in NMEA 0183."""
    whole, size = int.from_bytes(data, "big"), len(data)
    while size > 1:
        half = (size + 1) // 2  # fold the upper half onto the lower one
        whole = (whole >> 8 * half) ^ (whole & (1 << 8 * half) - 1)
        size = half
    return Checksum(whole, 1)
