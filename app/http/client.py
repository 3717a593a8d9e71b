"""Twisted's HTTP/1 client with bounds on the head of an answer. Twisted's own keeps a head without end."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.web._newclient import HEADER, STATUS, HTTP11ClientProtocol, Request
from twisted.web.http_headers import Headers

MAX_HEAD = 64 << 10
"""Bytes of the head of an answer, with the interim answers (1xx) before it."""

MAX_FIELDS = 200
"""Fields of one head."""


class HeadTooLargeError(Exception):
    """The head of an answer exceeds a bound, as the argument says in words."""


class BoundedClient(HTTP11ClientProtocol):
    """A client's side of an HTTP/1 connection.

    A request whose answer exceeds ``MAX_HEAD`` or ``MAX_FIELDS`` fails with HeadTooLargeError (perhaps among the
    ``reasons`` of Twisted's ``ResponseFailed``), and the connection is aborted. Chunk sizes with their extensions
    and trailers are bounded by Twisted.
    """

    transport: Any

    def request(self, request: Request) -> Deferred[Any]:
        responding: Deferred[Any] = super().request(request)
        if self._parser is not None:  # else the connection was lost meanwhile, and the Deferred fails
            _Bounds(self._parser, self.interim)
        return responding

    def interim(self, code: int, headers: Headers) -> None:
        """An interim answer (1xx) has come, of which Twisted says nothing (RFC 9110 section 15.2)."""

    def _giveUp(self, reason: Failure) -> None:
        if reason.check(HeadTooLargeError):
            # Not only closed: what waits to be sent would keep the connection open, and more would come.
            self.transport.abortConnection()
        if self._state != "TRANSMITTING" or self._parser is None:
            super()._giveUp(reason)
            return
        # WORKAROUND: when an answer breaks the rules before its request has left, Twisted forgets the Deferred of
        # the request, which then never fires, and raises AttributeError when the connection is lost.
        finished, request, response = self._finishedRequest, self._currentRequest, self._responseDeferred
        assert finished is not None
        assert request is not None
        assert response is not None
        response.addErrback(lambda _: None)
        self._state = "GENERATION_FAILED"
        super()._giveUp(reason)
        request.stopWriting()
        finished.errback(reason)


class _Bounds:
    """Counts what a parser takes for the head of one answer."""

    def __init__(self, parser: Any, interim: Callable[[int, Headers], None]) -> None:
        self._size = self._fields = 0
        self._interim = interim
        parser.MAX_LENGTH, parser.lineLengthExceeded = MAX_HEAD, self._refuse_line
        parser.lineReceived = partial(self._line_received, parser, parser.lineReceived)
        parser.allHeadersReceived = partial(self._head_received, parser, parser.allHeadersReceived)

    def _line_received(self, parser: Any, parser_method: Callable[[bytes], None], line: bytes) -> None:
        if parser.state == STATUS:
            self._fields = 0
        elif parser.state == HEADER and line[:1] not in (b"", b"\r", b" ", b"\t"):
            self._fields += 1
        self._size += len(line) + 1
        if self._fields > MAX_FIELDS:
            raise HeadTooLargeError(f"its answer has more than {MAX_FIELDS} headers")
        if self._size > MAX_HEAD:
            raise HeadTooLargeError(f"the head of its answer is longer than {MAX_HEAD:,} bytes")
        parser_method(line)

    def _refuse_line(self, line: bytes) -> NoReturn:
        raise HeadTooLargeError(f"a line in the head of its answer is longer than {MAX_HEAD:,} bytes")

    def _head_received(self, parser: Any, parser_method: Callable[[], None]) -> None:
        if 100 <= parser.response.code < 200:
            self._interim(parser.response.code, parser.headers)
        parser_method()
