"""HTTP/1 as a service speaks it: what is refused and how, and how long a client may take."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure
from twisted.web.http import RESPONSES, HTTPChannel

from app import events
from app.services.breach import Breach
from app.services.http_request import NotedRequest
from app.services.tap import Tap

LINGER = 2.0
"""Seconds in which the rest of a refused request is thrown away. To close with bytes unread
is to reset, and the client would lose the answer that says what was wrong."""

SLOWEST = 240
"""Bytes a second, over the idle time, that a client must at least send of a body and take of an
answer; the rate that Kestrel asks for."""

IN_A_ROW = 32
"""Pipelined requests that are answered before others have their turn."""

_REASONS = dict(RESPONSES) | {
    413: b"Content Too Large",
    431: b"Request Header Fields Too Large",
}


class NotingChannel(HTTPChannel):
    """HTTP/1 with the request's fields kept as they came, and refusals noted.

    A request's head must be complete within the idle time, a body must come and an answer
    be taken at no less than ``SLOWEST``, so that no client holds a connection by dribbling.

    Attributes:
        refused: whether this connection is being closed for a request that broke the rules.
        tap: what records the connection.
        number: None: a connection of HTTP/1 has no streams.
    """

    transport: Any
    site: Any
    callLater: Any
    _networkProducer: Any
    refused = False
    number = None
    _fresh = True  # nothing has come yet
    _begun = False  # something of a request has come
    _body_open = False  # a streamed request's body is still to come
    _body_held = False
    _waits_for_100 = False
    _answered_early = False
    _answered = 0
    _marked = 0
    _until: float | None = None  # when the client's time is over; None while it waits for us
    _timer: Any = None
    _next: Any = None

    @property
    def tap(self) -> Tap:
        return cast(Tap, self.transport)

    def connectionMade(self) -> None:
        limits = self.site.limits
        self._seconds = self.site.reactor.seconds
        self.MAX_LENGTH = self.totalHeadersSize = limits["field_bytes"]
        self._idle: float | None = limits["idle_seconds"] or None
        super().connectionMade()
        self._allow(self._idle)

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        self._allow(None)
        for call in (self._timer, self._next):
            if call is not None and call.active():
                call.cancel()
        super().connectionLost(reason)

    # -- what comes

    def dataReceived(self, data: bytes) -> None:
        if not self._begun and self._begin():
            self.transport.protocol.dataReceived(data)
            return
        if not self._busyReceiving:
            self._answered = 0
        # Not HTTPChannel's, which would give a client that dribbles all the time that it wants.
        LineReceiver.dataReceived(self, data)

    def _begin(self) -> bool:
        """The first bytes of a request are here. Returns whether another protocol takes them."""
        if self._fresh:
            self._fresh = False
            if getattr(self.transport, "negotiatedProtocol", None) == b"h2":
                self._networkProducer.unregisterProducer()
                if self._timer is not None:
                    self._timer.cancel()
                self.site.speak_http2(self.transport)
                return True
        self._begun = True
        self._allow(self._idle)
        return False

    def _allow(self, seconds: float | None) -> None:
        """Give the client so long for what it is to do next; None while it waits for us.

        The call that looks after it is left as it is: to move it with each request would cost
        more than to have it look again.
        """
        if seconds is None:
            self._until = None
            return
        self._marked = self.transport.received
        self._until = self._seconds() + seconds
        if self._timer is None:
            self._timer = self.callLater(seconds, self._look)
        elif seconds == LINGER:
            self._timer.reset(seconds)

    def _look(self) -> None:
        self._timer = None
        if self._until is not None:
            left = self._until - self._seconds()
            if left > 0:
                self._timer = self.callLater(left, self._look)
            else:
                self.timeoutConnection()

    def headerReceived(self, line: bytes) -> bool:
        name, _, value = line.partition(b":")
        value = value.strip(b" \t")
        # Twisted would pass over "identity", which hides from it what others may see.
        if len(name) == 17 and name.lower() == b"transfer-encoding" and value.lower() != b"chunked":
            self._respondToBadRequestAndDisconnect()
            return False
        good: bool = super().headerReceived(line)
        if good:
            self.requests[-1].fields.append((name, value))
        return good

    def allHeadersReceived(self) -> None:
        super().allHeadersReceived()
        if self.length != 0 and not self.refused:
            self._allow(self._idle)
        request = cast(NotedRequest, self.requests[-1])
        if request.body is not None and not self.refused:
            self._body_open = True
            request.requestReceived(self._command, self._path, self._version)

    def allContentReceived(self) -> None:
        self._body_open = self._waits_for_100 = False
        self._until = None
        super().allContentReceived()
        if self._answered_early:
            self._answered_early = False
            self.requestDone(self.requests[0])

    def requestDone(self, request: Any) -> None:
        """Go on with the next request, once all of this one has come."""
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
            self._next = self.callLater(0, super().requestDone, request)
        else:
            super().requestDone(request)

    # -- a body that is delivered as it comes

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

    def answering(self, request: NotedRequest) -> None:
        """The head of the answer is about to be written."""
        if self._waits_for_100:
            # Whether the client sends the body now is its choice (RFC 9110 section 10.1.1).
            self.persistent = False
            request.responseHeaders.setRawHeaders(b"Connection", [b"close"])

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

    # -- an answer that is taken slowly

    def pauseProducing(self) -> None:
        if not (self._waitingForTransport or self.refused):
            self._taken = self._given()
            self._allow(self._idle)
        super().pauseProducing()

    def resumeProducing(self) -> None:
        super().resumeProducing()
        if self._body_held:
            self._networkProducer.pauseProducing()
        if not self.refused:
            self._allow(None if self._handlingRequest else self._idle)

    def _given(self) -> int | None:
        """Bytes that the kernel has taken so far; None where the transport hides them."""
        unsent = self.tap.unsent()
        return None if unsent is None else self.tap.sent - unsent

    # -- what ends it

    def refuse(self, status: int, why: str, limit: str = "") -> None:
        """Answer ``status``, read no further and close, once; ``limit`` is the one that was reached."""
        if self.refused:
            return
        reason = _REASONS[status]
        tap = self.tap
        summary = f"{status} {reason.decode()}  {why}"
        if limit:
            breach = Breach(limit, self.site.limits[limit], f"refused: {why}")
            tap.note(events.LIMIT_REACHED, breach.text, breach.detail(status=status))
        tap.note(events.HTTP_RESPONSE, summary, {"status": status, "refused": why})
        if not self._answering():
            tap.write(b"HTTP/1.1 %d %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % (status, reason))
        self._linger()

    def _answering(self) -> bool:
        """Whether something of an answer is on its way, which another would spoil."""
        return bool(self.requests) and bool(self.requests[0].startedWriting)

    def _linger(self) -> None:
        """Send no more, and throw away what comes for a while."""
        self.refused = True
        for name in ("dataReceived", "lineReceived", "rawDataReceived"):
            setattr(self, name, _ignore)
        tap = self.tap
        tap.unregisterProducer()
        if self.isSecure():
            tap.loseConnection()  # TLS has a message of its own for this, and no half-closed state
        else:
            tap.loseWriteConnection()
        tap.resumeProducing()
        self._allow(LINGER)

    def abort(self) -> None:
        self.tap.abort()

    def _respondToBadRequestAndDisconnect(self) -> None:
        if self._receivedHeaderSize > self.totalHeadersSize or self._receivedHeaderCount > self.maxHeaders:
            self.lineLengthExceeded(b"")
        else:
            self.refuse(400, "the request breaks the rules of HTTP")

    def lineLengthExceeded(self, line: bytes) -> None:
        if "_command" not in self.__dict__:
            self.refuse(414, f"a first line of more than {self.MAX_LENGTH:,} bytes", "field_bytes")
        elif self._receivedHeaderCount > self.maxHeaders:
            self.refuse(431, f"more than {self.maxHeaders} fields", "field_bytes")
        else:
            self.refuse(431, f"a head of more than {self.totalHeadersSize:,} bytes", "field_bytes")

    def timeoutConnection(self) -> None:
        tap, idle = self.tap, self._idle
        if self.refused:
            tap.finish()
            tap.abort()
        elif self._answered_early:
            self._linger()
        elif self._waitingForTransport:
            self._check(self._given(), "_taken", "the client takes the answer too slowly", tap.abort)
        elif self._body_held or tap.held:
            self._allow(idle)  # it would send if we let it
        elif self.length != 0:
            why = "the request's body comes too slowly"
            self._check(tap.received, "_marked", why, lambda: self.refuse(408, why))
        elif self._begun:
            self._breach(f"the request's head was not complete within {idle:g} s")
            self.refuse(408, "the request's head comes too slowly")
        else:
            self._breach(f"nothing received for {idle:g} s: closing")
            super().timeoutConnection()

    def _check(self, now: int | None, mark: str, why: str, end: Callable[[], None]) -> None:
        before = getattr(self, mark)
        assert self._idle is not None
        if now is None or before is None or now - before >= SLOWEST * self._idle:
            setattr(self, mark, now)
            self._allow(self._idle)
        else:
            self._breach(why)
            end()

    def _breach(self, why: str) -> None:
        breach = Breach("idle_seconds", self._idle, why)
        self.tap.note(events.LIMIT_REACHED, why, breach.detail())


def _ignore(data: bytes) -> None:
    """What comes after a refused request is recorded, and nothing else."""
