"""Clients of echo services at a steady rate: ``python -m tests.fleet.load RATE SECONDS HOST:PORT …``.

Each echo makes two events. Each service has ``GROUP`` clients, which send at the same time, and again when all echoes
have come and their time has: what the machine cannot bear is not sent. Prints how many echoes came. With RATE ``flood``
one client sends as fast as it can, in large pieces.
"""

from __future__ import annotations

import contextlib
import select
import socket
import sys
from time import monotonic, sleep

TICK = 0.004
GROUP = 8
PIECE = b"x" * 65536


def main() -> None:
    rate, seconds, *addresses = sys.argv[1:]
    if rate == "flood":
        print(flood([_connected(address) for address in addresses], float(seconds)))
    else:
        groups = [Group([_connected(address) for _ in range(GROUP)]) for address in addresses]
        print(paced(groups, float(rate), float(seconds)))


class Group:
    """The clients of one service. ``waiting``: those whose echo has not come."""

    def __init__(self, clients: list[socket.socket]) -> None:
        self.clients = clients
        self.waiting: set[socket.socket] = set()
        self.due = 0.0

    def send(self, message: bytes) -> None:
        """Raises OSError."""
        self.waiting.update(self.clients)
        for client in self.clients:
            client.send(message)


def _connected(address: str) -> socket.socket:
    host, port = address.rsplit(":", 1)
    client = socket.create_connection((host, int(port)), 30)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.setblocking(False)
    return client


def paced(groups: list[Group], rate: float, seconds: float) -> int:
    """``rate``: echoes in a second, of all clients together."""
    every = sum(len(group.clients) for group in groups) / rate
    begin = monotonic()
    of: dict[int, Group] = {}
    echoes = 0
    poll = select.epoll()
    by_file: dict[int, socket.socket] = {}
    for number, group in enumerate(groups):
        group.due = begin + every * number / len(groups)
        for client in group.clients:
            poll.register(client, select.EPOLLIN)
            of[client.fileno()], by_file[client.fileno()] = group, client
    due = list(groups)
    while (now := monotonic()) < begin + seconds and due:
        for group in [group for group in due if group.due <= now and not group.waiting]:
            try:
                group.send(b"are you there? %06d" % (echoes % 1_000_000))
                group.due = max(group.due + every, now - every)
            except OSError:
                due.remove(group)  # its outpost was killed
        for file, _ in poll.poll(TICK, 256):
            group, client = of[file], by_file[file]
            with contextlib.suppress(OSError):
                if client.recv(4096):
                    group.waiting.discard(client)
                    echoes += 1
                    continue
            poll.unregister(client)
            if group in due:
                due.remove(group)
    poll.close()
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
