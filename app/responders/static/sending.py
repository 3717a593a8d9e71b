"""Sends parts of a file as fast as the client reads them, with at most ``PIECE`` bytes in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from app.responders.static.lookup import Found

PIECE = 128 << 10
"""Bytes of one read from the file."""

Part = tuple[bytes, int, int]
"""Bytes to send before a part of the file; where the part starts and stops."""


@implementer(IPushProducer)
class Flow:
    """Lets a coroutine wait until a request's transport accepts more data."""

    def __init__(self, request: Any) -> None:
        self._open = True
        self._waiting: Deferred[None] | None = None
        request.registerProducer(self, True)

    def pauseProducing(self) -> None:
        self._open = False

    def resumeProducing(self) -> None:
        self._open = True
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.callback(None)

    def stopProducing(self) -> None:
        """Nothing to do: the request's ``notifyFinish`` cancels the coroutine."""

    async def ready(self) -> None:
        while not self._open:
            self._waiting = Deferred(lambda _: None)
            await self._waiting


async def send(request: Any, found: Found, parts: Iterable[Part], in_thread: Callable[..., Deferred[Any]]) -> None:
    """Write the parts, without finishing the response. Raises FileChangedError."""
    flow = Flow(request)
    try:
        for before, start, stop in parts:
            while start < stop:
                await flow.ready()
                data: bytes = await in_thread(found.read, start, min(PIECE, stop - start))
                start += len(data)
                request.write(before + data if before else data)
                before = b""
            if before:
                request.write(before)
    finally:
        if request.channel is not None:
            request.unregisterProducer()
