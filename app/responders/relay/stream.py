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
from app.responders.relay import errors
from app.responders.relay.balance import Balance, Member
from app.responders.relay.loops import Hop
from app.responders.relay.upstream import Secured, Upstream, tell_both

MAX_UNANSWERED = 400
"""Connections at once whose upstream has sent nothing yet; further clients are refused.

Bytes carry no mark by which a relay could find that its upstream leads back to it through another program. Such
a ring would go round until there are no descriptors left. Refused at one place, it comes undone all around as soon
as its client leaves.
"""


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
            self.other.pass_on(data)

    def pass_on(self, data: bytes) -> None:
        """Send what the other half has received."""
        self.transport.write(data)

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


class UpstreamHalf(Secured, Half):
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
        self.not_secured(error, reason)
        super().connectionLost(reason)


class _SingleFactory(Factory):
    """Builds the one protocol that it is given."""

    noisy = False

    def __init__(self, half: UpstreamHalf) -> None:
        self._half = half

    def buildProtocol(self, addr: Any) -> UpstreamHalf:
        return self._half


class ClientHalf(Half):
    """The connection of a client to the relay.

    ``unanswered`` has the clients of this relay whose upstream has sent nothing yet.
    """

    _connecting: Deferred[Any] | None = None
    _member: Member | None = None

    def __init__(self, balance: Balance, unanswered: set[ClientHalf], reactor: Any) -> None:
        self._balance, self._unanswered, self._reactor = balance, unanswered, reactor

    def connectionMade(self) -> None:
        if len(self._unanswered) >= MAX_UNANSWERED:
            self._tell(errors.UpstreamSilentError(address=self._balance.addresses, count=f"{MAX_UNANSWERED:,}"))
            self.transport.loseConnection()
            return
        self._unanswered.add(self)
        # Until the upstream is connected, the client's data waits in the kernel's buffer.
        self.transport.pauseProducing()
        # In the next turn: if the client is one of our relays, its own end is connected by then, and
        # entered in Loops.
        self._connecting = connecting = deferLater(self._reactor, 0, self._connect)
        connecting.addCallbacks(self._connected, self._failed)

    def pass_on(self, data: bytes) -> None:
        self._unanswered.discard(self)
        super().pass_on(data)

    def _connect(self) -> Deferred[Any]:
        previous = self._balance.admit(self.transport)

        def attempt(member: Member) -> Deferred[Any]:
            return member.upstream.connect(_SingleFactory(UpstreamHalf(member.upstream, previous)))

        return Deferred.fromCoroutine(self._balance.reach(self.transport.peer, attempt, self._tell))

    def _connected(self, reached: tuple[Member, Half]) -> None:
        self._connecting = None
        self._member, upstream = reached
        tell_both(self.transport, upstream.transport, self._member.address)
        ours = self.transport
        self.join(upstream)
        upstream.join(self)
        ours.resumeProducing()

    def _failed(self, failure: Failure) -> None:
        self._connecting = None
        if failure.check(CancelledError, ConnectingCancelledError):
            return  # the client disconnected first
        self._tell(self._balance.members[0].upstream.explain(failure))
        self.transport.loseConnection()

    def _tell(self, error: errors.UpstreamError) -> None:
        self.transport.record(events.LOG, str(error), {"upstream": error.fields["address"]})

    def connectionLost(self, reason: Failure = None) -> None:  # type: ignore[assignment]
        self._unanswered.discard(self)
        if self._connecting is not None:
            self._connecting.cancel()
        if self._member is not None:
            self._balance.left(self._member)
        super().connectionLost(reason)


class RelayFactory(ServerFactory):
    """Makes a connection to an upstream for each client."""

    noisy = False

    def __init__(self, balance: Balance, reactor: Any) -> None:
        self.balance, self._reactor = balance, reactor
        self._unanswered: set[ClientHalf] = set()

    def buildProtocol(self, addr: Any) -> ClientHalf:
        return ClientHalf(self.balance, self._unanswered, self._reactor)
