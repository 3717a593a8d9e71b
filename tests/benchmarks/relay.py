"""One gigabyte through a TCP relay with full capture, and through socat."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from tests.benchmarks import procs
from tests.benchmarks.context import Bench
from tests.benchmarks.marks import Result, ratios
from tests.benchmarks.program import environment, executable

MEGABYTES = 1_000
BLOCK = 1 << 20

OURS, SOCAT, LARGE = "ours", "socat", "socat -b 65536"


def sink(block: bytes) -> None:
    """Accept one connection after another. Prints bytes received, whether they are right, and the time."""
    listening = socket.create_server(("127.0.0.1", 0))
    print(json.dumps({"port": listening.getsockname()[1]}), flush=True)
    twice, buffer = block + block, bytearray(1 << 18)
    view = memoryview(buffer)
    while True:
        client, _ = listening.accept()
        got, same, began = 0, True, 0.0
        while count := client.recv_into(buffer):
            began = began or time.monotonic()
            start = got % len(block)
            same = same and bytes(view[:count]) == twice[start : start + count]
            got += count
        ended = time.monotonic()
        client.close()
        if got:
            print(json.dumps({"bytes": got, "same": same, "seconds": ended - began}), flush=True)


def source(block: bytes, port: int, megabytes: int) -> None:
    """Send the block ``megabytes`` times, and wait until the peer has closed."""
    with socket.create_connection(("127.0.0.1", port)) as sock:
        for _ in range(megabytes):
            sock.sendall(block)
        sock.shutdown(socket.SHUT_WR)
        sock.recv(1)
    print("{}", flush=True)


@contextlib.contextmanager
def through_socat(port: int, *args: str) -> Iterator[int]:
    """Start a socat that relays to ``port``; ``args``: its options. Yields the port it listens on."""
    free = free_port()
    listen = f"TCP-LISTEN:{free},bind=127.0.0.1,fork,reuseaddr"
    process = subprocess.Popen(["socat", *args, listen, f"TCP:127.0.0.1:{port}"])
    try:
        procs.until(lambda: _listens(free), 10, "socat does not listen")
        yield free
    finally:
        procs.end(process)


class Relay:
    """The headless program with one relay.

    Attributes:
        port: the relay's port.
    """

    def __init__(self, folder: Path, port: int) -> None:
        self.port, self.capture = free_port(), folder / "capture.lpost"
        workspace = folder / "relay.toml"
        workspace.write_text(
            f'version = 1\n\n[[service]]\nname = "relay"\nprotocol = "tcp"\nlisten = "127.0.0.1:{self.port}"\n'
            f'responder = "relay"\n\n[service.options]\nupstream = "127.0.0.1:{port}"\n'
        )
        command = [*executable(), "serve", str(workspace), "--capture", str(self.capture), "--quiet"]
        self.process = subprocess.Popen(
            command, cwd=procs.ROOT, env=environment(folder, ""), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        procs.until(lambda: _listens(self.port), 20, "the relay does not listen")

    @property
    def pids(self) -> list[int]:
        return [self.process.pid, *procs.children(self.process.pid)]

    def memory(self) -> float:
        """Maximum resident memory of program and writer, in MB."""
        return sum(procs.memory(pid)[1] for pid in self.pids)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    state = f"0100007F:{port:04X} 00000000:0000 0A"
    return state in Path("/proc/net/tcp").read_text()


def measure(bench: Bench) -> Result:
    megabytes = MEGABYTES // 4 if bench.quick else MEGABYTES
    rates: dict[str, list[float]] = {OURS: [], SOCAT: [], LARGE: []}
    sound = True
    with bench.folder() as folder:
        block = folder / "block"
        block.write_bytes(os.urandom(BLOCK))
        taking = procs.start(["relay", "sink", str(block)])
        try:
            port = procs.answer(taking)["port"]

            def carry(to: int) -> float:
                nonlocal sound
                procs.run(["relay", "source", str(block), str(to), str(megabytes)])
                done = procs.answer(taking)
                sound = sound and done["same"] and done["bytes"] == megabytes * BLOCK
                return float(done["bytes"] / 1e6 / done["seconds"])

            most = stored = 0.0
            code = 0
            for number in range(bench.rounds):
                with through_socat(port) as socat:
                    rates[SOCAT].append(carry(socat))
                with through_socat(port, "-b", "65536") as socat:
                    rates[LARGE].append(carry(socat))
                # A new program each time, so that its capture is empty.
                place = folder / str(number)
                place.mkdir()
                relay = Relay(place, port)
                try:
                    rates[OURS].append(carry(relay.port))
                    procs.settle(*relay.pids)
                    most = max(most, relay.memory())
                    files = [relay.capture.with_name(relay.capture.name + end) for end in ("", "-wal")]
                    stored = sum(file.stat().st_size for file in files)
                finally:
                    code = code or procs.end(relay.process)
        finally:
            procs.end(taking)
    return Result(
        "relay",
        ratios(rates[OURS], rates[SOCAT]),
        sound=sound and code == 0,
        references={name: median(rates[name]) for name in (SOCAT, LARGE)},
        notes=[
            "MB/s: " + ", ".join(f"{name} {median(values):,.0f}" for name, values in rates.items())
            + f"; {megabytes:,} MB each time, unchanged; ours one by one: "
            + ", ".join(f"{rate:,.0f}" for rate in rates[OURS]),
            f"at the most {most:,.0f} MB of memory; {stored / 1e6:,.0f} MB of capture and log at the end",
        ],
        details={"rates": rates, "memory": most, "stored": stored},
    )  # fmt: skip


def main() -> None:
    kind, path, *more = sys.argv[1:]
    block = Path(path).read_bytes()
    if kind == "sink":
        sink(block)
    else:
        source(block, *map(int, more))


if __name__ == "__main__":
    main()
