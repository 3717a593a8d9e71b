"""Admission: which connections a port accepts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any, cast

from twisted.internet.interfaces import IAddress, IProtocol
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure

from app import limits
from app.errors import system_words
from app.files.limit import file_limit
from app.limits import Reached
from app.services.interfaces import Admitted, Owner
from app.services.silence import Silence

RECORDED_PER_SECOND = 20
"""Refusals that are recorded as events of their own in one second; further ones are only counted."""

SHORT_FIRST, SHORT_AGAIN = 1.0, 10.0
"""Seconds for which connections are counted that could not be accepted, until an event tells of them; and until the
next one does."""

LINGER = 1.0
"""Seconds in which a client can read the response that refuses it, and close."""

_NAT64 = IPv6Network("64:ff9b::/96")

_NO_ROOM = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Type: text/plain\r\n"
    b"Content-Length: %d\r\nConnection: close\r\n\r\n%s"
)


class Admission:
    """Decides which connections one port of a service accepts.

    It is asked once for each connection, and told when one opens and closes.

    Attributes:
        connections, per_peer: how many may be open, in all and from one address.
        silence: closes connections that are silent for too long.
    """

    def __init__(
        self, owner: Owner, clock: Any, settings: Mapping[str, Any], *, idle: bool = True, words: bool = False
    ) -> None:
        """``settings`` are those of ``[service.limits]``, with their defaults. ``idle``: whether ``idle_seconds`` is
        watched here. ``words``: whether the clients speak HTTP without TLS, and are refused with a response."""
        recorder = self._recorder = owner.recorder
        self._owner, self._clock, self._idle = owner, clock, idle
        self.silence = Silence(clock, 0.0, lambda: recorder.pressed)
        self.take(settings)
        self._in_words = words
        self._open = 0
        self._by_host: Counter[str] = Counter()
        self._second, self._recorded = 0.0, 0
        self._counted: Counter[Reached] = Counter()
        self._recording: Any = None
        self._short: OSError | None = None
        self._closed_at_once = 0
        self._telling: Any = None

    def take(self, settings: Mapping[str, Any]) -> None:
        """Keep to these settings from now on. Connections that are open stay, however many there are."""
        self.connections: int = settings["connections"]
        self.per_peer: int = settings["connections_per_peer"]
        self._public: bool = settings["allow_public"]
        self.silence.change(settings["idle_seconds"] if self._idle else 0.0)

    # -- which connections are accepted

    def refusal(self, address: IAddress) -> Reached | None:
        """Why a connection from ``address`` is refused; None if it is accepted."""
        host = getattr(address, "host", "")
        if reached := self.refusal_of_public(host):
            return reached
        if self._open >= self.connections:
            return limits.CONNECTIONS.reached(self.connections)
        if self._by_host[host] >= self.per_peer:
            return limits.CONNECTIONS_PER_PEER.reached(self.per_peer)
        return None

    def refusal_of_public(self, host: str) -> Reached | None:
        """Why a peer is refused for its address alone, a public one; None if it is not."""
        if self._public or not is_public(host):
            return None
        return limits.ALLOW_PUBLIC.reached(False)

    def is_recorded(self, reached: Reached) -> bool:
        """Whether this refusal is recorded as an event of its own. If not, it is counted, and the count recorded."""
        now = self._clock.seconds()
        if now - self._second >= 1.0:
            self._second, self._recorded = now, 0
        self._recorded += 1
        if self._recorded <= RECORDED_PER_SECOND:
            return True
        self._counted[reached] += 1
        if self._recording is None:
            self._recording = self._clock.callLater(1.0, self._record_counted)
        return False

    def response_to(self, reached: Reached) -> IProtocol | None:
        """A protocol that tells a client of HTTP or WebSocket that there is no room; None to just close."""
        return NoRoom(reached, self._clock) if self._in_words and reached.limit is not limits.ALLOW_PUBLIC else None

    def _record_counted(self) -> None:
        self._recording = None
        for reached, count in self._counted.items():
            more = reached.saying(f"and {count:,} more {reached.text}").carrying(count=count)
            self._recorder.record_limit(more, self._owner.number)
        self._counted.clear()

    def on_short(self, error: OSError, closed: int) -> None:
        """The port could not accept connections for want of descriptors or memory, and had to close ``closed``."""
        self._short, self._closed_at_once = error, self._closed_at_once + closed
        if self._telling is None:
            self._telling = self._clock.callLater(SHORT_FIRST, self._record_short)

    def _record_short(self) -> None:
        self._telling, error = None, self._short
        if error is None:
            return
        count, self._short, self._closed_at_once = self._closed_at_once, None, 0
        if count:
            reached = limits.OPEN_FILES.reached(file_limit() or 0, count=count)
        else:
            reached = limits.OPEN_FILES.reached(None, "system", why=system_words(error))
        self._recorder.record_limit(reached.carrying(count=count), self._owner.number)
        # Where one could not be accepted, many will be: those of the next seconds are told together.
        self._telling = self._clock.callLater(SHORT_AGAIN, self._record_short)

    def stop(self) -> None:
        """The port is closed."""
        if self._telling is not None:
            self._telling.cancel()
            self._record_short()
        if self._telling is not None:
            self._telling.cancel()
        if self._recording is not None:
            self._recording.cancel()
            self._record_counted()

    # -- connections that were accepted

    def counts(self, protocol: IProtocol) -> bool:
        """Whether a connection with this protocol counts: one that is only told of its refusal does not."""
        return not isinstance(protocol, NoRoom)

    def opened(self, connection: Admitted) -> None:
        self._open += 1
        self._by_host[_host(connection)] += 1
        self.silence.opened(connection)

    def closed(self, connection: Admitted) -> None:
        self._open -= 1
        host = _host(connection)
        self._by_host[host] -= 1
        if not self._by_host[host]:
            del self._by_host[host]
        self.silence.closed(connection)


class NoRoom(Protocol):
    """Answers any request with 503, and closes."""

    def __init__(self, reached: Reached, clock: Any) -> None:
        self._reached, self._clock = reached, clock

    def connectionMade(self) -> None:
        tap, reached = cast(Any, self.transport), self._reached
        tap.record_limit(reached)
        words = reached.text.encode() + b"\n"
        tap.write(_NO_ROOM % (len(words), words))
        # Closing with a request unread sends a reset, and the client might lose the response.
        tap.loseWriteConnection()
        self._overdue = self._clock.callLater(LINGER, tap.abort)

    def connectionLost(self, reason: Failure | None = None) -> None:
        if self._overdue.active():
            self._overdue.cancel()


@lru_cache(1024)
def is_public(host: str) -> bool:
    """Whether ``host``, a numeric address, belongs to the Internet rather than to a private network.

    An IPv6 address that carries an IPv4 address (mapped, 6to4, Teredo, NAT64) is judged by that one.
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


def _host(connection: Admitted) -> str:
    return getattr(connection.getPeer(), "host", "")
