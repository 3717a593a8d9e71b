"""HTTP/1 as a service speaks it: reading requests and sending responses."""

from __future__ import annotations

from typing import Any, cast

from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure
from twisted.web.http import NO_BODY_CODES
from twisted.web.http_headers import Headers

from app.http.reason_phrases import phrase
from app.services.budget import UNCOUNTED
from app.services.http import rules as http_rules
from app.services.http.chunks import Chunks
from app.services.http.http1_ending import EndingChannel
from app.services.http.http1_faulted import Exchange1
from app.services.http.http1_timing import LINGER
from app.services.http.request import RecordedRequest
from app.services.tls.client_hello import HANDSHAKE, record_on_plain_port

IN_A_ROW = 32
"""Pipelined requests of one connection that are answered before other connections have their turn."""


class RecordedChannel(EndingChannel):
    """HTTP/1 that keeps a request's fields as they came, and records refusals.

    A request's head must be complete within the idle time. A body must arrive, and a response must be read, at
    ``SLOWEST`` bytes a second or faster, so that no client keeps a connection open by sending very slowly.

    Attributes:
        number: None: a connection of HTTP/1 has no streams.
    """

    number = None
    _fresh = True  # nothing has come yet
    _waits_for_100 = False
    _answered = 0
    _next: Any = None
    _owed: Any = None  # the request after which we go on, once its response has room

    def connectionMade(self) -> None:
        self.MAX_LENGTH = self.totalHeadersSize = self.site.limits["field_bytes"]
        super().connectionMade()
        self._allow(self._idle)

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        if self._next is not None and self._next.active():
            self._next.cancel()
        super().connectionLost(reason)

    # -- requests

    def dataReceived(self, data: bytes) -> None:
        if not self._begun and self._begin(data):
            self.transport.protocol.dataReceived(data)
            return
        if not self._busyReceiving:
            self._answered = 0
        # Not HTTPChannel's method, which gives a client new time with each byte.
        LineReceiver.dataReceived(self, data)
        self._check_head()

    def _check_head(self) -> None:
        """Look at what has come of a request's head, if it is not complete."""
        if self.line_mode and not self._busyReceiving:
            if b"\n" in self._buffer:
                self.refuse(400, http_rules.BARE_LF)
            elif len(self._buffer) + self._receivedHeaderSize > UNCOUNTED:
                self._count_head()

    def _count_head(self) -> None:
        """Count a large head that is not complete against what unfinished messages may take."""
        if full := self.tap.gather(len(self._buffer) + self._receivedHeaderSize, "head"):
            self.refuse(503, full)

    def _begin(self, data: bytes) -> bool:
        """The first bytes of a request have come. Returns whether another protocol handles them."""
        if self._fresh:
            self._fresh = False
            if data[0] == HANDSHAKE and not self.isSecure():
                words = record_on_plain_port(self.tap, "HTTP", "http", data)
                self.refuse(400, f"{words}: use http://")
                return False
            if getattr(self.transport, "negotiatedProtocol", None) == b"h2":
                self._networkProducer.unregisterProducer()
                if self._timer is not None:
                    self._timer.cancel()
                self.site.speak_http2(self.transport)
                return True
        self._begun = True
        self._allow(self._idle)
        return False

    def lineReceived(self, line: bytes) -> None:
        if "_command" not in self.__dict__ and line and not http_rules.REQUEST_LINE.fullmatch(line):
            if broken := http_rules.of_request_line(line):
                self._first = line
                self.refuse(*broken)
                return
            line = line[:-1] + b"1"  # HTTP/1.2 and its like
        super().lineReceived(line)

    def headerReceived(self, line: bytes) -> bool:
        self._line = line
        name, _, value = line.partition(b":")
        value = value.strip(b" \t")
        # Twisted would ignore "identity", which other servers may treat otherwise, and raise where int() raises.
        if (len(name) == 17 and name.lower() == b"transfer-encoding" and value.lower() != b"chunked") or (
            len(value) > http_rules.DIGITS and name.lower() == b"content-length"
        ):
            self._respondToBadRequestAndDisconnect()
            return False
        good: bool = super().headerReceived(line)
        if good:
            self.requests[-1].fields.append((name, value))
        return good

    def _maybeChooseTransferDecoder(self, header: bytes, data: bytes) -> bool:
        good: bool = super()._maybeChooseTransferDecoder(header, data)
        if good and self.length is None and not isinstance(self._transferDecoder, Chunks):
            self._transferDecoder = Chunks(self.requests[-1].handleContentChunk, self._finishRequestBody)
        return good

    def rawDataReceived(self, data: bytes) -> None:
        super().rawDataReceived(data)
        if self.length is None and not self.refused and http_rules.has_bare_lf(self._transferDecoder):
            self.refuse(400, http_rules.BARE_LF)

    def allHeadersReceived(self) -> None:
        if self._receivedHeaderSize > UNCOUNTED:
            self.tap.gather(0, "head")
        hosts = self.requests[-1].requestHeaders.getRawHeaders(b"Host", ())
        if wrong := http_rules.of_host(self._version, hosts):
            self.refuse(400, wrong)
            return
        super().allHeadersReceived()
        if self.length != 0 and not self.refused:
            self._allow(self._idle)
        request = cast(RecordedRequest, self.requests[-1])
        if request.body is not None and not self.refused:
            self._body_open = True
            request.requestReceived(self._command, self._path, self._version)

    def checkPersistence(self, request: Any, version: bytes) -> bool:
        """Whether the connection may go on after this request (RFC 9112 section 9.3)."""
        values = request.requestHeaders.getRawHeaders(b"Connection", ())
        options = {option.strip().lower() for value in values for option in value.split(b",")} if values else ()
        if b"close" in options or self._draining is not None:
            return False
        # HTTP/1.0 has no chunks: a request with them is faulty, and its connection is closed (section 6.1).
        return version == b"HTTP/1.1" or (b"keep-alive" in options and self.length is not None)

    def allContentReceived(self) -> None:
        if self.refused and not self._answered_early:
            return
        self._body_open = self._waits_for_100 = False
        self._until = None
        if isinstance(self._transferDecoder, Chunks) and self._transferDecoder.trailers:
            self.requests[-1].record_trailers(self._transferDecoder.trailers)
        super().allContentReceived()
        if self._answered_early:
            self._answered_early = False
            self.requestDone(self.requests[0])

    def requestDone(self, request: Any) -> None:
        """Go on with the next request, once this one has come to its end."""
        if self._body_open:
            self._answered_early = True
            request.body.drop()
            if self.persistent:
                self._allow(LINGER)
            else:
                self._linger()
            return
        self._begun = False
        self._answered += 1
        self._allow(self._idle)
        if self._answered > IN_A_ROW and self.persistent and (self._buffer or self._dataBuffer):
            self._answered = 0
            self._next = self.callLater(0, self._go_on, request)
        else:
            self._go_on(request)

    def _go_on(self, request: Any) -> None:
        if self._waitingForTransport and self.persistent and (self._buffer or self._dataBuffer):
            # One read can hold a thousand requests, all of which would be answered into memory.
            self._owed = request
            return
        super().requestDone(request)
        if self.persistent and (self.requests or self._buffer) and not self.refused:
            self._begun = True  # it came behind the request before
            self._check_head()
        if self._ended and not self._busyReceiving:
            self._answer_what_came()

    # -- a body that is passed on as it comes

    def send_interim(self, code: int, fields: Headers) -> None:
        """Send an interim response (RFC 9110 section 15.2), if the client knows them and the response has not begun."""
        request = self.requests[0]
        if request.clientproto == b"HTTP/1.1" and not (request.startedWriting or self.refused):
            lines = (b"%b: %b\r\n" % (name, value) for name, values in fields.getAllRawHeaders() for value in values)
            self.tap.write(b"HTTP/1.1 %d %b\r\n%b\r\n" % (code, phrase(code), b"".join(lines)))

    def _send100Continue(self) -> None:
        if self.refused:
            return
        if self.requests[-1].body is not None:
            self._waits_for_100 = True
        else:
            super()._send100Continue()

    def send_continue(self) -> None:
        if self._waits_for_100:
            self._waits_for_100 = False
            super()._send100Continue()

    def answering(self, request: RecordedRequest) -> None:
        """The head of the response is about to be written."""
        fields = request.responseHeaders
        if self._waits_for_100:
            # The client may send the body now or not (RFC 9110 section 10.1.1).
            self.persistent = False
        if self.persistent and request.clientproto == b"HTTP/1.0":
            bodiless = request.method == b"HEAD" or request.code in NO_BODY_CODES
            if bodiless or fields.hasHeader(b"Content-Length"):
                fields.setRawHeaders(b"Connection", [b"keep-alive"])
            else:
                self.persistent = False
        if not self.persistent:
            fields.setRawHeaders(b"Connection", [b"close"])

    def failing(self, request: RecordedRequest) -> Exchange1:
        """What is to have the place of this channel for ``request``, whose service has faults."""
        return Exchange1(request, self)

    def hold_body(self) -> None:
        if self._body_open and not self._body_held:
            self._body_held = True
            self._networkProducer.pauseProducing()

    def release_body(self) -> None:
        if self._body_held:
            self._body_held = False
            self._allow(self._idle if self._body_open else None)
            buffered = sum(map(len, self._dataBuffer))
            if not self._waitingForTransport and buffered <= self._optimisticEagerReadSize:
                self._networkProducer.resumeProducing()

    # -- a response that the client reads slowly

    def pauseProducing(self) -> None:
        if not (self._waitingForTransport or self.refused):
            self._taken = self._given()
            self._allow(self._idle)
        super().pauseProducing()

    def resumeProducing(self) -> None:
        super().resumeProducing()
        owed, self._owed = self._owed, None
        if owed is not None:
            # In a turn of its own: the transport or the capture tells others, too, that there is room again.
            self._next = self.callLater(0, self._go_on, owed)
        if self._body_held:
            self._networkProducer.pauseProducing()
        if not self.refused:
            self._allow(None if self._handlingRequest and not self._ended else self._patience)
