"""An exchange of HTTP/2 that fails on purpose: what ends it ends its stream, and the others go on."""

from __future__ import annotations

from functools import partial
from typing import Any

from h2.errors import ErrorCodes
from twisted.web.http_headers import Headers

from app.faults import CONNECT, SENT, STREAMS_OF_HTTP2
from app.faults.lane import Piece, mark
from app.services.http.faulted_target import FailingExchange
from app.services.http.malformed import FLOOD, INTERIMS

_SETTINGS, _WINDOW_UPDATE, _ACK = 4, 8, 1


class Exchange2(FailingExchange):
    def _strike_answer(self, piece: Piece, seen: bytes) -> None:
        self._strike(SENT, STREAMS_OF_HTTP2, piece, self.outgoing, seen)
        if not piece.gone:
            super()._strike_answer(piece, seen)

    def _write_first(self, data: bytes) -> None:
        channel, request = self.channel, self.request
        if FLOOD in self.spoiled:
            for _ in range(INTERIMS):
                channel._conn.send_interim(channel.number, 102, Headers())
        channel.writeHeaders(b"HTTP/2", b"%d" % request.code, b"", request.responseHeaders)
        self._write_body(data)

    def _write_body(self, data: bytes) -> None:
        if data:
            self.channel.write(data)

    def _break_off(self, reset: bool) -> None:
        self.channel.reset_after(ErrorCodes.INTERNAL_ERROR if reset else ErrorCodes.CANCEL)

    def half_close(self) -> None:
        """A stream cannot end before its head: NO_ERROR says that this was no mistake (RFC 9113 section 7)."""
        self._reset_stream(ErrorCodes.NO_ERROR)

    def close_slowly(self, seconds: float, fault: Any = None) -> None:
        self._pause[fault] = seconds

    def reset_stream(self, piece: Piece, code: int) -> None:
        piece.withhold()
        piece.then.append(partial(self._reset_stream, code))

    def _reset_stream(self, code: int) -> None:
        if not self._over:
            self._stop()
            self.channel.reset_after(code)

    def go_away(self, piece: Piece, code: int) -> None:
        piece.withhold()
        piece.then.append(partial(self._go_away, code))

    def _go_away(self, code: int) -> None:
        if not self._over:
            self._stop()
            self.channel.go_away(code)


class Habits:
    """What a connection does wrong for all its streams; the target of faults that hit it when it is made."""

    def __init__(self) -> None:
        self._withheld: set[tuple[int, int]] = set()

    def never_acknowledge(self) -> None:
        """Never acknowledge the client's SETTINGS."""
        self._withheld.add((_SETTINGS, _ACK))

    def never_open_windows(self) -> None:
        """Let no more of request bodies come than the first windows have room for."""
        self._withheld.add((_WINDOW_UPDATE, 0))

    @property
    def any(self) -> bool:
        """Whether it does anything wrong."""
        return bool(self._withheld)

    def filtered(self, frames: bytes) -> bytes:
        """``frames``, which are whole, without those that it withholds."""
        kept, place = [], 0
        while place < len(frames):
            end = place + 9 + int.from_bytes(frames[place : place + 3])
            if (frames[place + 3], frames[place + 4] & _ACK) not in self._withheld:
                kept.append(frames[place:end])
            place = end
        return b"".join(kept)


def habits_of(tap: Any) -> Habits | None:
    """What the connection of ``tap``, which now speaks HTTP/2, is to do wrong; None: nothing."""
    habits, course = Habits(), tap.course
    piece = mark()
    tap.factory.faults.strike(course, CONNECT, STREAMS_OF_HTTP2, piece, tap.outgoing, habits)
    return habits if habits.any else None
