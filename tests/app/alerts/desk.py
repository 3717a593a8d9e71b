"""A Post with alerts, and what its alerts have recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from app import events
from app.capture.filters.language import EVERYTHING
from app.capture.reading.store import Store
from app.events import ALERTS, Event
from app.post import Post


def recorded(post: Post, *kinds: int) -> list[Event]:
    """The events of alerts that are stored, of these kinds."""
    assert post.capture is not None
    store = Store(post.capture)
    try:
        found = store.events(EVERYTHING, *store.range())
        return [event for event in found if event.kind in (kinds or ALERTS)]
    finally:
        store.close()


def names(post: Post) -> list[str]:
    return [events.NAMES[event.kind] for event in recorded(post)]


class Shown:
    """In the place of the desktop: keeps what is shown."""

    def __init__(self, post: Post) -> None:
        self.told: list[Any] = []
        post.alerts.means.show = self.show

    async def show(self, told: Any) -> str:
        self.told.append(told)
        return "shown here"


def lines(path: Path) -> str:
    return path.read_text("utf-8")
