"""WebSocket: the handshake, and frames after it."""

from __future__ import annotations

import zlib
from functools import cache
from random import Random

from tests.app.services.websocket_frames import (
    BINARY,
    CLOSE,
    FINAL,
    OPENING,
    PING,
    PONG,
    TEXT,
    closing,
    frame,
)
from tests.fuzz.engine import Target
from tests.fuzz.memory import Desk

HANDSHAKE = OPENING.replace(b"Host: localhost", b"Host: 127.0.0.1")
_OFFER = b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits; server_no_context_takeover\r\n"
COMPRESSED = 0x40


def _deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return (packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]


SEEDS = [
    frame(TEXT, b"hello") + closing(1000, b"bye"),
    frame(TEXT, b"hel", first=0) + frame(PING, b"x") + frame(0, "lö".encode()) + frame(PONG),
    frame(BINARY, bytes(300)) + frame(BINARY, b"y" * 70_000) + frame(CLOSE),
    frame(TEXT, _deflated(b"hello " * 500), first=FINAL | COMPRESSED) + frame(PING, b"z" * 125),
    frame(BINARY, _deflated(bytes(100_000)), first=COMPRESSED) + frame(0, _deflated(b"more")) + closing(4000),
    frame(TEXT, b"x", masked=False) + frame(3) + frame(PING, b"y" * 126) + closing(1005) + closing(999),
]

WORDS = [
    *(frame(opcode, payload, first) for opcode in range(16) for payload in (b"", b"a", b"\xff") for first in (0,
    FINAL)),
    *(frame(BINARY, b"ab", length=length) for length in (0, 1, 125, 126, 0xFFFF, 0x10000, 2**31, 2**63 - 1, 2**63)),
    *(closing(code) for code in (0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65535)),
    frame(TEXT, _deflated(bytes(2_000_000)), first=FINAL | COMPRESSED), b"\xf8\x88\x80\x80\x80",
]  # fmt: skip


@cache
def _desk(name: str = "echo") -> Desk:
    return Desk("websocket", name)


def check(data: bytes, random: Random) -> None:
    name = random.choice(("echo", "broadcast", "rooms"))
    _desk(name).talk(data, random, HANDSHAKE + random.choice((b"", _OFFER)) + b"\r\n")


def check_handshake(data: bytes, random: Random) -> None:
    _desk().talk(data, random)


TARGETS = [
    Target("websocket frames", SEEDS, check, WORDS),
    Target(
        "websocket handshakes",
        [HANDSHAKE + b"\r\n",
        HANDSHAKE + _OFFER + b"Sec-WebSocket-Protocol: chat, x\r\nOrigin: http://localhost\r\n\r\n"],
        check_handshake,
        [b"\r\n", b"\n", b":", b",", b";", b"=", b'"', b"\0", b"\xff", b"Sec-WebSocket-Version: 8\r\n",
        b"Sec-WebSocket-Key: x\r\n", b"Upgrade: h2c\r\n",
         b"Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=99\r\n", b"Origin: null\r\n",
         b"POST", b"HTTP/1.0", b"http://[::1", b"#a", b"%zz",
         b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=\r\n", b"Content-Length: 5\r\n"],
    ),
]  # fmt: skip
