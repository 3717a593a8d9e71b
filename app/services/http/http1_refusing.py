"""How HTTP/1 refuses a request that breaks the rules or exceeds a limit: an answer in words, then the end."""

from __future__ import annotations

from typing import Any

from app import events, limits
from app.http.heads import read_head
from app.http.reason_phrases import phrase
from app.limits import Reached
from app.services.http import rules as http_rules
from app.services.http.http1_timing import LINGER, TimedChannel
from app.text.escapes import escape

_REFUSAL = (
    b"HTTP/1.1 %d %s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
)


class RefusingChannel(TimedChannel):
    """HTTP/1 that answers what it cannot accept, and closes without a reset.

    Attributes:
        refused: whether the connection is being closed for a request that broke the rules.
    """

    _networkProducer: Any
    refused = False
    _ended = False  # the client has finished sending
    _first = b""  # the first line of a request, where it is no such line
    _line = b""  # the line that was read last: a broken rule is broken in it

    def refuse(self, status: int, why: str | Reached) -> None:
        """Answer ``status``, read no further and close, once. ``why``: in words, or the limit that was reached."""
        if self.refused:
            return
        reason, tap = phrase(status), self.tap
        if isinstance(why, Reached):
            tap.record_limit(why.saying(f"refused: {why.text}").carrying(status=status))
            why = why.text
        summary = f"{status} {reason.decode()}  {why}"
        detail = {"status": status, "refused": why} | self._known()
        if not self._answering():
            detail["reason"] = reason.decode()
        tap.counters.answered(status)
        tap.record(events.HTTP_RESPONSE, summary, detail)
        if not self._answering():
            words = in_words(why)
            head = _REFUSAL % (status, reason, len(words))
            tap.write(head if self.__dict__.get("_command") == b"HEAD" else head + words)
        self._linger()

    def _known(self) -> dict[str, str]:
        """Method, target and version of the request, as far as they came, unless they are recorded already."""
        if self.requests and self.requests[-1].is_recorded:
            return {}
        if "_command" in self.__dict__:
            line = escape(self._command), escape(self._path), escape(self._version)
        else:
            line = read_head(bytes(self._first or self._buffer)).line
        return {name: part for name, part in zip(("method", "target", "version"), line, strict=True) if part}

    def _answering(self) -> bool:
        """Whether part of a response was written already, so that another one cannot follow."""
        return bool(self.requests) and bool(self.requests[0].startedWriting)

    def _linger(self) -> None:
        """Send nothing more, and drop what comes for ``LINGER`` seconds."""
        self.refused = True
        for name in ("dataReceived", "lineReceived", "rawDataReceived"):
            setattr(self, name, _ignore)
        tap = self.tap
        tap.unregisterProducer()
        if self.isSecure() or self._ended:
            self.loseConnection()  # TLS has its own message for this, and no half-closed state
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
        """The rule that is broken by a request which Twisted could not parse."""
        if self._handlingRequest:
            return "the body is not a form, as its Content-Type says it is"
        if not self.line_mode:
            return http_rules.of_chunk(self._transferDecoder)
        if "_command" not in self.__dict__:
            return "more than one empty line before the request"
        return http_rules.of_field(self._line, self.requests[-1])

    def lineLengthExceeded(self, line: bytes) -> None:
        if "_command" not in self.__dict__:
            self._first = line
            self.refuse(414, limits.FIELD_BYTES.reached(self.MAX_LENGTH, "line"))
        elif self._receivedHeaderCount > self.maxHeaders:
            self.refuse(431, limits.FIELDS.reached(self.maxHeaders))
        else:
            self.refuse(431, limits.FIELD_BYTES.reached(self.totalHeadersSize, "head"))


def in_words(why: str) -> bytes:
    """The reason ``why`` as a sentence, for the body of a response."""
    return f"{why[0].upper()}{why[1:]}.\n".encode()


def _ignore(data: bytes) -> None:
    """Drop what comes after a refused request; the Tap has recorded it."""
