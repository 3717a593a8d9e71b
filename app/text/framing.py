"""Framing: where a message ends in a stream of bytes.

A framer takes the bytes as they come, in pieces of any size, and gives out whole messages;
the other way it makes of a message the bytes to send. Except for ``Unframed`` the messages
do not depend on the pieces.
"""

from __future__ import annotations

import math
from typing import Literal

from app.text import errors

Order = Literal["big", "little"]

MAX_MESSAGE = 1 << 20
"""Bytes of a message above which a stream is broken, unless said otherwise."""


class Framer:
    """One direction of one stream; by itself, bytes as they come.

    Attributes:
        broken: why no more messages can be found in the stream, in words; empty as long as
            they can. Messages before that place were given out; what comes later is dropped.
        gap: seconds of silence after which the owner calls ``flush``; infinite: never.
    """

    gap = math.inf

    def __init__(self) -> None:
        self.broken = ""

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that ``data`` completes, in order."""
        return [data] if data else []

    def flush(self) -> list[bytes]:
        """The message that ends because nothing more comes, if there is one."""
        return []

    def frame(self, message: bytes) -> bytes:
        """The bytes that stand for ``message`` on the wire. Raises FrameError where none can."""
        return message


Unframed = Framer
"""Every piece is a message: right for peers that wait for an answer, and for tries by hand."""


class _Buffered(Framer):
    """Keeps what is not a whole message yet: at most ``limit`` bytes and one frame's own."""

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

    def _next(self, start: int) -> tuple[bytes, int] | None:
        """The message that begins at ``start`` and where the next one does; None if it is not whole."""
        raise NotImplementedError

    def _kept(self) -> None:
        """The whole messages are gone from the front of the buffer."""

    def _break(self, why: str = "") -> None:
        self.broken = why or f"a message is longer than {self.limit:,} bytes"
        self._buffer.clear()


class Delimited(_Buffered):
    """Messages that end with ``delimiter``, which is taken off if ``strip``."""

    def __init__(self, delimiter: bytes = b"\n", strip: bool = True, limit: int = MAX_MESSAGE) -> None:
        super().__init__(limit)
        self.delimiter, self.strip = delimiter, strip
        self._searched = 0

    def _next(self, start: int) -> tuple[bytes, int] | None:
        end = self._buffer.find(self.delimiter, max(start, self._searched))
        if (len(self._buffer) - len(self.delimiter) if end < 0 else end - 1) >= start + self.limit:
            self._break()
            return None
        if end < 0:
            return None
        after = end + len(self.delimiter)
        self._searched = after
        return bytes(self._buffer[start : end if self.strip else after]), after

    def _kept(self) -> None:
        # The delimiter may have come in part.
        self._searched = max(0, len(self._buffer) - len(self.delimiter) + 1)

    def frame(self, message: bytes) -> bytes:
        kept = not self.strip and message.endswith(self.delimiter)
        return message if kept else message + self.delimiter


class Prefixed(_Buffered):
    """Messages behind their length in ``size`` bytes, which counts itself if ``inclusive``."""

    def __init__(self, size: int = 4, order: Order = "big", inclusive: bool = False, limit: int = MAX_MESSAGE) -> None:
        super().__init__(limit)
        self.size, self.order, self.inclusive = size, order, inclusive

    def _next(self, start: int) -> tuple[bytes, int] | None:
        begin = start + self.size
        if len(self._buffer) < begin:
            return None
        length = int.from_bytes(self._buffer[start:begin], self.order) - self.size * self.inclusive
        if length < 0:
            own = "byte" if self.size == 1 else f"{self.size} bytes"
            self._break(f"a length of {length + self.size} is less than its own {own}")
            return None
        if length > self.limit:
            self._break()
            return None
        end = begin + length
        return (bytes(self._buffer[begin:end]), end) if len(self._buffer) >= end else None

    def frame(self, message: bytes) -> bytes:
        length, most = len(message) + self.size * self.inclusive, (1 << 8 * self.size) - 1
        if length > most:
            raise errors.FrameError(length=len(message), most=most)
        return length.to_bytes(self.size, self.order) + message


class Fixed(_Buffered):
    """Messages of ``size`` bytes each. What is sent may have any size."""

    def __init__(self, size: int) -> None:
        super().__init__(size)

    def _next(self, start: int) -> tuple[bytes, int] | None:
        end = start + self.limit
        return (bytes(self._buffer[start:end]), end) if len(self._buffer) >= end else None


class Gapped(_Buffered):
    """Messages that end when nothing came for ``gap`` seconds; the owner keeps the time."""

    def __init__(self, gap: float, limit: int = MAX_MESSAGE) -> None:
        super().__init__(limit)
        self.gap = gap

    def _next(self, start: int) -> tuple[bytes, int] | None:
        if len(self._buffer) > self.limit:
            self._break()
        return None

    def flush(self) -> list[bytes]:
        message = bytes(self._buffer)
        self._buffer.clear()
        return [message] if message else []
