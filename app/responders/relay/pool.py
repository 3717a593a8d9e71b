"""Connections to an upstream that speaks HTTP/1, kept for the next request."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure
from twisted.web._newclient import HTTP11ClientProtocol, Request
from twisted.web.client import HTTPConnectionPool
from twisted.web.http import SWITCHING
from twisted.web.http_headers import Headers

from app.responders.relay import errors
from app.responders.relay.loops import Step
from app.responders.relay.upstream import Upstream
from app.text.escapes import escape

CONNECTIONS = 32
"""Idle connections kept to the upstream."""

IDLE = 30
"""Seconds that one is kept."""

SHOWN = 40
"""Bytes of a field that is wrong that are shown; no length has as many digits."""

MAX_LINE = 64 << 10
"""Bytes of a line in the head of an upstream's answer."""


class Pool(HTTPConnectionPool):
    """Idle connections to the upstream, without those that it has closed."""

    maxPersistentPerHost = CONNECTIONS
    cachedConnectionTimeout = IDLE

    def __init__(self, upstream: Upstream) -> None:
        super().__init__(upstream.reactor)
        self.upstream = upstream

    def connect(self) -> Deferred[UpstreamConnection]:
        """An idle connection, or a new one; fails with what ``Upstream.why_not`` can explain."""
        connecting: Deferred[Any] = self.getConnection("upstream", cast(Any, self.upstream))
        return connecting

    def _factory(self, quiescent: Any, about: str) -> Any:  # type: ignore[override]
        factory = Factory()
        factory.noisy = False
        factory.buildProtocol = lambda addr: UpstreamConnection(self, quiescent)  # type: ignore[method-assign]
        return factory

    def lost(self, connection: UpstreamConnection) -> None:
        """Let go of a connection, which Twisted would keep until its time has come."""
        timeout = self._timeouts.pop(connection, None)
        if timeout is not None:
            timeout.cancel()
            for connections in self._connections.values():
                connections.remove(connection)


class UpstreamRequest(Request):
    """A request to the upstream, for what came by ``before``."""

    def __init__(self, before: Step | None, method: bytes, target: bytes, fields: Headers, body: Any) -> None:
        super().__init__(method, target, fields, body, persistent=True)
        self.before = before


class UpstreamConnection(HTTP11ClientProtocol):
    """A connection to the upstream, whose responses say what Twisted keeps for itself.

    A response gets ``connection``, the values of that field, and ``abort``.
    """

    transport: Any

    def __init__(self, pool: Pool, *more: Any) -> None:
        super().__init__(*more)
        self._pool, self._upstream = pool, pool.upstream

    def connectionMade(self) -> None:
        self._step = self._upstream.opened(self.transport, None)

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        self._upstream.closed(self.transport)
        self._pool.lost(self)
        why = self._upstream.tls_problem(self.transport)
        super().connectionLost(Failure(why) if why else reason)

    def request(self, request: Any) -> Deferred[Any]:
        self._step.before = request.before
        responding: Deferred[Any] = super().request(request)
        parser: Any = self._parser
        if parser is None:  # lost meanwhile, and the Deferred says so
            return responding
        parser.allHeadersReceived = partial(self._head_received, parser, parser.allHeadersReceived)
        parser.MAX_LENGTH, parser.lineLengthExceeded = MAX_LINE, self._line_too_long

        def complete(response: Any) -> Any:
            response.connection = parser.connHeaders.getRawHeaders(b"connection", [])
            response.abort = self.abort
            return response

        return responding.addCallback(complete)

    def _head_received(self, parser: Any, go_on: Callable[[], None]) -> None:
        if wrong := _problem(parser.response.code, parser.connHeaders):
            raise errors.UpstreamError(address=self._upstream.address, reason=wrong)
        go_on()

    def _line_too_long(self, line: bytes) -> None:
        # Twisted would close the connection, as if the upstream had done so.
        reason = f"a line in the head of its answer is longer than {MAX_LINE:,} bytes"
        raise errors.UpstreamError(address=self._upstream.address, reason=reason)


def _problem(status: int, fields: Headers) -> str:
    """What cannot be passed on of an answer, of which Twisted would say nothing or not in words; else empty."""
    # WORKAROUND: Twisted takes 101 for one more response on the way to the last (RFC 9110, section 15.2.2).
    if status == SWITCHING:
        return "it went over to another protocol without having been asked to"
    if not 100 <= status <= 999:
        return f"its status {status} is none of HTTP's"
    codings = fields.getRawHeaders(b"transfer-encoding", [])
    if codings and codings[0].lower() != b"chunked":
        return f"its Transfer-Encoding “{escape(codings[0][:SHOWN])}” is not known"
    lengths = {part.strip() for value in fields.getRawHeaders(b"content-length", []) for part in value.split(b",")}
    if not codings and (len(lengths) > 1 or any(not length.isdigit() or len(length) > SHOWN for length in lengths)):
        return f"its Content-Length is not one number: “{escape(b', '.join(sorted(lengths))[:SHOWN])}”"
    return ""
