"""What an outpost answers of its captures: events and payloads, of the one of now and of those before it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

from twisted.internet.defer import Deferred

from app.capture.errors import CaptureError
from app.capture.reading import batches
from app.capture.reading.reader import Reader
from app.capture.reading.store import Store
from app.outposts import protocol as p
from app.outposts.pace import Gathering
from app.post import Post

T = TypeVar("T")

MOST_LEFT = 20
"""Captures that the program has left, of which a console that is behind still gets the rest."""


class Captured:
    """The captures of one Post, as consoles read them."""

    def __init__(self, reactor: Any, post: Post) -> None:
        self._reactor, self._post = reactor, post
        self._reader: Reader | None = None
        self._gathering = Gathering(reactor, post.recorder)
        self._identity = ""  # of the capture of now, once a read has found it
        self._left: tuple[Path, ...] = ()  # replaced, never changed: the thread of the reader has it, too
        self._unhook = post.capture_changed.connect(self._on_capture)

    def close(self) -> None:
        self._unhook()
        self._gathering.close()
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def identity(self) -> Deferred[str]:
        """That of the capture of now; empty while there is none."""
        return self._in_reader(batches.identity, "")

    async def events(self, request: p.Read) -> p.Events:
        """What ``request`` asks for."""
        recorder, path = self._post.recorder, self._post.capture
        identities: list[str] = []

        def read(store: Store) -> p.Events:
            identities.append(batches.identity(store))
            if request.capture in ("", identities[-1]):
                return _events(store, request)
            return _rest(self._left, request, store)

        if self._identity and request.capture == self._identity and recorder.range.last == request.after:
            # It was read to its end: there is no need to look at the file.
            found = p.Events(self._identity, recorder.range.first, recorder.range.last)
        else:
            found = await self._in_reader(read, p.Events("", 1, 0))
        if identities and self._post.capture == path:
            self._identity = identities[-1]
        if request.capture not in ("", found.capture):
            return found
        if not found.events and request.seconds:
            with self._gathering.waiting():
                if recorder.range.last <= request.after:
                    await self._wait_for(request.after, request.seconds)
            found = await self._in_reader(read, found)
        if request.seconds:
            self._gathering.answered()
        return found

    def _wait_for(self, after: int, seconds: float) -> Deferred[None]:
        """Fires when an event after the id ``after`` is stored, or ``seconds`` have passed."""
        done: Deferred[None] = Deferred(lambda _: finish(fire=False))
        recorder = self._post.recorder

        def finish(*, fire: bool = True) -> None:
            for disconnect in hooks:
                disconnect()
            if timer.active():
                timer.cancel()
            if fire:
                done.callback(None)

        timer = self._reactor.callLater(seconds, finish)
        hooks = (
            recorder.stored_changed.connect(lambda stored: finish() if stored.last > after else None),
            self._post.capture_changed.connect(lambda _: finish()),
        )
        return done

    async def part(self, request: p.Payload) -> p.Part:
        """What ``request`` asks for."""

        def part(store: Store) -> p.Part:
            return p.Part(batches.part(store, request.event, request.offset, request.max_bytes))

        def read(store: Store) -> p.Part:
            if request.capture in ("", batches.identity(store)):
                return part(store)
            return _of(self._left, request.capture, part, p.Part(b""))

        found: p.Part = await self._in_reader(read, p.Part(b""))
        return found

    def _in_reader(self, read: Callable[[Store], Any], nothing: Any) -> Deferred[Any]:
        done: Deferred[Any] = Deferred()
        if self._post.capture is None:
            done.callback(nothing)
            return done
        if self._reader is None:
            self._reader = Reader(self._post.capture, self._reactor.callFromThread)
        self._reader.read(read, nothing, lambda found: None if done.called else done.callback(found))
        return done

    def _on_capture(self, post: Post) -> None:
        self._identity = ""
        if self._reader is not None and post.capture is not None:
            self._left = (*self._left, self._reader.path)[-MOST_LEFT:]
            self._reader.switch(post.capture)


def _events(store: Store, request: p.Read) -> p.Events:
    found = batches.batch(store, request.after, request.max_bytes, p.MAX_INLINE)
    return p.Events(batches.identity(store), *store.range(), tuple(found))


def _rest(left: Iterable[Path], request: p.Read, now: Store) -> p.Events:
    """The rest of the one of the captures ``left`` that was asked for; once it has no more, the one that followed."""
    is_found, is_complete = False, True
    for path in left:
        try:
            with closing(Store(path)) as store:
                if is_found:
                    return p.Events(batches.identity(store), *store.range(), complete=is_complete)
                if batches.identity(store) == request.capture:
                    is_found = True
                    if (found := _events(store, request)).events:
                        return found
        except CaptureError:  # it was taken away
            is_complete = not is_found
    return p.Events(batches.identity(now), *now.range(), complete=is_found and is_complete)


def _of(left: Iterable[Path], identity: str, read: Callable[[Store], T], nothing: T) -> T:
    """What ``read`` gives for the one of the captures ``left`` that has this identity; else ``nothing``."""
    for path in left:
        try:
            with closing(Store(path)) as store:
                if batches.identity(store) == identity:
                    return read(store)
        except CaptureError:
            continue  # it was taken away
    return nothing
