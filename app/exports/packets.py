"""IP packets around payloads: a TCP or UDP conversation as its server saw it.

IPv4: RFC 791, IPv6: RFC 8200, TCP: RFC 9293, UDP: RFC 768.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Protocol

Address = IPv4Address | IPv6Address
End = tuple[Address, int]
"""Address and port."""

SEGMENT = 1460
"""Bytes of a TCP segment, as on Ethernet."""

ACK_EVERY = 16
"""Segments after which the other side acknowledges: less than its window."""

WINDOW, SCALE = 0xFFFF, 7
"""The window that each side says it has, and its scale (RFC 7323): 8 MiB."""

_FIN, _SYN, _RST, _PSH, _ACK = 1, 2, 4, 8, 16
_NOWHERE = (IPv4Address("127.0.0.1"), 0)


def addresses(peer: str | None, host: str | None) -> tuple[End, End]:
    """Both ends in one address family; an end that is no address becomes that family's unspecified address."""
    ends = [_end(peer), _end(host)]
    if any(isinstance(address, IPv6Address) for address, _ in ends):
        ends = [(_as_6(address), port) for address, port in ends]
    return ends[0], ends[1]


def _end(text: str | None) -> End:
    host, _, port = (text or "").rpartition(":")
    try:
        address = ip_address(host.strip("[]").partition("%")[0])
        return address, int(port) & 0xFFFF
    except ValueError:
        return _NOWHERE


def _as_6(address: Address) -> IPv6Address:
    return IPv6Address(b"\0" * 10 + b"\xff\xff" + address.packed) if isinstance(address, IPv4Address) else address


class Conversation(Protocol):
    """Makes packets of what happened on one connection."""

    def opened(self, *, outgoing: bool = False) -> Iterator[bytes]: ...

    def data(self, payload: bytes, *, received: bool) -> Iterator[bytes]: ...

    def closed(self, reason: str) -> Iterator[bytes]: ...

    def remark(self) -> Iterator[bytes]:
        """An empty packet that can carry a comment, or none."""


class _Side:
    """One end of a TCP connection, with its sequence number; ``path`` leads from it to the other."""

    def __init__(self, path: _Path, sequence: int) -> None:
        self.path = path
        self.sequence = sequence
        self.window = WINDOW
        self.closed = False

    def advance(self, count: int) -> None:
        self.sequence = (self.sequence + count) & 0xFFFFFFFF


class TCPConversation:
    """The TCP segments that could have passed between ``peer`` and ``host``."""

    def __init__(self, peer: End, host: End) -> None:
        self._peer, self._host = _Side(_Path(peer, host, 6), 1_000), _Side(_Path(host, peer, 6), 5_000_000)
        self._begun = False
        self._over = False

    def opened(self, *, outgoing: bool = False) -> Iterator[bytes]:
        if self._begun:
            return
        self._begun = True
        first, second = (self._host, self._peer) if outgoing else (self._peer, self._host)
        # Options: MSS, no-operation, window scale.
        options = struct.pack("!BBHBBBB", 2, 4, SEGMENT, 1, 3, 3, SCALE)
        yield self._segment(first, second, _SYN, options=options)
        first.advance(1)
        yield self._segment(second, first, _SYN | _ACK, options=options)
        second.advance(1)
        yield self._segment(first, second, _ACK)

    def data(self, payload: bytes, *, received: bool) -> Iterator[bytes]:
        if not self._begun:
            yield from self.opened()
        source, other = (self._peer, self._host) if received else (self._host, self._peer)
        if not payload or source.closed or self._over:
            return
        for number, start in enumerate(range(0, len(payload), SEGMENT), 1):
            part = payload[start : start + SEGMENT]
            last = start + SEGMENT >= len(payload)
            yield self._segment(source, other, _ACK | (_PSH if last else 0), part)
            source.advance(len(part))
            if last or number % ACK_EVERY == 0:
                yield self._segment(other, source, _ACK)

    def closed(self, reason: str) -> Iterator[bytes]:
        yield from self.opened()
        if self._over:
            return
        self._over = True
        if "reset" in reason or "abort" in reason:
            source, other = (self._peer, self._host) if "peer" in reason else (self._host, self._peer)
            yield self._segment(source, other, _RST | _ACK)
            return
        first, second = (self._peer, self._host) if "peer" in reason else (self._host, self._peer)
        for source, other in ((first, second), (second, first)):
            yield self._segment(source, other, _FIN | _ACK)
            source.advance(1)
        yield self._segment(first, second, _ACK)

    def remark(self) -> Iterator[bytes]:
        yield from self.opened()
        # With another window it is an update, and not a duplicate of the acknowledgement before.
        self._host.window = WINDOW - 1 if self._host.window == WINDOW else WINDOW
        yield self._segment(self._host, self._peer, _ACK)

    def _segment(self, source: _Side, other: _Side, flags: int, payload: bytes = b"", options: bytes = b"") -> bytes:
        acknowledged = other.sequence if flags & _ACK else 0
        path, sequence, offset = source.path, source.sequence, (20 + len(options)) << 10
        size = 20 + len(options) + len(payload)
        total = path.ports_sum + sequence + acknowledged + (offset | flags) + source.window
        checksum = path.checksum(total + int.from_bytes(options), size, payload)
        head = _TCP.pack(*path.ports, sequence, acknowledged, offset | flags, source.window, checksum, 0)
        return path.header(size) + head + options + payload


class UDPConversation:
    """The UDP datagrams that could have passed between ``peer`` and ``host``."""

    def __init__(self, peer: End, host: End) -> None:
        self._received, self._sent = _Path(peer, host, 17), _Path(host, peer, 17)

    def opened(self, *, outgoing: bool = False) -> Iterator[bytes]:
        return iter(())

    def data(self, payload: bytes, *, received: bool) -> Iterator[bytes]:
        path = self._received if received else self._sent
        payload = payload[:65_507]
        size = 8 + len(payload)
        checksum = path.checksum(path.ports_sum + size, size, payload)
        yield path.header(size) + _UDP.pack(*path.ports, size, checksum) + payload

    def closed(self, reason: str) -> Iterator[bytes]:
        return iter(())

    def remark(self) -> Iterator[bytes]:
        """No packet: an empty datagram would be one that nobody sent."""
        return iter(())


_TCP = struct.Struct("!HHIIHHHH")
_UDP = struct.Struct("!HHHH")
_IP = struct.Struct("!BBHHHBBH8s")
_IP_6 = struct.Struct("!IHBB")


class _Path:
    """From one end to the other: what all packets on this way have in common.

    The Internet checksum (RFC 1071) is the sum of all 16-bit words modulo 0xFFFF. That is also what is left
    of all bytes as one number, which Python divides faster than it adds words; and so a word of 32 bits
    can be added as it is.
    """

    def __init__(self, source: End, target: End, protocol: int) -> None:
        self.ports = source[1], target[1]
        self.ports_sum = source[1] + target[1]
        self._protocol, self._is_6 = protocol, isinstance(source[0], IPv6Address)
        self._addresses = source[0].packed + target[0].packed
        self._sum = int.from_bytes(self._addresses) + protocol
        # All of an IPv4 header but its length.
        self._ip_sum = 0x4500 + 0x4000 + (64 << 8) + self._sum

    def checksum(self, head: int, size: int, payload: bytes) -> int:
        """Of what TCP or UDP sends: the sum of its header, its size with that, and its payload.

        Includes what RFC 9293 and RFC 768 add of the IP header. Never 0, which UDP takes for none, and which
        means the same as 0xFFFF to everybody else.
        """
        data = int.from_bytes(payload)
        if size % 2:
            data <<= 8
        return 0xFFFF - (data + head + self._sum + size) % 0xFFFF

    def header(self, size: int) -> bytes:
        """The IP header before this many bytes."""
        if self._is_6:
            return _IP_6.pack(6 << 28, size, self._protocol, 64) + self._addresses
        size += 20
        checksum = 0xFFFF - (self._ip_sum + size) % 0xFFFF
        return _IP.pack(0x45, 0, size, 0, 0x4000, 64, self._protocol, checksum, self._addresses)
