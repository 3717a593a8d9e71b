"""An endpoint that starts a process, and speaks to it through its standard input and output."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionDone, ConnectionLost, ProcessDone
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from app.outposts.errors import StartError

MAX_SAID = 4_000
"""Bytes of what a process writes to standard error that are kept, the last ones."""

Words = Callable[[int, str], str]
"""Why a process has ended, in words, from its exit code and what it has written to standard error."""


@implementer(IStreamClientEndpoint)
class ProcessEndpoint:
    """As Twisted's, but what the process writes to standard error becomes the reason for which the link is lost."""

    def __init__(self, reactor: Any, command: Sequence[str], in_words: Words) -> None:
        self._reactor, self._command, self._in_words = reactor, list(command), in_words

    def connect(self, factory: IProtocolFactory) -> Deferred[IProtocol]:
        protocol: Any = factory.buildProtocol(None)  # type: ignore[arg-type]
        bridge = _Bridge(protocol, self._in_words)
        try:
            self._reactor.spawnProcess(bridge, self._command[0], self._command, os.environ)
        except OSError as e:
            return fail(StartError(command=self._command[0], reason=e.strerror or e))
        return succeed(protocol)


class _Bridge(ProcessProtocol):
    """Between a process and the protocol that speaks to it."""

    def __init__(self, protocol: Any, in_words: Words) -> None:
        self._protocol, self._in_words = protocol, in_words
        self._said = b""

    def connectionMade(self) -> None:
        self._protocol.makeConnection(_Transport(self.transport))

    def outReceived(self, data: bytes) -> None:
        self._protocol.dataReceived(data)

    def errReceived(self, data: bytes) -> None:
        self._said = (self._said + data)[-MAX_SAID:]

    def processEnded(self, reason: Failure) -> None:
        ended: Any = reason.value
        if isinstance(ended, ProcessDone) and not self._said:
            self._protocol.connectionLost(Failure(ConnectionDone()))
            return
        words = self._in_words(
            ended.exitCode if ended.exitCode is not None else -1, self._said.decode(errors="replace")
        )
        self._protocol.connectionLost(Failure(ConnectionLost(words)))


class _Transport:
    """Of a process, as protocols have it: closing it ends the process, if it does not end by itself."""

    disconnecting = False

    def __init__(self, process: Any) -> None:
        self._process = process

    def write(self, data: bytes) -> None:
        self._process.write(data)

    def writeSequence(self, parts: Sequence[bytes]) -> None:
        self._process.writeSequence(parts)

    def pauseProducing(self) -> None:
        self._process.pauseProducing()

    def resumeProducing(self) -> None:
        self._process.resumeProducing()

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        self._process.registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        self._process.unregisterProducer()

    def loseConnection(self) -> None:
        self.disconnecting = True
        self._signal("TERM")
        self._process.loseConnection()

    def abortConnection(self) -> None:
        self.disconnecting = True
        self._signal("KILL")

    def _signal(self, name: str) -> None:
        if self._process.pid is not None:
            self._process.signalProcess(name)
