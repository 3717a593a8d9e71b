"""How a connection of HTTP/1 ends: a request that breaks the rules, a client that is too slow or has
finished sending, a service that stops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel
from zope.interface import implementer

from app import events, limits
from app.http.reason_phrases import phrase
from app.limits import IDLE_SECONDS, Reached
from app.services.http import rules as http_rules
from app.services.tap.tap import Tap

LINGER = 2.0
"""Seconds in which the rest of a refused request is thrown away. To close with bytes unread
is to reset, and the client would lose the answer that says what was wrong."""

SLOWEST = 240
"""Bytes a second, over the idle time, that a client must at least send of a body and take of an
answer; the rate that Kestrel asks for."""

DRAIN = 1.5
"""Seconds that an answer has to end when the connection is to close, within what a stopping service gives."""

SILENCE = 60.0
"""Seconds in which something must be sent to a client that has finished sending, where there is no idle
time: only by that do we learn whether it has gone altogether."""

_REFUSAL = (
    b"HTTP/1.1 %d %s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
)


@implementer(IHalfCloseableProtocol)
class EndingChannel(HTTPChannel):
    """HTTP/1 whose ends are in good order, and noted.

    Attributes:
        refused: whether this connection is being closed for a request that broke the rules.
        tap: what records the connection.
    """

    transport: Any
    site: Any
    callLater: Any
    _networkProducer: Any
    refused = False
    _begun = False  # something of a request has come
    _body_open = False  # a streamed request's body is still to come
    _body_held = False
    _answered_early = False
    _ended = False  # the client has finished sending
    _line = b""  # that was read last: what is wrong is wrong in there
    _marked = _sent = 0
    _taken: int | None = None
    _until: float | None = None  # when the client's time is over; None while it waits for us
    _timer: Any = None
    _draining: Any = None

    @property
    def tap(self) -> Tap:
        return cast(Tap, self.transport)

    def connectionMade(self) -> None:
        self._seconds = self.site.reactor.seconds
        self._idle: float | None = self.site.limits["idle_seconds"] or None
        super().connectionMade()

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        self._until = None
        for call in (self._timer, self._draining):
            if call is not None and call.active():
                call.cancel()
        self._followed()
        super().connectionLost(reason)

    # -- time

    @property
    def _patience(self) -> float | None:
        """Seconds for the client's next step, or for ours where it may have gone; None for ever."""
        return self._idle or (SILENCE if self._ended else None)

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

    def _given(self) -> int | None:
        """Bytes that the kernel has taken so far; None where the transport hides them."""
        unsent = self.tap.unsent()
        return None if unsent is None else self.tap.sent - unsent

    def timeoutConnection(self) -> None:
        tap, idle = self.tap, self._idle
        if self.refused:
            tap.finish()
            tap.abort()
        elif self._answered_early:
            self._linger()
        elif self._waitingForTransport and idle:
            self._check(self._given(), "_taken", self._late("answer"), tap.abort)
        elif self._body_held or tap.held:
            self._allow(self._patience)  # it would send if we let it
        elif self._ended:
            self._look_for_client()
        elif self.length != 0:
            reached = self._late("body")
            self._check(tap.received, "_marked", reached, lambda: self.refuse(408, reached.text))
        elif self._begun:
            tap.record_limit(self._late("head"))
            self.refuse(408, "the request's head comes too slowly")
        else:
            tap.record_limit(self._late("no request"))
            super().timeoutConnection()

    def _look_for_client(self) -> None:
        """One that has gone altogether has us know only when something is sent to it."""
        before, self._sent = self._sent, self._given() or self.tap.sent
        if self._sent > before:
            self._allow(self._patience)
        else:
            self.tap.record_limit(self._late("half-closed"))
            self.tap.abort()

    def _late(self, situation: str) -> Reached:
        return IDLE_SECONDS.reached(self._patience, situation)

    def _check(self, now: int | None, mark: str, reached: Reached, end: Callable[[], None]) -> None:
        before = getattr(self, mark)
        assert self._idle is not None
        if now is None or before is None or now - before >= SLOWEST * self._idle:
            setattr(self, mark, now)
            self._allow(self._idle)
        else:
            self.tap.record_limit(reached)
            end()

    # -- when one side has finished

    def readConnectionLost(self) -> None:
        """The client has finished sending: what it has asked for is answered, then the connection closes."""
        if not self._ended:
            self._ended, self._sent = True, self._given() or self.tap.sent
            self._answer_what_came()

    def writeConnectionLost(self) -> None:
        """We have closed our side ourselves."""

    def _answer_what_came(self) -> None:
        """Nothing more will come. Goes on while something is being answered, otherwise closes."""
        if self._handlingRequest and self.requests and not self.refused:
            if self.requests[0].hangs:
                self.loseConnection()
            else:
                self._allow(self._patience)
        elif (self._begun or self.requests or self._buffer) and not (self.refused or self._answered_early):
            self.refuse(400, f"the client finished sending in the middle of {self._unfinished()}")
        else:
            self.loseConnection()

    def _unfinished(self) -> str:
        if self.line_mode:
            return "a request's head"
        request = self.requests[-1]
        received = request.content.tell() if request.body is None else request.body.received
        return f"a body, after {received:,}{f' of {self.length:,}' if self.length else ''} bytes"

    def _followed(self) -> None:
        """A connection that ends after the client has finished was closed by it."""
        if self._ended and not self.tap.ended_by:
            self.tap.ended("closed by the peer")

    def loseConnection(self) -> None:
        self._followed()
        super().loseConnection()

    def drain(self) -> bool:
        """Close after the request that is being read or answered, or after ``DRAIN`` seconds.

        Returns whether there is one; without, or when asked again, nothing is done.
        """
        coming = self._handlingRequest or self.length != 0
        if not (self.requests and coming) or self.refused or self._draining is not None:
            return False
        self.persistent = False
        self._draining = self.callLater(DRAIN, self.loseConnection)
        return True

    # -- what ends it

    def refuse(self, status: int, why: str | Reached) -> None:
        """Answer ``status``, read no further and close, once. ``why``: in words, or the limit that was reached."""
        if self.refused:
            return
        reason, tap = phrase(status), self.tap
        if isinstance(why, Reached):
            tap.record_limit(why.saying(f"refused: {why.text}").carrying(status=status))
            why = why.text
        summary = f"{status} {reason.decode()}  {why}"
        tap.note(events.HTTP_RESPONSE, summary, {"status": status, "refused": why})
        if not self._answering():
            words = in_words(why)
            head = _REFUSAL % (status, reason, len(words))
            tap.write(head if self.__dict__.get("_command") == b"HEAD" else head + words)
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
        if self.isSecure() or self._ended:
            self.loseConnection()  # TLS has a message of its own for this, and no half-closed state
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
            self.refuse(400, self._wrong())

    def _wrong(self) -> str:
        """Which rule a request breaks that Twisted cannot read."""
        if self._handlingRequest:
            return "the body is no form as its Content-Type says"
        if not self.line_mode:
            return http_rules.of_chunk(self._transferDecoder)
        if "_command" not in self.__dict__:
            return "more than one empty line before the request"
        return http_rules.of_field(self._line, self.requests[-1])

    def lineLengthExceeded(self, line: bytes) -> None:
        if "_command" not in self.__dict__:
            self.refuse(414, limits.FIELD_BYTES.reached(self.MAX_LENGTH, "line"))
        elif self._receivedHeaderCount > self.maxHeaders:
            self.refuse(431, limits.FIELDS.reached(self.maxHeaders))
        else:
            self.refuse(431, limits.FIELD_BYTES.reached(self.totalHeadersSize, "head"))


def in_words(why: str) -> bytes:
    """What is wrong as the body of a refusal: a sentence."""
    return f"{why[0].upper()}{why[1:]}.\n".encode()


def _ignore(data: bytes) -> None:
    """What comes after a refused request is recorded, and nothing else."""
