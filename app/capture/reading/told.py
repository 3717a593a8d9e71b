"""What was told in a capture before now: events of few kinds and their details, the newest first, part by part."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, TypeVar

from app.capture.reading import values
from app.capture.reading.reader import Deliver, Reader
from app.capture.reading.store import Store

PART = 50_000
"""Events that are looked at in one step."""

LOOK = 1_000_000
"""Events that are looked at, the newest of the capture."""

LONGEST = 20_000
"""Characters of a detail that is read."""

_TOLD = """
SELECT json_group_array(json_array(time, kind, detail)) FROM (
    SELECT time, kind, CAST(detail AS TEXT) AS detail FROM event
    WHERE id BETWEEN ? AND ? AND kind IN (%s) AND length(detail) < ? ORDER BY id DESC LIMIT ?)
"""

Told = tuple[int, int, dict[str, Any]]
"""Time, kind and detail of an event."""

T = TypeVar("T")


def told(store: Store, kinds: Collection[int], first: int, last: int, most: int) -> list[Told]:
    """The newest of these kinds, ``most`` of them, the newest first."""
    sql = _TOLD % ", ".join(map(str, kinds))
    found = store.listed(sql, (first, last, LONGEST, most))
    return [(values.number(time) or 0, kind, values.decoded(detail)) for time, kind, detail in found]


class Backwards:
    """Reads a capture from its newest event on backwards, in a thread of its own, until enough was found."""

    def __init__(
        self, path: Path, deliver: Deliver, last: int, read: Callable[[Store, int, int], T], take: Callable[[T], bool]
    ) -> None:
        """``read`` looks at the events from one to another, in the thread; ``take``, in this one, at what that found:
        false ends it."""
        self._reader = Reader(path, deliver)
        self._last, self._least = last, max(1, last - LOOK + 1)
        self._read: Callable[[Store, int, int], Any] = read
        self._take: Callable[[Any], bool] = take
        self._closed = False
        self._go_on()

    def close(self) -> None:
        """Read no more."""
        if not self._closed:
            self._closed = True
            self._reader.close()

    def _go_on(self) -> None:
        last, first = self._last, max(self._least, self._last - PART + 1)
        self._last = first - 1
        if last < first:
            self.close()
            return
        self._reader.read(lambda store: self._read(store, first, last), None, self._on_read)

    def _on_read(self, found: Any) -> None:
        if self._closed:
            return
        if found is not None and self._take(found):
            self._go_on()
        else:
            self.close()
