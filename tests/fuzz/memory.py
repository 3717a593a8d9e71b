"""Connections to a service in memory, for targets that speak a protocol."""

from __future__ import annotations

from random import Random
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.logger import LogEvent, LogLevel, globalLogPublisher
from twisted.python.failure import Failure

from app.capture.recorder import Recorder, Stored
from app.services.config import ServiceConfig
from app.services.service import Service
from app.services.surroundings import Surroundings
from app.status import Listening

LONGEST_ANSWER = 4 << 20
"""Bytes that may be answered to one input, none of which is longer than 64 KiB."""


class Wire(StringTransport):
    """A transport that takes all that is written to it."""

    closing = False
    dataBuffer = b""
    offset = _tempDataLen = 0

    def abortConnection(self) -> None:
        self.closing = True

    def loseConnection(self) -> None:
        self.closing = True

    def loseWriteConnection(self) -> None: ...

    def unregisterProducer(self) -> None:
        self.producer = None
        self.streaming = None


class NegotiatedWire(Wire):
    negotiatedProtocol = b"h2"


class _Sink:
    """Takes what the recorder sends."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder, self._sent = recorder, 0
        recorder.on_opened(self, 0, Stored())

    def send(self, parts: Any) -> None:
        self._sent += 1
        self._recorder.on_stored(self._sent, Stored())


class Desk:
    """One service that listens in memory.

    Attributes:
        factory: what builds its protocols.
    """

    def __init__(self, protocol: str, responder: str, **more: Any) -> None:
        self.reactor = MemoryReactorClock()
        self.recorder = Recorder(self.reactor)
        _Sink(self.recorder)
        config = ServiceConfig("fuzzed", protocol, "127.0.0.1", 0, responder, **more)
        self.service = Service(config, self.reactor, self.recorder, Surroundings())
        started: list[Any] = []
        Deferred.fromCoroutine(self.service.start()).addCallback(started.append)
        assert isinstance(started[0], Listening), started
        self.factory: Any = self.reactor.tcpServers[-1][1]

    def talk(self, data: bytes, random: Random, opening: bytes = b"", wire: Wire | None = None) -> bytes:
        """Send ``opening``, then ``data`` in pieces, over a connection of its own. Returns what was answered.

        Raises what was logged as an error, and AssertionError for a failure that was recorded, and for
        what a connection leaves behind.
        """
        wire = wire or Wire(peerAddress=IPv4Address("TCP", "127.0.0.1", random.randrange(1024, 65536)))
        logged: list[Failure] = []
        observer = _Errors(logged)
        globalLogPublisher.addObserver(observer)
        failures, calls = self.recorder.failures, set(self.reactor.getDelayedCalls())
        try:
            protocol = self.factory.buildProtocol(wire.getPeer())
            protocol.makeConnection(wire)
            answered = self._send(protocol, wire, opening, random, whole=True)
            answered += self._send(protocol, wire, data, random, whole=random.random() < 0.5)
            self.reactor.advance(random.choice((0, 0.1, 5, 100)))
            protocol.connectionLost(Failure(ConnectionDone()))
            self.reactor.advance(1)
            self.recorder.flush()
        finally:
            globalLogPublisher.removeObserver(observer)
        if logged:
            logged[0].raiseException()
        assert self.recorder.failures == failures, "a failure was recorded"
        assert not self.service.connections, "the connection is still there"
        self.reactor.advance(200)
        left = set(self.reactor.getDelayedCalls()) - calls
        assert not left, f"it left {left}"
        return answered

    def _send(self, protocol: Any, wire: Wire, data: bytes, random: Random, *, whole: bool) -> bytes:
        at = 0
        while at < len(data) and not wire.closing:
            size = len(data) if whole else random.choice((1, 2, 7, 100, 4000))
            protocol.dataReceived(data[at : at + size])
            at += size
            self.reactor.advance(0)
            assert len(wire.value()) < LONGEST_ANSWER, "an endless answer"
        answered: bytes = wire.value()
        wire.clear()
        return answered


class _Errors:
    """Keeps the errors that are logged."""

    def __init__(self, found: list[Failure]) -> None:
        self._found = found

    def __call__(self, event: LogEvent) -> None:
        if event.get("log_level") is not None and event["log_level"] >= LogLevel.error:
            self._found.append(event.get("log_failure") or Failure(AssertionError(str(event))))
