"""The way of a console to an outpost through a router."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from autobahn.wamp.exception import ApplicationError
from twisted.internet.defer import Deferred, fail, succeed
from twisted.python.failure import Failure

from app.errors import PostError
from app.outposts import frames
from app.outposts import protocol as p
from app.outposts.errors import LostError, RefusedError
from app.outposts.ways.again import Again
from app.outposts.ways.carrier import Carrier, Closed, Connected, Connecting, Lost
from app.outposts.ways.keys import PublicKey
from app.outposts.ways.login import NAME
from app.outposts.ways.noise import TAG_BYTES, NotGenuineError
from app.outposts.ways.router_console import RouterConsole
from app.outposts.ways.sealing import Question, SealedQuestions
from app.outposts.ways.wamp import RouterSession, words

MOST_READ = 1 << 20
"""Bytes of events that one answer brings. A router keeps what a console does not read: one answer of each outpost."""

_NOBODY = (ApplicationError.NO_SUCH_PROCEDURE, ApplicationError.CANCELED)
"""What a router says where an outpost is not there, or has gone before it answered."""


class RouterCarrier(Carrier):
    """The way to the outpost ``name`` through the router of ``console``."""

    def __init__(self, console: RouterConsole, name: str, public_key: PublicKey | None = None) -> None:
        """``public_key``: the outpost's; what is said is sealed for it then."""
        super().__init__(f"{name} at {console.url}")
        self._console, self._name, self._public_key = console, name, public_key
        self._sealed: SealedQuestions | None = None
        self._unhook: list[Callable[[], None]] = []
        self._number = 0
        self._again = Again(console.reactor, console.policy, self._try)
        self._asked: dict[int, Deferred[Any]] = {}

    def open(self) -> None:
        if not isinstance(self.way, Closed):
            return
        self._unhook = [
            self._console.session_changed.connect(self._on_session),
            self._console.hinted.connect(self._on_hint),
        ]
        self.become(Connecting())
        if self._console.session is not None:
            self._try()
        self._console.use()

    def close(self) -> Deferred[None]:
        if isinstance(self.way, Closed):
            return succeed(None)
        for unhook in self._unhook:
            unhook()
        self._again.stop()
        self.become(Closed())
        self._fail_all("it was closed")
        return self._console.leave()

    def now(self) -> None:
        if isinstance(self.way, Lost):
            if self._console.session is None:
                self._console.now()
            else:
                self._try()

    def drop(self, reason: str) -> None:
        self._lose(reason)

    # -- whether it is there

    def _on_session(self, session: RouterSession | None) -> None:
        self._again.failures = 0
        if session is not None:
            self._try()
        elif isinstance(self._console.way, Lost):
            self._again.stop()
            self.become(self._console.way)
            self._fail_all(self._console.way.reason)

    def _on_hint(self, name: str) -> None:
        if name != self._name:
            return
        if isinstance(self.way, Lost) and self._console.session is not None:
            self._again.failures = 0
            self._try()  # it may have come back just now
        else:
            self.hinted.emit(None)

    def _try(self) -> None:
        """Ask whether the outpost is there: the router tells of nobody who is not."""
        self._again.stop()
        self.become(Connecting())
        Deferred.fromCoroutine(self._greet()).addCallbacks(self._on_there, self._on_not_there)

    async def _greet(self) -> None:
        if self._public_key is not None:
            key = self._console.key
            assert key is not None  # there is a session
            sealed = SealedQuestions(self._name, key, self._public_key)
            self._sealed = None
            answer = await self._send("open", sealed.opening, _bytes)
            try:
                sealed.opened(answer)
            except NotGenuineError:
                refused = frames.answered(answer).refused
                raise self._gone(refused or "who answers has not the key that public_key names") from None
            self._sealed = sealed
        await self._call(p.Hello(p.VERSION, self._console.name))

    def _on_there(self, _: Any) -> None:
        if isinstance(self.way, Connecting):
            self._again.failures = 0
            self.become(Connected())

    def _on_not_there(self, failure: Failure) -> None:
        if isinstance(self.way, Connecting) and self._console.session is not None:
            self._lose(getattr(failure.value, "reason", "") or words(failure.value))

    def _lose(self, reason: str) -> None:
        """It is not there, as far as can be told, and is tried again later."""
        if isinstance(self.way, Closed | Lost):
            return
        seconds = self._again.wait()
        self.become(Lost(reason, self._console.reactor.seconds() + seconds))
        self._fail_all(reason)

    # -- requests

    def ask(self, request: p.Request) -> Deferred[Any]:
        if not isinstance(self.way, Connected):
            reason = self.way.reason if isinstance(self.way, Lost) else "it is not connected"
            return fail(self._gone(reason))
        return self._call(request)

    def _call(self, request: p.Request) -> Deferred[Any]:
        if isinstance(request, p.Read):
            request = msgspec.structs.replace(request, max_bytes=min(request.max_bytes, MOST_READ))
        number = self._number + 1
        called, frame = p.name_of(type(request)), frames.encode({"id": number, "ask": request})
        question = None
        if self._sealed is not None:
            called = "sealed"
            frame, question = self._sealed.seal(frame)

        def taken(found: Any) -> frames.Answered:
            answered = _frame(found if question is None else _opened(found, question))
            if answered.to not in (number, 0):
                raise RefusedError(reason=f"It sent an answer to what was not asked: number {answered.to}")
            return answered

        return self._send(called, frame, taken, lambda answered: frames.answer_to(request, answered))

    def _send(
        self,
        called: str,
        data: bytes,
        taken: Callable[[Any], Any],
        finished: Callable[[Any], Any] = lambda found: found,
    ) -> Deferred[Any]:
        """Call a procedure of the outpost.

        ``taken`` makes of its result what ``finished`` makes the answer of. What the first one raises cuts the way;
        what the second one raises is the answer.
        """
        if not NAME.fullmatch(self._name):
            return fail(self._gone("at a router its name may have letters, digits, - and _, 64 at most"))
        session = self._console.session
        if session is None:
            return fail(self._gone("the router is not connected"))
        self._number += 1
        number = self._number
        answer: Deferred[Any] = Deferred(lambda _: self._give_up(number))
        self._asked[number] = answer
        calling = session.call(f"post.{self._name}.{called}", data)
        calling.addCallbacks(self._on_result, self._on_error, (number, taken, finished), None, (number,))
        return answer

    def _give_up(self, number: int) -> None:
        self._asked.pop(number, None)

    def _on_result(
        self, found: Any, number: int, taken: Callable[[Any], Any], finished: Callable[[Any], Any]
    ) -> None:  # fmt: skip
        if number not in self._asked:
            return
        try:
            result = taken(found)
        except PostError as e:
            self._lose(str(e).removesuffix("."))
            return
        answer = self._asked.pop(number)
        try:
            answer.callback(finished(result))
        except RefusedError as e:
            answer.errback(e)

    def _on_error(self, failure: Failure, number: int) -> None:
        answer = self._asked.pop(number, None)
        if answer is None:
            return
        error = failure.value
        if isinstance(error, ApplicationError) and error.error not in _NOBODY:
            answer.errback(RefusedError(reason=words(error).removesuffix(".")))  # the router's rules
            return
        reason = "no outpost of this name is at the router" if isinstance(error, ApplicationError) else words(error)
        if isinstance(self.way, Connected):
            self._lose(reason)
        answer.errback(self._gone(reason))

    def _fail_all(self, reason: str) -> None:
        asked, self._asked = self._asked, {}
        for answer in asked.values():
            answer.errback(self._gone(reason))

    def _gone(self, reason: str) -> LostError:
        return LostError(target=self.target, reason=reason.removesuffix("."))


def _bytes(found: Any) -> bytes:
    """What a call has returned. Raises RefusedError."""
    if not isinstance(found, bytes) or len(found) > p.MAX_ANSWER + TAG_BYTES:
        raise RefusedError(reason="It sent something else than one frame")
    return found


def _opened(found: Any, question: Question) -> bytes:
    """The frame in a sealed answer. Raises RefusedError."""
    try:
        return question.open(_bytes(found))
    except NotGenuineError:
        raise RefusedError(reason="It sent an answer that is not sealed by its key") from None


def _frame(found: Any) -> frames.Answered:
    """The frame that a call has returned. Raises RefusedError."""
    return frames.answered(_bytes(found))
