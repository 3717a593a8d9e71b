"""What tests of consoles share: ways to outposts, and captures that are compared."""

import socket

from twisted.internet import reactor
from twisted.internet.endpoints import UNIXClientEndpoint

from app import events
from app.outposts.ways.stream import StreamCarrier
from tests.app.capture.captures import read
from tests.helpers import until

THEIRS = (
    "SELECT e.time, e.kind, e.service IS NULL, e.size, hex(e.payload), e.summary, e.detail FROM event e"
    " LEFT JOIN service s ON s.id = e.service WHERE {} ORDER BY e.id"
)
OURS = THEIRS.format(f"s.outpost IS NOT NULL AND e.kind NOT IN ({events.OUTPOST_CONNECTED}, {events.OUTPOST_LOST})")


def of(capture, sql):
    """Events as they should be the same here and there; the service of what has none is the outpost's here."""
    return [(*one[:2], *one[3:]) for one in read(capture, sql)]


def carrier_to(path):
    return StreamCarrier(reactor, str(path), UNIXClientEndpoint(reactor, str(path)), lambda attempt: 0.01)


async def until_read(bench, desk, name="bench"):
    """Until all that ``bench`` has is stored at ``desk``."""
    outpost = desk.console.outposts[name]
    bench.post.recorder.flush()
    await until(lambda: bench.post.recorder.idle)
    last = bench.post.recorder.range.last
    await until(lambda: outpost.progress() and outpost.progress()[-1].last >= last)
    desk.post.recorder.flush()
    await until(lambda: desk.post.recorder.idle)


async def spoken(bench):
    """A client that has said something to the echo, and heard it."""
    await bench.post.start_all()
    client = socket.create_connection(("127.0.0.1", int(bench.post.services["echo"].status.host.split(":")[1])))
    client.sendall(b"hello")
    await until(lambda: bench.post.services["echo"].bytes_so_far()[1] == 5)
    return client
