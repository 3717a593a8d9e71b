"""Messages behind their length."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal

from app.options import Option, Options
from app.text import errors
from app.text.framing.framer import LONGEST, MAX_MESSAGE, Buffered, Framing

Order = Literal["big", "little"]


class Prefixed(Buffered):
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


def _maker(options: Options) -> Callable[[], Prefixed]:
    size, order = options["prefix_bytes"], options["byte_order"]
    return partial(Prefixed, size, order, options["prefix_included"], options["max_message"])


LENGTH = Framing(
    "length",
    "where the length before it says",
    _maker,
    (
        Option(
            "prefix_bytes", int, 4, "Bytes of the length before a message: 1, 2 or 4",
            check=lambda size: None if size in (1, 2, 4) else "must be 1, 2 or 4",
        ),
        Option("byte_order", str, "big", "Of the length", choices=("big", "little")),
        Option("prefix_included", bool, False, "The length counts its own bytes, too"),
        LONGEST,
    ),
)  # fmt: skip
