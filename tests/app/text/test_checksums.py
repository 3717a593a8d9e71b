"""app.text.checksums."""

import zlib
from functools import reduce
from operator import xor

import anycrc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.text import checksums

CHECK = b"123456789"


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("modbus", 0x4B37),
        ("arc", 0xBB3D),
        ("usb", 0xB4C8),
        ("ccitt", 0x29B1),
        ("xmodem", 0x31C3),
        ("kermit", 0x2189),
        ("x25", 0x906E),
        ("dnp", 0xEA82),
    ],
)
def test_each_crc16_gives_the_check_value_of_the_catalogue(kind: str, value: int) -> None:
    assert checksums.crc16(CHECK, kind).value == value


def test_every_kind_of_crc16_is_named() -> None:
    assert set(checksums.CRC16S) == {"modbus", "arc", "usb", "ccitt", "xmodem", "kermit", "x25", "dnp"}


@pytest.mark.parametrize("name", checksums.CRCS)
def test_each_crc_of_the_catalogue_gives_its_check_value(name: str) -> None:
    parameters = anycrc.models[name.upper().replace("CRC-", "CRC").replace("/", "-")]
    total = checksums.crc(name)(CHECK)
    assert total.value == parameters.check
    assert len(bytes(total)) == (parameters.width + 7) // 8
    assert checksums.crc(name.upper())(CHECK) == total


def test_all_of_the_catalogue_is_there() -> None:
    assert len(checksums.CRCS) >= 112
    assert {"crc-3/gsm", "crc-8/smbus", "crc-24/openpgp", "crc-64/xz", "crc-82/darc"} - set(checksums.CRCS) == {
        "crc-82/darc"  # wider than the library's registers
    }


def test_what_is_no_crc_is_told() -> None:
    for name in ("", "crc16", "crc-16/nope", "16/modbus"):
        with pytest.raises(ValueError, match="is not a CRC of the catalogue"):
            checksums.crc(name)
    with pytest.raises(ValueError, match=r"nope is not a CRC-16\. Use modbus, arc"):
        checksums.crc16(b"", "nope")


def test_aliases_are_known_too() -> None:
    assert checksums.crc("X-25")(CHECK) == checksums.crc16(CHECK, "x25")
    assert checksums.crc("crc32c")(CHECK).value == 0xE3069283
    assert checksums.crc16(CHECK, "ccitt-false") == checksums.crc16(CHECK, "ccitt")


def test_of_nothing_a_crc_is_what_its_register_begins_with() -> None:
    assert checksums.crc16(b"").value == 0xFFFF
    assert checksums.crc16(b"", "x25").value == 0


def test_modbus_sends_the_low_byte_first_and_ccitt_the_high_one() -> None:
    assert bytes(checksums.crc16(bytes.fromhex("010300000001"))) == bytes.fromhex("840a")
    assert bytes(checksums.crc16(CHECK, "ccitt")) == bytes.fromhex("29b1")


def test_digits_are_those_of_the_number_whatever_the_order() -> None:
    assert checksums.crc16(CHECK).hex == "4b37"
    assert checksums.sum8(b"\x01").hex == "01"


@given(st.binary(max_size=300))
def test_the_others_are_what_their_definitions_say(data: bytes) -> None:
    assert checksums.crc32(data).value == zlib.crc32(data)
    assert checksums.xor8(data).value == reduce(xor, data, 0)
    assert checksums.sum8(data).value == sum(data) % 256
    assert (sum(data) + checksums.lrc8(data).value) % 256 == 0


@given(st.binary(max_size=300), st.sampled_from(checksums.CRC16S))
def test_a_crc16_without_a_last_twist_is_zero_over_message_and_sum(data: bytes, kind: str) -> None:
    total = checksums.crc16(data, kind)
    if kind in ("modbus", "arc", "ccitt", "xmodem", "kermit"):
        assert checksums.crc16(data + bytes(total), kind).value == 0
