"""Encodings: found, and undone."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.text.encodings import OFFERED, as_utf8, detect, of_text, title

GREETING = "Grüße aus Göteborg, 21.5 °C\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "cp1252"])
def test_the_encoding_of_a_plain_text_is_found(encoding: str) -> None:
    data = GREETING.encode(encoding)
    assert detect(data) == encoding
    assert as_utf8(data, encoding).decode() == GREETING


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
    ],
)
def test_a_byte_order_mark_decides_and_is_not_shown(mark: bytes, encoding: str) -> None:
    data = mark + "日本".encode(encoding)
    assert detect(data, "latin-1") == encoding
    assert as_utf8(data, encoding).decode() == "日本"


def test_what_was_declared_counts_where_it_fits() -> None:
    assert detect("日本".encode("shift_jis"), "Shift_JIS") == "shift_jis"
    assert detect("é".encode("latin-1"), "latin-1") == "iso8859-1"
    assert detect("é".encode(), "us-ascii") == "utf-8"


@pytest.mark.parametrize(
    "name", ["", "no-such-code", "rot13", "zip", "idna", "punycode", "unicode_escape", "utf-7", "a\0b"]
)
def test_what_is_no_encoding_of_text_is_not_used(name: str) -> None:
    assert detect(b"caf\xc3\xa9", name) == "utf-8"


@pytest.mark.parametrize("data", [b"", bytes(range(256)), b"\0\1\2hello\xff", b"\x81\x8d", b"\xff" * 50])
def test_bytes_that_are_no_text_are_left_to_utf_8_and_its_escapes(data: bytes) -> None:
    assert detect(data) == "utf-8"
    assert as_utf8(data, "utf-8") == data


def test_a_character_that_the_end_of_the_head_goes_through_does_no_harm() -> None:
    assert detect(b"x" + "é".encode() * 100_000) == "utf-8"


def test_bytes_that_are_no_character_stay_as_they_are() -> None:
    assert as_utf8(b"\x82\xa0\xff\x41", "shift_jis") == "あ".encode() + b"\xffA"
    assert as_utf8(b"A\x00\x00\xd8", "utf-16-le") == b"A\x00\xd8"


def test_text_is_told_from_other_bytes() -> None:
    assert of_text(GREETING.encode("utf-16-le")) == "utf-16-le"
    assert of_text(b"x" * 4095 + "é".encode()) == "utf-8"
    assert not of_text(b"\x01\x02")
    assert not of_text(b"caf\xe9 \x00")


@given(st.binary(max_size=200), st.text(max_size=12))
def test_anything_is_in_an_encoding_that_it_can_be_read_in(data: bytes, declared: str) -> None:
    as_utf8(data, detect(data, declared))
    of_text(data, declared)


@given(st.binary(max_size=60), st.sampled_from(OFFERED))
def test_every_encoding_to_choose_takes_any_bytes(data: bytes, encoding: str) -> None:
    as_utf8(data, encoding)
    assert title(encoding)
