"""The watches of a Post as metrics see them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Watched:
    """One watch.

    Attributes:
        up: None while that is not known.
        seconds: of the last check; None before the first.
        words: what was found last.
    """

    name: str
    up: bool | None
    seconds: float | None
    words: str


def watched(post: Any) -> Iterator[Watched]:
    """The watches of ``post``, in its order."""
    for name, watch in getattr(post, "watches", {}).items():
        up = {"up": True, "down": False}.get(watch.state)
        seconds = None if watch.milliseconds is None else watch.milliseconds / 1000
        yield Watched(name, up, seconds, watch.words)
