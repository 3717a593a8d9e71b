"""The outpost's end of a link: reads requests, has them answered, and sends the answers as fast as they are read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.protocol import connectionDone
from twisted.protocols.basic import Int32StringReceiver
from twisted.python.failure import Failure

from app.errors import PostError
from app.outposts import frames
from app.outposts import protocol as p
from app.outposts.errors import RefusedError
from app.outposts.outpost import Outpost

MOST_REQUESTS = 16
"""Requests of one console that are not answered yet. No more are read meanwhile."""


class Link(Int32StringReceiver):
    """One console that is connected, by a socket or a pipe.

    Args:
        admit: why the one at the other end may ask nothing; empty if it may.
        gone: called when the link has ended.
    """

    MAX_LENGTH = p.MAX_REQUEST

    def __init__(
        self, outpost: Outpost, admit: Callable[[Any], str], gone: Callable[[Link], object] = lambda link: None
    ) -> None:
        self._outpost, self._admit, self._gone = outpost, admit, gone
        self._who = ""
        self._working: set[Deferred[Any]] = set()
        self._held_by: set[str] = set()
        self._unhook: Callable[[], None] = lambda: None
        self._refused = False

    def connectionMade(self) -> None:
        transport: Any = self.transport
        if reason := self._admit(transport):
            self._refuse(reason)
        else:
            transport.registerProducer(self, True)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._unhook()
        self._gone(self)
        for deferred in list(self._working):
            deferred.cancel()

    def lengthLimitExceeded(self, length: int) -> None:
        self._refuse(f"A request of {length:,} bytes is too long: {self.MAX_LENGTH:,} are the most")

    def _refuse(self, words: str) -> None:
        """Say why, and close the link."""
        transport: Any = self.transport
        self._refused = True
        self._send(frames.refusal(words))
        transport.unregisterProducer()
        transport.loseConnection()

    def _send(self, answered: frames.Answered) -> None:
        self.sendString(frames.encode(answered))

    # -- requests

    def stringReceived(self, string: bytes) -> None:
        if self._refused:
            return
        try:
            asked = frames.asked(string)
        except PostError as e:
            self._refuse(str(e))
            return
        if isinstance(asked, frames.Answered):
            self._send(asked)
            return
        answering = Deferred.fromCoroutine(self._answer(asked))
        if not answering.called:
            self._working.add(answering)
            answering.addBoth(lambda _: self._on_answered(answering))
        if len(self._working) >= MOST_REQUESTS:
            self._hold("requests")

    def _on_answered(self, answering: Deferred[Any]) -> None:
        self._working.discard(answering)
        self._go_on("requests")

    async def _answer(self, asked: frames.Asked) -> None:
        try:
            request = self._admitted(asked)
            self._send(await self._outpost.answered(request, self._who))
        except RefusedError as e:
            self._send(frames.refusal(str(e), asked.id))
        except CancelledError:
            pass  # the link has ended

    def _admitted(self, asked: frames.Asked) -> frames.Asked:
        """``asked``, if it may be asked now: the first one says who asks. Raises RefusedError."""
        request = asked.ask
        if isinstance(request, p.Hello):
            if not self._who:
                self._unhook = self._outpost.services_changed.connect(self._on_services)
            self._who = request.name or "somebody"
        elif not self._who:
            raise RefusedError(reason="The first request must be hello")
        return asked

    def _on_services(self, _: None) -> None:
        if not self._held_by:  # a console that does not read sees them when it asks
            self._send(frames.Answered(changed=frames.SERVICES_CHANGED))

    # -- holding the console back, and being held back by it

    def pauseProducing(self) -> None:
        self._hold("answers")

    def resumeProducing(self) -> None:
        self._go_on("answers")

    def stopProducing(self) -> None:
        transport: Any = self.transport
        transport.loseConnection()  # of standard output alone: nobody hears our answers, so that nobody need ask

    def _hold(self, why: str) -> None:
        if not self._held_by:
            super().pauseProducing()
        self._held_by.add(why)

    def _go_on(self, why: str) -> None:
        if why in self._held_by:
            self._held_by.discard(why)
            transport: Any = self.transport
            if not self._held_by and transport is not None and not transport.disconnecting:
                super().resumeProducing()
