"""All outposts that one Post reads and steers: it is their console."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, gatherResults

from app.capture.reading import batches
from app.capture.reading.outposts import Read, progress
from app.capture.reading.reader import Reader
from app.capture.reading.store import Store
from app.outposts import places
from app.outposts.following import Following
from app.outposts.pace import Turns
from app.outposts.ways.carrier import Carrier
from app.outposts.ways.configured import Ways
from app.post import Post
from app.responders.relay.errors import UpstreamAwayError
from app.responders.relay.outposts import Located, nowhere
from app.signal import Signal
from app.workspace.outposts import OutpostConfig

LOOK_AGAIN = 0.5
"""Seconds until our own capture is read again that could not be."""


class Console:
    """The outposts of a Post, by their names. It reads them from ``open`` on, once the Post's capture is open.

    Attributes:
        outposts: by name.
        held: why those of the workspace are not read that the user has not allowed, by their names.
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
        self._ways = Ways(reactor)
        self._turns = Turns(reactor)
        self._progress: list[Read] | None = None
        self._identity = ""
        self._closed = False
        self.held: dict[str, str] = {}
        self._configured: dict[str, OutpostConfig] = {}
        post.locate = self.locate
        self._unhook_all = [post.capture_changed.connect(self._on_capture)]

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

    def locate(self, outpost: str, service: str) -> Located:
        """Where the service of an outpost listens now, for relays. Raises UpstreamAwayError."""
        following = self.outposts.get(outpost)
        if following is None:
            reason = self.held.get(outpost, f"the workspace reads no outpost called {outpost}").removesuffix(".")
            raise UpstreamAwayError(address=f"{outpost}/{service}", reason=reason)
        config = self._configured.get(outpost)
        return places.locate(following, config.target if config else following.carrier.target, service)

    def follow_workspace(self) -> None:
        """Read the outposts of the Post's workspace, those that the user allows, now and when they change."""
        self._unhook_all.append(self._post.outposts_changed.connect(lambda _: self._configure()))
        self._unhook_all.append(self._post.question_changed.connect(lambda _: self._configure()))
        self._configure()

    def _configure(self) -> None:
        wanted: dict[str, OutpostConfig] = {}
        self.held.clear()
        for config in self._post.outposts:
            if (error := self._post.gate.held_outpost(config)) is None:
                wanted[config.name] = config
            else:
                self.held[config.name] = str(error)
        for name, config in list(self._configured.items()):
            if wanted.get(name) != config:
                del self._configured[name]
                Deferred.fromCoroutine(self.remove(name))
        for name, config in wanted.items():
            if name not in self._configured:
                self._configured[name] = config
                self.add(name, self._ways.to(config, self._post.folder), history=config.history)
        self.outposts_changed.emit(self)

    def add(self, name: str, carrier: Carrier, *, history: bool = True) -> Following:
        """Read an outpost, under a name that no other has. Without ``history`` the first time from now on."""
        made = Following(self._reactor, self._post.recorder, name, carrier, self._name, self._turns, history=history)
        self.outposts[name] = made
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
        if self._post.locate == self.locate:
            self._post.locate = nowhere
        for disconnect in self._unhook_all:
            disconnect()
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
