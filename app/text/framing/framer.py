"""What every framer has, and how a framing is declared."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from app.options import Option, Options

MAX_MESSAGE = 1 << 20
"""Bytes of a message above which a stream is broken, unless said otherwise."""


class Framer:
    """The framer of one direction of one stream. This base class passes bytes on as they come.

    Attributes:
        broken: why no more messages can be found in the stream, in words; empty while they can.
            Messages before that place were returned; later bytes are dropped.
        limit: bytes of the longest message; 0: of any length.
        gap: seconds of silence after which the owner calls ``flush``; infinite: never.
    """

    gap = math.inf
    limit = 0

    def __init__(self) -> None:
        self.broken = ""

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that ``data`` completes, in order."""
        return [data] if data else []

    def frames(self, data: bytes) -> list[bytes]:
        """As ``feed``, but each message with its frame, as it came. Once the stream is broken, bytes as they come."""
        return [data] if data else []

    def rest(self) -> bytes:
        """What has come of a message that has not ended, with its frame, after ``frames``; it is kept no longer."""
        return b""

    def flush(self) -> list[bytes]:
        """The message that ends because nothing more came, if there is one."""
        return []

    def give_up(self, why: str) -> None:
        """Look for no more messages, for the reason ``why``, and drop what has come of one."""
        self.broken = why

    @property
    def unfinished(self) -> int:
        """Bytes that came of a message which has not ended."""
        return 0

    @property
    def awaited(self) -> str:
        """What is known of that message, in words: how long it said it would be. Empty where nothing is."""
        return ""

    def frame(self, message: bytes) -> bytes:
        """The bytes that carry ``message`` on the wire. Raises FrameError where it is too long, ShortFrameError."""
        return message


Unframed = Framer
"""Every piece is a message: for peers that wait for each answer, and for tests by hand."""


@dataclass(frozen=True, slots=True)
class Framing:
    """A way to say where a message ends, which a service can be told.

    Attributes:
        name: the value of the option ``framing``.
        ends: where a message ends, as an end of that sentence.
        help: the same in whole words for who chooses, and what that means for what is sent.
        maker: from the options of a service, what makes a framer for each connection.
        options: those that mean something with this framing only, or with several of them.
    """

    name: str
    ends: str
    help: str
    maker: Callable[[Options], Callable[[], Framer]]
    options: tuple[Option, ...] = ()


LONGEST = Option(
    "max_message", int, MAX_MESSAGE, "Longest message; a longer one closes the connection", "bytes", 1, 16 << 20
)
"""Of the framings that cannot tell beforehand how long a message becomes."""

UNFRAMED = Framing(
    "none",
    "with what was read at once",
    "No messages: rules see pieces as they are read, parts of a message or several at once",
    lambda options: Unframed,
)


class Buffered(Framer):
    """Keeps the beginning of a message until it is whole: at most ``limit`` bytes and those of the frame."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        if self.broken:
            return []
        self._buffer += data
        messages, start = [], 0
        while not self.broken and (found := self._next(start)) is not None:
            message, start = found
            messages.append(message)
        del self._buffer[:start]
        self._kept()
        return messages

    def frames(self, data: bytes) -> list[bytes]:
        return super().frames(data) if self.broken else self._frames(data)

    def _frames(self, data: bytes) -> list[bytes]:
        self._buffer += data
        everything = bytes(self._buffer)
        frames, start = [], 0
        while (found := self._next(start)) is not None:
            frames.append(everything[start : found[1]])
            start = found[1]
        del self._buffer[:start]
        self._kept()
        return [*frames, everything[start:]] if self.broken and everything[start:] else frames

    def rest(self) -> bytes:
        rest = bytes(self._buffer)
        self._buffer.clear()
        return rest

    @property
    def unfinished(self) -> int:
        return len(self._buffer)

    def _next(self, start: int) -> tuple[bytes, int] | None:
        """The message that begins at ``start`` and where the next one does; None if it is not whole."""
        raise NotImplementedError

    def _kept(self) -> None:
        """Called when the whole messages were removed from the front of the buffer."""

    def give_up(self, why: str) -> None:
        super().give_up(why)
        self._buffer.clear()

    def _break(self, why: str = "") -> None:
        self.give_up(why or f"a message is longer than {self.limit:,} bytes")
