"""Detects relay loops: whether a client of a relay is that relay itself, perhaps through other relays.

Each relay of the program enters the connections that it opens. A client whose address pair was
entered is one of our relays, so the hops that led to it are known. Relays of HTTP and WebSocket also name
themselves in the header Via, by which a ring is found that leads through other programs.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import monotonic
from typing import Any

MAX_CLOSED, CLOSED_SECONDS = 1_000, 10.0
"""How many closed connections are remembered, and for how many seconds: their data may still be on its
way to the other relay. Not longer, because the kernel reuses their port numbers."""

AddressPair = tuple[str, str]
"""Source and destination of a connection, each as ``address:port``. The source alone is not unique: the
kernel uses one local port for connections to several destinations."""


def outgoing(tap: Any) -> AddressPair:
    """The address pair of a connection that we opened."""
    return _normalized(tap.host), _normalized(tap.peer)


def incoming(tap: Any) -> AddressPair:
    """The address pair of a connection that we accepted."""
    return _normalized(tap.peer), _normalized(tap.host)


def datagrams_from(host: str, port: int) -> AddressPair:
    """The address pair of datagrams with this source. The destination is left empty: a port that
    listens on all addresses does not learn to which one a datagram was sent."""
    return _normalized(f"{host}:{port}"), ""


@dataclass(eq=False, slots=True)
class Hop:
    """A relay that passes on one connection.

    Attributes:
        relay: the service's name.
        previous: the hop before this one; None if the relay's client is not a relay of ours.
    """

    relay: str
    previous: Hop | None = None


def passed_through(hop: Hop | None, relay: str) -> bool:
    """Whether ``relay`` is this hop or one before it."""
    seen: set[str] = set()
    while hop is not None and hop.relay not in seen:
        if hop.relay == relay:
            return True
        seen.add(hop.relay)
        hop = hop.previous
    return False


class Loops:
    """The connections that the relays of this program have opened to their upstreams, with their hops."""

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._open: dict[AddressPair, Hop] = {}
        self._closed: OrderedDict[AddressPair, tuple[float, Hop]] = OrderedDict()

    def opened(self, pair: AddressPair, hop: Hop) -> None:
        self._open[pair] = hop

    def closed(self, pair: AddressPair) -> None:
        """Forget a connection after ``CLOSED_SECONDS``. Until then a loop is still detected if its first
        client disconnects."""
        hop = self._open.pop(pair, None)
        if hop is None:
            return
        self._closed[pair] = self._now(), hop
        self._closed.move_to_end(pair)
        if len(self._closed) > MAX_CLOSED:
            self._closed.popitem(last=False)

    def hop(self, pair: AddressPair) -> Hop | None:
        """The hop of the relay that opened this connection; None if none of our relays did."""
        if hop := self._open.get(pair):
            return hop
        when, hop = self._closed.get(pair, (0.0, None))
        return hop if hop is not None and self._now() - when < CLOSED_SECONDS else None


def named_in(via: Iterable[str], name: str) -> bool:
    """Whether an intermediary of this name is in these values of the Via header (RFC 9110 section 7.6.3).

    Each member is a protocol version, the name of whoever passed the message on, and perhaps a comment. A relay of
    another program that stands in the ring passes the header on, so that we find ourselves.
    """
    members = (member.split() for value in via for member in value.split(","))
    return any(len(words) > 1 and words[1] == name for words in members)


def _normalized(address: str) -> str:
    # A port that accepts IPv4 and IPv6 sees IPv4 clients as [::ffff:127.0.0.1].
    host, _, port = address.rpartition(":")
    return f"{host.strip('[]').removeprefix('::ffff:')}:{port}"
