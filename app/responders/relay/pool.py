"""Connections to an upstream that speaks HTTP/1, kept open for further requests."""

from __future__ import annotations

import socket
from collections.abc import Callable
from functools import partial
from typing import Any, cast

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure
from twisted.web._newclient import Request, RequestNotSent, RequestTransmissionFailed, ResponseNeverReceived
from twisted.web.client import HTTPConnectionPool
from twisted.web.http import SWITCHING
from twisted.web.http_headers import Headers

from app import events
from app.http.client import BoundedClient
from app.responders.relay import errors
from app.responders.relay.loops import Hop
from app.responders.relay.upstream import Secured, Upstream, served_by
from app.text.escapes import escape

CONNECTIONS = 32
"""Idle connections that are kept open to the upstream."""

IDLE = 30
"""Seconds after which an idle connection is closed."""

MAX_SHOWN = 40
"""Bytes of a wrong header that an error shows. A valid length has fewer digits."""


IDEMPOTENT = frozenset({b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"PUT", b"DELETE"})
"""Methods of requests that may be sent twice (RFC 9110 section 9.2.2)."""


class Pool(HTTPConnectionPool):
    """Idle connections to the upstream. A connection that the upstream closes leaves the pool at once."""

    retryAutomatically = False  # the relay does that, see ``may_repeat``
    maxPersistentPerHost = CONNECTIONS
    cachedConnectionTimeout = IDLE

    def __init__(self, upstream: Upstream) -> None:
        super().__init__(upstream.reactor)
        self.upstream = upstream

    def connect(self) -> Deferred[UpstreamConnection]:
        """An idle connection, or a new one. ``Upstream.explain`` explains its failures. Raises UpstreamAwayError."""
        key = self.upstream.at()  # the service of an outpost may have moved since
        while (idle := self._connections.get(key)) and idle[0].is_over():
            connection = idle[0]
            self.lost(connection)
            connection.abort()
        connecting: Deferred[Any] = self.getConnection(key, cast(Any, self.upstream))
        return connecting

    def connect_anew(self) -> Deferred[UpstreamConnection]:
        """A new connection."""
        connecting: Deferred[Any] = self._newConnection(self.upstream.at(), cast(Any, self.upstream))
        return connecting

    def _factory(self, quiescent: Any, about: str) -> Any:  # type: ignore[override]
        factory = Factory()
        factory.noisy = False
        factory.buildProtocol = lambda addr: UpstreamConnection(self, quiescent)  # type: ignore[method-assign]
        return factory

    def lost(self, connection: UpstreamConnection) -> None:
        """Drop a lost connection, which Twisted would keep until it times out."""
        timeout = self._timeouts.pop(connection, None)
        if timeout is not None:
            timeout.cancel()
            for connections in self._connections.values():
                connections.remove(connection)


class UpstreamRequest(Request):
    """A request to the upstream.

    Attributes:
        previous: the hop of the client's connection.
        interim: called with code and fields of each interim answer.
    """

    def __init__(
        self,
        previous: Hop | None,
        method: bytes,
        target: bytes,
        headers: Headers,
        body: Any,
        interim: Callable[[int, Headers], None],
    ) -> None:
        super().__init__(method, target, headers, body, persistent=True)
        self.previous, self.interim = previous, interim


class UpstreamConnection(Secured, BoundedClient):
    """A connection to the upstream.

    Its responses have three more attributes than Twisted's: ``connection``, the values of the
    Connection header, ``abort``, which aborts this connection unless request and response are over, and ``trailers``,
    which returns the lines behind the last chunk once the body has come.
    """

    _latest: Any = None

    def __init__(self, pool: Pool, *more: Any) -> None:
        super().__init__(*more)
        self._pool, self._upstream = pool, pool.upstream

    def connectionMade(self) -> None:
        self._hop = self._upstream.opened(self.transport, None)
        served = served_by(self._upstream.address, self.transport.host)
        self.transport.record(events.LOG, f"connected to {self._upstream.address}", served)

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        self._upstream.closed(self.transport)
        self._pool.lost(self)
        error = self._upstream.tls_problem(self.transport)
        self.not_secured(error, reason)
        super().connectionLost(Failure(error) if error else reason)

    @property
    def used(self) -> bool:
        """Whether it has carried a request."""
        return self._latest is not None

    def is_over(self) -> bool:
        """Whether the upstream has closed this idle connection, or has sent what nobody asked for.

        The reactor may not have read that yet, and a request that cannot be repeated would be lost with it.
        """
        transport = self.transport
        while (below := getattr(transport, "transport", None)) is not None:
            transport = below
        found = getattr(transport, "socket", None)
        if found is None:
            return False  # in memory
        try:
            found.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    def request(self, request: Any) -> Deferred[Any]:
        self._hop.previous, self._latest = request.previous, request
        responding: Deferred[Any] = super().request(request)
        parser: Any = self._parser
        if parser is None:  # the connection was lost meanwhile: the Deferred fails
            return responding
        parser.allHeadersReceived = partial(self._head_received, parser, parser.allHeadersReceived)

        def complete(response: Any) -> Any:
            response.connection = parser.connHeaders.getRawHeaders(b"connection", [])
            response.abort = partial(self._abort, request)
            response.trailers = lambda: [bytes(line) for line in getattr(parser.bodyDecoder, "_trailerHeaders", ())]
            return response

        return responding.addCallback(complete)

    def _abort(self, request: Any) -> None:
        # The connection may be idle again, or with the next request already.
        if self._latest is request and self._state != "QUIESCENT":
            self.abort()

    def interim(self, code: int, headers: Headers) -> None:
        if isinstance(self._currentRequest, UpstreamRequest):
            self._currentRequest.interim(code, headers)

    def _head_received(self, parser: Any, parser_method: Callable[[], None]) -> None:
        if problem := _problem(parser.response.code, parser.connHeaders):
            raise errors.UpstreamError(address=self._upstream.address, reason=problem)
        parser_method()


def may_repeat(error: Exception, method: bytes, *, used: bool, body: bool) -> bool:
    """Whether a request that has failed may be sent once more (RFC 9110 section 9.2.2).

    An upstream may close a connection that it has kept open while the next request is on its way. So one whose
    method allows it is repeated, if the connection was ``used`` before, no byte of an answer came, and it has no
    ``body``, which would be gone.
    """
    unanswered = isinstance(error, RequestNotSent | RequestTransmissionFailed | ResponseNeverReceived)
    cancelled = any(reason.check(CancelledError) for reason in getattr(error, "reasons", ()))
    return used and unanswered and not cancelled and not body and method in IDEMPOTENT


def _problem(status: int, headers: Headers) -> str:
    """Why a response cannot be passed on, for problems that Twisted ignores or does not explain; else empty."""
    # WORKAROUND: Twisted treats 101 as an interim response before the final one (RFC 9110, section 15.2.2).
    if status == SWITCHING:
        return "it went over to another protocol without having been asked to"
    if not 100 <= status <= 999:
        return f"its status {status} is none of HTTP's"
    codings = headers.getRawHeaders(b"transfer-encoding", [])
    if codings and codings[0].lower() != b"chunked":
        return f"its Transfer-Encoding “{escape(codings[0][:MAX_SHOWN])}” is not known"
    lengths = {part.strip() for value in headers.getRawHeaders(b"content-length", []) for part in value.split(b",")}
    if not codings and (len(lengths) > 1 or any(not length.isdigit() or len(length) > MAX_SHOWN for length in lengths)):
        return f"its Content-Length is not one number: “{escape(b', '.join(sorted(lengths))[:MAX_SHOWN])}”"
    return ""
