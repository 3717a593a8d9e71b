"""What a client of HTTP/1 may take of time and turns."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_twisted
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from app.services.http import http1
from app.services.http.http1_ending import SLOWEST
from app.services.http.http1_timing import LINGER
from app.services.http.port import DEFAULTS, RecordedSite
from app.services.tap.factory import TapFactory
from tests.app.services.helpers import Desk, Peer, Tape
from tests.app.services.http.test_body import Taking
from tests.helpers import until

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"


class Wire(StringTransport):
    """A transport whose buffer can be full.

    Attributes:
        unsent: bytes that the peer has not taken.
    """

    unsent = 0
    aborted = False
    reading = True

    @property
    def dataBuffer(self) -> bytes:
        return bytes(self.unsent)

    offset = _tempDataLen = 0

    def abortConnection(self) -> None:
        self.aborted = True

    def loseWriteConnection(self) -> None: ...

    def unregisterProducer(self) -> None:
        self.producer = None

    def pauseProducing(self) -> None:
        self.reading = False

    def resumeProducing(self) -> None:
        self.reading = True


class Answering(Resource):
    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[Any] = []

    def render(self, request: Any) -> Any:
        self.requests.append(request)
        if request.path == b"/later":
            request.notifyFinish().addErrback(lambda _: None)
            return NOT_DONE_YET
        return b"fine"


class Line:
    """A connection in memory."""

    def __init__(self, desk: Desk, root: Any = None, **limits: Any) -> None:
        self.clock, self.root = Clock(), root or Answering()
        site = RecordedSite(self.root, self.clock, {**DEFAULTS, **limits})
        site.noisy = False
        self.tap: Any = TapFactory(site, desk.service("http", "inspector")).buildProtocol(None)  # type: ignore[arg-type]
        self.wire = Wire()
        self.tap.makeConnection(self.wire)
        self.channel: Any = self.tap.wrappedProtocol

    def dribble(self, data: bytes, seconds: float, times: int) -> None:
        for _ in range(times):
            self.tap.dataReceived(data)
            self.clock.advance(seconds)


def limits(tape: Tape) -> list[str]:
    return [e.summary for e in tape.all("limit.reached")]


def test_a_head_that_dribbles_is_refused_in_its_time(desk: Desk, tape: Tape) -> None:
    line = Line(desk, idle_seconds=10.0)
    line.clock.advance(9)
    line.tap.dataReceived(b"GET / HTTP/1.1\r\nHost: x\r\n")
    line.dribble(b"x: y\r\n", 1, 9)
    assert not line.wire.value()
    line.clock.advance(1)
    assert line.wire.value().startswith(b"HTTP/1.1 408 ")
    assert limits(tape) == ["the request's head was not complete within 10 s"]
    line.clock.advance(LINGER)
    assert line.wire.aborted


def test_a_body_that_dribbles_is_refused(desk: Desk, tape: Tape) -> None:
    line = Line(desk, idle_seconds=10.0)
    line.tap.dataReceived(POST)
    line.dribble(b"x" * 100, 1, 10)
    assert line.wire.value().startswith(b"HTTP/1.1 408 ")
    assert limits(tape) == ["the request's body comes too slowly"]


def test_a_slow_body_is_taken(desk: Desk, tape: Tape) -> None:
    line = Line(desk, idle_seconds=10.0)
    line.tap.dataReceived(POST)
    line.dribble(b"x" * 500, 1, 2000)
    assert b"fine" in line.wire.value()
    assert not limits(tape)


def test_a_body_that_we_hold_is_not_slow(desk: Desk, tape: Tape) -> None:
    root = Taking()
    line = Line(desk, root, idle_seconds=10.0)
    line.tap.dataReceived(POST)
    root.requests[0].body.pause()
    assert not line.wire.reading
    line.clock.pump([5] * 20)
    assert not line.wire.value()
    root.requests[0].body.resume()
    assert line.wire.reading
    line.clock.pump([5] * 2)
    assert line.wire.value().startswith(b"HTTP/1.1 408 ")


def test_an_answer_that_takes_its_time_is_waited_for(desk: Desk, tape: Tape) -> None:
    line = Line(desk, idle_seconds=10.0)
    line.tap.dataReceived(GET.replace(b"/ ", b"/later "))
    line.clock.pump([5] * 20)
    line.root.requests[0].finish()
    assert not limits(tape)
    line.clock.advance(10)
    assert limits(tape) == ["nothing received for 10 s: closing"]


@pytest.mark.parametrize("done", [True, False])
def test_an_answer_that_is_not_taken_is_aborted(done: bool, desk: Desk, tape: Tape) -> None:
    line = Line(desk, idle_seconds=10.0)
    line.tap.dataReceived(GET.replace(b"/ ", b"/later "))
    line.root.requests[0].write(bytes(1_000_000))
    if done:
        line.root.requests[0].finish()
    line.wire.unsent = 1_000_000
    line.channel.pauseProducing()
    for _ in range(3):  # just fast enough
        line.wire.unsent -= SLOWEST * 10
        line.clock.advance(10)
    assert not line.wire.aborted
    line.wire.unsent -= 100
    line.clock.advance(10)
    assert line.wire.aborted
    assert limits(tape) == ["the client takes the answer too slowly"]


def test_a_client_that_has_taken_all_is_silent_only_from_then_on(desk: Desk, tape: Tape) -> None:
    line = Line(desk, idle_seconds=10.0)
    line.tap.dataReceived(GET.replace(b"/ ", b"/later "))
    line.wire.unsent = 10
    line.channel.pauseProducing()
    line.clock.advance(9)
    line.wire.unsent = 0
    line.channel.resumeProducing()
    line.clock.pump([5] * 10)
    assert not limits(tape)
    assert not line.wire.aborted


def test_no_idle_time_is_no_limit(desk: Desk, tape: Tape) -> None:
    line = Line(desk, idle_seconds=0.0)
    line.dribble(b"GET / HTTP/1.1\r\nHost: x\r\n", 1000, 1)
    line.dribble(b"x: y\r\n", 1000, 20)
    line.tap.dataReceived(b"\r\n")
    assert b"fine" in line.wire.value()
    assert not line.clock.getDelayedCalls()


def test_a_kept_connection_has_all_its_time_after_a_body_was_thrown_away(desk: Desk, tape: Tape) -> None:
    line = Line(desk, Taking(answer=b"enough"), idle_seconds=10.0)
    line.tap.dataReceived(POST)
    line.tap.dataReceived(bytes(1_000_000))
    line.clock.advance(9)
    assert not line.wire.disconnecting
    line.clock.advance(1)
    assert line.wire.disconnecting


@pytest_twisted.ensureDeferred
async def test_thousands_of_pipelined_requests_are_answered_in_order_and_in_turns(desk: Desk, tape: Tape) -> None:
    root = Answering()
    service = await desk.start("http", make=lambda: root)
    peer = Peer(service)
    most, turns = 0, 0

    def turn() -> None:
        nonlocal most, turns, before
        most, before, turns = max(most, len(root.requests) - before), len(root.requests), turns + 1

    before = 0
    from twisted.internet.task import LoopingCall

    loop = LoopingCall(turn)
    loop.clock = desk.reactor
    loop.start(0)
    count = 3000
    await peer.send(
        b"".join(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % i for i in range(count)) + b"GET /end HTTP/1.0\r\n\r\n"
    )
    await until(lambda: peer.pull().ended)
    loop.stop()
    assert [r.path for r in root.requests] == [*(b"/%d" % i for i in range(count)), b"/end"]
    assert peer.got.count(b"fine") == count + 1
    assert most <= 3 * http1.IN_A_ROW


@pytest_twisted.ensureDeferred
async def test_answers_that_come_late_keep_the_order(desk: Desk, tape: Tape) -> None:
    """CVE-2023-46137."""
    root = Answering()
    service = await desk.start("http", make=lambda: root)
    peer = Peer(service)
    peer.push(GET.replace(b"/ ", b"/later ") + GET * 2 + b"GET / HTTP/1.0\r\n\r\n")
    await until(lambda: root.requests)
    assert not peer.pull().got
    root.requests[0].write(b"first")
    root.requests[0].finish()
    got = await peer.end()
    assert got.count(b"HTTP/1.1 200 OK") == 3
    assert got.index(b"first") < got.index(b"fine")


@pytest.mark.parametrize(("size", "status"), [(900, b"200"), (1100, b"431")])
@pytest_twisted.ensureDeferred
async def test_the_head_is_as_large_as_the_limit_says(size: int, status: bytes, desk: Desk, tape: Tape) -> None:
    service = await desk.start("http", make=Answering, limits={"field_bytes": 1000})
    peer = Peer(service)
    peer.push(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: " + b"v" * (size - 50) + b"\r\n\r\n")
    assert (await peer.end()).startswith(b"HTTP/1.1 " + status)
    assert bool(limits(tape)) == (status == b"431")


@pytest.mark.parametrize(("size", "status"), [(1000, b"200"), (1001, b"413")])
@pytest_twisted.ensureDeferred
async def test_the_body_is_as_large_as_the_limit_says(size: int, status: bytes, desk: Desk, tape: Tape) -> None:
    service = await desk.start("http", make=Answering, limits={"message_bytes": 1000})
    peer = Peer(service)
    peer.push(b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size)
    assert (await peer.end()).startswith(b"HTTP/1.1 " + status)
    assert bool(limits(tape)) == (status == b"413")


def test_c10_a_head_without_end_is_one_though_it_has_a_length(desk: Desk, tape: Tape) -> None:
    line = Line(desk, idle_seconds=10.0)
    line.tap.dataReceived(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n")
    line.dribble(b"x: y\r\n", 1, 10)
    assert line.wire.value().startswith(b"HTTP/1.1 408 ")
    assert b"head comes too slowly" in line.wire.value()
    assert limits(tape) == ["the request's head was not complete within 10 s"]


@pytest.mark.parametrize("head", [b"POST /2nd HTTP/1.1\r\nHost: x\r\n", b"POST /2nd", b"POST /2nd HTTP/1.1\r\nHo"])
def test_c10_an_unfinished_head_behind_a_request_in_one_segment_is_a_head(head: bytes, desk: Desk, tape: Tape) -> None:
    line = Line(desk, idle_seconds=10.0)
    line.tap.dataReceived(GET + head)
    assert line.wire.value().startswith(b"HTTP/1.1 200 ")
    line.wire.clear()
    line.dribble(b"x", 1, 9)
    assert not line.wire.value()
    line.clock.advance(1)
    assert line.wire.value().startswith(b"HTTP/1.1 408 ")
    assert limits(tape) == ["the request's head was not complete within 10 s"]
    line.clock.advance(LINGER)


def test_c10_a_bare_lf_in_a_head_behind_a_request_is_refused_at_once(desk: Desk, tape: Tape) -> None:
    line = Line(desk, idle_seconds=10.0)
    line.tap.dataReceived(GET + b"GET / HTTP/1.1\nHost: x\n\n")
    assert b"HTTP/1.1 400 " in line.wire.value()
    line.clock.advance(LINGER)


def test_c10_a_whole_request_behind_another_leaves_nothing(desk: Desk, tape: Tape) -> None:
    line = Line(desk, idle_seconds=10.0)
    line.tap.dataReceived(GET + GET)
    line.clock.advance(11)
    assert line.wire.value().count(b"HTTP/1.1 200 ") == 2
    assert limits(tape) == ["nothing received for 10 s: closing"]
