"""Chunked bodies: extensions and trailers."""

from __future__ import annotations

import pytest
from twisted.web.http import _MalformedChunkedDataError

from app.services.http.chunks import Chunks
from tests.app.services.helpers import Desk, Tape
from tests.app.services.http.test_bounds import Line

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


def decoded(data: bytes, step: int = 1 << 20) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    got: list[bytes] = []
    decoder = Chunks(got.append, got.append)
    for start in range(0, len(data), step):
        decoder.dataReceived(data[start : start + step])
    return b"".join(got), decoder.trailers


@pytest.mark.parametrize("step", [1, 3, 1 << 20])
@pytest.mark.parametrize("extension", [rb';c="d\"e"', rb';c="\\"', rb';a;b=c;c="d\"\"e";f', b";c=d"])
def test_c25_quoted_pairs_in_extensions_are_accepted(extension: bytes, step: int) -> None:
    body, trailers = decoded(b"3" + extension + b"\r\nabc\r\n0" + extension + b"\r\nX-Sum:  7 \r\n\r\n", step)
    assert body == b"abc"
    assert trailers == [(b"X-Sum", b"7")]


@pytest.mark.parametrize("extension", [rb";c=d\"e", b';c="d\\\ne"', b';c="d\ne\\""', b';c="\\', b';"\x00\\""'])
def test_c25_nothing_else_is(extension: bytes) -> None:
    with pytest.raises(_MalformedChunkedDataError):
        decoded(b"3" + extension + b"\r\nabc\r\n0\r\n\r\n")


def test_c13_trailers_are_told(desk: Desk, tape: Tape) -> None:
    line = Line(desk)
    line.tap.dataReceived(HEAD + b'3;a="\\""\r\nabc\r\n0\r\nX-Sum: 7\r\nX-\x1b: \xe9\r\n\r\n')
    assert line.wire.value().startswith(b"HTTP/1.1 200 ")
    (told,) = tape.all("log")
    assert told.summary.startswith("trailers of the request: X-Sum: 7, X-")
    assert told.detail["trailers"] == [["X-Sum", "7"], ["X-\x1b", "é"]]
