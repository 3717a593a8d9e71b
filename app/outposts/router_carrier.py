"""Ways of a console to outposts through a router: one login for all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from autobahn.wamp.exception import ApplicationError
from autobahn.wamp.types import SubscribeOptions
from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.threads import deferToThreadPool
from twisted.python.failure import Failure

from app.errors import PostError
from app.outposts import protocol as p
from app.outposts.carrier import Carrier, Closed, Connected, Connecting, Lost
from app.outposts.errors import LostError, RefusedError
from app.outposts.keys import Key, PublicKey
from app.outposts.noise import TAG_BYTES, NotGenuineError
from app.outposts.sealing import Question, SealedQuestions
from app.outposts.wamp import NAME, POLICY, Login, Policy, Router, RouterSession, words
from app.signal import Signal

MOST_READ = 1 << 20
"""Bytes of events that one answer brings. A router keeps what a console does not read: one answer of each outpost."""

_NOBODY = (ApplicationError.NO_SUCH_PROCEDURE, ApplicationError.CANCELED)
"""What a router says where an outpost is not there, or has gone before it answered."""


class RouterConsole:
    """The login of a console at a router, which its carriers share.

    Args:
        read_login: reads its key; called in a thread.

    Attributes:
        url, name: where, and as who.
        session_changed: emits the session that was joined, or None when it was lost.
        hinted: emits the name of an outpost that says that something has changed.
        way: ``Connected``, or why not, of the router itself.
    """

    def __init__(
        self,
        reactor: Any,
        url: str,
        name: str,
        read_login: Callable[[], Login],
        failed: Callable[[BaseException], object] = lambda e: None,
        policy: Policy = POLICY,
    ) -> None:
        self.reactor, self.url, self.name, self.policy = reactor, url, name, policy
        self._read_login, self._failed = read_login, failed
        self.session_changed: Signal[RouterSession | None] = Signal()
        self.hinted: Signal[str] = Signal()
        self.way: Connecting | Connected | Lost = Connecting()
        self._users = 0
        self._attempts = 0
        self._reading: Deferred[Any] | None = None
        self._later: IDelayedCall | None = None
        self._router: Router | None = None

    @property
    def session(self) -> RouterSession | None:
        return self._router.session if self._router is not None and isinstance(self.way, Connected) else None

    @property
    def key(self) -> Key | None:
        """Ours, once it was read."""
        return self._router.login.key if self._router is not None else None

    def use(self) -> None:
        """One carrier more. The first one logs in."""
        self._users += 1
        if self._users == 1:
            self._begin()

    def leave(self) -> Deferred[None]:
        """One carrier less. After the last one, fires when nothing is left of the login."""
        self._users -= 1
        if self._users:
            return succeed(None)
        self._stop_waiting()
        reading, self._reading = self._reading, None
        if reading is not None:
            reading.cancel()
        router, self._router = self._router, None
        return succeed(None) if router is None else router.close()

    def now(self) -> None:
        """Wait no longer for the next try."""
        if self._router is not None:
            self._router.now()
        elif self._stop_waiting():
            self._begin()

    # -- its key, which may be missing or wrong, and be mended while we wait

    def _begin(self) -> None:
        self.way, self._later = Connecting(), None
        self._reading = deferToThreadPool(self.reactor, self.reactor.getThreadPool(), self._read_login)
        self._reading.addCallbacks(self._on_login, self._on_no_login)

    def _on_login(self, login: Login) -> None:
        self._reading = None
        self._router = Router(self.reactor, login, self._on_joined, self._on_left, self._failed, self.policy)
        self._router.open()

    def _on_no_login(self, failure: Failure) -> None:
        if failure.check(CancelledError):
            return
        self._reading = None
        self._attempts += 1
        seconds = self.policy(self._attempts)
        self._later = self.reactor.callLater(seconds, self._begin)
        self._on_left(words(failure.value), seconds)

    def _stop_waiting(self) -> bool:
        waiting, self._later = self._later, None
        if waiting is None or not waiting.active():
            return False
        waiting.cancel()
        return True

    # -- its session

    async def _on_joined(self, session: RouterSession) -> None:
        options = SubscribeOptions(match="wildcard", details=True)
        await session.subscribe(self._on_hint, "post..changed", options)
        self.way = Connected()
        self.session_changed.emit(session)

    def _on_hint(self, *args: Any, details: Any = None, **named: Any) -> None:
        self.hinted.emit(str(details.topic or "").removeprefix("post.").removesuffix(".changed"))

    def _on_left(self, reason: str, seconds: float) -> None:
        self.way = Lost(reason, self.reactor.seconds() + seconds)
        self.session_changed.emit(None)


class RouterCarrier(Carrier):
    """The way to the outpost ``name`` through the router of ``console``."""

    def __init__(self, console: RouterConsole, name: str, public_key: PublicKey | None = None) -> None:
        """``public_key``: the outpost's; what is said is sealed for it then."""
        super().__init__(f"{name} at {console.url}")
        self._console, self._name, self._public_key = console, name, public_key
        self._sealed: SealedQuestions | None = None
        self._unhook: list[Callable[[], None]] = []
        self._number = 0
        self._attempts = 0
        self._later: IDelayedCall | None = None
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
        self._stop_waiting()
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
        self._attempts = 0
        if session is not None:
            self._try()
        elif isinstance(self._console.way, Lost):
            self._stop_waiting()
            self.become(self._console.way)
            self._fail_all(self._console.way.reason)

    def _on_hint(self, name: str) -> None:
        if name != self._name:
            return
        if isinstance(self.way, Lost) and self._console.session is not None:
            self._attempts = 0
            self._try()  # it may have come back just now
        else:
            self.hinted.emit(None)

    def _try(self) -> None:
        """Ask whether the outpost is there: the router tells of nobody who is not."""
        self._stop_waiting()
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
                refused = p.answered(answer).refused
                raise self._gone(refused or "who answers has not the key that public_key names") from None
            self._sealed = sealed
        await self._call(p.Hello(p.VERSION, self._console.name))

    def _on_there(self, _: Any) -> None:
        if isinstance(self.way, Connecting):
            self._attempts = 0
            self.become(Connected())

    def _on_not_there(self, failure: Failure) -> None:
        if isinstance(self.way, Connecting) and self._console.session is not None:
            self._lose(getattr(failure.value, "reason", "") or words(failure.value))

    def _lose(self, reason: str) -> None:
        """It is not there, as far as can be told, and is tried again later."""
        if isinstance(self.way, Closed | Lost):
            return
        self._stop_waiting()
        self._attempts += 1
        seconds = self._console.policy(self._attempts)
        self._later = self._console.reactor.callLater(seconds, self._try)
        self.become(Lost(reason, self._console.reactor.seconds() + seconds))
        self._fail_all(reason)

    def _stop_waiting(self) -> None:
        waiting, self._later = self._later, None
        if waiting is not None and waiting.active():
            waiting.cancel()

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
        called, frame = p.name_of(type(request)), p.encode({"id": number, "ask": request})
        question = None
        if self._sealed is not None:
            called = "sealed"
            frame, question = self._sealed.seal(frame)

        def taken(found: Any) -> p.Answered:
            answered = _frame(found if question is None else _opened(found, question))
            if answered.to not in (number, 0):
                raise RefusedError(reason=f"It sent an answer to what was not asked: number {answered.to}")
            return answered

        return self._send(called, frame, taken, lambda answered: p.answer_to(request, answered))

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


def _frame(found: Any) -> p.Answered:
    """The frame that a call has returned. Raises RefusedError."""
    return p.answered(_bytes(found))
