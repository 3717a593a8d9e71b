"""Which coding a client gets, and for what."""

from __future__ import annotations

import gzip
import zlib
from typing import Any

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.web.http_headers import Headers

from app.services.http import encoding as coding


@pytest.mark.parametrize(
    ("accepted", "chosen"),
    [
        ([], None),
        ([b""], None),
        ([b"gzip"], b"gzip"),
        ([b"x-gzip"], b"gzip"),
        ([b"gzip, deflate, br"], b"br"),
        ([b"GZIP;Q=1.0, br;q=0.5"], b"gzip"),
        ([b"br;q=0.8", b"gzip;q=0.9"], b"gzip"),
        ([b"gzip;q=0, br;q=0"], None),
        ([b"*"], b"br"),
        ([b"br;q=0, *"], b"gzip"),
        ([b"*;q=0"], None),
        ([b"identity"], None),
        ([b"identity;q=0.5, gzip;q=0.2"], None),
        ([b"identity;q=0.5, gzip;q=0.5"], b"gzip"),
        ([b"gzip;q=nonsense"], None),
        ([b"gzip;q=0.001"], b"gzip"),
        ([b"gzipped, brr"], None),
        ([b",,;q=1,"], None),
    ],
)
def test_the_client_chooses(accepted: list[bytes], chosen: bytes | None) -> None:
    assert coding.choose(accepted) == chosen


@given(st.lists(st.binary()))
def test_any_field_can_be_read(accepted: list[bytes]) -> None:
    assert coding.choose(accepted) in (None, *coding.ENCODERS)


@given(st.sampled_from(list(coding.ENCODERS)), st.lists(st.binary(max_size=200)))
def test_each_part_can_be_decoded_as_soon_as_it_leaves(name: bytes, parts: list[bytes]) -> None:
    encoder = coding.ENCODERS[name]()
    decoder: Any = zlib.decompressobj(31).decompress if name == b"gzip" else brotli.Decompressor().process
    for part in parts:
        packed = encoder.encode(part)
        assert (decoder(packed) if packed else b"") == part
    end = encoder.finish()
    assert not end or decoder(end) == b""


def test_a_whole_body_is_packed_at_once() -> None:
    assert gzip.decompress(coding.Gzip().whole(b"abc" * 1000)) == b"abc" * 1000
    assert brotli.decompress(coding.Brotli().whole(b"abc" * 1000)) == b"abc" * 1000


class Answer:
    defaultContentType = b"text/html"

    def __init__(self, method: bytes = b"GET", code: int = 200, **fields: str) -> None:
        self.method, self.code = method, code
        self.responseHeaders = Headers({name.replace("_", "-"): [value] for name, value in fields.items()})


@pytest.mark.parametrize(
    ("kind", "packed"),
    [
        ("text/plain; charset=utf-8", True),
        ("TEXT/HTML", True),
        ("application/json", True),
        ("application/problem+json", True),
        ("image/svg+xml", True),
        ("text/event-stream", True),
        ("application/wasm", True),
        ("image/png", False),
        ("video/mp4", False),
        ("application/zip", False),
        ("application/octet-stream", False),
        ("font/woff2", False),
    ],
)
def test_types_that_shrink_are_packed(kind: str, packed: bool) -> None:
    assert coding.worthwhile(Answer(Content_Type=kind), None) is packed


def test_head_is_as_get_would_be() -> None:
    assert coding.worthwhile(Answer(b"HEAD", Content_Type="text/plain"), 5000)


@pytest.mark.parametrize(
    ("answer", "length"),
    [
        (Answer(code=204), None),
        (Answer(code=206), 5000),
        (Answer(code=304), None),
        (Answer(), coding.SMALL - 1),
        (Answer(Content_Encoding="gzip"), 5000),
        (Answer(Content_Range="bytes 0-1/5"), 5000),
        (Answer(Cache_Control="public, no-transform"), 5000),
    ],
)
def test_what_must_stay_as_it_is(answer: Answer, length: int | None) -> None:
    assert not coding.worthwhile(answer, length)
