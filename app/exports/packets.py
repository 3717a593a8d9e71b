"""IP packets around payloads: a TCP or UDP conversation as its server saw it.

IPv4: RFC 791, IPv6: RFC 8200, TCP: RFC 9293, UDP: RFC 768.
"""

from __future__ import annotations

import struct
from array import array
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
    """One end of a TCP connection, with its sequence number."""

    def __init__(self, end: End, sequence: int) -> None:
        self.end = end
        self.sequence = sequence
        self.window = WINDOW
        self.closed = False

    def advance(self, count: int) -> None:
        self.sequence = (self.sequence + count) & 0xFFFFFFFF


class TCPConversation:
    """The TCP segments that could have passed between ``peer`` and ``host``."""

    def __init__(self, peer: End, host: End) -> None:
        self._peer, self._host = _Side(peer, 1_000), _Side(host, 5_000_000)
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
        length = 20 + len(options)
        head = struct.pack(
            "!HHIIBBHHH",
            source.end[1], other.end[1], source.sequence, acknowledged, length // 4 << 4, flags, source.window, 0, 0,
        )  # fmt: skip
        return _packet(source.end[0], other.end[0], 6, head + options, payload, 16)


class UDPConversation:
    """The UDP datagrams that could have passed between ``peer`` and ``host``."""

    def __init__(self, peer: End, host: End) -> None:
        self._peer, self._host = peer, host

    def opened(self, *, outgoing: bool = False) -> Iterator[bytes]:
        return iter(())

    def data(self, payload: bytes, *, received: bool) -> Iterator[bytes]:
        source, other = (self._peer, self._host) if received else (self._host, self._peer)
        payload = payload[:65_507]
        head = struct.pack("!HHHH", source[1], other[1], 8 + len(payload), 0)
        yield _packet(source[0], other[0], 17, head, payload, 6)

    def closed(self, reason: str) -> Iterator[bytes]:
        return iter(())

    def remark(self) -> Iterator[bytes]:
        """No packet: an empty datagram would be one that nobody sent."""
        return iter(())


def _packet(source: Address, target: Address, protocol: int, head: bytes, payload: bytes, at: int) -> bytes:
    """An IP packet; ``at`` is the offset of the checksum in ``head``."""
    length = len(head) + len(payload)
    pseudo = source.packed + target.packed + struct.pack("!II", length, protocol)
    checksum = _checksum(pseudo + head + payload) or 0xFFFF
    head = head[:at] + struct.pack("!H", checksum) + head[at + 2 :]
    if isinstance(source, IPv6Address):
        return struct.pack("!IHBB", 6 << 28, length, protocol, 64) + source.packed + target.packed + head + payload
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, 0, 0x4000, 64, protocol, 0) + source.packed + target.packed
    return ip[:10] + struct.pack("!H", _checksum(ip)) + ip[12:] + head + payload


def _checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    words = array("H", data if len(data) % 2 == 0 else data + b"\0")
    total = sum(words)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    total = ~total & 0xFFFF
    return (total >> 8 | total << 8) & 0xFFFF if struct.pack("=H", 1) == b"\x01\0" else total
