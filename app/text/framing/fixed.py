"""Messages of one size."""

from __future__ import annotations

from functools import partial

from app.options import Option
from app.text.framing.framer import MAX_MESSAGE, Buffered, Framing


class Fixed(Buffered):
    """Messages of ``size`` bytes each. What is sent may have any size."""

    def __init__(self, size: int) -> None:
        super().__init__(size)

    def _next(self, start: int) -> tuple[bytes, int] | None:
        end = start + self.limit
        return (bytes(self._buffer[start:end]), end) if len(self._buffer) >= end else None


FIXED = Framing(
    "fixed",
    "after so many bytes",
    "Each message has the same number of bytes; what is sent may have any",
    lambda options: partial(Fixed, options["size"]),
    (Option("size", int, 16, "Size of each message in bytes", "bytes", 1, MAX_MESSAGE),),
)
