"""An outpost at a router: what consoles call there is answered, each call for itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autobahn.wamp.types import PublishOptions, RegisterOptions
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall

from app.errors import PostError
from app.outposts import frames
from app.outposts import protocol as p
from app.outposts.errors import RefusedError
from app.outposts.outpost import Outpost
from app.outposts.ways.again import Policy
from app.outposts.ways.login import Login
from app.outposts.ways.sealing import SealedAnswers
from app.outposts.ways.wamp import POLICY, Router, RouterSession

MOST_REQUESTS = 64
"""Requests that are answered at the same time. More are refused: a router does not hold consoles back."""

HINT_SECONDS = 0.5
"""At most one hint in this time."""


class Joining:
    """The procedures of an outpost at a router, from ``open`` to ``close``.

    Args:
        told: called with a line whenever the router was joined or lost.
        sealed: answers sealed calls, and then no others are answered.
    """

    def __init__(
        self,
        reactor: Any,
        outpost: Outpost,
        login: Login,
        told: Callable[[str], object],
        policy: Policy = POLICY,
        sealed: SealedAnswers | None = None,
    ) -> None:
        self._sealed = sealed
        self._reactor, self._outpost, self._login, self._told = reactor, outpost, login, told
        self._own = f"post.{login.name}."
        self._answering = 0
        self._hint: IDelayedCall | None = None
        self._router = Router(reactor, login, self._register, self._on_left, outpost.failed, policy)
        self._unhook = outpost.services_changed.connect(self._on_services)

    def open(self) -> None:
        self._router.open()

    def close(self) -> Deferred[None]:
        self._unhook()
        if self._hint is not None:
            self._hint.cancel()
            self._hint = None
        return self._router.close()

    async def _register(self, session: RouterSession) -> None:
        # One registration for all requests. A session of ours that is gone, which the router has not noticed,
        # must make way; nobody else's key may register this name.
        options = RegisterOptions(match="prefix", force_reregister=True, details=True)
        await session.register(self._called, self._own, options)
        self._told(f"joined {self._login.url}, realm {self._login.realm}, as {self._login.name}")
        self._publish()

    def _on_left(self, reason: str, seconds: float) -> None:
        self._told(f"not at {self._login.url}: {reason}. It is tried again in {seconds:.0f} s")

    # -- requests

    async def _called(self, *given: Any, details: Any = None, **named: Any) -> bytes:
        """The answer to the frame in a call. Who calls and what for, the router has said."""
        if named or len(given) != 1 or not isinstance(given[0], bytes) or len(given[0]) > p.MAX_REQUEST:
            return frames.encode(frames.Answered(refused=f"A call takes one frame, {p.MAX_REQUEST:,} bytes at most"))
        called = str(details.procedure or "").removeprefix(self._own)
        who = str(details.caller_authid or "somebody")[:200]
        try:
            if self._sealed is None:
                if called in ("open", "sealed"):
                    raise RefusedError(reason="This outpost seals nothing: it was started without serve --seal")
                return await self._answer(called, given[0], who)
            if called == "open":
                return self._sealed.open(given[0])
            if called != "sealed":
                raise RefusedError(reason="This outpost answers sealed calls alone: name its public_key")
            frame, who, question = self._sealed.opened(given[0])
            return question.seal(await self._answer("", frame, who))
        except PostError as e:
            return frames.encode(frames.refusal(str(e)))

    async def _answer(self, called: str, frame: bytes, who: str) -> bytes:
        """The answer to one frame; ``called``: by which name, where the router could see it. Raises RefusedError."""
        asked = frames.asked(frame)
        if isinstance(asked, frames.Answered):
            return frames.encode(asked)
        if called and called != p.name_of(type(asked.ask)):  # the router's rules go by the name that is called
            words = f"{called} was called with the request {p.name_of(type(asked.ask))}"
            return frames.encode(frames.Answered(asked.id, refused=words))
        if self._answering >= MOST_REQUESTS:
            words = f"This outpost answers {MOST_REQUESTS} requests already. Ask again later"
            return frames.encode(frames.Answered(asked.id, refused=words))
        self._answering += 1
        try:
            return frames.encode(await self._outpost.answered(asked, who))
        finally:
            self._answering -= 1

    # -- hints

    def _on_services(self, _: None) -> None:
        if self._hint is None:
            self._hint = self._reactor.callLater(HINT_SECONDS, self._publish)

    def _publish(self) -> None:
        if self._hint is not None and self._hint.active():
            self._hint.cancel()
        self._hint = None
        session = self._router.session
        if session is not None and session.is_attached():
            session.publish(f"{self._own}changed", "services", options=PublishOptions(acknowledge=False))
