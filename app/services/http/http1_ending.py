"""How a connection of HTTP/1 ends: the client is too slow or has finished sending, or the service stops.

How a request that breaks the rules ends it is in ``http1_refusing``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from app.limits import IDLE_SECONDS, Reached
from app.services.http.http1_refusing import RefusingChannel

SLOWEST = 240
"""Bytes a second, on average over the idle time, at which a client must send a body or read a response, at
least; the same as Kestrel's default."""

DRAIN = 1.5
"""Seconds in which a response may end when the service stops; less than the service waits."""

SILENCE = 60.0
"""Seconds in which something must be sent to a client that has finished sending, where there is no idle
time: only a failed write shows that the client has gone."""


LOOK_AFTER = 1.0
"""Seconds after which we look for a client that has finished sending and waits for its response: first after
these, then again, and again each time after twice as many."""

_INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n"


@implementer(IHalfCloseableProtocol)
class EndingChannel(RefusingChannel):
    """HTTP/1 that closes in good order, and records why."""

    _begun = False  # something of a request has come
    _body_open = False  # a streamed request's body is still to come
    _body_held = False
    _answered_early = False
    _sent = 0
    _taken: int | None = None
    _draining: Any = None
    _looking: Any = None

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        for call in (self._draining, self._looking):
            if call is not None and call.active():
                call.cancel()
        self._attribute_end()
        super().connectionLost(reason)

    # -- a client that is too slow

    @property
    def _patience(self) -> float | None:
        """Seconds for the next step; None: no limit."""
        return self._idle or (SILENCE if self._ended else None)

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
            self._allow(self._patience)  # the client would send if we read
        elif self._ended:
            self._look_for_client()
        elif self.length != 0 and not self.line_mode:  # in a head, it is what Content-Length says
            reached = self._late("body")
            self._check(tap.received, "_marked", reached, lambda: self.refuse(408, reached.text))
        elif self._begun:
            tap.record_limit(self._late("head"))
            self.refuse(408, "the request's head comes too slowly")
        else:
            tap.record_limit(self._late("no request"))
            super().timeoutConnection()

    def _look_for_client(self) -> None:
        """Abort unless something was sent since the last look: only a write shows whether the client has gone."""
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

    # -- one side has finished

    def readConnectionLost(self) -> None:
        """The client has finished sending: what it has asked for is answered, then the connection closes."""
        if not self._ended:
            self._ended, self._sent = True, self._given() or self.tap.sent
            self._looking = self.callLater(LOOK_AFTER, self._write_interim, LOOK_AFTER)
            self._answer_what_came()

    def _write_interim(self, seconds: float) -> None:
        """Send an interim response, in ``seconds`` another one, and so on: if the client has left, that fails.

        A client that has closed its connection looks like one that has only finished sending, until something is
        written to it. Clients of HTTP/1.1 skip interim responses (RFC 9110 section 15.2).
        """
        request = self.requests[0] if self.requests else None
        waiting = request is not None and request.clientproto == b"HTTP/1.1" and not request.begun
        if waiting and not (self.refused or self._waitingForTransport):
            self.tap.write(_INTERIM)
            self._sent += len(_INTERIM)  # this is no part of a response
        self._looking = self.callLater(seconds, self._write_interim, 2 * seconds)

    def writeConnectionLost(self) -> None:
        """We have closed our side ourselves."""

    def _answer_what_came(self) -> None:
        """The client sends nothing more. Go on while a request is being answered, otherwise close."""
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

    def _attribute_end(self) -> None:
        """Record that the client closed the connection, if it has finished sending."""
        if self._ended and not self.tap.ended_by:
            self.tap.ended("closed by the peer")

    def loseConnection(self) -> None:
        self._attribute_end()
        super().loseConnection()

    def drain(self) -> bool:
        """Close after the request that is being read or answered, or after ``DRAIN`` seconds.

        Returns whether there is such a request. Without one, and when called again, it does nothing.
        """
        coming = self._handlingRequest or self.length != 0
        if not (self.requests and coming) or self.refused or self._draining is not None:
            return False
        self.persistent = False
        self._draining = self.callLater(DRAIN, self.loseConnection)
        return True
