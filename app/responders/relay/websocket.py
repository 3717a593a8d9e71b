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
from app.responders.relay.balance import Balance, Member
from app.responders.relay.loops import Hop
from app.responders.relay.upstream import WEBSOCKET, Secured, Upstream, tell_both
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


class UpstreamHalf(Secured, Half, Fragments, Gathering, WebSocketClientProtocol):  # type: ignore[misc]
    """The connection to the upstream.

    Attributes:
        opened: fires with this protocol when the handshake is complete, or fails.
        _upstream: the server it is connected to.
        previous: the hop of the client's connection.
    """

    name = "upstream"
    transport: Any
    opened: Deferred[Any]
    previous: Hop | None

    def connectionMade(self) -> None:
        super().connectionMade()
        self._tap = self.transport
        self._upstream.opened(self._tap, self.previous)

    def processHandshake(self) -> None:
        if wrong := handshake_answer.problem(self.data):
            self.failHandshake(f"it {wrong}")
            self.transport.abortConnection()  # it may go on sending
        else:
            super().processHandshake()

    def connectionLost(self, reason: Failure = None) -> None:  # type: ignore[assignment]
        self._upstream.closed(self._tap)
        error = self._upstream.tls_problem(self._tap)
        self.not_secured(error, reason)
        if self.wasOpenHandshakeTimeout:
            error = self._upstream.explain(Failure(TimeoutError()))
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


def protocol_class(among: Balance, context: Context) -> type[WebSocketServerProtocol]:
    """The server protocol class. It connects to an upstream for each client before it accepts the handshake."""

    class Client(Half, WebSocketServerProtocol):  # type: ignore[misc]
        name = "client"
        transport: Any
        balance = among
        _upstream: Any = None
        _connecting: Deferred[Any] | None = None
        _opening: Any = None
        _member: Member | None = None

        def onConnect(self, request: Any) -> Any:
            try:
                previous = among.admit(self.transport, [request.headers.get("via", "")])
            except errors.UpstreamItselfError as e:
                self._deny(e, 508)
            self.transport.pauseProducing()
            # The client has done its part of the handshake. The upstream has a timeout of its own.
            cast(Any, self).openHandshakeTimeoutCall.cancel()
            self.openHandshakeTimeoutCall = None

            def attempt(member: Member) -> Deferred[Any]:
                upstream = member.upstream
                factory = _factory(request, upstream, context)
                factory.resource = request_target.of_websocket(factory.resource, self.http_request_uri)
                opened: Deferred[Any] = Deferred()
                attributes = {"opened": opened, "_upstream": upstream, "previous": previous}
                factory.protocol = cast(Any, type("Upstream", (UpstreamHalf,), attributes))

                def on_failure(failure: Failure) -> Failure:
                    opened.addErrback(lambda _: None)  # nobody waits for it
                    return failure

                return upstream.connect(factory).addErrback(on_failure)

            self._connecting = Deferred.fromCoroutine(among.reach(self.transport.peer, attempt, self._tell))
            opening: Deferred[Any] = self._connecting.addCallback(self._connected)
            return opening.addCallbacks(self._accepted, self._refused)

        def _connected(self, reached: tuple[Member, Any]) -> Deferred[Any]:
            self._member, theirs = reached
            self._connecting, self._opening = None, theirs
            opened: Deferred[Any] = theirs.opened
            return opened

        def _gone(self) -> bool:
            return self.transport is None or self.state == self.STATE_CLOSED

        def _accepted(self, theirs: Any) -> str | None:
            self._upstream, self._opening, ours = theirs, None, self.transport
            if self._gone():
                theirs.transport.abortConnection()
                return None
            tell_both(ours, theirs.transport, self._address())
            chosen: str | None = theirs.websocket_protocol_in_use
            return chosen

        def _refused(self, failure: Failure) -> None:
            self._opening = self._connecting = None
            if self._gone():
                return  # and the handshake with it
            upstream = (self._member or among.members[0]).upstream
            if failure.check(RefusedHandshakeError, ConnectionDone):
                text = str(failure.value).rstrip(".") or "it closed the connection during the handshake"
                # A ring is told all the way round.
                status = 508 if " [508]: " in text else 502
                self._deny(errors.UpstreamError(address=upstream.address, reason=text), status)
            self._deny(upstream.explain(failure))

        def _address(self) -> str:
            return (self._member or among.members[0]).address

        def _tell(self, error: errors.UpstreamError) -> None:
            self.transport.record(events.LOG, str(error), {"upstream": error.fields["address"]})

        def _deny(self, error: errors.UpstreamError, status: int = 502) -> NoReturn:
            self._tell(error)
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
            if self._member is not None:
                among.left(self._member)
            theirs, self._upstream = self._upstream, None
            if theirs is not None and theirs.other is None and theirs.state == theirs.STATE_OPEN:
                theirs.transport.abortConnection()

    return Client


def _factory(request: Any, upstream: Upstream, context: Context) -> WebSocketClientFactory:
    headers = {
        name: value
        for name, value in request.headers.items()
        if name.lower() not in HOP_BY_HOP
        and not name.lower().startswith(HOP_BY_HOP_PREFIXES)
        and name.lower() not in ("origin", "via")
    }
    headers["Via"] = ", ".join(filter(None, (request.headers.get("via"), f"1.1 {upstream.pseudonym}")))
    factory = WebSocketClientFactory(
        upstream.url(WEBSOCKET),
        request.origin,
        list(request.protocols) or None,
        headers=headers,
        reactor=context.reactor,
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
