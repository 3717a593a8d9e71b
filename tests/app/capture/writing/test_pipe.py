"""app.capture.writing.pipe: parts arrive whole and in order, however little the pipe takes at once."""

import os
import random

import pytest
import pytest_twisted

from app.capture.writing.pipe import Pipe
from tests.helpers import until


@pytest.fixture
def pipe():
    from twisted.internet import reactor

    lost = []
    made = Pipe(reactor, lambda: lost.append(True))
    made.lost = lost
    reading = os.dup(made.reading)
    os.set_blocking(reading, False)
    made.started()
    made.reading = reading
    yield made
    made.abortConnection()
    os.close(made.reading)


def read(pipe, most=1 << 20):
    try:
        return os.read(pipe.reading, most)
    except BlockingIOError:
        return b""


@pytest_twisted.ensureDeferred
async def test_parts_of_all_sizes_arrive_in_order(pipe):
    sizes = random.Random(1)
    frames = [[sizes.randbytes(sizes.choice((1, 16, 4096, 65536, 3 << 20))) for _ in range(5)] for _ in range(20)]
    for frame in frames:
        pipe.send(frame)
    whole = b"".join(part for frame in frames for part in frame)
    got = bytearray()

    def drained():
        while piece := read(pipe, 100_000):
            got.extend(piece)
        return len(got) >= len(whole)

    await until(drained)
    assert bytes(got) == whole


@pytest_twisted.ensureDeferred
async def test_thousands_of_parts_are_more_than_the_kernel_takes_at_once(pipe):
    pipe.send([b"%d " % n for n in range(5000)])
    got = bytearray()

    def drained():
        got.extend(read(pipe))
        return got.endswith(b" 4999 ")

    await until(drained)
    assert got == b"".join(b"%d " % n for n in range(5000))


@pytest_twisted.ensureDeferred
async def test_it_closes_when_what_was_sent_has_left(pipe):
    pipe.send([b"x" * (3 << 20)])
    pipe.loseConnection()
    got = bytearray()

    def closed():
        got.extend(read(pipe))
        return bool(pipe.lost)

    await until(closed)
    while rest := read(pipe):
        got.extend(rest)
    assert len(got) == 3 << 20


@pytest_twisted.ensureDeferred
async def test_it_closes_at_once_when_nothing_waits(pipe):
    pipe.loseConnection()
    await until(lambda: bool(pipe.lost))
    assert (read(pipe), pipe.fileno()) == (b"", -1)


@pytest_twisted.ensureDeferred
async def test_a_reader_that_is_gone_is_told_once(pipe):
    broken, pipe.reading = pipe.reading, os.open(os.devnull, os.O_RDONLY)
    os.close(broken)
    pipe.send([b"x"])
    await until(lambda: bool(pipe.lost))
    pipe.send([b"y"])
    pipe.abortConnection()
    assert pipe.lost == [True]
