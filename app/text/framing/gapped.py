"""Messages with silence between them."""

from __future__ import annotations

from functools import partial

from app.options import Option
from app.text.framing.framer import LONGEST, MAX_MESSAGE, Buffered, Framing


class Gapped(Buffered):
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


GAP = Framing(
    "gap",
    "when nothing comes for a time",
    "A message ends when nothing has come for a time; nothing is added to what is sent",
    lambda options: partial(Gapped, options["gap"] / 1000, options["max_message"]),
    (Option("gap", float, 100.0, "Silence that ends a message", "ms", 1, 60_000), LONGEST),
)
