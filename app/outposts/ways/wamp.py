"""A login at a router: one WAMP session over a WebSocket, made again each time that it is lost.

autobahn speaks WAMP. Login is cryptosign, as Crossbar has it: the router
sends 32 bytes, and gets them back signed (https://wamp-proto.org/wamp_latest_ietf.html#name-cryptosign-based-authentica).
We sign with ``cryptography``, which we have; autobahn's own needs five packages more.

What is called is ``post.NAME.REQUEST``. Its one argument are the bytes of a frame, as over a stream; so is the result.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from autobahn.twisted.wamp import ApplicationSession
from autobahn.twisted.websocket import WampWebSocketClientFactory, WampWebSocketClientProtocol
from autobahn.wamp.exception import ApplicationError
from autobahn.wamp.serializer import MsgPackSerializer
from autobahn.wamp.types import Challenge, CloseDetails, ComponentConfig
from twisted.application.internet import backoffPolicy
from twisted.internet import ssl
from twisted.internet.defer import Deferred, succeed
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure

from app.errors import system_words
from app.outposts import protocol as p
from app.outposts.ways.again import Again, Policy
from app.outposts.ways.login import Login, address_of, trusted_by

MOST_BYTES = p.MAX_ANSWER + (1 << 20)
"""Of one WAMP message, and so of one WebSocket message and frame."""

PING = 10.0
"""Seconds between pings, and those that an answer may take: a link that is cut without a word is noticed."""

SECONDS_TO_JOIN = 30.0
"""Until a connection has become a session."""

POLICY: Policy = backoffPolicy(initialDelay=1.0, maxDelay=30.0)
"""Seconds to wait after so many attempts that have failed; each differs a little, so that not all come at once."""


def words(error: BaseException | None) -> str:
    """What went wrong at the router, in its words."""
    said: str = error.error_message() if isinstance(error, ApplicationError) else system_words(error)
    return said


class RouterSession(ApplicationSession):
    """One session. It lives as long as its connection."""

    def __init__(self, router: Router) -> None:
        super().__init__(ComponentConfig(router.login.realm))
        self._router = router

    def onConnect(self) -> None:
        login = self._router.login
        extra = {"pubkey": login.key.public.signing.hex(), "channel_binding": None}
        self.join(login.realm, ["cryptosign"], login.name, authextra=extra)

    def onChallenge(self, challenge: Challenge) -> str:
        asked = bytes.fromhex(challenge.extra["challenge"])
        if challenge.method != "cryptosign" or len(asked) != 32:
            raise ValueError("the router asks for something else than cryptosign")
        return self._router.login.key.signing.sign(asked).hex() + asked.hex()

    async def onJoin(self, details: Any) -> None:
        await self._router.session_joined(self)

    def onLeave(self, details: CloseDetails) -> None:
        lost = details.reason == CloseDetails.REASON_TRANSPORT_LOST
        self._router.session_left("" if lost else details.message or details.reason or "it has ended the session")
        self.disconnect()

    def onUserError(self, fail: Failure, msg: str) -> None:
        self._router.session_failed(fail)


class _Link(WampWebSocketClientProtocol):
    """One connection: it says when it has ended, whether there was a session on it or not."""

    ended = False

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.ended = True
        super().connectionLost(reason)
        self.factory.router.link_ended(self, reason)


class _Links(WampWebSocketClientFactory):
    noisy = False
    protocol = _Link

    def __init__(self, router: Router, reactor: Any) -> None:
        url, serializers = router.login.url, [MsgPackSerializer()]
        super().__init__(lambda: RouterSession(router), url, reactor=reactor, serializers=serializers)
        self.router = router


class Router:
    """The login at a router, held until ``close``.

    Twisted's ``ClientService`` is not for this: it takes a connection for a success, and does not bear one that fails
    between its start and the login.

    Args:
        joined: called with each new session; what it awaits belongs to joining.
        left: called with the reason when a session was lost, or could not be had, and with the seconds until the
            next try.
        failed: called with what a callback of WAMP has raised.

    Attributes:
        session: the one that is joined now.
    """

    def __init__(
        self,
        reactor: Any,
        login: Login,
        joined: Callable[[RouterSession], Any],
        left: Callable[[str, float], object],
        failed: Callable[[BaseException], object] = lambda e: None,
        policy: Policy = POLICY,
    ) -> None:
        self._reactor, self.login = reactor, login
        self._joined, self._left, self._failed = joined, left, failed
        self.session: RouterSession | None = None
        self._reason = ""
        self._again = Again(reactor, policy, self._try)
        self._open = False
        self._link: _Link | None = None
        self._connecting: Deferred[Any] | None = None
        self._overdue: IDelayedCall | None = None
        self._closed: Deferred[None] | None = None
        host, port = address_of(login.url)
        self._endpoint: Any = HostnameEndpoint(reactor, host, port, timeout=SECONDS_TO_JOIN)
        if urlsplit(login.url).scheme == "wss":
            trusted = trusted_by(login.authorities) if login.authorities else None
            self._endpoint = wrapClientTLS(ssl.optionsForClientTLS(host, trustRoot=trusted), self._endpoint)
        self._factory = _Links(self, reactor)
        self._factory.setProtocolOptions(
            openHandshakeTimeout=SECONDS_TO_JOIN, closeHandshakeTimeout=2, tcpNoDelay=True, failByDrop=True,
            autoPingInterval=PING, autoPingTimeout=PING, maxMessagePayloadSize=MOST_BYTES,
            maxFramePayloadSize=MOST_BYTES, perMessageCompressionOffers=[],
        )  # fmt: skip

    def open(self) -> None:
        self._open = True
        self._try()

    def close(self) -> Deferred[None]:
        """Fires when the connection has ended."""
        self._open = False
        self._again.stop()
        if self._connecting is not None:
            self._connecting.cancel()
        if self._link is None:
            return succeed(None)
        self._closed = Deferred()
        self._end()
        return self._closed

    def now(self) -> None:
        """Wait no longer for the next try."""
        if self._link is None and self._again.stop():
            self._try()

    def drop(self, reason: str) -> None:
        """End the connection, and log in again later."""
        self._reason = self._reason or reason
        self._end()

    # -- the course of one connection

    def _try(self) -> None:
        self._reason = ""
        self._connecting = self._endpoint.connect(self._factory)
        self._connecting.addCallbacks(self._on_connected, self._on_no_connection)

    def _on_connected(self, link: Any) -> None:
        self._connecting = None
        if link.ended:
            return
        self._link = link
        self._overdue = self._reactor.callLater(SECONDS_TO_JOIN, self.drop, "there was no session in time")

    def _on_no_connection(self, failure: Failure) -> None:
        self._connecting = None
        self._reason = system_words(failure.value)
        self._wait()

    async def session_joined(self, session: RouterSession) -> None:
        self.session = session
        try:
            await self._joined(session)
        except Exception as e:  # the router refuses what belongs to joining, or the session has ended
            self.drop(words(e))
            return
        self._again.failures = 0
        self._in_time()

    def session_left(self, reason: str) -> None:
        self._reason = self._reason or reason
        self.session = None

    def session_failed(self, failure: Failure) -> None:
        if failure.value is not None:
            self._failed(failure.value)

    def link_ended(self, link: _Link, reason: Failure) -> None:
        self.session, self._link = None, None
        self._in_time()
        self._reason = self._reason or link.wasNotCleanReason or system_words(reason.value)
        if self._closed is not None:
            closed, self._closed = self._closed, None
            closed.callback(None)
        self._wait()

    def _wait(self) -> None:
        if not self._open:
            return
        seconds = self._again.wait()
        self._left(self._reason.removesuffix("."), seconds)

    def _in_time(self) -> None:
        """A session is waited for no longer."""
        waiting, self._overdue = self._overdue, None
        if waiting is not None and waiting.active():
            waiting.cancel()

    def _end(self) -> None:
        if self._link is not None:
            self._link.wasClean = True  # or autobahn warns of it
            self._link.dropConnection(abort=True)  # not of the transport alone: the link would read on what it has
