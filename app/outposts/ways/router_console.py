"""The login of a console at a router, which the ways to all outposts there share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autobahn.wamp.types import SubscribeOptions
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.threads import deferToThreadPool
from twisted.python.failure import Failure

from app.outposts.ways.again import Again, Policy
from app.outposts.ways.carrier import Connected, Connecting, Lost
from app.outposts.ways.keys import Key
from app.outposts.ways.login import Login
from app.outposts.ways.wamp import POLICY, Router, RouterSession, words
from app.signal import Signal


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
        self._again = Again(reactor, policy, self._begin)
        self._read_login, self._failed = read_login, failed
        self.session_changed: Signal[RouterSession | None] = Signal()
        self.hinted: Signal[str] = Signal()
        self.way: Connecting | Connected | Lost = Connecting()
        self._users = 0
        self._reading: Deferred[Any] | None = None
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
        self._again.stop()
        reading, self._reading = self._reading, None
        if reading is not None:
            reading.cancel()
        router, self._router = self._router, None
        return succeed(None) if router is None else router.close()

    def now(self) -> None:
        """Wait no longer for the next try."""
        if self._router is not None:
            self._router.now()
        elif self._again.stop():
            self._begin()

    # -- its key, which may be missing or wrong, and be mended while we wait

    def _begin(self) -> None:
        self.way = Connecting()
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
        self._on_left(words(failure.value), self._again.wait())

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
