"""WebSocket clients on raw sockets, which take as little CPU as possible.

    python -m tests.benchmarks.websocket_load echo ADDRESS --connections 50 --seconds 4
    python -m tests.benchmarks.websocket_load broadcast ADDRESS --connections 50 --seconds 4
    python -m tests.benchmarks.websocket_load large ADDRESS --connections 100 --messages 5
    python -m tests.benchmarks.websocket_load deflated ADDRESS --messages 200

Each prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import select
import socket
import struct
import time
import zlib

from tests.benchmarks.load import WARM, Address

SIZE = 64
LARGE = 1 << 20
WINDOW = 8
"""Messages of a broadcast that are on their way at once."""

GIVE_UP = 60.0
"""Seconds to wait for the next bytes of what was sent."""

TEXT, BINARY, COMPRESSED = 0x81, 0x82, 0xC2
"""First bytes of final frames: opcode, and the bit of permessage-deflate."""

DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n"


def frame(first: int, payload: bytes) -> bytes:
    """A frame as clients send it, masked (RFC 6455 section 5.2)."""
    mask = b"\x11\x22\x33\x44"
    key = int.from_bytes((mask * (len(payload) // 4 + 1))[: len(payload)], "big")
    masked = (int.from_bytes(payload, "big") ^ key).to_bytes(len(payload), "big")
    return _head(first, len(payload), 0x80) + mask + masked


def answered(size: int) -> int:
    """Bytes of the frame in which a server sends a message of this size."""
    return len(_head(TEXT, size)) + size


def _head(first: int, size: int, masked: int = 0) -> bytes:
    if size < 126:
        return bytes((first, masked | size))
    if size < 1 << 16:
        return struct.pack(">BBH", first, masked | 126, size)
    return struct.pack(">BBQ", first, masked | 127, size)


def connect(address: Address, count: int, fields: str = "") -> list[socket.socket]:
    """Open WebSockets, whose handshakes are done."""
    made = []
    for _ in range(count):
        sock = socket.create_connection(address)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.sendall(
            f"GET / HTTP/1.1\r\nHost: {address[0]}:{address[1]}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{fields}\r\n".encode()
        )
        head = b""
        while b"\r\n\r\n" not in head:
            head += sock.recv(1)
        if not head.startswith(b"HTTP/1.1 101 "):
            raise RuntimeError(head.decode())
        made.append(sock)
    return made


def close(socks: list[socket.socket]) -> None:
    """Close in good order, and wait for the server's side."""
    for sock in socks:
        sock.setblocking(True)
        sock.settimeout(GIVE_UP)
        sock.sendall(frame(0x88, struct.pack(">H", 1000)))
    for sock in socks:
        while sock.recv(1 << 16):
            pass
        sock.close()


def echo(address: Address, connections: int, seconds: float) -> dict[str, float]:
    """Keep one message in flight on each connection."""
    socks = connect(address, connections)
    poller, by_number = select.epoll(), {}
    said, size = frame(TEXT, b"a" * SIZE), answered(SIZE)
    clock = time.monotonic
    for sock in socks:
        poller.register(sock.fileno(), select.EPOLLIN)
        by_number[sock.fileno()] = sock
        sock.sendall(said)
    received = counted = 0
    began, ends = clock() + WARM, 0.0
    while True:
        for fd, _ in poller.poll():
            received += len(by_number[fd].recv(4096))
            by_number[fd].send(said)
        now = clock()
        if not ends and now >= began:
            began, counted, ends = now, received, now + seconds
        elif ends and now >= ends:
            break
    rate = (received - counted) / size / (now - began)
    # Count the answers still in flight.
    outstanding = connections * size
    while outstanding > 0 and (ready := poller.poll(GIVE_UP)):
        for fd, _ in ready:
            got = len(by_number[fd].recv(4096))
            received, outstanding = received + got, outstanding - got
    close(socks)
    return {"rate": rate, "messages": received / size, "missing": outstanding / size, "connections": connections}


def broadcast(address: Address, connections: int, seconds: float) -> dict[str, float]:
    """One client sends, all others read; a few messages are on their way at once. The rate is of deliveries."""
    sender, *readers = connect(address, connections + 1)
    poller, buffer = select.epoll(), bytearray(1 << 16)
    by_number = {sock.fileno(): sock for sock in readers}
    for number in by_number:
        poller.register(number, select.EPOLLIN)
    said, all_get = frame(TEXT, b"a" * SIZE), connections * answered(SIZE)
    clock = time.monotonic
    sent = received = counted = 0
    began, ends, over = clock() + WARM, 0.0, False
    while not over or received < sent * all_get:
        while not over and sent * all_get - received < WINDOW * all_get:
            sender.sendall(said)
            sent += 1
        ready = poller.poll(GIVE_UP)
        if not ready:
            break
        for fd, _ in ready:
            received += by_number[fd].recv_into(buffer)
        now = clock()
        if not ends and now >= began:
            began, counted, ends = now, received, now + seconds
        elif ends and now >= ends and not over:
            over = True
            rate = (received - counted) / answered(SIZE) / (now - began)
    close([sender, *readers])
    missing = sent * connections - received / answered(SIZE)
    return {"rate": rate, "messages": sent, "missing": missing, "connections": connections + 1}


def large(address: Address, connections: int, messages: int) -> dict[str, float]:
    """One client sends large messages, all others read them."""
    sender, *readers = connect(address, connections + 1)
    began, size = time.monotonic(), answered(LARGE)
    said = memoryview(frame(BINARY, bytes(range(256)) * (LARGE // 256)) * messages)
    missing = _take(sender, said, dict.fromkeys(readers, messages * size))
    took = time.monotonic() - began
    close([sender, *readers])
    return {"seconds": took, "messages": messages, "missing": missing / size, "connections": connections + 1}


def deflated(address: Address, messages: int) -> dict[str, float]:
    """Send large messages that compress to a thousandth, all at once, and read the answers."""
    (sock,) = connect(address, 1, DEFLATE)
    packer = zlib.compressobj(wbits=-15)
    packed = (packer.compress(bytes(LARGE)) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]
    began = time.monotonic()
    # What one answer takes is learned from the first.
    sock.sendall(frame(COMPRESSED, packed))
    head = sock.recv(4, socket.MSG_WAITALL)
    if head[0] != COMPRESSED or head[1] != 126:
        raise RuntimeError(f"an answer that begins with {head.hex()}")
    size = 4 + int.from_bytes(head[2:], "big")
    missing = _take(sock, memoryview(frame(COMPRESSED, packed) * (messages - 1)), {sock: messages * size - 4})
    took = time.monotonic() - began
    close([sock])
    return {"seconds": took, "messages": messages, "missing": missing / size, "connections": 1}


def _take(sender: socket.socket, said: memoryview, due: dict[socket.socket, int]) -> int:
    """Send ``said``, and read from each socket as many bytes as are due. Returns how many are missing."""
    poller, buffer = select.epoll(), bytearray(1 << 18)
    by_number = {sock.fileno(): sock for sock in (sender, *due)}
    left = {sock.fileno(): count for sock, count in due.items()}
    for number, sock in by_number.items():
        sock.setblocking(False)
        wanted = select.EPOLLIN if number in left else 0
        poller.register(number, wanted | (select.EPOLLOUT if sock is sender else 0))
    while any(left.values()) and (ready := poller.poll(GIVE_UP)):
        for number, what in ready:
            if what & select.EPOLLOUT:
                said = said[by_number[number].send(said) :]
                if not said:
                    poller.modify(number, select.EPOLLIN if number in left else 0)
            if what & ~select.EPOLLOUT:
                count = by_number[number].recv_into(buffer)
                if not count:
                    return sum(left.values())
                left[number] -= count
    return sum(left.values())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["echo", "broadcast", "large", "deflated"])
    parser.add_argument("address")
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--messages", type=int, default=5)
    args = parser.parse_args()
    host, _, port = args.address.rpartition(":")
    address = host, int(port)
    if args.kind == "large":
        done = large(address, args.connections, args.messages)
    elif args.kind == "deflated":
        done = deflated(address, args.messages)
    else:
        done = (echo if args.kind == "echo" else broadcast)(address, args.connections, args.seconds)
    print(json.dumps(done))


if __name__ == "__main__":
    main()
