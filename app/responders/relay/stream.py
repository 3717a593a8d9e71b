"""Relays TCP connections: bytes, ends and resets, as fast as the slower side takes them."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectingCancelledError, ConnectionDone
from twisted.internet.interfaces import IHalfCloseableProtocol, IPushProducer
from twisted.internet.protocol import Factory, Protocol, ServerFactory
from twisted.internet.task import deferLater
from twisted.python.failure import Failure
from zope.interface import implementer

from app import events
from app.responders.relay.loops import Step
from app.responders.relay.upstream import Upstream


@implementer(IHalfCloseableProtocol, IPushProducer)
class Half(Protocol):
    """One connection of a relayed pair. Its transport is a Tap.

    Attributes:
        other: the other one, while both are there.
    """

    transport: Any
    other: Half | None = None
    _ended = False

    def join(self, other: Half) -> None:
        """Pass on to ``other`` all that comes, and have it read no more while we are full."""
        self.other = other
        self.transport.registerProducer(other, True)

    def dataReceived(self, data: bytes) -> None:
        if self.other is not None:
            self.other.transport.write(data)

    def readConnectionLost(self) -> None:
        """Our peer has sent all."""
        self._ended = True
        if self.other is None:
            self.transport.loseConnection()
        elif self.other._ended:
            self.other.close()
            self.close()
        else:
            self.other.finish_sending()

    def writeConnectionLost(self) -> None:
        """Our peer knows now that nothing more comes."""

    def connectionLost(self, reason: Failure = None) -> None:  # type: ignore[assignment]
        other, self.other = self.other, None
        if other is not None:
            other.other = None
            if reason.check(ConnectionDone):
                other.close()
            else:
                other.transport.abortConnection()

    def finish_sending(self) -> None:
        """Tell our peer that nothing more comes; it may go on sending."""
        # First: a transport does not close for a producer that it has paused.
        self.transport.unregisterProducer()
        self.transport.loseWriteConnection()

    def close(self) -> None:
        """Close when all that was passed on has left."""
        self.transport.unregisterProducer()
        self.transport.loseConnection()

    # -- as the producer of the other half's transport

    def pauseProducing(self) -> None:
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        self.transport.resumeProducing()

    def stopProducing(self) -> None:
        """The other transport is gone; its protocol will say how."""


class Server(Half):
    """The half towards the upstream."""

    def __init__(self, upstream: Upstream, before: Step | None) -> None:
        self._upstream, self._before = upstream, before

    def connectionMade(self) -> None:
        self._upstream.opened(self.transport, self._before)

    def connectionLost(self, reason: Failure = None) -> None:  # type: ignore[assignment]
        self._upstream.closed(self.transport)
        why = self._upstream.tls_problem(self.transport)
        if why is not None and self.other is not None:
            self.other.transport.record(events.LOG, str(why), {"upstream": self._upstream.address})
        super().connectionLost(reason)


class _Once(Factory):
    noisy = False

    def __init__(self, half: Server) -> None:
        self._half = half

    def buildProtocol(self, addr: Any) -> Server:
        return self._half


class Client(Half):
    """The half of somebody who connected to the relay."""

    _connecting: Deferred[Any] | None = None

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    def connectionMade(self) -> None:
        # What the client sends meanwhile waits in the kernel, which bounds it.
        self.transport.pauseProducing()
        # A turn later: when a relay of ours is the client, its end knows that it is connected by then.
        self._connecting = connecting = deferLater(self._upstream.reactor, 0, self._connect)
        connecting.addCallbacks(self._connected, self._failed)

    def _connect(self) -> Deferred[Any]:
        before = self._upstream.admit(self.transport)
        return self._upstream.connect(_Once(Server(self._upstream, before)))

    def _connected(self, upstream: Half) -> None:
        self._connecting = None
        ours, theirs = self.transport, upstream.transport
        theirs.record(events.LOG, f"relays {ours.peer}", {"client": ours.peer})
        ours.record(events.LOG, f"relayed through {theirs.host}", {"upstream": theirs.host})
        self.join(upstream)
        upstream.join(self)
        ours.resumeProducing()

    def _failed(self, failure: Failure) -> None:
        self._connecting = None
        if failure.check(CancelledError, ConnectingCancelledError):
            return  # the client did not wait
        why = self._upstream.why_not(failure)
        self.transport.record(events.LOG, str(why), {"upstream": self._upstream.address})
        self.transport.loseConnection()

    def connectionLost(self, reason: Failure = None) -> None:  # type: ignore[assignment]
        if self._connecting is not None:
            self._connecting.cancel()
        super().connectionLost(reason)


class Relay(ServerFactory):
    """Connects to the upstream for each client."""

    noisy = False

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    def buildProtocol(self, addr: Any) -> Client:
        return Client(self._upstream)
