"""What faults do to an HTTP exchange, of either version."""

from __future__ import annotations

from functools import partial
from typing import Any

from twisted.web.http import NO_BODY_CODES
from twisted.web.http_headers import Headers

from app.faults.lane import Lane, Piece
from app.faults.targets import Told
from app.http.media_types import of_text
from app.http.reason_phrases import phrase
from app.services.http.faulted import Exchange
from app.services.http.malformed import malform

_KEPT = (b"Date", b"Server", b"Connection", b"Vary")
"""Headers that an answer in the place of another one has of it, beside those of CORS."""


class FailingExchange(Exchange):
    """Satisfies ``ExchangeTarget``."""

    def close(self) -> None:
        self._end_by(reset=False, why=self._words("closed"))

    def reset(self) -> None:
        self._end_by(reset=True, why=self._words("reset"))

    def half_close(self) -> None:
        raise NotImplementedError

    def close_slowly(self, seconds: float, fault: Any = None) -> None:
        raise NotImplementedError

    def cut(self, piece: Piece, lane: Lane, size: int, part: float, *, reset: bool, told: Told | None = None) -> None:
        """``part`` is of the body as its Content-Length says, or where there is none, of ``piece``."""
        (announced,) = self.request.responseHeaders.getRawHeaders(b"Content-Length", (b"",))[:1]
        total = int(announced) if announced.isdigit() else len(piece.data)
        left = round(total * part) if part else size
        self._left = left, reset, told if left > len(piece.data) else None

    def garble(self, piece: Piece, noise: bytes) -> None:
        """The head has the status alone."""
        self.request.responseHeaders = Headers()
        self.chunked, self._full = False, True
        self.spoiled.add("head")
        piece.data = noise
        piece.then.append(self.close)

    def freeze(self, fault: Any) -> None:
        self.tap.freeze(fault)

    def thaw(self, fault: Any) -> None:
        """The connection is told, too."""
        self._pause.pop(fault, None)

    # -- of HTTP alone

    def field(self, name: str) -> str:
        values = self.request.requestHeaders.getRawHeaders(name.encode("latin-1", "replace"), ())
        return ", ".join(value.decode("latin-1") for value in values)

    def answer(self, piece: Piece, status: int, body: str, retry_after: int) -> None:
        if not self._struck:
            piece.withhold()
            piece.then.append(partial(self._answer, status, body, retry_after))
            return
        request = self.request
        kept = Headers()
        for name, values in request.responseHeaders.getAllRawHeaders():
            if name in _KEPT or name.startswith(b"Access-Control-"):
                kept.setRawHeaders(name, values)
        request.responseHeaders = kept
        data = self._take_head(status, body, retry_after)
        if status not in NO_BODY_CODES:
            request.setHeader(b"Content-Length", b"%d" % len(data))
        self.chunked, self._full = False, True
        piece.data = b"" if self.bodiless else data
        piece.then.append(self._end_soon)

    def _end_soon(self) -> None:
        if not self.begun:  # nothing is passed on of a piece without a body
            self._pass_on(b"")
        if not (self._complete or self._over):
            self._ending = self._clock.callLater(0, self._end)  # as above

    def _answer(self, status: int, body: str, retry_after: int) -> None:
        self.request.answer_at_once(self._take_head(status, body, retry_after))

    def _take_head(self, status: int, body: str, retry_after: int) -> bytes:
        """Set status and headers. Returns the body."""
        request = self.request
        request.setResponseCode(status)
        if retry_after:
            request.setHeader(b"Retry-After", b"%d" % retry_after)
        if status in NO_BODY_CODES:
            return b""
        words = body or f"{status} {phrase(status).decode()}, on purpose.\n"
        request.setHeader(b"Content-Type", of_text(words).encode())
        return words.encode()

    def malform(self, piece: Piece, fault: Any, how: str) -> str:
        return malform(self, len(piece.data), fault, how)
