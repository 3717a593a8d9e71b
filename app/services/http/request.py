"""A request to an HTTP service of any version, recorded with its response."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from io import BytesIO
from time import perf_counter
from typing import TYPE_CHECKING, Any, cast

from twisted.python.failure import Failure
from twisted.web.http import NO_BODY_CODES, datetimeToString
from twisted.web.http_headers import Headers
from twisted.web.server import NOT_DONE_YET, Request, version

from app import events
from app.http.reason_phrases import phrase
from app.limits import HOSTS, MESSAGE_BYTES
from app.services.address import written
from app.services.budget import Budget
from app.services.http.body import BodyStream
from app.services.tap.tap import Tap
from app.text.escapes import escape

if TYPE_CHECKING:
    from app.services.http.faulted import Exchange

_json = json.JSONEncoder().encode

_ABSOLUTE = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*://([^/?#]*)")

MISDIRECTED = (
    b"This service answers to addresses, to localhost and to the names in its option hosts, which does not have %b.\n"
    b'If you trust that name, add it there: hosts = ["%b"]\n'
)


class _Gathered(list[bytes]):
    """Takes the place of a transport, and gathers what is written, to be sent at once."""

    write = list.append
    writeSequence = list.extend


class _Checked:
    """A resource whose ``render`` is checked: for a wrong type, Twisted would tell only the client."""

    def __init__(self, resource: Any) -> None:
        self._resource = resource

    def render(self, request: Any) -> Any:
        body = self._resource.render(request)
        if isinstance(body, bytes) or body is NOT_DONE_YET:
            return body
        whose = type(self._resource).__name__
        raise TypeError(f"{whose}.render returned {type(body).__name__}, which must be bytes or NOT_DONE_YET")


class RecordedRequest(Request):
    """A request that records itself and its response.

    ``content`` holds the body. If the site's resource has ``streams_body``, the resource is called as soon
    as the head is complete, and ``body`` delivers the body instead. Such a request is recorded with the length
    that its head announces (None if it does not), and its response with the bytes ``received`` until then.

    Attributes:
        fields: name and value as received, in order; ``requestHeaders`` keeps neither order
            nor case. A field folded over several lines (RFC 9112 section 5.2) is one.
        body: the body as it comes; None if it is gathered in ``content``.
        peer: the client's ``address:port``.
        hangs: whether it is never to be answered.
        served_by: the upstream to which a relay has passed it on; empty: none.
        rule: the number, from 1, of the rule of the responder that answers it; 0: none, or it has no rules.
    """

    channel: Any
    body: BodyStream | None = None
    hangs = False
    rule = 0
    served_by = ""
    _asked = False
    _recorded = False  # the response is
    _exchange: Exchange | None = None  # where faults act on it

    def __init__(self, channel: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(channel, *args, **kwargs)
        self.fields: list[tuple[bytes, bytes]] = []
        # Kept here: a responder may still fail after request and channel were separated.
        self._tap: Tap = channel.tap
        self._stream: int | None = channel.number
        self._budget: Budget = channel.site.budget
        self._body = b""
        self._began = perf_counter()

    @property
    def is_recorded(self) -> bool:
        """Whether its event was recorded."""
        return self._asked

    @property
    def is_answered(self) -> bool:
        """Whether the event of its response was recorded."""
        return self._recorded

    @property
    def begun(self) -> bool:
        """Whether the head of its response has left."""
        return bool(self.startedWriting) if self._exchange is None else self._exchange.begun

    @property
    def held(self) -> int:
        """Bytes of its response that faults hold back."""
        return 0 if self._exchange is None else self._exchange.outgoing.size

    @property
    def peer(self) -> str:
        return written(self.getClientAddress())

    def gotLength(self, length: int | None) -> None:
        # Twisted would write a long body to a temporary file, in the reactor thread.
        self.content = BytesIO()
        site = self.channel.site
        if site.streams_body:
            self.body = BodyStream(self.channel, length, self.processingFailed)
        elif length is not None and length > site.limits["message_bytes"]:
            self._refuse_body()

    def handleContentChunk(self, data: bytes) -> None:
        if self.body is not None:
            self.body.take(data)
            return
        assert self.content is not None
        size = self.content.tell() + len(data)
        if size > self.channel.site.limits["message_bytes"]:
            self._refuse_body()
        elif full := self._budget.put(self, size):
            self.channel.refuse(503, full)
            self._drop_content()
        else:
            self.content.write(data)

    def _drop_content(self) -> None:
        """Give the memory of a body back that is refused: the connection may stay open for a while."""
        self._budget.drop(self)
        self.content = BytesIO()

    def _cleanup(self) -> None:
        self._budget.drop(self)
        super()._cleanup()

    def _refuse_body(self) -> None:
        self.channel.refuse(413, MESSAGE_BYTES.reached(self.channel.site.limits["message_bytes"], "body"))
        self._drop_content()

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        """Record the request and answer it. For a streamed body, called at the head and again at the end."""
        if self._asked:
            assert self.body is not None
            self.body.end()
            return
        if self.channel.refused:
            return
        self._asked = True
        content = cast(BytesIO, self.content)
        body: int | None = content.tell()
        if body:
            self._body = content.getvalue()  # shares its memory
        if self.body is not None:
            body = self.body.length
        method, target = escape(command), escape(path)
        # Formatted by hand: a dict would take twice as long.
        detail = (
            f'{{"method": {_json(method)}, "target": {_json(target)}, "version": {_json(escape(version))}, '
            f'"fields": {_pairs(self.fields)}, "body": {"null" if body is None else body}'
            f"{self._more()}}}"
        )
        self._tap.record(events.HTTP_REQUEST, f"{method} {target}", detail, size=body)
        if self._tap.course is None:
            self.accept(command, path, version)
        else:
            self._failing().receive(command, path, version)

    def _failing(self) -> Exchange:
        """Have faults stand between it and its channel, if they do not yet."""
        if self._exchange is None:
            self._exchange = self.channel = self.channel.failing(self)
        return self._exchange

    def accept(self, command: bytes, path: bytes, version: bytes) -> None:
        """Answer it, as its parts are now."""
        super().requestReceived(command, path, version)

    @property
    def gathered(self) -> bytes:
        """The body, where it is not passed on as it comes."""
        return self._body

    @gathered.setter
    def gathered(self, body: bytes) -> None:
        self._body, self.content = body, BytesIO(body)
        self.content.seek(0, 2)

    def record_trailers(self, fields: list[tuple[bytes, bytes]]) -> None:
        """Record the fields behind the body. They are shown and kept, and no responder sees them."""
        words = ", ".join(escape(b"%b: %b" % field) for field in fields)
        more = {} if self._stream is None else {"stream": self._stream}
        pairs = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in fields]
        self._tap.record(events.LOG, f"trailers of the request: {words}", {"trailers": pairs} | more)

    def setResponseCode(self, code: int, message: bytes | None = None) -> None:
        """Set the code with its registered phrase: Twisted's phrases are of 1999, and not for all codes."""
        super().setResponseCode(code, phrase(code) if message is None else message)

    def _more(self) -> str:
        return "" if self._stream is None else f', "stream": {self._stream}'

    def connectionLost(self, reason: Failure) -> None:
        channel, begun = self.__dict__.get("channel"), self.startedWriting
        if self._exchange is not None:
            channel, begun = self._exchange.channel, self._exchange.drop()
        if begun and not self._recorded:
            self._record_broken_off(channel)
        self._budget.drop(self)
        super().connectionLost(reason)
        if self.body is not None:
            self.body.end(reason)

    def _record_broken_off(self, channel: Any) -> None:
        """Record a response whose head has left, and whose rest will not."""
        unsent = self._tap.unsent() if self._stream is None else channel.unsent
        self.sentLength = max(0, self.sentLength - (unsent or 0))
        by_us = self._tap.ended_by not in ("", "peer", "closed by the peer") or getattr(channel, "cut", False)
        self.record_response(f"broken off {'by us' if by_us else 'by the client'} after {self.sentLength:,} bytes")

    def process(self) -> None:
        hosts = self.channel.site.hosts
        if self.method == b"CONNECT" and not getattr(self.channel.site.resource, "takes_connect", False):
            # Any answer of 2xx would be followed by the tunnel (RFC 9110 section 9.3.6).
            self._answer_in_words(501, b"This service is not a proxy, and opens no tunnels.\n")
        elif hosts is not None and (name := hosts.refuse(authority_of(self.uri, self.requestHeaders))):
            reached = HOSTS.reached(hosts.names, name=escape(name.encode()))
            self._tap.record_limit(reached.carrying(host=name, status=421))
            self._answer_in_words(421, MISDIRECTED.replace(b"%b", name.encode()))  # RFC 9110 section 15.5.20
        else:
            self.answer()

    def _answer_in_words(self, status: int, words: bytes) -> None:
        self.setResponseCode(status)
        self.setHeader(b"Content-Type", b"text/plain; charset=utf-8")
        self.answer_at_once(words)

    def answer(self) -> None:
        """Have the site's resource answer."""
        super().process()

    def render(self, resrc: Any) -> None:
        super().render(_Checked(resrc))

    def answer_at_once(self, body: bytes) -> None:
        """Answer with ``body`` instead of calling the site's resource."""
        self.setHeader(b"Server", version)
        self.setHeader(b"Date", datetimeToString())
        if body:
            self.setHeader(b"Content-Length", b"%d" % len(body))
        self.write(body)
        self.finish()

    def _handleStar(self) -> None:
        """Pass the target ``*`` to the responder, too; Twisted would answer it itself."""
        try:
            self.render(cast(Any, self.site).getResourceFor(self))
        except BaseException:
            self.processingFailed(Failure())

    def write(self, data: bytes) -> None:
        """Send the head and the first part of the body at once, later parts as they come."""
        if self.startedWriting or self._disconnected:
            super().write(data)
            return
        if not isinstance(data, bytes):
            raise TypeError("Data must be bytes")  # as the transport would, but before the head is sent
        if self.code in NO_BODY_CODES:
            # twisted.web sets it for a resource that returns nothing; it must not be sent (RFC 9110 section 8.6).
            self.responseHeaders.removeHeader(b"Content-Length")
        channel = self.channel
        channel.answering(self)
        if self._tap.course is not None:
            exchange = self._failing()
            super().write(data)
            exchange.begin()
            return
        if self._stream is not None:
            super().write(data)
            return
        gathered = channel.transport = _Gathered()
        try:
            super().write(data)
        finally:
            channel.transport = self._tap
        if gathered:
            self._tap.write(b"".join(gathered))

    def cut(self, why: str) -> None:
        """Abort a response that cannot be completed: on HTTP/1 the connection, on HTTP/2 the stream."""
        if self._exchange is not None:
            self._exchange.give_up(why)
        elif not (self.finished or self._disconnected):
            self.record_response(why)
            self.channel.abort()

    def processingFailed(self, reason: Failure) -> Failure:
        """Record the failure with the request that caused it, and answer 500."""
        head = b"%s %s %s\r\n" % (self.method, self.uri, self.clientproto)
        head += b"".join(b"%s: %s\r\n" % field for field in self.fields) + b"\r\n"
        assert reason.value is not None
        self._tap.failed(reason.value, head + self._body)
        if self.finished or self._disconnected:
            return reason  # nobody waits for an answer
        if self.startedWriting:
            # The status was sent already; only a cut connection tells the client.
            self.channel.abort()
            return reason
        super().processingFailed(reason)
        return reason

    def record_response(self, cut: str = "") -> None:
        """Record the response when all of it was written, or when it was cut, for the reason ``cut``."""
        self._recorded = True
        seconds = perf_counter() - self._began
        reason = self.code_message.decode("latin-1")
        fields = ((name, value) for name, values in self.responseHeaders.getAllRawHeaders() for value in values)
        if self._stream is not None:
            fields = ((name.lower(), value) for name, value in fields)
        more = self._more()
        if self.body is not None:
            more += f', "received": {self.body.received}'
        if self.rule:
            more += f', "rule": {self.rule}'
        if self.served_by:
            more += f', "upstream": {_json(self.served_by)}'
        if cut:
            more += f', "cut": {_json(cut)}'
        detail = (
            f'{{"status": {self.code}, "reason": {_json(reason)}, "fields": {_pairs(fields)}, '
            f'"body": {self.sentLength}, "seconds": {seconds}{more}}}'
        )
        summary = f"{self.code} {reason}  {seconds * 1000:.1f} ms{f', cut: {cut}' if cut else ''}"
        self._tap.counters.answered(self.code, seconds)
        self._tap.record(events.HTTP_RESPONSE, summary, detail, size=self.sentLength)


def authority_of(uri: bytes, headers: Headers) -> str:
    """The host that was asked for, perhaps with a port (RFC 9112 section 3.3)."""
    absolute = _ABSOLUTE.match(uri)
    host = absolute[1] if absolute else headers.getRawHeaders(b"host", [b""])[0]
    return bytes(host).decode("latin-1").rpartition("@")[2]


def _pairs(fields: Iterable[tuple[bytes, bytes]]) -> str:
    """``fields`` as JSON."""
    pairs = [f"[{_json(name.decode('latin-1'))}, {_json(value.decode('latin-1'))}]" for name, value in fields]
    return f"[{', '.join(pairs)}]"
