"""Relays WebSocket connections: messages, pings and close codes, with the upstream's choice of subprotocol."""

from __future__ import annotations

from typing import Any, cast

from autobahn.twisted.websocket import WebSocketClientFactory, WebSocketClientProtocol, WebSocketServerProtocol
from autobahn.websocket.types import ConnectionDeny
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone, ConnectionLost, TimeoutError
from twisted.internet.interfaces import IPushProducer
from twisted.python.failure import Failure
from zope.interface import implementer

from app import events
from app.responders import Context
from app.responders.relay import errors
from app.responders.relay.loops import Step
from app.responders.relay.upstream import Upstream
from app.websocket.timers import Timers

NO_STATUS, ABNORMAL = 1005, 1006
"""Close codes that no frame can carry (RFC 6455 section 7.4.1)."""

CLOSE_SECONDS = 1.5

OWN = {"host", "connection", "upgrade", "content-length", "transfer-encoding", "te", "trailer", "keep-alive"}
"""Fields of the handshake that are each side's own; so are those that begin as the second line says."""

OWN_PREFIXES = ("sec-websocket-", "proxy-")


@implementer(IPushProducer)
class _Reading:
    """Has one connection be read only while the other takes what came."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport

    def pauseProducing(self) -> None:
        self._transport.pauseProducing()

    def resumeProducing(self) -> None:
        self._transport.resumeProducing()

    def stopProducing(self) -> None:
        """The other connection is gone, and its protocol says how."""


class Half:
    """Mixed in before one of autobahn's protocols: passes on to ``other`` what comes."""

    other: Any = None

    def join(self: Any, other: Any) -> None:
        self.other = other
        self.transport.registerProducer(_Reading(other.transport), True)

    def onMessage(self: Any, payload: bytes, isBinary: bool) -> None:
        if self.other is not None:
            self.other.sendMessage(payload, isBinary)

    def onPing(self: Any, payload: bytes) -> None:
        # Answered by whom it is for: the pong comes back the same way.
        if self.other is not None:
            self.other.sendPing(payload)

    def onPong(self: Any, payload: bytes) -> None:
        if self.other is not None:
            self.other.sendPong(payload)

    def onClose(self: Any, wasClean: bool, code: int | None, reason: str | None) -> None:
        other, self.other = self.other, None
        if other is None:
            return
        other.other = None
        if other.transport is not None:
            other.transport.unregisterProducer()
        if not wasClean or code == ABNORMAL:
            other.transport.abortConnection()
        elif other.state == other.STATE_OPEN:
            words = reason.encode() if isinstance(reason, str) else reason
            other.sendCloseFrame(*((None, None) if code in (None, NO_STATUS) else (code, words)))


class UpstreamHalf(Half, WebSocketClientProtocol):  # type: ignore[misc]
    """The upstream's half.

    Attributes:
        opened: fires with itself, or fails, when the handshake is over.
        upstream: where it is connected to.
        before: the step that brought us the client.
    """

    transport: Any
    opened: Deferred[Any]
    upstream: Upstream
    before: Step | None

    def connectionMade(self) -> None:
        super().connectionMade()
        self._tap = self.transport
        self.upstream.opened(self._tap, self.before)

    def connectionLost(self, reason: Failure = None) -> None:  # type: ignore[assignment]
        self.upstream.closed(self._tap)
        why = self.upstream.tls_problem(self._tap)
        if self.wasOpenHandshakeTimeout:
            why = self.upstream.why_not(Failure(TimeoutError()))
        # autobahn would write an error of TLS into the log.
        super().connectionLost(Failure(ConnectionLost()) if why else reason)
        if not self.opened.called:
            self.opened.errback(Failure(why or RefusedHandshakeError(self.wasNotCleanReason or "")))

    def onOpen(self) -> None:
        # Nothing is passed on until the client's handshake is over, too.
        self.transport.pauseProducing()
        self.opened.callback(self)


class RefusedHandshakeError(Exception):
    """The upstream did not accept the WebSocket."""


def protocol_class(url: str, upstream: Upstream, context: Context) -> type[WebSocketServerProtocol]:
    """The server's protocol, which connects to ``url`` for each client before it accepts it."""

    class Client(Half, WebSocketServerProtocol):  # type: ignore[misc]
        transport: Any
        _upstream: Any = None

        def onConnect(self, request: Any) -> Any:
            try:
                before = upstream.admit(self.transport)
            except errors.UpstreamItselfError as e:
                return self._denied(e)
            self.transport.pauseProducing()
            # The client has done its part, and the upstream has a time of its own.
            cast(Any, self).openHandshakeTimeoutCall.cancel()
            self.openHandshakeTimeoutCall = None
            opening: Deferred[Any] = Deferred()
            factory = _factory(url, request, upstream, context)
            made = {"opened": opening, "upstream": upstream, "before": before}
            factory.protocol = cast(Any, type("Upstream", (UpstreamHalf,), made))
            upstream.connect(factory).addErrback(opening.errback)
            return opening.addCallbacks(self._accepted, self._refused)

        def _accepted(self, theirs: Any) -> str | None:
            self._upstream, ours = theirs, self.transport
            if ours is None or self.state == self.STATE_CLOSED:
                theirs.transport.abortConnection()
                return None
            theirs.transport.note(events.LOG, f"relays {ours.peer}", {"client": ours.peer})
            ours.note(events.LOG, f"relayed through {theirs.transport.host}", {"upstream": theirs.transport.host})
            chosen: str | None = theirs.websocket_protocol_in_use
            return chosen

        def _refused(self, failure: Failure) -> None:
            if failure.check(RefusedHandshakeError, ConnectionDone):
                text = str(failure.value).rstrip(".") or "it closed the connection during the handshake"
                self._denied(errors.UpstreamError(address=upstream.address, reason=text))
            self._denied(upstream.why_not(failure))

        def _denied(self, why: errors.UpstreamError) -> None:
            self.transport.note(events.LOG, str(why), {"upstream": upstream.address})
            self.transport.resumeProducing()
            raise ConnectionDeny(504 if isinstance(why, errors.UpstreamTimeoutError) else 502, str(why))

        def onOpen(self) -> None:
            theirs = self._upstream
            if theirs.state != theirs.STATE_OPEN:  # gone since
                self.sendCloseFrame(1001, b"the upstream is gone")
                return
            self.join(theirs)
            theirs.join(self)
            self.transport.resumeProducing()
            theirs.transport.resumeProducing()

        def connectionLost(self, reason: Failure = None) -> None:  # type: ignore[assignment]
            super().connectionLost(reason)
            theirs, self._upstream = self._upstream, None
            if theirs is not None and theirs.other is None and theirs.state == theirs.STATE_OPEN:
                theirs.transport.abortConnection()

    return Client


def _factory(url: str, request: Any, upstream: Upstream, context: Context) -> WebSocketClientFactory:
    passed = {
        name: value
        for name, value in request.headers.items()
        if name.lower() not in OWN and not name.lower().startswith(OWN_PREFIXES) and name.lower() != "origin"
    }
    factory = WebSocketClientFactory(
        url, request.origin, list(request.protocols) or None, headers=passed, reactor=context.reactor
    )
    factory.useragent = None
    factory._batched_timer = Timers(context.reactor)
    factory.setProtocolOptions(
        openHandshakeTimeout=upstream.seconds,
        closeHandshakeTimeout=CLOSE_SECONDS,
        maxFramePayloadSize=MAX_MESSAGE,
        maxMessagePayloadSize=MAX_MESSAGE,
        failByDrop=False,
        echoCloseCodeReason=True,
    )
    return factory


MAX_MESSAGE = 16 << 20
"""Bytes of a message from the upstream, above which it gets close code 1009."""
