"""Clients of echo services at a steady rate: ``python -m tests.fleet.load RATE SECONDS HOST:PORT …``.

Each echo makes two events. A client sends again when the echo has come and its time has: what the machine cannot
bear is not sent. Prints how many echoes came. With RATE ``flood`` it sends as fast as it can, in large pieces.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import sys
from time import monotonic, sleep

TICK = 0.004
PIECE = b"x" * 65536


def main() -> None:
    rate, seconds, *addresses = sys.argv[1:]
    clients = [_connected(address) for address in addresses]
    print(flood(clients, float(seconds)) if rate == "flood" else paced(clients, float(rate), float(seconds)))


def _connected(address: str) -> socket.socket:
    host, port = address.rsplit(":", 1)
    client = socket.create_connection((host, int(port)), 30)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.setblocking(False)
    return client


def paced(clients: list[socket.socket], rate: float, seconds: float) -> int:
    """``rate``: echoes in a second, of all clients together."""
    every = len(clients) / rate
    begin = monotonic()
    due = {client: begin + every * i / len(clients) for i, client in enumerate(clients)}
    waiting: set[socket.socket] = set()
    echoes = 0
    with selectors.DefaultSelector() as selector:
        for client in clients:
            selector.register(client, selectors.EVENT_READ)
        while (now := monotonic()) < begin + seconds and due:
            for client in [client for client, at in due.items() if at <= now and client not in waiting]:
                try:
                    client.send(b"are you there? %06d" % (echoes % 1_000_000))
                    waiting.add(client)
                    due[client] = max(due[client] + every, now - every)
                except OSError:
                    due.pop(client)
            for key, _ in selector.select(TICK):
                client = key.fileobj  # type: ignore[assignment]
                with contextlib.suppress(OSError):
                    if client.recv(4096):
                        waiting.discard(client)
                        echoes += 1
                        continue
                selector.unregister(client)  # its outpost was killed
                due.pop(client, None)
    return echoes


def flood(clients: list[socket.socket], seconds: float) -> int:
    end, sent = monotonic() + seconds, 0
    while monotonic() < end:
        for client in clients:
            with contextlib.suppress(BlockingIOError):
                sent += client.send(PIECE)
            with contextlib.suppress(BlockingIOError):
                client.recv(1 << 20)
        sleep(0.0005)
    return sent


if __name__ == "__main__":
    main()
