"""Limits of a service: whom its port lets in."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, Any, cast

from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure

from app import events
from app.services.breach import Breach
from app.services.silence import Silence

if TYPE_CHECKING:
    from app.services.service import Service
    from app.services.tap.tap import Tap

TOLD_PER_SECOND = 20
"""Refusals that are recorded one by one in a second; those beyond are counted."""

LINGER = 1.0
"""Seconds in which a client that is refused in words can take them and close."""

_NAT64 = IPv6Network("64:ff9b::/96")

_NO_ROOM = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Type: text/plain\r\n"
    b"Content-Length: %d\r\nConnection: close\r\n\r\n%s"
)


class Limits:
    """What one port of a service lets in; see ``app.services.settings.LIMITS``.

    Asked once for each connection, and told when it opens and closes.

    Attributes:
        connections, per_peer: how many may be open, at all and from one address.
        silence: closes the silent ones.
    """

    def __init__(self, service: Service) -> None:
        config, limits = service.config, service.config.settings("limits")
        self._service, self._reactor = service, service.reactor
        self.connections: int = limits["connections"]
        self.per_peer: int = limits["connections_per_peer"]
        self._public: bool = limits["allow_public"]
        # HTTP knows more of its silences: between two requests, or while an answer is made.
        idle = 0.0 if config.protocol == "http" else limits["idle_seconds"]
        self.silence = Silence(service.reactor, idle, lambda: service.recorder.pressed)
        self._in_words = config.protocol in ("http", "websocket") and config.tls is None
        self._open = 0
        self._by_host: Counter[str] = Counter()
        self._second, self._told = 0.0, 0
        self._untold: Counter[Breach] = Counter()
        self._telling: Any = None

    # -- who is let in

    def refusal(self, address: IAddress) -> Breach | None:
        """Why a connection from ``address`` is refused; None if it is let in."""
        host = getattr(address, "host", "")
        if breach := self.stranger(host):
            return breach
        if self._open >= self.connections:
            return Breach("connections", self.connections, f"refused: connections are limited to {self.connections:,}")
        if self._by_host[host] >= self.per_peer:
            text = f"refused: connections from one address are limited to {self.per_peer:,}"
            return Breach("connections_per_peer", self.per_peer, text)
        return None

    def stranger(self, host: str) -> Breach | None:
        """Why a peer of this address is refused however few there are."""
        if self._public or not is_public(host):
            return None
        return Breach("allow_public", False, "refused: its address is public, and allow_public is off")

    def tells(self, breach: Breach) -> bool:
        """Whether this refusal is recorded by itself. If not, it is counted, and the count recorded."""
        now = self._reactor.seconds()
        if now - self._second >= 1.0:
            self._second, self._told = now, 0
        self._told += 1
        if self._told <= TOLD_PER_SECOND:
            return True
        self._untold[breach] += 1
        if self._telling is None:
            self._telling = self._reactor.callLater(1.0, self._tell_rest)
        return False

    def in_words(self, breach: Breach) -> Protocol | None:
        """What tells a client of HTTP or WebSocket that there is no room; None to just close."""
        return NoRoom(breach, self._reactor) if self._in_words and breach.limit != "allow_public" else None

    def _tell_rest(self) -> None:
        self._telling = None
        record, number = self._service.recorder.record, self._service.number
        for breach, count in self._untold.items():
            more = f"and {count:,} more {breach.text}"
            record(events.LIMIT_REACHED, number, summary=more, detail=breach.detail(count=count))
        self._untold.clear()

    def stop(self) -> None:
        """The port is closed."""
        if self._telling is not None:
            self._telling.cancel()
            self._tell_rest()

    # -- those that are in

    def opened(self, tap: Tap) -> None:
        self._open += 1
        self._by_host[_host(tap)] += 1
        self.silence.opened(tap)

    def closed(self, tap: Tap) -> None:
        self._open -= 1
        host = _host(tap)
        self._by_host[host] -= 1
        if not self._by_host[host]:
            del self._by_host[host]
        self.silence.closed(tap)


class NoRoom(Protocol):
    """Answers 503 whatever is asked, and closes."""

    def __init__(self, breach: Breach, reactor: Any) -> None:
        self._breach, self._reactor = breach, reactor

    def connectionMade(self) -> None:
        tap, breach = cast("Tap", self.transport), self._breach
        tap.note(events.LIMIT_REACHED, breach.text, breach.detail())
        words = breach.text.encode() + b"\n"
        tap.write(_NO_ROOM % (len(words), words))
        # To close with a request unread would be to reset, and the client might lose the answer.
        tap.loseWriteConnection()
        self._overdue = self._reactor.callLater(LINGER, tap.abort)

    def connectionLost(self, reason: Failure | None = None) -> None:
        if self._overdue.active():
            self._overdue.cancel()


@lru_cache(1024)
def is_public(host: str) -> bool:
    """Whether ``host``, an address in numbers, is one of the Internet rather than of a private network.

    Those that carry an IPv4 address (mapped, 6to4, Teredo, NAT64) are what that one is.
    """
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return (_carried(address) if isinstance(address, IPv6Address) else address).is_global


def _carried(address: IPv6Address) -> IPv4Address | IPv6Address:
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else address)


def _host(tap: Tap) -> str:
    return getattr(tap.getPeer(), "host", "")
