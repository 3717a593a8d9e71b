"""Errors of filters."""

from __future__ import annotations

from app.errors import PostError


class FilterError(PostError):
    """The filter is wrong at character {at}: {reason}."""

    def __init__(self, *, at: int, reason: str, typed: str = "") -> None:
        """``at`` counts from 0; ``typed`` is the whole filter."""
        super().__init__(at=at + 1, reason=reason.rstrip("."))
        self.at, self.typed = at, typed
