"""A way to an outpost over a stream: any endpoint of Twisted's, connected again each time that it is lost."""

from __future__ import annotations

from typing import Any

from twisted.application.internet import ClientService, backoffPolicy
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure
from zope.interface import implementer

from app.errors import system_words
from app.outposts import protocol as p
from app.outposts.errors import LostError
from app.outposts.ways.again import Policy
from app.outposts.ways.asking import Asking
from app.outposts.ways.carrier import Carrier, Closed, Connected, Connecting, Lost

POLICY: Policy = backoffPolicy(initialDelay=0.5, maxDelay=30.0)


class StreamCarrier(Carrier):
    """A way to an outpost through ``endpoint``: a Unix socket, a process."""

    def __init__(self, reactor: Any, target: str, endpoint: IStreamClientEndpoint, policy: Policy = POLICY) -> None:
        super().__init__(target)
        self._reactor, self._policy = reactor, policy
        self._link: Asking | None = None
        self._reason = ""
        factory = Factory.forProtocol(lambda: Asking(target, self._on_hint, self._on_lost))
        factory.noisy = False
        self._service = ClientService(_Told(endpoint, self), factory, self._delay, reactor, self._prepare)

    def open(self) -> None:
        self._service.startService()

    def close(self) -> Deferred[None]:
        if not self._service.running:
            return succeed(None)
        stopped: Deferred[None] = self._service.stopService()
        self.become(Closed())
        return stopped

    def now(self) -> None:
        if isinstance(self.way, Lost) and self._service.running:
            # The service has no way to end a wait but to stop, which it does at once while it waits.
            self._service.stopService()
            self._service.startService()

    def drop(self, reason: str) -> None:
        if self._link is not None:
            self._link.drop(reason)

    def ask(self, request: p.Request) -> Deferred[Any]:
        if self._link is None:
            reason = self.way.reason if isinstance(self.way, Lost) else "it is not connected"
            return fail(LostError(target=self.target, reason=reason.removesuffix(".")))
        return self._link.ask(request)

    # -- what happens to the link

    def connecting(self) -> None:
        """Called by the endpoint."""
        self.become(Connecting())

    def failed(self, failure: Failure) -> Failure:
        """Called by the endpoint."""
        self._reason = system_words(failure.value)
        return failure

    def _prepare(self, link: Any) -> None:
        self._link = link._protocol if not isinstance(link, Asking) else link
        self.become(Connected())

    def _on_lost(self, reason: str) -> None:
        self._link, self._reason = None, reason
        if isinstance(self.way, Connected):  # requests fail next; when it is tried again is known after that
            self.become(Lost(reason))

    def _on_hint(self) -> None:
        self.hinted.emit(None)

    def _delay(self, attempt: int) -> float:
        seconds = self._policy(attempt)
        self.become(Lost(self._reason, self._reactor.seconds() + seconds))
        return seconds


@implementer(IStreamClientEndpoint)
class _Told:
    """An endpoint that tells of each try, and why it failed: the service itself keeps that to itself."""

    def __init__(self, endpoint: IStreamClientEndpoint, carrier: StreamCarrier) -> None:
        self._endpoint, self._carrier = endpoint, carrier

    def connect(self, factory: IProtocolFactory) -> Deferred[IProtocol]:
        self._carrier.connecting()
        connecting: Deferred[IProtocol] = self._endpoint.connect(factory)
        return connecting.addErrback(self._carrier.failed)
