"""The upstream of a relay: its address, connections to it, and errors in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any
from urllib.parse import urlsplit

from twisted.internet import defer, error
from twisted.internet.interfaces import IHandshakeListener, IStreamClientEndpoint
from twisted.python.failure import Failure
from zope.interface import implementer

from app import events
from app.errors import system_words
from app.responders.relay import errors, loops
from app.responders.relay.loops import Hop, Loops
from app.responders.relay.outposts import Located, Place, reference


def parse(text: str) -> tuple[str, int]:
    """Host and port of ``"example.net:80"`` or ``"[::1]:80"``. Raises InvalidUpstreamError."""
    try:
        parts = urlsplit(f"//{text.strip()}")
        host, port = parts.hostname, parts.port
    except ValueError as e:
        raise errors.InvalidUpstreamError(text=text) from e
    if not host or not port or parts.netloc != text.strip() or "@" in text or any(c.isspace() for c in host):
        raise errors.InvalidUpstreamError(text=text)
    return host, port


@dataclass(frozen=True, slots=True)
class Target:
    """The parts of an upstream's URL.

    Attributes:
        authority: host and port, as in the Host header; empty for the service of an outpost.
        path: put before the path of each request; never ends with a slash.
    """

    host: str
    port: int
    tls: bool
    authority: str
    path: str


def parse_url(text: str, schemes: Sequence[str]) -> Target:
    """The parts of ``"https://example.net/base"``; ``schemes`` are the plain scheme and the one with TLS.

    Raises InvalidUpstreamURLError.
    """
    text = text.strip()
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as e:
        raise errors.InvalidUpstreamURLError(text=text, scheme=schemes[0]) from e
    invalid = parts.fragment or parts.username is not None or not text.isascii() or not text.isprintable()
    if parts.scheme not in schemes or not host or port == 0 or invalid or any(c in text for c in ' "<>\\'):
        raise errors.InvalidUpstreamURLError(text=text, scheme=schemes[0])
    tls = parts.scheme == schemes[1]
    return Target(host, port or (443 if tls else 80), tls, parts.netloc, parts.path.rstrip("/"))


HTTP, WEBSOCKET = ("http", "https"), ("ws", "wss")
"""URL schemes, each without and with TLS."""

_MISSING = "must say where to relay to. Write {}"


def draw_pseudonym() -> str:
    """A name for a relay that no other has, in any program."""
    return f"listening-post-{token_hex(8)}"


def problem(text: str) -> str | None:
    """What is wrong with an upstream ``host:port``, or None."""
    if not text.strip():
        return _MISSING.format("host:port, as in 127.0.0.1:9000 or [::1]:9000")
    try:
        if reference(text) is None:
            parse(text)
    except errors.InvalidUpstreamError as e:
        return str(e)
    return None


def url_problem(schemes: Sequence[str], text: str) -> str | None:
    """What is wrong with an upstream URL, or None."""
    if not text.strip():
        return _MISSING.format(f"{schemes[0]}://host:port, as in {schemes[0]}://127.0.0.1:9000/path")
    try:
        if reference(text) is None:
            parse_url(text, schemes)
    except errors.InvalidUpstreamURLError as e:
        return str(e)
    return None


@implementer(IHandshakeListener)
class Secured:
    """Mixin for the protocol of a connection to an upstream: with TLS, its handshake is waited for."""

    transport: Any
    _upstream: Upstream
    _secured: defer.Deferred[Any] | None = None

    def secured(self) -> defer.Deferred[Any]:
        """Fires with this protocol when the TLS handshake is done. A cancel aborts the connection."""
        secured: defer.Deferred[Any] = defer.Deferred(lambda _: self._give_up())
        self._secured = secured
        return secured

    def _give_up(self) -> None:
        self._secured = None  # that it was lost is no news then
        self.transport.abortConnection()

    def handshakeCompleted(self) -> None:
        secured, self._secured = self._secured, None
        if secured is not None:
            secured.callback(self)

    def not_secured(self, error: errors.UpstreamError | None, reason: Failure) -> None:
        """The connection was lost; ``error`` is that of TLS, if it was the reason."""
        secured, self._secured = self._secured, None
        if secured is not None:
            secured.errback(Failure(error or errors.UpstreamHandshakeError(address=self._upstream.address)))


@dataclass(frozen=True, slots=True)
class Upstream:
    """One server that a relay passes connections on to.

    Attributes:
        address: as it is written in the workspace.
        endpoint: connects to it; None on UDP.
        seconds: timeout of a connection attempt.
        place: its host and port, unless it has ``where``.
        tls: whether the endpoint speaks TLS; what it connects is a ``Secured`` then. Unless it has ``where``, which
            says that anew each time.
        relay: the name of the service that relays to it.
        loops: the connections that the program's relays have opened.
        pseudonym: the relay's name in the header Via, which no other relay has, in any program.
        where: of the service of an outpost, says where it is now, or raises UpstreamAwayError; None for all others.
    """

    address: str
    endpoint: IStreamClientEndpoint | None
    reactor: Any
    seconds: float
    relay: str
    loops: Loops
    pseudonym: str = field(default_factory=draw_pseudonym)
    tls: bool = False
    place: Place = ("", 0)
    where: Callable[[], Located] | None = None

    def at(self) -> Place:
        """Its host and port, as they are now. Raises UpstreamAwayError."""
        if self.where is None:
            return self.place
        found = self.where()
        return found.host, found.port

    def look(self) -> Located | str | None:
        """The service of an outpost as it is told of now, or why it is nowhere, in words; None for all others."""
        try:
            return None if self.where is None else self.where()
        except errors.UpstreamAwayError as e:
            return str(e.fields["reason"])

    def url(self, schemes: Sequence[str]) -> str:
        """Its URL; ``schemes`` are the plain one and the one with TLS. Raises UpstreamAwayError."""
        if self.where is None:
            return self.address
        found = self.where()
        host = f"[{found.host}]" if ":" in found.host else found.host
        return f"{schemes[bool(found.tls)]}://{host}:{found.port}"

    def connect(self, factory: Any) -> defer.Deferred[Any]:
        """Connect; with TLS, its handshake included. ``explain`` explains its failures."""
        assert self.endpoint is not None
        connecting: defer.Deferred[Any] = self.endpoint.connect(factory)
        if self.tls:
            connecting.addCallback(lambda protocol: protocol.secured())
        return connecting.addTimeout(self.seconds, self.reactor, _timed_out)

    def admit(self, tap: Any) -> Hop | None:
        """The hop of a client's connection; None if the client is not a relay of ours.

        Raises UpstreamItselfError if the connection has passed through this relay before.
        """
        hop = self.loops.hop(loops.incoming(tap))
        if loops.passed_through(hop, self.relay):
            raise errors.UpstreamItselfError(address=self.address)
        return hop

    def admit_request(self, tap: Any, via: Iterable[str]) -> Hop | None:
        """The same for a request with these values of the header Via."""
        if loops.named_in(via, self.pseudonym):
            raise errors.UpstreamItselfError(address=self.address)
        return self.admit(tap)

    def opened(self, tap: Any, previous: Hop | None) -> Hop:
        """A connection to the upstream was made, for a client whose hop is ``previous``."""
        hop = Hop(self.relay, previous)
        self.loops.opened(loops.outgoing(tap), hop)
        return hop

    def closed(self, tap: Any) -> None:
        """A connection to the upstream was lost."""
        self.loops.closed(loops.outgoing(tap))

    def tls_problem(self, tap: Any) -> errors.UpstreamError | None:
        """The TLS error that ended a connection; None if the connection ended for another reason."""
        what, _, reason = tap.ended_by.partition(": ")
        if not what.startswith("TLS "):
            return None
        if reason.startswith("the server's certificate "):
            return errors.UpstreamNotTrustedError(address=self.address, reason=reason)
        return errors.UpstreamError(address=self.address, reason=reason)

    def explain(self, failure: Failure) -> errors.UpstreamError:
        """The error for a connection, or a connection attempt, that failed."""
        if isinstance(failure.value, errors.UpstreamError):
            return failure.value
        fields = {"address": self.address, "seconds": f"{self.seconds:g}"}
        if failure.check(error.ConnectionRefusedError):
            return errors.UpstreamRefusedError(**fields)
        if failure.check(error.DNSLookupError, error.UnknownHostError):
            return errors.UpstreamUnknownError(**fields)
        if failure.check(defer.TimeoutError, error.TimeoutError, error.TCPTimedOutError):
            return errors.UpstreamTimeoutError(**fields)
        return errors.UpstreamError(reason=system_words(failure.value), **fields)


def tell_both(ours: Any, theirs: Any, address: str) -> None:
    """Record on a client's Tap and on that of the connection to the upstream which belongs to which.

    Whoever stores it takes the ``upstream`` of a detail with ``through`` for the one that serves the connection.
    """
    theirs.record(events.LOG, f"relays {ours.peer}", {"client": ours.peer, **served_by(address, theirs.host)})
    ours.record(events.LOG, f"relayed through {theirs.host} to {address}", served_by(address, theirs.host))


def served_by(address: str, host: str) -> dict[str, str]:
    """The detail of a log event that says which upstream serves a connection, and through which of our addresses."""
    return {"upstream": address, "through": host}


def _timed_out(result: Any, seconds: float) -> None:
    # Replaces the failure with which the endpoint reacts to the cancellation.
    raise error.TimeoutError
