"""Bodies that a responder takes as they come."""

from __future__ import annotations

from typing import Any

import pytest_twisted
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from tests.app.services.helpers import Desk, Peer, Tape, turn
from tests.helpers import until

HEAD = b"POST /up HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n%s\r\n"
GET = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


class Taking(Resource):
    """Takes bodies as they come; says what it took at their end.

    Attributes:
        pieces: of all requests.
        ends: what each body's end was.
        eager: whether it begins to read by itself.
    """

    isLeaf = True
    streams_body = True

    def __init__(self, eager: bool = True, answer: bytes = b"") -> None:
        super().__init__()
        self.eager, self.answer = eager, answer
        self.pieces: list[bytes] = []
        self.ends: list[Any] = []
        self.requests: list[Any] = []

    def render(self, request: Any) -> Any:
        request.notifyFinish().addErrback(lambda _: None)
        self.requests.append(request)
        if self.answer:
            return self.answer
        if self.eager:
            self.read(request)
        return NOT_DONE_YET

    def read(self, request: Any) -> None:
        def done(why: Any) -> None:
            self.ends.append(why)
            if why is None:
                request.write(b"%d" % sum(map(len, self.pieces)))
                request.finish()

        request.body.deliver(self.pieces.append, done)


async def taking(desk: Desk, resource: Taking | None = None, **more: Any) -> tuple[Any, Taking]:
    found = resource or Taking()
    return await desk.start("http", make=lambda: found, **more), found


@pytest_twisted.ensureDeferred
async def test_the_resource_is_asked_when_the_head_is_complete(desk: Desk, tape: Tape) -> None:
    service, resource = await taking(desk)
    peer = Peer(service)
    peer.push(HEAD % (8, b""))
    await until(lambda: resource.requests)
    (request,) = resource.requests
    assert (request.method, request.uri, request.body.length, request.body.received) == (b"POST", b"/up", 8, 0)
    peer.push(b"four")
    await until(lambda: resource.pieces == [b"four"])
    assert tape.all("http.request")[0].detail["body"] == 8
    peer.push(b"more" + GET)
    answer = await peer.end()
    assert answer.count(b"HTTP/1.1 200") == 2
    assert resource.pieces == [b"four", b"more"]
    assert resource.ends == [None, None]
    assert [e.detail["received"] for e in tape.all("http.response")] == [8, 0]


@pytest_twisted.ensureDeferred
async def test_a_chunked_body_has_no_length_and_no_bound(desk: Desk, tape: Tape) -> None:
    service, resource = await taking(desk, limits={"message_bytes": 1000})
    peer = Peer(service)
    chunk = bytes(range(256)) * 256
    peer.push(b"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n")
    for _ in range(100):
        await peer.send(b"%x\r\n%s\r\n" % (len(chunk), chunk))
    peer.push(b"0\r\n\r\n")
    assert (await peer.end()).endswith(b"\r\n%d\r\n0\r\n\r\n" % (100 * len(chunk)))
    assert b"".join(resource.pieces) == chunk * 100
    (note,) = tape.all("http.request")
    assert (note.detail["body"], note.size) == (None, None)


@pytest_twisted.ensureDeferred
async def test_a_paused_body_holds_the_client(desk: Desk, tape: Tape) -> None:
    service, resource = await taking(desk)
    size = 30 << 20
    peer = Peer(service)
    peer.push(HEAD % (size, b""))
    await until(lambda: resource.requests)
    body = resource.requests[0].body
    sent = peer.push(b"first")
    await until(lambda: resource.pieces)
    body.pause()
    (tap,) = service.connections.values()
    await until(lambda: tap._wire not in desk.reactor.getReaders())
    while count := peer.push(bytes(1 << 20)):
        sent += count
        await turn()
    assert resource.pieces == [b"first"]
    assert tap.received < 1 << 20
    body.resume()
    await peer.send(bytes(size - sent))
    await until(lambda: resource.ends)
    assert sum(map(len, resource.pieces)) == size


@pytest_twisted.ensureDeferred
async def test_100_continue_is_sent_when_the_resource_begins_to_read(desk: Desk, tape: Tape) -> None:
    service, resource = await taking(desk, Taking(eager=False))
    peer = Peer(service)
    peer.push(HEAD % (4, b"Expect: 100-continue\r\nConnection: close\r\n"))
    await until(lambda: resource.requests)
    assert not peer.pull().got
    resource.read(resource.requests[0])
    assert await peer.expect(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    peer.push(b"body")
    assert (await peer.end()).endswith(b"4\r\n0\r\n\r\n")


@pytest_twisted.ensureDeferred
async def test_an_answer_instead_of_100_closes_the_connection(desk: Desk, tape: Tape) -> None:
    service, _ = await taking(desk, Taking(answer=b"no"))
    peer = Peer(service)
    peer.push(HEAD % (4, b"Expect: 100-continue\r\n"))
    answer = await peer.end()
    assert b"Connection: close\r\n" in answer
    assert answer.endswith(b"no")


@pytest_twisted.ensureDeferred
async def test_what_comes_before_the_resource_reads_waits(desk: Desk, tape: Tape) -> None:
    service, resource = await taking(desk, Taking(eager=False))
    peer = Peer(service)
    peer.push(HEAD % (4, b"") + b"body" + GET)
    await until(lambda: resource.requests)
    resource.read(resource.requests[0])
    await until(lambda: len(resource.requests) == 2)
    resource.read(resource.requests[1])
    assert (await peer.end()).count(b"HTTP/1.1 200") == 2
    assert resource.pieces == [b"body"]


@pytest_twisted.ensureDeferred
async def test_the_rest_of_a_body_is_thrown_away_after_the_answer(desk: Desk, tape: Tape) -> None:
    service, _ = await taking(desk, Taking(answer=b"enough"))
    peer = Peer(service)
    peer.push(HEAD % (100_000, b""))
    await peer.expect(b"enough")
    await peer.send(bytes(100_000) + GET)
    assert (await peer.end()).count(b"enough") == 2
    assert len(service.connections) == 0


@pytest_twisted.ensureDeferred
async def test_a_body_that_does_not_end_after_the_answer_ends_the_connection(desk: Desk, tape: Tape) -> None:
    service, _ = await taking(desk, Taking(answer=b"enough"))
    peer = Peer(service)
    peer.push(HEAD % (1 << 40, b""))
    await peer.expect(b"enough")
    block = bytes(1 << 18)
    while not peer.pull().ended:
        peer.push(block)
        await turn()
    assert peer.ended == "closed"


@pytest_twisted.ensureDeferred
async def test_a_client_that_leaves_in_its_body_is_a_failure_of_the_stream(desk: Desk, tape: Tape) -> None:
    service, resource = await taking(desk)
    peer = Peer(service)
    peer.push(HEAD % (8, b"") + b"four")
    await until(lambda: resource.pieces)
    peer.reset()
    await until(lambda: resource.ends)
    assert resource.ends[0].check(ConnectionLost, ConnectionDone)
    assert not tape.all("failure")


@pytest_twisted.ensureDeferred
async def test_a_consumer_that_raises_is_answered_with_500(desk: Desk, tape: Tape, logged_failures: Any) -> None:
    class Raising(Taking):
        def read(self, request: Any) -> None:
            request.body.deliver(lambda data: 1 / 0, self.ends.append)

    peer = Peer(await desk.start("http", make=Raising))
    peer.push(HEAD % (4, b"") + b"body" + GET)
    await peer.expect(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert tape.all("failure")[0].summary.startswith("ZeroDivisionError")
    logged_failures(ZeroDivisionError)
