"""HTTP services under wrk."""

from __future__ import annotations

import re
import subprocess
import urllib.request
from statistics import median

from app import events
from tests.benchmarks.context import Bench
from tests.benchmarks.echo import EPOLL, STOCK
from tests.benchmarks.marks import Result, ratios
from tests.benchmarks.program import Plain, Program, count

CONNECTIONS = 50
SECONDS = 3.0


def wrk(address: str, path: str, seconds: float) -> tuple[float, int, list[str]]:
    """Requests a second, requests, and the errors that wrk reports."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds:.0f}s", f"http://{address}{path}"]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
    total = re.search(r"(\d+) requests in", output)
    if rate is None or total is None:
        raise RuntimeError(f"wrk said: {output}")
    wrong = [line.strip() for line in output.splitlines() if "errors" in line or "Non-2xx" in line]
    return float(rate[1]), int(total[1]), wrong


def measure(bench: Bench) -> Result:
    return _inspector(bench, "http", "/hello")


def measure_inspector(bench: Bench) -> Result:
    return _inspector(bench, "inspector", "/")


def _inspector(bench: Bench, key: str, path: str) -> Result:
    """The demo's inspector, asked for one path, beside plain twisted.web on two reactors."""
    ours = f"inspector at {path}"
    rates: dict[str, list[float]] = {ours: [], EPOLL: [], STOCK: []}
    wrong: list[str] = []
    requests = 0
    with bench.folder() as folder:
        with bench.program(folder) as program, Plain("epoll") as epoll, Plain("qt") as stock:
            targets = {
                ours: (program.addresses["http-inspector"], path),
                EPOLL: (epoll.addresses["http"], "/"),
                STOCK: (stock.addresses["http"], "/"),
            }
            for _ in range(bench.rounds):
                for name, (address, at) in targets.items():
                    program.settle()
                    rate, total, errors = wrk(address, at, bench.seconds(SECONDS))
                    rates[name].append(rate)
                    wrong += [f"{name}: {error}" for error in errors]
                    requests += total if name == ours else 0
            program.settle()
        sound, note = _noted(program, requests, bench.rounds)
    return Result(
        key,
        ratios(rates[ours], rates[EPOLL]),
        sound=sound and not wrong,
        references={name: median(rates[name]) for name in (EPOLL, STOCK)},
        notes=[
            "requests/s: " + ", ".join(f"{name} {median(values):,.0f}" for name, values in rates.items()),
            note,
            *wrong,
        ],
        details={"rates": rates, "errors": wrong},
    )


SERVICES = """version = 1

[[service]]
name = "rest"
protocol = "http"
listen = "127.0.0.1:0"
responder = "rest"

[[service]]
name = "mock"
protocol = "http"
listen = "127.0.0.1:0"
responder = "mock"

[[service.options.rules]]
method = "GET"
path = "/hello"
body = "Hello, World!"
"""


def measure_rest(bench: Bench) -> Result:
    return _beside_plain(bench, "rest", "/things/1")


def measure_mock(bench: Bench) -> Result:
    return _beside_plain(bench, "mock", "/hello")


def _beside_plain(bench: Bench, service: str, path: str) -> Result:
    """One service, whose name is the mark's, and plain twisted.web by turns."""
    rates: dict[str, list[float]] = {service: [], EPOLL: []}
    wrong: list[str] = []
    requests = 0
    with bench.folder() as folder:
        with bench.program(folder, services=SERVICES) as program, Plain("epoll") as epoll:
            _put(program.addresses["rest"])
            for _ in range(bench.rounds):
                for name, address in ((service, program.addresses[service]), (EPOLL, epoll.addresses["http"])):
                    program.settle()
                    rate, total, errors = wrk(address, path, bench.seconds(SECONDS))
                    rates[name].append(rate)
                    wrong += [f"{name}: {error}" for error in errors]
                    requests += total if name == service else 0
            program.settle()
        sound, note = _noted(program, requests + 1, bench.rounds)
    return Result(
        service,
        ratios(rates[service], rates[EPOLL]),
        sound=sound and not wrong,
        references={EPOLL: median(rates[EPOLL])},
        notes=[
            "requests/s: " + ", ".join(f"{name} {median(values):,.0f}" for name, values in rates.items()),
            note,
            *wrong,
        ],
        details={"rates": rates, "errors": wrong},
    )


def _put(address: str) -> None:
    """Add the document that wrk gets."""
    request = urllib.request.Request(f"http://{address}/things/1", b'{"name": "x"}', method="PUT")
    request.add_header("Content-Type", "application/json")
    urllib.request.urlopen(request, timeout=10).close()


def _noted(program: Program, requests: int, rounds: int) -> tuple[bool, str]:
    """Whether the capture has every exchange that clients saw the end of, and a line that says so."""
    noted, answered = count(program.capture, events.HTTP_REQUEST), count(program.capture, events.HTTP_RESPONSE)
    # wrk leaves with up to one request on its way on each connection.
    on_way = 2 * rounds * CONNECTIONS
    sound = requests <= answered <= noted <= requests + on_way and program.code == 0
    return sound, (
        f"capture: {noted:,} requests and {answered:,} responses noted, {requests:,} answers seen by wrk"
        f" and up to {on_way} on their way when it left"
    )
