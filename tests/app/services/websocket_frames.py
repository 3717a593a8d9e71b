"""WebSocket clients: PyPI's, and raw sockets for the frames that it would not send."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread
from websockets.asyncio.client import ClientConnection, connect

from app.services.service import Service
from tests.app.services.helpers import Peer, Tape, address
from tests.helpers import until

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
FINAL = 0x80

OPENING = (
    b"GET /chat?x=1 HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
)


def url(service: Service, target: str = "/") -> str:
    host, port = address(service)
    return f"ws://[{host}]:{port}{target}" if ":" in host else f"ws://{host}:{port}{target}"


def talk(service: Service, script: Callable[[ClientConnection], Awaitable[Any]], **more: Any) -> Deferred[Any]:
    """Run ``script`` on a connection of PyPI's ``websockets``, in a thread; its value."""

    async def run() -> Any:
        async with connect(url(service, more.pop("target", "/")), proxy=None, **more) as client:
            return await script(client)

    return deferToThread(lambda: asyncio.run(run()))


def frame(
    opcode: int, payload: bytes = b"", first: int = FINAL, masked: bool = True, length: int | None = None
) -> bytes:
    """One frame as a client sends it; ``length`` is what its head says where that is a lie."""
    size = len(payload) if length is None else length
    bit = 0x80 if masked else 0
    head = bytes([first | opcode])
    if size < 126:
        head += bytes([bit | size])
    elif size < 1 << 16:
        head += bytes([bit | 126]) + struct.pack(">H", size)
    else:
        head += bytes([bit | 127]) + struct.pack(">Q", size)
    mask = b"\x01\x02\x03\x04"
    if masked:
        head, payload = head + mask, bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
    return head + payload


def closing(code: int, reason: bytes = b"") -> bytes:
    return frame(CLOSE, struct.pack(">H", code) + reason)


class Raw(Peer):
    """A peer that writes frames of its own making. ``wrote`` is all that it sent."""

    def __init__(self, service: Service) -> None:
        super().__init__(service)
        self.wrote = b""

    def say(self, data: bytes) -> None:
        assert self.push(data) == len(data)
        self.wrote += data

    async def open(self, more: bytes = b"") -> None:
        self.say(OPENING + more + b"\r\n")
        await self.expect(b"\r\n\r\n")
        assert self.got.startswith(b"HTTP/1.1 101 ")
        del self.got[: self.got.index(b"\r\n\r\n") + 4]

    def frames(self) -> list[tuple[int, bytes]]:
        """First byte and payload of each frame so far."""
        found, data = [], bytes(self.pull().got)
        while len(data) >= 2:
            size, begin = data[1], 2
            if size == 126:
                size, begin = struct.unpack(">H", data[2:4])[0], 4
            assert size < 127, "a mask, or too long for these tests"
            if len(data) < begin + size:
                break
            found.append((data[0], data[begin : begin + size]))
            data = data[begin + size :]
        return found

    async def closed(self) -> tuple[int, bytes]:
        """Code and reason of the close frame that comes."""
        await until(lambda: FINAL | CLOSE in dict(self.frames()) or self.ended)
        payload = dict(self.frames())[FINAL | CLOSE]
        return struct.unpack(">H", payload[:2])[0], payload[2:]


async def ended(tape: Tape, count: int = 1) -> None:
    await until(lambda: len(tape.all("connection.closed")) >= count)


def messages(tape: Tape) -> list[tuple[str, str, bytes | None]]:
    return [(e.detail["direction"], e.detail["opcode"], e.payload) for e in tape.all("ws.message")]
