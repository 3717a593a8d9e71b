"""Where a relay passes things on to, and what can keep it from that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from twisted.internet import defer, error
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.python.failure import Failure

from app.errors import system_words
from app.responders.relay import errors, loops
from app.responders.relay.loops import Loops, Step


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
    """An upstream's URL, taken apart.

    Attributes:
        authority: host and port as the field Host has them.
        path: what comes before each path; never ends with a slash.
    """

    host: str
    port: int
    tls: bool
    authority: str
    path: str


def parse_url(text: str, schemes: Sequence[str]) -> Target:
    """The parts of ``"https://example.net/base"``; ``schemes`` are the plain one and that with TLS.

    Raises InvalidUpstreamURLError.
    """
    text = text.strip()
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as e:
        raise errors.InvalidUpstreamURLError(text=text, scheme=schemes[0]) from e
    strange = parts.fragment or parts.username is not None or not text.isascii() or not text.isprintable()
    if parts.scheme not in schemes or not host or port == 0 or strange or any(c in text for c in ' "<>\\'):
        raise errors.InvalidUpstreamURLError(text=text, scheme=schemes[0])
    tls = parts.scheme == schemes[1]
    return Target(host, port or (443 if tls else 80), tls, parts.netloc, parts.path.rstrip("/"))


HTTP, WEBSOCKET = ("http", "https"), ("ws", "wss")
"""Schemes of URLs."""

_NOTHING = "must say where to relay to. Write {}"


def problem(text: str) -> str | None:
    """What is wrong with a ``host:port`` that is being typed."""
    if not text.strip():
        return _NOTHING.format("host:port, as in 127.0.0.1:9000 or [::1]:9000")
    try:
        parse(text)
    except errors.InvalidUpstreamError as e:
        return str(e)
    return None


def url_problem(schemes: Sequence[str], text: str) -> str | None:
    """What is wrong with a URL that is being typed."""
    if not text.strip():
        return _NOTHING.format(f"{schemes[0]}://host:port, as in {schemes[0]}://127.0.0.1:9000/path")
    try:
        parse_url(text, schemes)
    except errors.InvalidUpstreamURLError as e:
        return str(e)
    return None


@dataclass(frozen=True, slots=True)
class Upstream:
    """Where to, and how: with or without TLS.

    Attributes:
        address: as people write it.
        seconds: in which a connection must be made.
        relay: the name of the service that relays to it.
        loops: what the program's relays have opened.
    """

    address: str
    endpoint: IStreamClientEndpoint
    reactor: Any
    seconds: float
    relay: str
    loops: Loops

    def connect(self, factory: Any) -> defer.Deferred[Any]:
        """Connect; fails with what ``why_not`` can explain."""
        connecting: defer.Deferred[Any] = self.endpoint.connect(factory)
        return connecting.addTimeout(self.seconds, self.reactor, _too_late)

    def admit(self, tap: Any) -> Step | None:
        """The step by which a client came. Raises UpstreamItselfError if it has been here before."""
        step = self.loops.by(loops.into(tap))
        if loops.passed(step, self.relay):
            raise errors.UpstreamItselfError(address=self.address)
        return step

    def opened(self, tap: Any, before: Step | None) -> Step:
        """A connection to the upstream was made for what came by ``before``."""
        step = Step(self.relay, before)
        self.loops.opened(loops.out(tap), step)
        return step

    def closed(self, tap: Any) -> None:
        """One that was ``opened`` is no more."""
        self.loops.closed(loops.out(tap))

    def tls_problem(self, tap: Any) -> errors.UpstreamError | None:
        """In words why there is no TLS, or no more, on a connection that has ended; None where it was not for that."""
        what, _, reason = tap.ended_by.partition(": ")
        if not what.startswith("TLS "):
            return None
        if reason.startswith("the server's certificate "):
            return errors.UpstreamNotTrustedError(address=self.address, reason=reason)
        return errors.UpstreamError(address=self.address, reason=reason)

    def why_not(self, failure: Failure) -> errors.UpstreamError:
        """In words what became of a connection, or of an attempt to make one."""
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


def _too_late(result: Any, seconds: float) -> None:
    # Whatever the endpoint makes of being cancelled.
    raise error.TimeoutError
