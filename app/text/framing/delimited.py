"""Messages that end with a delimiter."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from app.options import Option, Options
from app.text import errors
from app.text.escapes import unescape
from app.text.framing.framer import LONGEST, MAX_MESSAGE, Buffered, Framing

MAX_DELIMITER = 256
"""Bytes."""


class Delimited(Buffered):
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


def _maker(options: Options) -> Callable[[], Delimited]:
    return partial(Delimited, unescape(options["delimiter"]), options["strip"], options["max_message"])


def _problem(text: str) -> str | None:
    try:
        delimiter = unescape(text)
    except errors.EscapeError as e:
        return str(e)
    return None if 1 <= len(delimiter) <= MAX_DELIMITER else f"must have 1 to {MAX_DELIMITER} bytes"


DELIMITER = Framing(
    "delimiter",
    "with a delimiter",
    "Each message ends with a delimiter, such as a line end; it is added to what is sent",
    _maker,
    (
        Option("delimiter", str, r"\n", "Bytes that end a message", check=_problem),
        Option("strip", bool, True, "Remove the delimiter from received messages"),
        LONGEST,
    ),
)
