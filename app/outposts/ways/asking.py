"""The console's end of a link over a stream: sends requests, and takes answers by their numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import connectionDone
from twisted.protocols.basic import Int32StringReceiver
from twisted.python.failure import Failure

from app.errors import PostError, system_words
from app.outposts import frames
from app.outposts import protocol as p
from app.outposts.errors import LostError, RefusedError

MOST_ASKED = 16
"""Requests that are not answered yet. More wait here: the outpost reads no more than these."""


class Asking(Int32StringReceiver):
    """One link to one outpost.

    Args:
        target: where the outpost is, for the words of errors.
        hinted: called when the outpost says that something has changed.
        lost: called with the reason when the link has ended.
    """

    MAX_LENGTH = p.MAX_ANSWER

    def __init__(self, target: str, hinted: Callable[[], object], lost: Callable[[str], object]) -> None:
        self._target, self._hinted, self._lost = target, hinted, lost
        self._number = 0
        self._asked: dict[int, tuple[p.Request, Deferred[Any]]] = {}
        self._waiting: dict[int, tuple[p.Request, Deferred[Any]]] = {}
        self._reason = ""

    def ask(self, request: p.Request) -> Deferred[Any]:
        """As ``Carrier.ask``."""
        self._number += 1
        number = self._number
        answer: Deferred[Any] = Deferred(lambda _: self._give_up(number))
        if self._reason:
            answer.errback(self._gone())
        elif len(self._asked) < MOST_ASKED:
            self._send(number, request, answer)
        else:
            self._waiting[number] = request, answer
        return answer

    def _give_up(self, number: int) -> None:
        self._waiting.pop(number, None)

    def drop(self, reason: str) -> None:
        """End the link, for this reason."""
        self._reason = self._reason or reason
        transport: Any = self.transport
        abort = getattr(transport, "abortConnection", transport.loseConnection)
        abort()

    def _send(self, number: int, request: p.Request, answer: Deferred[Any]) -> None:
        self._asked[number] = request, answer
        self.sendString(frames.encode({"id": number, "ask": request}))

    def _gone(self) -> LostError:
        return LostError(target=self._target, reason=self._reason.removesuffix("."))

    # -- what the outpost sends

    def stringReceived(self, string: bytes) -> None:
        if self._reason:
            return
        try:
            answered = frames.answered(string)
        except PostError as e:
            self.drop(str(e))
            return
        if answered.changed:
            if answered.changed == frames.SERVICES_CHANGED:  # a newer outpost may have others
                self._hinted()
        elif not answered.to and answered.refused:
            self.drop(answered.refused)  # it refuses the link itself
        elif answered.to not in self._asked:
            self.drop(f"It sent an answer to what was not asked: number {answered.to}")
        else:
            self._take(answered)

    def _take(self, answered: frames.Answered) -> None:
        request, answer = self._asked.pop(answered.to)
        if self._waiting:
            number = next(iter(self._waiting))
            self._send(number, *self._waiting.pop(number))
        if answer.called:  # it was given up
            return
        try:
            found = frames.answer_to(request, answered)
        except RefusedError as e:
            answer.errback(e)
        else:
            answer.callback(found)

    def lengthLimitExceeded(self, length: int) -> None:
        begins = length.to_bytes(4)
        if begins.isascii() and begins.decode().isprintable():
            self.drop(
                f"It sent text that begins with “{begins.decode()}”, and no answer. Nothing may print anything there"
                " before Listening Post answers, no login script either"
            )
        else:
            self.drop(f"It sent an answer of {length:,} bytes, and {self.MAX_LENGTH:,} are the most")

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        closed = reason.check(ConnectionDone) is not None
        self._reason = self._reason or ("it closed the connection" if closed else system_words(reason.value))
        asked = [*self._asked.values(), *self._waiting.values()]
        self._asked, self._waiting = {}, {}
        self._lost(self._reason)
        for _, answer in asked:
            if not answer.called:
                answer.errback(self._gone())
