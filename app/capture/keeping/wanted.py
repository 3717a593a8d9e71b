"""What a copy of a capture is to contain, how its progress is told, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.capture.filters.sql import EVERYTHING, Filter

Progress = Callable[[int, int], object]
"""Takes how much is done, and of how much; the unit is pages or events."""


class CancelledError(Exception):
    """The caller cancelled the copy. No file of it is left."""


@dataclass(frozen=True, slots=True)
class Saving:
    """What a copy contains.

    Attributes:
        where: the events that are copied, with the notes on them.
        payloads: whether payloads are copied, or only their sizes.
        redacted: whether the values of secret headers and the matches of ``patterns`` are masked.
    """

    where: Filter = EVERYTHING
    payloads: bool = True
    redacted: bool = False
    patterns: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        return self == WHOLE

    def in_words(self) -> str:
        """What the copy is without; empty for a whole one."""
        words = ["only some events"] if self.where != EVERYTHING else []
        words += [] if self.payloads else ["without payloads"]
        words += ["redacted"] if self.redacted else []
        return ", ".join(words)


WHOLE = Saving()
"""Everything, as it is."""


@dataclass(frozen=True, slots=True)
class Saved:
    """A finished copy.

    Attributes:
        events, bytes: how many events it has, and the bytes of its file.
        lost: what it lacks because it was never in the capture, in words; empty where nothing is known to be.
    """

    events: int
    bytes: int
    lost: str = ""
