"""Frames of WebSocket, right ones and wrong ones (RFC 6455 section 5.2)."""

from __future__ import annotations

import struct
from itertools import cycle

CONTINUATION, TEXT, BINARY, CLOSE = 0x0, 0x1, 0x2, 0x8


def frame(opcode: int, payload: bytes, *, final: bool = True, reserved: int = 0, mask: bytes = b"") -> bytes:
    """One frame. ``reserved``: the three reserved bits, 4 the first of them; with a ``mask`` of 4 bytes, masked."""
    first, size = (0x80 if final else 0) | reserved << 4 | opcode, len(payload)
    masked = 0x80 if mask else 0
    if mask:
        payload = bytes(byte ^ key for byte, key in zip(payload, cycle(mask), strict=False))
    if size < 126:
        return bytes((first, masked | size)) + mask + payload
    if size < 1 << 16:
        return struct.pack(">BBH", first, masked | 126, size) + mask + payload
    return struct.pack(">BBQ", first, masked | 127, size) + mask + payload


def fragments(opcode: int, payload: bytes, count: int) -> bytes:
    """One message in so many frames, which are empty where the payload does not suffice."""
    size = max(1, -(-len(payload) // count))
    parts = [payload[place : place + size] for place in range(0, size * count, size)]
    return b"".join(
        frame(CONTINUATION if index else opcode, part, final=index == count - 1) for index, part in enumerate(parts)
    )
