"""The guard against datagrams that answer each other without end.

One forged datagram is enough: its source is a port that answers everything, and the two ports answer each other
for ever. Every UDP service has the guard, whatever its responder is.
"""

from __future__ import annotations

import socket
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address
from typing import Any

from app import limits
from app.limits import Reached

SMALL_SERVERS = {7: "echo", 13: "daytime", 17: "quotd", 19: "chargen", 37: "time"}
"""Ports of servers that answer whatever comes (RFC 862, 867, 865, 864 and 868). No client sends from them."""

MOST = 100
"""Datagrams in a row that a service takes from another service of this program."""

PAUSE = 5.0
"""Seconds without a datagram after which another row begins."""


class DatagramPorts:
    """The addresses on which the UDP services of one program listen.

    Attributes:
        suspicious: the numbers of their ports, and those of ``SMALL_SERVERS``.
    """

    def __init__(self) -> None:
        self._hosts: defaultdict[int, list[str]] = defaultdict(list)
        self.suspicious = set(SMALL_SERVERS)

    def opened(self, host: str, port: int) -> None:
        self._hosts[port].append(host)
        self.suspicious.add(port)

    def closed(self, host: str, port: int) -> None:
        self._hosts[port].remove(host)
        if not self._hosts[port]:
            del self._hosts[port]
            if port not in SMALL_SERVERS:
                self.suspicious.discard(port)

    def holds(self, host: str, port: int) -> bool:
        """Whether datagrams with this source come from one of the services, or claim to."""
        return any(_is_at(host, bound) for bound in self._hosts.get(port, ()))


class Guard:
    """Says of datagrams whether a service may answer them.

    Attributes:
        bound: the service's own address.
        suspicious: the ports whose datagrams are to be asked about.
    """

    def __init__(self, ports: DatagramPorts, bound: tuple[str, int], seconds: Callable[[], float], *, group: bool):
        """``seconds`` returns the time. ``group``: whether the service listens to multicast groups. Other programs
        on this machine may have the same port then, and their datagrams are taken for those of another service."""
        self._ports, self.bound, self._seconds, self._group = ports, bound, seconds, group
        self._rows: dict[Any, tuple[int, float]] = {}
        self.suspicious = ports.suspicious

    def refusal(self, address: tuple[Any, ...]) -> Reached | None:
        """Why a datagram from this address, whose port is suspicious, is not answered; None if it may be."""
        host, port = str(address[0]), int(address[1])
        if port in SMALL_SERVERS:
            return limits.ANSWERS.reached(0, "server", port=port, name=SMALL_SERVERS[port])
        if not self._group and port == self.bound[1] and _is_at(host, self.bound[0]):
            return limits.ANSWERS.reached(0, "own")
        if not self._ports.holds(host, port):
            return None
        now = self._seconds()
        count, last = self._rows.get(address, (0, now))
        count = 1 if now - last > PAUSE else count + 1
        self._rows[address] = min(count, MOST + 1), now
        return limits.ANSWERS.reached(MOST) if count > MOST else None

    def forget(self, address: tuple[Any, ...]) -> None:
        """This peer is gone."""
        self._rows.pop(address, None)


def ours_towards(peer: tuple[Any, ...]) -> str:
    """The address of this machine from which datagrams to ``peer`` leave; "" if there is none."""
    family = socket.AF_INET6 if ":" in peer[0] else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            probe.connect(_resolved(peer[0], peer[1]))
            return str(probe.getsockname()[0])
    except (OSError, ValueError):
        return ""


def is_unspecified(host: str) -> bool:
    """Whether ``host`` is 0.0.0.0 or ``::``."""
    with suppress(ValueError):
        return ip_address(host).is_unspecified
    return False


def _is_at(host: str, bound: str) -> bool:
    """Whether ``host`` is where a service that is ``bound`` there listens."""
    host, bound = (address.removeprefix("::ffff:") for address in (host, bound))
    return host == bound or (is_unspecified(bound) and _is_local(host))


def _is_local(host: str) -> bool:
    """Whether this machine has the address: only then a socket can be bound to it."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(_resolved(host, 0))
    except (OSError, ValueError):
        return False
    return True


def _resolved(host: str, port: int) -> Any:
    """The address as ``socket`` takes it, with the number of its zone."""
    return socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST)[0][4]
