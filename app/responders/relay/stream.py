"""Relays TCP connections: data, half-closes, closes and resets. The faster peer waits for the slower one."""

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
from app.responders.relay.loops import Hop
from app.responders.relay.upstream import Upstream


@implementer(IHalfCloseableProtocol, IPushProducer)
class Half(Protocol):
    """One of the two connections of a relay: to the client or to the upstream. Its transport is a Tap.

    Attributes:
        other: the other half, while both connections are open.
    """

    transport: Any
    other: Half | None = None
    _ended = False

    def join(self, other: Half) -> None:
        """Pass on all received data to ``other``, and pause ``other`` while our transport's buffer is full."""
        self.other = other
        self.transport.registerProducer(other, True)

    def dataReceived(self, data: bytes) -> None:
        if self.other is not None:
            self.other.transport.write(data)

    def readConnectionLost(self) -> None:
        """Our peer has closed its sending direction: close ours to the other peer."""
        self._ended = True
        if self.other is None:
            self.transport.loseConnection()
        elif self.other._ended:
            self.other.close()
            self.close()
        else:
            self.other.finish_sending()

    def writeConnectionLost(self) -> None:
        """Our sending direction is closed: nothing to do."""

    def connectionLost(self, reason: Failure = None) -> None:  # type: ignore[assignment]
        other, self.other = self.other, None
        if other is not None:
            other.other = None
            if reason.check(ConnectionDone):
                other.close()
            else:
                other.transport.abortConnection()

    def finish_sending(self) -> None:
        """Close the sending direction to our peer, which may go on sending."""
        # Unregister first: a transport does not close while it has a paused producer.
        self.transport.unregisterProducer()
        self.transport.loseWriteConnection()

    def close(self) -> None:
        """Close once all data is sent."""
        self.transport.unregisterProducer()
        self.transport.loseConnection()

    # -- as the producer of the other half's transport

    def pauseProducing(self) -> None:
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        self.transport.resumeProducing()

    def stopProducing(self) -> None:
        """The other connection was lost: its protocol's ``connectionLost`` does what is needed."""


class UpstreamHalf(Half):
    """The connection to the upstream; ``previous`` is the hop of the client's connection."""

    def __init__(self, upstream: Upstream, previous: Hop | None) -> None:
        self._upstream, self._previous = upstream, previous

    def connectionMade(self) -> None:
        self._upstream.opened(self.transport, self._previous)

    def connectionLost(self, reason: Failure = None) -> None:  # type: ignore[assignment]
        self._upstream.closed(self.transport)
        error = self._upstream.tls_problem(self.transport)
        if error is not None and self.other is not None:
            self.other.transport.record(events.LOG, str(error), {"upstream": self._upstream.address})
        super().connectionLost(reason)


class _SingleFactory(Factory):
    """Builds the one protocol that it is given."""

    noisy = False

    def __init__(self, half: UpstreamHalf) -> None:
        self._half = half

    def buildProtocol(self, addr: Any) -> UpstreamHalf:
        return self._half


class ClientHalf(Half):
    """The connection of a client to the relay."""

    _connecting: Deferred[Any] | None = None

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    def connectionMade(self) -> None:
        # Until the upstream is connected, the client's data waits in the kernel's buffer.
        self.transport.pauseProducing()
        # In the next turn: if the client is one of our relays, its own end is connected by then, and
        # entered in Loops.
        self._connecting = connecting = deferLater(self._upstream.reactor, 0, self._connect)
        connecting.addCallbacks(self._connected, self._failed)

    def _connect(self) -> Deferred[Any]:
        previous = self._upstream.admit(self.transport)
        return self._upstream.connect(_SingleFactory(UpstreamHalf(self._upstream, previous)))

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
            return  # the client disconnected first
        error = self._upstream.explain(failure)
        self.transport.record(events.LOG, str(error), {"upstream": self._upstream.address})
        self.transport.loseConnection()

    def connectionLost(self, reason: Failure = None) -> None:  # type: ignore[assignment]
        if self._connecting is not None:
            self._connecting.cancel()
        super().connectionLost(reason)


class RelayFactory(ServerFactory):
    """Makes a connection to the upstream for each client."""

    noisy = False

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    def buildProtocol(self, addr: Any) -> ClientHalf:
        return ClientHalf(self._upstream)
