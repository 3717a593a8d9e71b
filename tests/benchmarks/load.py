"""The load generator: small processes that use raw sockets, to take as little CPU as possible.

    python -m tests.benchmarks.load echo ADDRESS --connections 100 --seconds 4
    python -m tests.benchmarks.load hold ADDRESS --connections 8000
    python -m tests.benchmarks.load flow ADDRESS --rate 250 --seconds 8
    python -m tests.benchmarks.load steady ADDRESS --connections 500 --rate 10000 --seconds 8
    python -m tests.benchmarks.load trip ADDRESS ADDRESS --seconds 3

Each prints one JSON object. All times are monotonic unless stated otherwise.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import select
import socket
import struct
import sys
import time
from statistics import median

SIZE = 64
WARM = 0.5
"""Seconds of load before messages are counted."""

GIVE_UP = 5.0
"""Seconds to wait at the end for missing answers, since the last answer."""

Address = tuple[str, int]


def connect(address: Address, count: int) -> list[socket.socket]:
    """Open connections. On each of them the server has answered one message.

    They are opened in groups of 40. More at a time would overflow the server's backlog, and the kernel
    would retry only after a second.
    """
    made: list[socket.socket] = []
    while len(made) < count:
        some = [socket.create_connection(address) for _ in range(min(40, count - len(made)))]
        for sock in some:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.sendall(bytes(SIZE))
        for sock in some:
            missing = SIZE
            while missing:
                missing -= len(sock.recv(missing))
        made += some
    return made


def echo(address: Address, connections: int, seconds: float) -> dict[str, float]:
    """Keep one message in flight on each connection. Returns the number of answers and more."""
    socks = connect(address, connections)
    poller = select.epoll()
    for sock in socks:
        sock.setblocking(False)
        poller.register(sock.fileno(), select.EPOLLIN)
    read, write, clock, poll = os.read, os.write, time.monotonic, poller.poll
    for sock in socks:
        write(sock.fileno(), bytes(SIZE))
    received = counted = 0
    began = clock() + WARM
    ends = used = 0.0
    while True:
        for fd, _ in poll():
            data = read(fd, 4096)
            received += len(data)
            write(fd, data)
        now = clock()
        if not ends and now >= began:
            began, counted, ends, used = now, received, now + seconds, time.process_time()
        elif ends and now >= ends:
            break
    rate = (received - counted) / SIZE / (now - began)
    busy = (time.process_time() - used) / (now - began)
    # Count the answers still in flight, and send no more.
    outstanding = connections * SIZE
    while outstanding > 0 and (ready := poll(GIVE_UP)):
        for fd, _ in ready:
            got = len(read(fd, 4096))
            received += got
            outstanding -= got
    for sock in socks:
        sock.close()
    return {
        "rate": rate,
        "busy": busy,
        "messages": received // SIZE + connections,
        "connections": connections,
        "missing": outstanding // SIZE,
        "began": began,
        "ended": now,
    }


def steady(address: Address, connections: int, rate: float, seconds: float) -> dict[str, float]:
    """Send messages at an even rate, on one connection after the other, in bursts of at most 5 ms.

    A connection whose answer is missing is passed over, so a slow server gets fewer.
    """
    socks = connect(address, connections)
    poller = select.epoll()
    free = [sock.fileno() for sock in socks]
    for sock in socks:
        sock.setblocking(False)
        poller.register(sock.fileno(), select.EPOLLIN)
    message, clock = bytes(SIZE), time.monotonic
    sent = back = 0
    began = now = clock()
    while now < began + seconds:
        due = int((now - began) * rate) - sent
        if due > 0:
            some, free = free[:due], free[due:]
            for fd in some:
                os.write(fd, message)
            sent += len(some)
        for fd, _ in poller.poll(0.005):
            back += len(os.read(fd, 4096))
            free.append(fd)
        now = clock()
    while back < sent * SIZE and (ready := poller.poll(GIVE_UP)):
        back += sum(len(os.read(fd, 4096)) for fd, _ in ready)
    for sock in socks:
        sock.close()
    return {
        "rate": sent / (now - began),
        "messages": sent + connections,
        "missing": sent - back // SIZE,
        "began": began,
        "ended": now,
    }


def cut(address: Address, connections: int) -> dict[str, float]:
    """As ``echo``, with numbered messages, until the server ends. Returns the time of the last answer."""
    socks = connect(address, connections)
    poller = select.epoll()
    number = dict.fromkeys((sock.fileno() for sock in socks), 0)
    pack, rest = struct.Struct(">Q").pack, bytes(SIZE - 8)
    for sock in socks:
        sock.setblocking(False)
        poller.register(sock.fileno(), select.EPOLLIN)
        sock.send(pack(0) + rest)
    answered, last = 0, 0
    print("{}", flush=True)  # the load is on
    with contextlib.suppress(OSError):
        while True:
            for fd, _ in poller.poll():
                if not os.read(fd, 4096):
                    raise ConnectionResetError
                last = time.time_ns()
                answered += 1
                number[fd] += 1
                os.write(fd, pack(number[fd]) + rest)
    return {"last": last, "answered": answered}


def hold(address: Address, connections: int) -> None:
    """Keep idle connections open until standard input ends, then reset them."""
    socks = connect(address, connections)
    print(json.dumps({"connections": len(socks)}), flush=True)
    sys.stdin.read()
    for sock in socks:
        # After a reset, the port is free at once; after a close, it would be in TIME_WAIT for a minute.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()


def trip(addresses: list[Address], seconds: float) -> dict[str, list[float]]:
    """Send one message after the other to each server in turn. Returns how many, and the median µs there and back."""
    socks = [connect(address, 1)[0] for address in addresses]
    took: list[list[float]] = [[] for _ in socks]
    message, clock = bytes(SIZE), time.perf_counter
    end = clock() + seconds
    while (begin := clock()) < end:
        for sock, times in zip(socks, took, strict=True):
            begin = clock()
            sock.send(message)
            sock.recv(SIZE)
            times.append(clock() - begin)
    for sock in socks:
        sock.close()
    return {"messages": [len(times) + 1 for times in took], "µs": [1e6 * median(times) for times in took]}


def flow(address: Address, rate: float, seconds: float) -> dict[str, float]:
    """Send datagrams at an even rate, in bursts of at most 1 ms. Returns how many were sent and received."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    sock.connect(address)
    sock.setblocking(False)
    payload = bytes(range(SIZE))
    send, clock = sock.send, time.monotonic
    total = int(rate * seconds)
    sent = back = late = 0
    began = clock()
    while sent < total:
        due = min(total, int((clock() - began) * rate) + 1)
        late = max(late, due - sent)
        while sent < due:
            send(payload)
            sent += 1
        back += drain(sock)
        wait = began + sent / rate - clock()
        if wait > 0:
            time.sleep(max(wait, 0.001) if rate > 1000 else wait)
    took = clock() - began
    while select.select([sock], [], [], 1)[0]:
        back += drain(sock)
    return {"sent": sent, "back": back, "seconds": took, "bunch": late, "began": began, "ended": began + took}


def drain(sock: socket.socket) -> int:
    """Read all datagrams that have arrived, without waiting. Returns their number."""
    count = 0
    with contextlib.suppress(BlockingIOError, ConnectionRefusedError):
        while True:
            sock.recv(2048)
            count += 1
    return count


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["echo", "steady", "cut", "hold", "flow", "trip"])
    parser.add_argument("address", nargs="+")
    parser.add_argument("--connections", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rate", type=float, default=250.0)
    args = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    addresses = [(host, int(port)) for host, _, port in (address.rpartition(":") for address in args.address)]
    address = addresses[0]
    if args.kind == "hold":
        hold(address, args.connections)
    elif args.kind == "echo":
        print(json.dumps(echo(address, args.connections, args.seconds)))
    elif args.kind == "steady":
        print(json.dumps(steady(address, args.connections, args.rate, args.seconds)))
    elif args.kind == "trip":
        print(json.dumps(trip(addresses, args.seconds)))
    elif args.kind == "cut":
        print(json.dumps(cut(address, args.connections)))
    else:
        print(json.dumps(flow(address, args.rate, args.seconds)))


if __name__ == "__main__":
    main()
