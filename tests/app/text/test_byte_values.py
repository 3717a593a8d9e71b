"""Bytes as numbers, times and source text."""

from __future__ import annotations

import base64
import re
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.text.byte_values import VALUES, as_base64, as_c, as_python, read


@pytest.mark.parametrize(
    ("data", "name", "little", "big"),
    [
        ("fe", "uint 8", "254", "254"),
        ("fe", "int 8", "-2", "-2"),
        ("0102", "uint 16", "513", "258"),
        ("ffff", "int 16", "-1", "-1"),
        ("00000080", "int 32", "-2147483648", "128"),
        ("ffffffffffffffff", "uint 64", "18446744073709551615", "18446744073709551615"),
        ("0000803f", "float 32", "1", "4.600603e-41"),
        ("000000000000f03f", "float 64", "1", "3.038651941617e-319"),
        ("003c", "float 16", "1", "3.576e-06"),
        ("0000c07f", "float 32", "nan", "6.9054587e-41"),
        ("6558b3f0", "time 32", "2097-12-19 09:56:53", "2023-11-18 12:54:08"),
        (struct.pack("<q", 1_795_172_591_482).hex(), "time 64", "2026-11-20 11:03:11.482", None),
        (struct.pack(">q", 1_795_172_591_482_007_118).hex(), "time 64", None, "2026-11-20 11:03:11.482"),
    ],
)
def test_reads_in_both_byte_orders(data: str, name: str, little: str | None, big: str | None) -> None:
    given = bytes.fromhex(data)
    assert (read(given, name, little=True), read(given, name, little=False)) == (little, big)


def test_too_few_bytes_are_no_value() -> None:
    assert read(b"abc", "uint 32", little=True) is None
    assert read(b"", "int 8", little=True) is None


@given(st.binary(max_size=10))
def test_any_bytes_can_be_read(data: bytes) -> None:
    for name in VALUES:
        for little in (True, False):
            assert len(read(data, name, little=little) or "") <= 23


@given(st.binary(max_size=50))
def test_source_text_means_the_same_bytes(data: bytes) -> None:
    assert eval(as_python(data), {"__builtins__": {}}) == data  # noqa: S307
    assert base64.b64decode(as_base64(data)) == data
    c = as_c(data)
    assert bytes(int(byte, 16) for byte in re.findall(r"0x([0-9a-f]{2}),", c)) == data
    assert c.startswith(f"const unsigned char data[{len(data)}] = {{\n")
