"""All outposts that one Post reads and steers: it is their console."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, gatherResults

from app.capture.reading import batches
from app.capture.reading.outposts import Read, progress
from app.capture.reading.reader import Reader
from app.capture.reading.store import Store
from app.outposts.carrier import Carrier
from app.outposts.following import Following
from app.post import Post
from app.signal import Signal

LOOK_AGAIN = 0.5
"""Seconds until our own capture is read again that could not be."""


class Console:
    """The outposts of a Post, by their names. It reads them from ``open`` on, once the Post's capture is open.

    Attributes:
        outposts: by name.
        outposts_changed: emits the console when one was added or removed.
        changed: emits the one of which something has changed.
    """

    def __init__(self, reactor: Any, post: Post, name: str) -> None:
        """``name``: who asks, as the events of outposts will say."""
        self._reactor, self._post, self._name = reactor, post, name
        self.outposts: dict[str, Following] = {}
        self.outposts_changed: Signal[Console] = Signal()
        self.changed: Signal[Following] = Signal()
        self._reader: Reader | None = None
        self._progress: list[Read] | None = None
        self._identity = ""
        self._closed = False
        self._unhook = post.capture_changed.connect(self._on_capture)

    def open(self) -> None:
        """Begin to read. How far each was read before, the capture says; until that is known, nothing is."""
        assert self._post.capture is not None
        self._reader = Reader(self._post.capture, self._reactor.callFromThread)
        self._ask_progress()

    def _ask_progress(self) -> None:
        if self._reader is not None and not self._closed:
            self._reader.read(_so_far, None, self._on_progress)

    def _on_progress(self, found: tuple[str, list[Read]] | None) -> None:
        if self._closed or self._reader is None:
            return
        if found is None:  # the writer has not made it yet
            self._reactor.callLater(LOOK_AGAIN, self._ask_progress)
            return
        self._identity, self._progress = found
        for outpost in self.outposts.values():
            outpost.open(self._reader, self._progress)

    @property
    def identity(self) -> str:
        """That of our own capture, which is not to be read into itself."""
        return self._identity

    def add(self, name: str, carrier: Carrier) -> Following:
        """Read an outpost, under a name that no other has."""
        made = self.outposts[name] = Following(self._reactor, self._post.recorder, name, carrier, self._name)
        made.changed.connect(self.changed.emit)
        made.is_ours = lambda capture: capture == self._identity
        if self._progress is not None and self._reader is not None:
            made.open(self._reader, self._progress)
        self.outposts_changed.emit(self)
        return made

    async def remove(self, name: str) -> None:
        """Read an outpost no more. What was read stays, and if it comes again, it goes on from there."""
        gone = self.outposts.pop(name)
        self._progress = [*(self._progress or []), *gone.progress()]
        self.outposts_changed.emit(self)
        await gone.close()

    async def close(self) -> None:
        """Read no more."""
        self._closed = True
        self._unhook()
        closing = [Deferred.fromCoroutine(outpost.close()) for outpost in self.outposts.values()]
        await gatherResults(closing)
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _on_capture(self, post: Post) -> None:
        if self._reader is not None and post.capture is not None:
            self._reader.switch(post.capture)
            for outpost in self.outposts.values():
                outpost.on_new_capture()
            self._reader.read(batches.identity, "", self._on_identity)

    def _on_identity(self, identity: str) -> None:
        self._identity = identity or self._identity


def _so_far(store: Store) -> tuple[str, list[Read]]:
    return batches.identity(store), progress(store)
