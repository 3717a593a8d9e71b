"""Relays WebSocket connections: messages, pings, pongs and close codes. The upstream chooses the subprotocol."""

from __future__ import annotations

from typing import Any, NoReturn, cast

from autobahn.twisted.websocket import WebSocketClientFactory, WebSocketClientProtocol, WebSocketServerProtocol
from autobahn.websocket.types import ConnectionDeny
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone, ConnectionLost, TimeoutError
from twisted.internet.interfaces import IPushProducer
from twisted.python.failure import Failure
from zope.interface import implementer

from app import events
from app.responders import Context
from app.responders.relay import errors, request_target
from app.responders.relay.loops import Hop
from app.responders.relay.upstream import Upstream
from app.websocket import handshake_answer
from app.websocket.close_codes import ABNORMAL, NO_STATUS
from app.websocket.fragments import Fragments
from app.websocket.gathering import Gathering
from app.websocket.timers import Timers

CLOSE_SECONDS = 1.5
"""Timeout of the closing handshake with the upstream."""

HOP_BY_HOP = {"host", "connection", "upgrade", "content-length", "transfer-encoding", "te", "trailer", "keep-alive"}
"""Headers of the client's handshake that are not passed on."""

HOP_BY_HOP_PREFIXES = ("sec-websocket-", "proxy-")
"""Headers that begin with these are not passed on, either."""


@implementer(IPushProducer)
class _Producer:
    """Pauses reading from ``transport`` while the other connection's buffer is full."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport

    def pauseProducing(self) -> None:
        self._transport.pauseProducing()

    def resumeProducing(self) -> None:
        self._transport.resumeProducing()

    def stopProducing(self) -> None:
        """The other connection was lost: its protocol's ``onClose`` does what is needed."""


class Half:
    """Mixin for an autobahn protocol, placed before it: passes on all it receives to ``other``.

    Attributes:
        name: which side of the relay our peer is.
    """

    other: Any = None
    name = ""

    def join(self: Any, other: Any) -> None:
        self.other = other
        self.transport.registerProducer(_Producer(other.transport), True)

    def onMessage(self: Any, payload: bytes, isBinary: bool) -> None:
        if self.other is not None:
            self.other.sendMessage(payload, isBinary)

    def onPing(self: Any, payload: bytes) -> None:
        # The other peer answers it; onPong passes the answer back.
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
            if self.failedByMe:
                words = f"aborted, because the {self.name} broke the rules of WebSocket: {reason}"
                other.transport.record(events.LOG, words, {})
            other.transport.abortConnection()
        elif other.state == other.STATE_OPEN:
            text = reason.encode() if isinstance(reason, str) else reason
            other.sendCloseFrame(*((None, None) if code in (None, NO_STATUS) else (code, text)))


class UpstreamHalf(Half, Fragments, Gathering, WebSocketClientProtocol):  # type: ignore[misc]
    """The connection to the upstream.

    Attributes:
        opened: fires with this protocol when the handshake is complete, or fails.
        upstream: the server it is connected to.
        previous: the hop of the client's connection.
    """

    name = "upstream"
    transport: Any
    opened: Deferred[Any]
    upstream: Upstream
    previous: Hop | None

    def connectionMade(self) -> None:
        super().connectionMade()
        self._tap = self.transport
        self.upstream.opened(self._tap, self.previous)

    def processHandshake(self) -> None:
        if wrong := handshake_answer.problem(self.data):
            self.failHandshake(f"it {wrong}")
            self.transport.abortConnection()  # it may go on sending
        else:
            super().processHandshake()

    def connectionLost(self, reason: Failure = None) -> None:  # type: ignore[assignment]
        self.upstream.closed(self._tap)
        error = self.upstream.tls_problem(self._tap)
        if self.wasOpenHandshakeTimeout:
            error = self.upstream.explain(Failure(TimeoutError()))
        # ConnectionLost, because autobahn logs TLS errors as failures.
        super().connectionLost(Failure(ConnectionLost()) if error else reason)
        if not self.opened.called:
            self.opened.errback(Failure(error or RefusedHandshakeError(self.wasNotCleanReason or "")))

    def onOpen(self) -> None:
        # Read nothing until the client's handshake is complete, too.
        self.transport.pauseProducing()
        self.opened.callback(self)


class RefusedHandshakeError(Exception):
    """The upstream refused the WebSocket handshake."""


def protocol_class(url: str, upstream: Upstream, context: Context) -> type[WebSocketServerProtocol]:
    """The server protocol class. It connects to ``url`` for each client before it accepts the handshake."""

    class Client(Half, WebSocketServerProtocol):  # type: ignore[misc]
        name = "client"
        transport: Any
        _upstream: Any = None
        _connecting: Deferred[Any] | None = None
        _opening: Any = None

        def onConnect(self, request: Any) -> Any:
            try:
                previous = upstream.admit_request(self.transport, [request.headers.get("via", "")])
            except errors.UpstreamItselfError as e:
                self._deny(e, 508)
            self.transport.pauseProducing()
            # The client has done its part of the handshake. The upstream has a timeout of its own.
            cast(Any, self).openHandshakeTimeoutCall.cancel()
            self.openHandshakeTimeoutCall = None
            opening: Deferred[Any] = Deferred()
            factory = _factory(url, request, upstream, context)
            factory.resource = request_target.of_websocket(factory.resource, self.http_request_uri)
            attributes = {"opened": opening, "upstream": upstream, "previous": previous}
            factory.protocol = cast(Any, type("Upstream", (UpstreamHalf,), attributes))
            self._connecting = upstream.connect(factory)
            self._connecting.addCallbacks(self._connected, opening.errback)
            return opening.addCallbacks(self._accepted, self._refused)

        def _connected(self, theirs: Any) -> None:
            self._opening = theirs

        def _gone(self) -> bool:
            return self.transport is None or self.state == self.STATE_CLOSED

        def _accepted(self, theirs: Any) -> str | None:
            self._upstream, self._opening, ours = theirs, None, self.transport
            if self._gone():
                theirs.transport.abortConnection()
                return None
            theirs.transport.record(events.LOG, f"relays {ours.peer}", {"client": ours.peer})
            ours.record(events.LOG, f"relayed through {theirs.transport.host}", {"upstream": theirs.transport.host})
            chosen: str | None = theirs.websocket_protocol_in_use
            return chosen

        def _refused(self, failure: Failure) -> None:
            self._opening = None
            if self._gone():
                return  # and the handshake with it
            if failure.check(RefusedHandshakeError, ConnectionDone):
                text = str(failure.value).rstrip(".") or "it closed the connection during the handshake"
                # A ring is told all the way round.
                status = 508 if " [508]: " in text else 502
                self._deny(errors.UpstreamError(address=upstream.address, reason=text), status)
            self._deny(upstream.explain(failure))

        def _deny(self, error: errors.UpstreamError, status: int = 502) -> NoReturn:
            self.transport.record(events.LOG, str(error), {"upstream": upstream.address})
            self.transport.resumeProducing()
            raise ConnectionDeny(504 if isinstance(error, errors.UpstreamTimeoutError) else status, str(error))

        def onOpen(self) -> None:
            theirs = self._upstream
            if theirs.state != theirs.STATE_OPEN:  # closed meanwhile
                self.sendCloseFrame(1001, b"the upstream is gone")
                return
            self.join(theirs)
            theirs.join(self)
            self.transport.resumeProducing()
            theirs.transport.resumeProducing()

        def connectionLost(self, reason: Failure = None) -> None:  # type: ignore[assignment]
            super().connectionLost(reason)
            if self._connecting is not None:
                self._connecting.cancel()
            if self._opening is not None:
                self._opening.transport.abortConnection()
            theirs, self._upstream = self._upstream, None
            if theirs is not None and theirs.other is None and theirs.state == theirs.STATE_OPEN:
                theirs.transport.abortConnection()

    return Client


def _factory(url: str, request: Any, upstream: Upstream, context: Context) -> WebSocketClientFactory:
    headers = {
        name: value
        for name, value in request.headers.items()
        if name.lower() not in HOP_BY_HOP
        and not name.lower().startswith(HOP_BY_HOP_PREFIXES)
        and name.lower() not in ("origin", "via")
    }
    headers["Via"] = ", ".join(filter(None, (request.headers.get("via"), f"1.1 {upstream.pseudonym}")))
    factory = WebSocketClientFactory(
        url, request.origin, list(request.protocols) or None, headers=headers, reactor=context.reactor
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
"""Bytes of a message from the upstream. A larger one is answered with close code 1009."""
