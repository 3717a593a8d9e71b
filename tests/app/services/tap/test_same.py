"""A protocol behind the Tap does what it does without one: bytes, callbacks, and how it ends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import (
    IConsumer,
    IHalfCloseableProtocol,
    IPushProducer,
    ITCPTransport,
    ITransport,
)
from twisted.internet.protocol import Protocol, ServerFactory
from twisted.internet.testing import StringTransport
from zope.interface import implementer

from tests.app.services.helpers import Desk, Peer, address
from tests.helpers import until

BIG = 3_000_000


class Pull:
    """Writes ``count`` numbered chunks, one each time it is asked."""

    def __init__(self, puppet: Any, count: int, last: Callable[[], None]) -> None:
        self.puppet, self.count, self.last, self.at = puppet, count, last, 0

    def resumeProducing(self) -> None:
        self.at += 1
        self.puppet.transport.write(b"%06d\n" % self.at * 10_000)
        if self.at == self.count:
            self.puppet.transport.unregisterProducer()
            self.last()

    def stopProducing(self) -> None:
        self.puppet.log.append("producer stopped")


class Push(Pull):
    """Writes until it is paused, and then when it is resumed."""

    going = False

    def begin(self) -> None:
        self.going = True
        while self.going and self.at < self.count:
            Pull.resumeProducing(self)

    resumeProducing = begin

    def pauseProducing(self) -> None:
        self.going = False


class Puppet(Protocol):
    """Does what the line it receives says, and logs what is done to it."""

    def __init__(self, log: list[Any]) -> None:
        self.log = log

    def connectionMade(self) -> None:
        transport: Any = self.transport
        self.log.append(("made", transport.getPeer().type, transport.getHost().type))
        faces = (ITransport, ITCPTransport, IConsumer, IPushProducer)
        self.log.append([face.__name__ for face in faces if face.providedBy(transport)])

    def dataReceived(self, data: bytes) -> None:
        for word in data.decode().split():
            if word.startswith("!"):
                getattr(self, word[1:])()
            else:
                self.log.append(word)
                self.transport.write(word.encode())

    def connectionLost(self, reason: Any) -> None:
        kinds = (ConnectionAborted, ConnectionDone, ConnectionLost, ValueError)
        self.log.append(("lost", next(k.__name__ for k in kinds if reason.check(k)), self.transport.connected))

    def write(self) -> None:
        self.transport.write(b"written ")

    def empty(self) -> None:
        self.transport.write(b"")
        self.transport.writeSequence([])

    def text(self) -> None:
        for data in ("text", bytearray(b"mutable")):
            try:
                self.transport.write(data)
            except TypeError as e:
                self.log.append(repr(e))

    def sequence(self) -> None:
        self.transport.writeSequence([b"a ", b"", b"sequence "])

    def big(self) -> None:
        self.transport.write(bytes(BIG))

    def lose(self) -> None:
        self.transport.loseConnection()
        if self.transport.connected:
            self.log.append(("disconnecting", bool(self.transport.disconnecting)))

    def abort(self) -> None:
        self.transport.abortConnection()

    def half(self) -> None:
        self.transport.loseWriteConnection()

    def nodelay(self) -> None:
        self.transport.setTcpNoDelay(True)
        self.log.append(("nodelay", self.transport.getTcpNoDelay()))
        self.transport.setTcpKeepAlive(1)
        self.log.append(("keepalive", self.transport.getTcpKeepAlive()))

    def pull(self) -> None:
        self.transport.registerProducer(Pull(self, 30, self.lose), False)

    def push(self) -> None:
        producer = Push(self, 60, self.lose)
        self.transport.registerProducer(producer, True)
        producer.begin()

    def unfinished(self) -> None:
        self.transport.registerProducer(Pull(self, 10**6, self.lose), False)

    def twice(self) -> None:
        producer = Pull(self, 2, self.lose)
        self.transport.registerProducer(producer, True)
        try:
            self.transport.registerProducer(producer, True)
        except RuntimeError:
            self.log.append("RuntimeError")
        self.transport.unregisterProducer()

    def pause(self) -> None:
        self.transport.pauseProducing()
        self.transport.write(b"paused")
        self.transport.reactor.callLater(0.02, self.resume)

    def resume(self) -> None:
        self.log.append("resumed")
        self.transport.resumeProducing()

    def stop(self) -> None:
        self.transport.stopProducing()

    def fail(self) -> None:
        raise ValueError("as told")

    def swap(self) -> None:
        other = Puppet(self.log)
        self.transport.protocol = other
        other.makeConnection(self.transport)
        self.transport.write(b"swapped")

    def rebind(self) -> None:
        self.dataReceived = self.log.append  # type: ignore[method-assign]


@implementer(IHalfCloseableProtocol)
class HalfPuppet(Puppet):
    def readConnectionLost(self) -> None:
        self.log.append("read lost")
        self.transport.write(b"after your end")
        self.transport.loseConnection()

    def writeConnectionLost(self) -> None:
        self.log.append("write lost")
        self.transport.write(b"too late")


class StubbornPuppet(HalfPuppet):
    def writeConnectionLost(self) -> None:
        raise ValueError("in writeConnectionLost")


async def _says(peer: Peer, line: bytes) -> None:
    peer.push(line)
    await peer.end()


def saying(line: bytes) -> Callable[[Peer], Awaitable[None]]:
    return lambda peer: _says(peer, line)


async def talks(peer: Peer) -> None:
    for word in (b"one", b"two", b"three"):
        peer.push(word)
        await peer.expect(word)
    peer.close()


async def resets(peer: Peer) -> None:
    peer.push(b"one")
    await peer.expect(b"one")
    peer.reset()


async def resets_the_producer(peer: Peer) -> None:
    peer.push(b"!unfinished")
    await peer.expect(100_000)
    peer.reset()
    del peer.got[:]  # how much came before is chance


async def half_closes(peer: Peer) -> None:
    peer.push(b"last-words")
    peer.finish_sending()
    await peer.end()


async def is_half_closed(peer: Peer) -> None:
    peer.push(b"!write !half")
    await until(lambda: peer.pull().ended)
    peer.push(b"!nodelay !lose")
    peer.close()


async def floods_and_loses(peer: Peer) -> None:
    """The write buffer is full when the responder loses the connection: all of it still leaves."""
    peer.push(b"!big !write !lose")
    await peer.end()


async def waits_for_pause(peer: Peer) -> None:
    peer.push(b"!pause")
    await peer.expect(b"paused")
    peer.push(b"meanwhile")
    await peer.expect(b"meanwhile")
    peer.close()


async def swaps(peer: Peer) -> None:
    peer.push(b"!swap")
    await peer.expect(b"swapped")
    peer.push(b"!write")
    await peer.expect(b"written")
    peer.close()


SCENES: dict[str, tuple[type[Puppet], Callable[[Peer], Awaitable[None]]]] = {
    "echo, closed by the peer": (Puppet, talks),
    "reset": (Puppet, resets),
    "write, lose": (Puppet, saying(b"!write !lose")),
    "write after lose": (Puppet, saying(b"!lose !write")),
    "write, abort": (Puppet, saying(b"!write !abort")),
    "write after abort": (Puppet, saying(b"!abort !write")),
    "writeSequence": (Puppet, saying(b"!sequence !write !lose")),
    "nothing written": (Puppet, saying(b"!empty !lose")),
    "what is not bytes is refused": (Puppet, saying(b"!text !lose")),
    "TCP options": (Puppet, saying(b"!nodelay !lose")),
    "pull producer": (Puppet, saying(b"!pull")),
    "push producer": (Puppet, saying(b"!push")),
    "push producer over a full buffer": (Puppet, saying(b"!big !push")),
    "pull producer over a full buffer": (Puppet, saying(b"!big !pull")),
    "producer registered twice": (Puppet, saying(b"!twice !write !lose")),
    "reset while producing": (Puppet, resets_the_producer),
    "pauseProducing": (Puppet, waits_for_pause),
    "stopProducing": (Puppet, saying(b"!write !stop")),
    "lose over a full buffer": (Puppet, floods_and_loses),
    "half-close over a full buffer": (HalfPuppet, saying(b"!big !half")),
    "half-close by the peer": (HalfPuppet, half_closes),
    "half-close by the peer, not supported": (Puppet, half_closes),
    "half-close by us": (HalfPuppet, is_half_closed),
    "half-close by us, not supported": (Puppet, is_half_closed),
    "write after half-close": (HalfPuppet, saying(b"!write !half !write !big")),
    "half-close, then lose": (HalfPuppet, saying(b"!write !half !lose")),
    "another protocol takes over": (Puppet, swaps),
    "dataReceived is replaced": (Puppet, saying(b"!rebind !lose")),
    "dataReceived raises": (Puppet, saying(b"!write !fail")),
    "writeConnectionLost raises": (StubbornPuppet, saying(b"!half")),
}


def _factory(kind: type[Puppet], log: list[Any]) -> ServerFactory:
    factory = ServerFactory()
    factory.buildProtocol = lambda addr: kind(log)  # type: ignore[assignment]
    factory.noisy = False
    return factory


@pytest.mark.parametrize("name", SCENES)
@pytest_twisted.ensureDeferred
async def test_same_with_and_without_a_tap(name: str, desk: Desk, logged_failures: Any) -> None:
    from twisted.internet import reactor

    kind, play = SCENES[name]
    plain: list[Any] = []
    tapped: list[Any] = []
    port = reactor.listenTCP(0, _factory(kind, plain), interface="127.0.0.1")
    service = await desk.start(make=lambda: _factory(kind, tapped))
    results = []
    for log, where in ((plain, ("127.0.0.1", port.getHost().port)), (tapped, address(service))):
        peer = Peer(where)
        await play(peer)
        peer.close()
        await until(lambda log=log: any(entry[0] == "lost" for entry in log))
        results.append((bytes(peer.got), peer.ended, log))
    await port.stopListening()
    assert results[1] == results[0]
    raised = [f.value for f in logged_failures(ValueError)]
    assert desk.tape.data("data.sent").startswith(results[1][0])
    assert not service.connections
    assert len(desk.tape.all("failure")) == len(raised) / 2
    assert len(desk.tape.all("connection.opened")) == len(desk.tape.all("connection.closed")) == 1


def test_string_transport_will_do_for_a_wire(desk: Desk) -> None:
    from app.services.tap.factory import TapFactory

    log: list[Any] = []
    tap = TapFactory(_factory(Puppet, log), desk.service()).buildProtocol(None)  # type: ignore[arg-type]
    assert tap is not None
    wire = StringTransport()
    tap.makeConnection(wire)
    tap.dataReceived(b"hello")
    assert wire.value() == b"hello"
