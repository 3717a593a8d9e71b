"""Relays HTTP requests and responses. Bodies are streamed in both directions; hop-by-hop headers are dropped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure
from twisted.web._newclient import ParseError, ResponseDone
from twisted.web.client import ResponseFailed
from twisted.web.http import SWITCHING, PotentialDataLoss
from twisted.web.http_headers import Headers
from twisted.web.iweb import UNKNOWN_LENGTH, IBodyProducer
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET
from zope.interface import implementer

from app import events
from app.errors import PostError
from app.http.client import HeadTooLargeError
from app.responders.relay import errors, request_target
from app.responders.relay.balance import Balance, Member
from app.responders.relay.loops import Hop
from app.responders.relay.pool import Pool, UpstreamConnection, UpstreamRequest, may_repeat
from app.responders.relay.upstream import Target, Upstream, served_by
from app.text.escapes import escape

HOP_BY_HOP = {b"connection", b"keep-alive", b"te", b"trailer", b"transfer-encoding", b"upgrade"}
"""Headers that are not passed on (RFC 9110 section 7.6.1), besides ``Proxy-*`` and those that Connection names."""

_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
"""What no reason phrase may contain (RFC 9112 section 4)."""

NO_UPGRADE = "the upgrade to WebSocket is not passed on: a service with the protocol websocket relays it"

SEVERAL = "several"
"""What stands for the upstream of a client's connection whose requests went to more than one."""

SET_BY_RELAY = {b"host", b"content-length", b"expect"}
"""Headers of a request that the relay sets itself."""


def end_to_end(headers: Headers, connection: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """The end-to-end headers among ``headers``; ``connection`` has the values of the Connection header."""
    named = {name.strip().lower() for value in connection for name in value.split(b",")}
    for name, values in headers.getAllRawHeaders():
        key = name.lower()
        if key not in HOP_BY_HOP and key not in named and not key.startswith(b"proxy-"):
            # No header may contain NUL (RFC 9110 section 5.5): clients refuse the whole response because of it.
            yield from ((name, value.replace(b"\0", b" ")) for value in values)


@implementer(IBodyProducer)
class Upload:
    """Streams a request's body to the upstream."""

    def __init__(self, body: Any) -> None:
        self._body = body
        self.length = UNKNOWN_LENGTH if body.length is None else body.length

    def startProducing(self, consumer: Any) -> Deferred[None]:
        self._sent: Deferred[None] = Deferred(lambda _: None)
        self._body.deliver(consumer.write, self._ended)
        return self._sent

    def _ended(self, failure: Failure | None) -> None:
        if not self._sent.called:
            self._sent.callback(failure)

    def pauseProducing(self) -> None:
        self._body.pause()

    def resumeProducing(self) -> None:
        self._body.resume()

    def stopProducing(self) -> None:
        """The upstream does not read the rest of the body."""
        self._body.pause()


@implementer(IPushProducer)
class Download(Protocol):
    """Streams a response's body to the client."""

    transport: Any

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def connectionMade(self) -> None:
        self._exchange.request.registerProducer(self, True)

    def dataReceived(self, data: bytes) -> None:
        self._exchange.request.write(data)

    def connectionLost(self, reason: Failure = None) -> None:  # type: ignore[assignment]
        self._exchange.ended(reason)

    def pauseProducing(self) -> None:
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        self.transport.resumeProducing()

    def stopProducing(self) -> None:
        """The client has disconnected: ``notifyFinish`` tells the exchange."""


class Exchange:
    """One request of a client and its response.

    Attributes:
        request: the client's request.
    """

    def __init__(self, request: Any, balance: Balance) -> None:
        self.request, self._balance = request, balance
        self._member: Member | None = None
        self._responding: Deferred[Any] | None = None
        self._response: Any = None
        self._over = False
        request.notifyFinish().addBoth(self._finished)

    def begin(self, responding: Deferred[Any]) -> None:
        self._responding = responding
        responding.addCallbacks(self._responded, self._failed)
        responding.addErrback(self._internal_error)

    def given(self, member: Member | None) -> None:
        """It is passed on to ``member`` now; None: to none."""
        if self._member is not None:
            self._balance.left(self._member)
        self._member = member
        if member is not None:
            self.request.served_by = member.address

    @property
    def _upstream(self) -> Upstream:
        return (self._member or self._balance.members[0]).upstream

    def tell(self, error: errors.UpstreamError) -> None:
        """Record that an upstream could not be reached, and the next one is tried."""
        self.record(str(error), error.fields["address"])

    def record(self, text: str, address: object) -> None:
        self.request.channel.tap.record(events.LOG, text, {"upstream": address})

    def _responded(self, response: Any) -> None:
        self._responding, self._response = None, response
        if self._over:
            response.abort()
            return
        request = self.request
        request.setResponseCode(response.code, _CONTROL.sub(b" ", response.phrase))
        request.defaultContentType = None
        request.responseHeaders.removeHeader(b"server")
        if response.headers.hasHeader(b"date"):  # else the relay's own Date stays (RFC 9110 section 6.6.1)
            request.responseHeaders.removeHeader(b"date")
        for name, value in end_to_end(response.headers, response.connection):
            request.responseHeaders.addRawHeader(name, value)
        if response.length is not UNKNOWN_LENGTH and request.method != b"HEAD" and response.code not in (204, 304):
            request.responseHeaders.setRawHeaders(b"content-length", [b"%d" % response.length])
        request.write(b"")
        response.deliverBody(Download(self))

    def interim(self, code: int, headers: Headers) -> None:
        """Pass on an interim answer, as 103 Early Hints; ``100 Continue`` is a matter of each connection."""
        if not self._over and code > SWITCHING:
            fields = Headers()
            for name, value in end_to_end(headers, []):
                fields.addRawHeader(name, value)
            self.request.channel.send_interim(code, fields)

    def ended(self, reason: Failure) -> None:
        """The response is complete, or the connection to the upstream was lost."""
        if self._over:
            return
        self.request.unregisterProducer()
        # Without a length, the end of the connection is the end of the body.
        if reason.check(ResponseDone, PotentialDataLoss):
            if trailers := self._response.trailers():
                words = escape(b", ".join(trailers))
                text = f"trailers of the upstream's answer are not passed on: {words}"
                self.record(text, self._upstream.address)
            self.request.finish()
        else:
            self.request.cut(str(self._explain(reason)))

    def _failed(self, failure: Failure) -> None:
        self._responding = None
        if not self._over:
            error = self._explain(failure)
            self.answer_error(error, 504 if isinstance(error, errors.UpstreamTimeoutError) else 502)

    def _explain(self, failure: Failure) -> errors.UpstreamError:
        while reasons := getattr(failure.value, "reasons", None):
            failure = reasons[0]  # Twisted wraps the failures of one response
        if failure.check(HeadTooLargeError):
            return errors.UpstreamError(address=self._upstream.address, reason=str(failure.value))
        if failure.check(ParseError, ValueError):  # ValueError comes from headers and chunks
            return errors.UpstreamError(address=self._upstream.address, reason="it did not answer in HTTP")
        if failure.check(ConnectionDone, ConnectionLost, ConnectionAborted, ResponseFailed):
            words = "it closed the connection before its answer was complete"
            return errors.UpstreamError(address=self._upstream.address, reason=words)
        return self._upstream.explain(failure)

    def _internal_error(self, failure: Failure) -> None:
        if not self._over:
            self.request.processingFailed(failure)

    def answer_error(self, error: PostError, status: int) -> None:
        """Answer with ``status`` and the error's text, in place of the upstream."""
        request, body = self.request, f"{error}\n".encode()
        request.setResponseCode(status)
        request.setHeader(b"content-type", b"text/plain; charset=utf-8")
        request.setHeader(b"content-length", b"%d" % len(body))
        request.write(body)
        request.finish()

    def _finished(self, result: Any) -> None:
        self._over = True
        self.given(None)
        disconnected = isinstance(result, Failure)
        if self._responding is not None:
            self._responding.cancel()
        elif self._response is not None and (disconnected or not self.request.body.delivered):
            self._response.abort()


class HTTPRelay(Resource):
    """Sends every request to an upstream, and answers with the upstream's response."""

    isLeaf = True
    parses_forms = False
    streams_body = True

    def __init__(self, balance: Balance, targets: Sequence[Target], *, keep_host: bool, forwarded: bool) -> None:
        """``targets``: those of the upstreams, in their order. The path of each is put before that of a request."""
        super().__init__()
        self.balance, self._targets = balance, targets
        self._keep_host, self._forwarded = keep_host, forwarded
        self._pools = [Pool(member.upstream) for member in balance.members]
        self._served: WeakKeyDictionary[Any, str] = WeakKeyDictionary()

    def render(self, request: Any) -> int:
        exchange = Exchange(request, self.balance)
        try:
            via = (value.decode("latin-1") for value in request.requestHeaders.getRawHeaders(b"via", []))
            previous = self.balance.admit(request.channel.tap, via)
        except errors.UpstreamItselfError as e:
            exchange.tell(e)
            exchange.answer_error(e, 508)
            return NOT_DONE_YET
        if b"websocket" in (request.getHeader(b"upgrade") or b"").lower():
            exchange.record(NO_UPGRADE, self.balance.addresses)
        exchange.begin(Deferred.fromCoroutine(self._passed_on(exchange, previous)))
        return NOT_DONE_YET

    async def _passed_on(self, exchange: Exchange, previous: Hop | None) -> Any:
        """The response of an upstream. The request goes to one, unless it may be repeated (``may_repeat``)."""
        request, peer = exchange.request, exchange.request.peer
        body = None if request.body.length == 0 else Upload(request.body)

        async def respond(connection: UpstreamConnection, member: Member) -> Any:
            exchange.given(member)
            self._tell_served(request.channel.tap, member.address, connection.transport.host)
            target = request_target.below(self._targets[member.number].path.encode().rstrip(b"/"), request.uri)
            headers = self._headers(request, member, connection.transport.peer)
            return await connection.request(
                UpstreamRequest(previous, request.method, target, headers, body, exchange.interim)
            )

        member, connection = await self.balance.reach(
            peer, lambda member: self._pools[member.number].connect(), exchange.tell
        )
        used = connection.used
        try:
            return await respond(connection, member)
        except Exception as e:
            if not may_repeat(e, request.method, used=used, body=body is not None):
                raise
        exchange.given(None)
        member, connection = await self.balance.reach(
            peer, lambda member: self._pools[member.number].connect_anew(), exchange.tell, member
        )
        return await respond(connection, member)

    def _tell_served(self, tap: Any, address: str, through: str) -> None:
        """Record on a client's connection which upstream serves it: the first one, and once that there are several."""
        before = self._served.get(tap)
        if before is None:
            tap.record(events.LOG, f"relayed through {through} to {address}", served_by(address, through))
        elif before not in (address, SEVERAL):
            address = SEVERAL
            tap.record(events.LOG, "relayed to more than one upstream", served_by(address, through))
        else:
            return
        self._served[tap] = address

    def _headers(self, request: Any, member: Member, peer: str) -> Headers:
        own = (self._targets[member.number].authority or peer).encode()
        received = request.requestHeaders
        headers = Headers()
        host = received.getRawHeaders(b"host", [b""])[0]
        headers.setRawHeaders(b"Host", [host if self._keep_host and host else own])
        for name, value in end_to_end(received, received.getRawHeaders(b"connection", [])):
            if name.lower() not in SET_BY_RELAY:
                headers.addRawHeader(name, value)
        version = request.clientproto.partition(b"/")[2]
        headers.addRawHeader(b"Via", b"%b %b" % (version, member.upstream.pseudonym.encode()))
        if self._forwarded:
            self._add_forwarded(request, headers, host)
        return headers

    def _add_forwarded(self, request: Any, headers: Headers, host: bytes) -> None:
        """Add the client to X-Forwarded-For and to Forwarded (RFC 7239)."""
        address = request.getClientAddress().host.encode()
        scheme = b"https" if request.isSecure() else b"http"
        earlier = headers.getRawHeaders(b"x-forwarded-for", [])
        headers.setRawHeaders(b"X-Forwarded-For", [b", ".join([*earlier, address])])
        headers.setRawHeaders(b"X-Forwarded-Proto", [scheme])
        node = b'"[%b]"' % address if b":" in address else address
        element = b"for=%b;proto=%b" % (node, scheme)
        if host:
            headers.setRawHeaders(b"X-Forwarded-Host", [host])
            element += b';host="%b"' % host.replace(b"\\", b"").replace(b'"', b"")
        headers.setRawHeaders(b"Forwarded", [b", ".join([*headers.getRawHeaders(b"forwarded", []), element])])
