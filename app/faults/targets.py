"""What a fault can do to what it has hit, beside its piece and its lane."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from app.faults.lane import Lane, Piece

Told = Callable[[bytes, int], None]

ENDED = "by a fault"
"""The last words of the reason of a connection's end, where a fault has ended it."""


class Target(Protocol):
    """A connection, a flow of datagrams, or one exchange of an HTTP connection.

    On HTTP/2, ``close``, ``reset``, ``half_close``, ``cut`` and ``garble`` end the stream alone.

    Attributes:
        protocol_name: of the service.
        incoming, outgoing: what its peer sends, and what we send.
    """

    protocol_name: str
    incoming: Lane
    outgoing: Lane

    def close(self) -> None:
        """Close in good order; what was written leaves."""

    def reset(self) -> None:
        """Close so that the peer is told of an error: on TCP, by RST."""

    def half_close(self) -> None:
        """Send no more, and go on reading."""

    def close_slowly(self, seconds: float, fault: Any = None) -> None:
        """Have every close, whoever asks for it, wait for so long, or until ``thaw(fault)``."""

    def cut(self, piece: Piece, lane: Lane, size: int, part: float, *, reset: bool, told: Told | None = None) -> None:
        """Pass on ``part`` (0..1) of ``piece``, or ``size`` bytes of it and what follows, and close or reset then.

        ``told``: called if that is in one of those that follow, with its bytes, and how many of them are passed on.
        """

    def garble(self, piece: Piece, noise: bytes) -> None:
        """Pass on ``noise`` in the place of ``piece``, and close."""

    def freeze(self, fault: Any) -> None:
        """Read no more, until ``thaw``."""

    def thaw(self, fault: Any) -> None:
        """``fault`` acts no longer: read again, and close without waiting."""


class SecuredTarget(Target, Protocol):
    """A connection with TLS."""

    def spoil_handshake(self, hit: Any) -> None:
        """Have the TLS of a connection that was just made go wrong, as the options of the ``Hit`` say."""


class ExchangeTarget(Target, Protocol):
    """One request of HTTP with its answer.

    Attributes:
        stream: its number on HTTP/2; None on HTTP/1.
    """

    stream: int | None

    def field(self, name: str) -> str:
        """The value of a header of the request; empty where there is none."""

    def answer(self, piece: Piece, status: int, body: str, retry_after: int) -> None:
        """Answer so in the place of the responder, if ``piece`` is the request, or of its answer, if it is that.

        Without a ``body``, with the status in words. ``retry_after``: seconds, 0: not said.
        """

    def malform(self, piece: Piece, fault: Any, how: str) -> str:
        """Have the answer whose first part is ``piece`` break a rule of HTTP.

        Returns what is wrong with it in words; empty: this cannot be done.
        """

    def reset_stream(self, piece: Piece, code: int) -> None:
        """HTTP/2: send RST_STREAM in the place of ``piece``."""

    def go_away(self, piece: Piece, code: int) -> None:
        """HTTP/2: send GOAWAY, which says that the request of ``piece`` was not looked at."""
