"""Bodies out of the frames of HTTP/2, compared with a library's frames, in pieces of any size."""

from __future__ import annotations

import pytest
from hyperframe.frame import DataFrame, HeadersFrame, PingFrame, RstStreamFrame, SettingsFrame

from app.http.frames import MAX_STREAMS, PREFACE, FramedBodies, stream_of

FRAMES = (
    SettingsFrame(0, settings={3: 100}),
    HeadersFrame(1, b"head", flags=["END_HEADERS"]),
    DataFrame(1, b"one, "),
    HeadersFrame(3, b"another", flags=["END_HEADERS"]),
    DataFrame(3, b"padded", pad_length=7, flags=["PADDED"]),
    DataFrame(3, b"", pad_length=0, flags=["PADDED"]),
    PingFrame(0, b"12345678"),
    DataFrame(1, b"two", flags=["END_STREAM"]),
    DataFrame(3, b"", pad_length=3, flags=["PADDED", "END_STREAM"]),
    HeadersFrame(5, b"alone", flags=["END_STREAM", "END_HEADERS"]),
    DataFrame(7, b"broken"),
    RstStreamFrame(7, error_code=8),
)
BYTES = b"".join(frame.serialize() for frame in FRAMES)


@pytest.mark.parametrize("begin", [b"", PREFACE])
@pytest.mark.parametrize("size", [1, 2, 9, 10, 13, 1000])
def test_bodies_are_put_together_from_pieces(size: int, begin: bytes) -> None:
    bodies = FramedBodies()
    data = begin + BYTES
    for at in range(0, len(data), size):
        bodies.feed(data[at : at + size])
    assert [bytes(bodies.body(stream).data) for stream in (1, 3, 5, 7)] == [b"one, two", b"padded", b"", b"broken"]
    assert [bodies.body(stream).whole for stream in (1, 3, 5, 7)] == [True, True, True, False]
    assert all(bodies.is_over(stream) for stream in (1, 3, 5, 7))
    assert [bodies.is_reset(stream) for stream in (1, 7)] == [False, True]


def test_all_streams_but_one_are_passed_over() -> None:
    bodies = FramedBodies(only=3, max_body=3)
    bodies.feed(BYTES)
    [body] = bodies.bodies()
    assert (bytes(body.data), body.size, body.whole) == (b"pad", 6, True)


def test_what_is_no_frame_is_not_read() -> None:
    bodies = FramedBodies()
    bodies.feed(b"GET / HTTP/1.1\r\n\r\n")
    assert bodies.broken
    assert bodies.known(1) is None


def test_streams_that_nobody_asks_for_are_forgotten() -> None:
    bodies = FramedBodies()
    for stream in range(1, 2 * MAX_STREAMS + 4, 2):
        bodies.feed(DataFrame(stream, b"x", flags=["END_STREAM"]).serialize())
    assert len(bodies.bodies()) == MAX_STREAMS
    assert not bodies.is_over(1)


@pytest.mark.parametrize(
    ("data", "stream"),
    [
        (PREFACE + BYTES, 1),
        (b"one, two, three", None),
        (b"", None),
        (None, None),
        (DataFrame(9, b"x").serialize() + b"y", 9),
    ],
)
def test_the_first_stream_of_some_frames(data: bytes | None, stream: int | None) -> None:
    assert stream_of(data) == stream
