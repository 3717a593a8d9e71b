"""Upstreams that are services of outposts, by name: ``"rack-2/echo"``.

Where such a service listens may change at any time, and it may be nowhere. Whoever reads the outposts knows, and lends
that through ``Context.locate``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IStreamClientEndpoint
from zope.interface import implementer

from app.responders.relay import errors

Place = tuple[str, int]
"""Host and port."""


@dataclass(frozen=True, slots=True)
class Located:
    """A service of an outpost that listens.

    Attributes:
        host: by which it can be reached from here.
        datagrams: whether it takes datagrams, and no connections.
        news: another number each time that the outpost has told of its services.
        protocol: of the service, as the outpost has told.
        tls: whether it speaks TLS; None: the outpost has not told.
    """

    host: str
    port: int
    datagrams: bool = False
    news: int = 0
    protocol: str = "tcp"
    tls: bool | None = None


Locate = Callable[[str, str], Located]
"""Where the service of an outpost listens, given the names of both. Raises UpstreamAwayError, with the reason."""


def reference(text: str) -> tuple[str, str] | None:
    """Outpost and service of ``"rack-2/echo"``; None for anything else, as ``host:port`` or a URL.

    The name of an outpost has no slash, that of a service may. An outpost with a colon in its name cannot be named.
    """
    outpost, _, service = text.strip().partition("/")
    return (outpost, service) if outpost and service and ":" not in outpost and text.strip().isprintable() else None


def nowhere(outpost: str, service: str) -> Located:
    """The ``Locate`` of a program that reads no outposts."""
    raise errors.UpstreamAwayError(address=f"{outpost}/{service}", reason="no outposts are read here")


def unread(named: tuple[str, str] | None, outposts: Collection[str]) -> str | None:
    """What is wrong with ``named``, as of ``reference``, where the workspace reads ``outposts``; None: nothing."""
    if named is None or named[0] in outposts:
        return None
    known = f"There are {', '.join(sorted(outposts)[:10])}" if outposts else "Add a table [[outpost]]"
    return f'names an outpost that the workspace does not read: "{named[0]}". {known}'


def locator(
    text: str, locate: Locate, *, datagrams: bool, tls: bool = False, follows: bool = False
) -> Callable[[], Located] | None:
    """Says where the service of an outpost is now, for a relay of ``datagrams`` or one of connections.

    ``tls`` of what it gives is whether the relay is to speak TLS: as this ``tls`` says, or, if it ``follows``, as the
    outpost has told. What it returns raises UpstreamAwayError. None where ``text`` names no such service.
    """
    named = reference(text)
    if named is None:
        return None

    def where() -> Located:
        found = locate(*named)
        if found.datagrams != datagrams:
            words = "it is a UDP service, and this relay is not" if found.datagrams else "it is not a UDP service"
            raise errors.UpstreamAwayError(address=text, reason=words)
        if follows and found.tls is not None:
            return found
        if tls and found.tls is False:
            words = "it does not use TLS there, and this relay has tls = true"
            raise errors.UpstreamAwayError(address=text, reason=words)
        return replace(found, tls=tls)

    return where


@implementer(IStreamClientEndpoint)
class MovingEndpoint:
    """Connects to where a service is now, with TLS where it speaks that; fails with UpstreamAwayError where it is
    nowhere. Where there is TLS, the handshake belongs to connecting: what is connected is a ``Secured``."""

    def __init__(self, where: Callable[[], Located], endpoint_at: Callable[..., IStreamClientEndpoint]) -> None:
        """``endpoint_at`` takes host and port, and ``tls``."""
        self._where, self._endpoint_at = where, endpoint_at
        self._place: tuple[str, int, bool] | None = None
        self._endpoint: Any = None

    def connect(self, factory: Any) -> Deferred[Any]:
        try:
            found = self._where()
        except errors.UpstreamAwayError:
            return fail()
        place = found.host, found.port, bool(found.tls)
        if place != self._place:
            self._place, self._endpoint = place, self._endpoint_at(found.host, found.port, tls=bool(found.tls))
        connecting: Deferred[Any] = self._endpoint.connect(factory)
        return connecting.addCallback(lambda protocol: protocol.secured()) if found.tls else connecting
