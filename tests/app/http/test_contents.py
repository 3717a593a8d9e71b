"""What a body holds, and what it is."""

from __future__ import annotations

import gzip
import zlib

import pytest

from app.http.body import Body
from app.http.contents import Content, image_format, kind_of, media_type, of_body


def body(data: bytes, **more: object) -> Body:
    found = Body(**more)  # type: ignore[arg-type]
    found.add(data)
    return found


def test_a_compressed_body_is_undone_and_keeps_its_size_on_the_wire() -> None:
    packed = gzip.compress(b'{"a": 1}' * 100)
    found = of_body(body(packed, whole=True), [["Content-Encoding", "gzip"], ["Content-Type", "text/plain; charset=x"]])
    assert found == Content(b'{"a": 1}' * 100, len(packed), "text/plain", "x", "gzip", False, True)


def test_a_body_of_which_only_the_beginning_was_kept_is_cut() -> None:
    found = of_body(body(b"x" * 100, limit=10), [])
    assert (found.data, found.size, found.cut, found.whole) == (b"x" * 10, 100, True, False)


def test_a_bomb_is_cut() -> None:
    packed = zlib.compress(bytes(20_000_000))
    found = of_body(body(packed), [["content-encoding", "deflate"]])
    assert len(found.data) == 8 << 20
    assert found.cut


def test_media_types_are_read_as_the_rfc_has_them() -> None:
    assert media_type([["CONTENT-TYPE", 'Text/HTML;Charset="utf-8"; x=y']]) == ("text/html", "utf-8")
    assert media_type([]) == ("", "")


@pytest.mark.parametrize(
    ("data", "kind", "found"),
    [
        (b"anything", "application/problem+json", "json"),
        (b"", "application/json", "json"),
        (b"<p>", "text/html", "xml"),
        (b"\x89PNG\r\n\x1a\n", "application/json", "image"),
        (b' \n{"a": 1}', "", "json"),
        (b"[1, 2]", "text/plain", "json"),
        ('{"a": 1}'.encode("utf-16"), "", "json"),
        (b"\xef\xbb\xbf[]", "", "json"),
        (b"<?xml version='1.0'?>", "", "xml"),
        (b"<a b='c'/>", "", "xml"),
        (b"{not json}", "", ""),
        (b"[INFO] started", "", ""),
        (b"a < b", "", ""),
        (b"READ temp\n", "", ""),
        (b"", "", ""),
    ],
)
def test_what_it_is_shows_in_its_type_or_its_beginning(data: bytes, kind: str, found: str) -> None:
    assert kind_of(Content(data, len(data), kind)) == found


@pytest.mark.parametrize(
    ("data", "format"),
    [
        (b"\xff\xd8\xff\xe0", "jpeg"),
        (b"GIF89a", "gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "webp"),
        (b"BM" + bytes(12) + b"\x28\0\0\0" + bytes(8), "bmp"),
        (b"BM is no picture, but begins as one", ""),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", ""),
    ],
)
def test_only_five_formats_of_pictures_count(data: bytes, format: str) -> None:
    assert image_format(data) == format
