"""Relays HTTP: bodies pass as they come, both ways; what belongs to one connection stays there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure
from twisted.web._newclient import ParseError, ResponseDone
from twisted.web.client import ResponseFailed
from twisted.web.http import PotentialDataLoss
from twisted.web.http_headers import Headers
from twisted.web.iweb import UNKNOWN_LENGTH, IBodyProducer
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET
from zope.interface import implementer

from app import events
from app.errors import PostError
from app.responders.relay import errors, request_target
from app.responders.relay.pool import Pool, UpstreamRequest
from app.responders.relay.upstream import Upstream

HOP_BY_HOP = {b"connection", b"keep-alive", b"te", b"trailer", b"transfer-encoding", b"upgrade"}
"""Fields that end here (RFC 9110 section 7.6.1), with those named by Connection, and all of ``Proxy-``."""

NO_UPGRADE = "the upgrade to WebSocket is not passed on: a service with the protocol websocket relays it"

OURS = {b"host", b"content-length", b"expect"}
"""Fields of a request that we make ourselves."""


def end_to_end(fields: Headers, connection: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Those of ``fields`` that are for the other end; ``connection`` has the values of Connection."""
    named = {name.strip().lower() for value in connection for name in value.split(b",")}
    for name, values in fields.getAllRawHeaders():
        key = name.lower()
        if key not in HOP_BY_HOP and key not in named and not key.startswith(b"proxy-"):
            # NUL can stand in no field (RFC 9110 section 5.5), and clients refuse the whole answer for it.
            yield from ((name, value.replace(b"\0", b" ")) for value in values)


@implementer(IBodyProducer)
class Upload:
    """A request's body on its way to the upstream."""

    def __init__(self, body: Any) -> None:
        self._body = body
        self.length = UNKNOWN_LENGTH if body.length is None else body.length

    def startProducing(self, consumer: Any) -> Deferred[None]:
        self._sent: Deferred[None] = Deferred(lambda _: None)
        self._body.deliver(consumer.write, self._ended)
        return self._sent

    def _ended(self, why: Failure | None) -> None:
        if not self._sent.called:
            self._sent.callback(why)

    def pauseProducing(self) -> None:
        self._body.pause()

    def resumeProducing(self) -> None:
        self._body.resume()

    def stopProducing(self) -> None:
        """The upstream wants no more."""
        self._body.pause()


@implementer(IPushProducer)
class Download(Protocol):
    """A response's body on its way to the client."""

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
        """The client is gone; the exchange is told."""


class Exchange:
    """One request and its response.

    Attributes:
        request: the client's.
    """

    def __init__(self, request: Any, upstream: Upstream) -> None:
        self.request, self._upstream = request, upstream
        self._responding: Deferred[Any] | None = None
        self._response: Any = None
        self._over = False
        request.notifyFinish().addBoth(self._finished)

    def begin(self, responding: Deferred[Any]) -> None:
        self._responding = responding
        responding.addCallbacks(self._answered, self._failed)
        responding.addErrback(self._broken)

    def _answered(self, response: Any) -> None:
        self._responding, self._response = None, response
        if self._over:
            response.abort()
            return
        request = self.request
        request.setResponseCode(response.code, response.phrase)
        request.defaultContentType = None
        request.responseHeaders.removeHeader(b"server")
        if response.headers.hasHeader(b"date"):  # else ours stays (RFC 9110 section 6.6.1)
            request.responseHeaders.removeHeader(b"date")
        for name, value in end_to_end(response.headers, response.connection):
            request.responseHeaders.addRawHeader(name, value)
        if response.length is not UNKNOWN_LENGTH and request.method != b"HEAD" and response.code not in (204, 304):
            request.responseHeaders.setRawHeaders(b"content-length", [b"%d" % response.length])
        request.write(b"")
        response.deliverBody(Download(self))

    def ended(self, reason: Failure) -> None:
        """The response is complete, or never will be."""
        if self._over:
            return
        self.request.unregisterProducer()
        # Without a length, the end of the connection is the end of the body.
        if reason.check(ResponseDone, PotentialDataLoss):
            self.request.finish()
        else:
            self.request.cut(str(self._why(reason)))

    def _failed(self, failure: Failure) -> None:
        self._responding = None
        if not self._over:
            why = self._why(failure)
            self.answer(why, 504 if isinstance(why, errors.UpstreamTimeoutError) else 502)

    def _why(self, failure: Failure) -> errors.UpstreamError:
        while reasons := getattr(failure.value, "reasons", None):
            failure = reasons[0]  # of those that Twisted has gathered
        if failure.check(ParseError, ValueError):  # the latter of fields and chunks
            return errors.UpstreamError(address=self._upstream.address, reason="it did not answer in HTTP")
        if failure.check(ConnectionDone, ConnectionLost, ConnectionAborted, ResponseFailed):
            words = "it closed the connection before its answer was complete"
            return errors.UpstreamError(address=self._upstream.address, reason=words)
        return self._upstream.why_not(failure)

    def _broken(self, failure: Failure) -> None:
        if not self._over:
            self.request.processingFailed(failure)

    def answer(self, why: PostError, status: int) -> None:
        """Say to the client why there is no answer of the upstream's."""
        request, words = self.request, f"{why}\n".encode()
        request.setResponseCode(status)
        request.setHeader(b"content-type", b"text/plain; charset=utf-8")
        request.setHeader(b"content-length", b"%d" % len(words))
        request.write(words)
        request.finish()

    def _finished(self, result: Any) -> None:
        self._over = True
        left = isinstance(result, Failure)
        if self._responding is not None:
            self._responding.cancel()
        elif self._response is not None and (left or not self._all_sent()):
            self._response.abort()

    def _all_sent(self) -> bool:
        body = self.request.body
        return body.length is not None and body.received >= body.length


class HTTPRelay(Resource):
    """Asks the upstream whatever it is asked."""

    isLeaf = True
    parses_forms = False
    streams_body = True

    def __init__(self, upstream: Upstream, host: bytes, base: bytes, *, keep_host: bool, forwarded: bool) -> None:
        """``host`` is what the upstream is called in Host; ``base`` comes before each path."""
        super().__init__()
        self._upstream, self._host, self._base = upstream, host, base.rstrip(b"/")
        self._keep_host, self._forwarded = keep_host, forwarded
        self._pool = Pool(upstream)

    def render(self, request: Any) -> int:
        exchange = Exchange(request, self._upstream)
        try:
            before = self._upstream.admit(request.channel.tap)
        except errors.UpstreamItselfError as e:
            exchange.answer(e, 502)
            return NOT_DONE_YET
        if b"websocket" in (request.getHeader(b"upgrade") or b"").lower():
            request.channel.tap.note(events.LOG, NO_UPGRADE, {"upstream": self._upstream.address})
        target = request_target.below(self._base, request.uri)
        body = None if request.body.length == 0 else Upload(request.body)
        made = UpstreamRequest(before, request.method, target, self._fields(request), body)
        exchange.begin(self._pool.connect().addCallback(lambda connection: connection.request(made)))
        return NOT_DONE_YET

    def _fields(self, request: Any) -> Headers:
        asked = request.requestHeaders
        fields = Headers()
        host = asked.getRawHeaders(b"host", [b""])[0]
        fields.setRawHeaders(b"Host", [host if self._keep_host and host else self._host])
        for name, value in end_to_end(asked, asked.getRawHeaders(b"connection", [])):
            if name.lower() not in OURS:
                fields.addRawHeader(name, value)
        if self._forwarded:
            self._say_who(request, fields, host)
        return fields

    def _say_who(self, request: Any, fields: Headers, host: bytes) -> None:
        """Add the client to X-Forwarded-For and to Forwarded (RFC 7239)."""
        address = request.getClientAddress().host.encode()
        scheme = b"https" if request.isSecure() else b"http"
        before = fields.getRawHeaders(b"x-forwarded-for", [])
        fields.setRawHeaders(b"X-Forwarded-For", [b", ".join([*before, address])])
        fields.setRawHeaders(b"X-Forwarded-Proto", [scheme])
        node = b'"[%b]"' % address if b":" in address else address
        element = b"for=%b;proto=%b" % (node, scheme)
        if host:
            fields.setRawHeaders(b"X-Forwarded-Host", [host])
            element += b';host="%b"' % host.replace(b"\\", b"").replace(b'"', b"")
        fields.setRawHeaders(b"Forwarded", [b", ".join([*fields.getRawHeaders(b"forwarded", []), element])])
