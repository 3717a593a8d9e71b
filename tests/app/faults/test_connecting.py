"""Faults on connecting: late, refused, left in the queue; on every protocol that has connections."""

from __future__ import annotations

import select
import socket
import ssl
import subprocess
import threading
from time import monotonic
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.internet.threads import deferToThread

from app.faults.live import Faults
from app.faults.tables import problems
from app.services.service import Service
from app.services.shutter import Shutter
from app.status import Listening
from tests.app.faults.test_streams import faults
from tests.app.faults.test_websocket import HANDSHAKE, trusting
from tests.app.services.helpers import Desk, Tape, address
from tests.helpers import until

ASKED = {"tcp": b"hello", "http": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "websocket": HANDSHAKE}

EVERY = [(protocol, secure) for protocol in ASKED for secure in (False, True)]


async def start(desk: Desk, protocol: str, secure: bool, *tables: dict[str, Any]) -> Service:
    responder = "inspector" if protocol == "http" else "echo"
    return await desk.start(protocol, responder, **faults(*tables), **({"tls": {}} if secure else {}))


def connect(where: tuple[str, int], asked: bytes, secure: bool, wait: float) -> tuple[float, str]:
    """What comes first, after how many milliseconds: ``refused``, ``reset``, ``silent`` or ``answered``."""
    began = monotonic()

    def took(what: str) -> tuple[float, str]:
        return (monotonic() - began) * 1000, what

    try:
        # Wrapped before it is connected: one that has been reset already cannot be wrapped.
        plain = socket.socket()
        with trusting().wrap_socket(plain, do_handshake_on_connect=False) if secure else plain as client:
            client.settimeout(wait)
            client.connect(where)
            if isinstance(client, ssl.SSLSocket):
                client.do_handshake()
            client.sendall(asked)
            return took("answered" if client.recv(1000) else "closed")
    except ConnectionRefusedError:
        return took("refused")
    except (ConnectionResetError, BrokenPipeError, ssl.SSLEOFError):
        return took("reset")
    except TimeoutError:
        return took("silent")


async def seen(service: Service, protocol: str, secure: bool, wait: float = 2.0) -> tuple[float, str]:
    return await deferToThread(connect, address(service), ASKED[protocol], secure, wait)


@pytest.mark.parametrize(("protocol", "secure"), EVERY)
@pytest_twisted.ensureDeferred
async def test_a_connection_is_handled_late(desk: Desk, protocol: str, secure: bool, tape: Tape):
    service = await start(desk, protocol, secure, {"kind": "connect-delay", "ms": 300.0, "first": 1})
    late, what = await seen(service, protocol, secure)
    assert what == "answered"
    assert late >= 295
    assert (await seen(service, protocol, secure))[1] == "answered"
    assert [e.detail["words"] for e in tape.all("fault.applied")] == ["handled 300 ms late"]


@pytest.mark.parametrize(("protocol", "secure"), EVERY)
@pytest_twisted.ensureDeferred
async def test_a_connection_is_reset_at_once(desk: Desk, protocol: str, secure: bool, tape: Tape):
    service = await start(desk, protocol, secure, {"kind": "refuse", "how": "reset", "nth": 2})
    found = [(await seen(service, protocol, secure))[1] for _ in range(3)]
    assert found == ["answered", "reset", "answered"]
    ends = await until(lambda: len(e := tape.all("connection.closed")) == 3 and e)
    assert ends[1].detail["reason"] == "reset by a fault"
    assert (ends[1].detail["received"], ends[1].detail["sent"]) == (0, 0)
    assert not tape.all("failure")


@pytest.mark.parametrize(("protocol", "secure"), EVERY)
@pytest_twisted.ensureDeferred
async def test_the_port_is_closed_and_comes_back(desk: Desk, protocol: str, secure: bool, tape: Tape):
    service = await start(desk, protocol, secure, {"kind": "refuse"})
    assert service.status == Listening(service.status.host, "closed")
    assert (await seen(service, protocol, secure))[1] == "refused"
    [fault] = service.faults.all
    for _ in range(2):
        service.faults.switch(fault, on=False)
        assert service.status == Listening(service.status.host)
        assert (await seen(service, protocol, secure))[1] == "answered"
        service.faults.switch(fault, on=True)
        assert (await seen(service, protocol, secure))[1] == "refused"
    words = [e.detail["words"] for e in tape.all("fault.applied")]
    assert words == ["the port is closed", "the port is open again"] * 2 + ["the port is closed"]
    assert {e.conn for e in tape.all("fault.applied")} == {0}


@pytest_twisted.ensureDeferred
async def test_open_connections_outlive_the_closing_of_the_port(desk: Desk):
    service = await start(desk, "tcp", False, {"kind": "refuse", "enabled": False})

    def client() -> bytes:
        with socket.create_connection(address(service), 5) as peer:
            peer.sendall(b"1")
            assert peer.recv(10) == b"1"
            closed.set()
            peer.sendall(b"2")
            return peer.recv(10)

    closed = threading.Event()
    talking = deferToThread(client)
    await until(closed.is_set)
    service.faults.switch(service.faults.all[0], on=True)
    assert await talking == b"2"


@pytest_twisted.ensureDeferred
async def test_connections_wait_in_the_queue_until_it_is_lifted(desk: Desk, tape: Tape):
    service = await start(desk, "tcp", False, {"kind": "refuse", "how": "unaccepted"})
    assert service.status == Listening(service.status.host, "unaccepted")
    with socket.create_connection(address(service), 5) as peer:
        peer.sendall(b"hello")
        assert not (await deferToThread(select.select, [peer], [], [], 0.2))[0]
        assert not tape.all("connection.opened")
        service.faults.switch(service.faults.all[0], on=False)
        assert (await deferToThread(select.select, [peer], [], [], 5.0))[0]
        assert peer.recv(10) == b"hello"


@pytest_twisted.ensureDeferred
async def test_an_outage_begins_and_ends_by_the_clock(desk: Desk):
    table = {"kind": "refuse", "from_seconds": 0.3, "until_seconds": 0.6, "period_seconds": 0.6}
    service = await start(desk, "tcp", False, table)
    for shut in ("", "closed", "", "closed"):
        await until(lambda shut=shut: service.status.shut == shut)
        assert (await seen(service, "tcp", False))[1] == ("refused" if shut else "answered")


@pytest_twisted.ensureDeferred
async def test_a_service_stops_while_its_port_is_closed_and_starts_again(desk: Desk):
    service = await start(desk, "tcp", False, {"kind": "refuse"})
    await service.stop()
    await service.start()
    assert service.status.shut == "closed"
    service.faults.switch(service.faults.all[0], on=False)
    assert (await seen(service, "tcp", False))[1] == "answered"


@pytest_twisted.ensureDeferred
async def test_a_port_whose_number_another_program_has_taken_is_tried_again(desk: Desk, tape: Tape):
    service = await desk.start("udp", **faults({"kind": "refuse"}))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(address(service))
        service.faults.switch(service.faults.all[0], on=False)
        assert service.status.shut == "closed"
        [log] = tape.all("log")
        assert log.summary.startswith("the port cannot be opened again: ")
    await until(lambda: service.status.shut == "")


@pytest_twisted.ensureDeferred
async def test_a_refused_connection_never_reaches_the_responder(desk: Desk):
    made: list[Protocol] = []

    class Noted(Protocol):
        def connectionMade(self) -> None:
            made.append(self)

        def connectionLost(self, reason: Any = None) -> None:
            made.append(self)

    table = {"kind": "refuse", "how": "reset"}
    service = await desk.start("tcp", make=lambda: Factory.forProtocol(Noted), **faults(table))
    assert (await seen(service, "tcp", False))[1] == "reset"
    await until(lambda: not service.connections)
    assert not made


@pytest.mark.parametrize("program", ["socat", "nc"])
@pytest_twisted.ensureDeferred
async def test_others_see_it(desk: Desk, program: str):
    service = await start(desk, "tcp", False, {"kind": "refuse"})
    host, port = address(service)
    command = ["socat", "-", f"tcp:{host}:{port}"] if program == "socat" else ["nc", "-v", host, str(port)]
    done = await deferToThread(subprocess.run, command, input=b"", capture_output=True, timeout=10, check=False)
    assert done.returncode == 1
    assert b"refused" in done.stderr


# -- in virtual time


class Port:
    """Says what is done to it. ``taken``: whether another program has its number."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.taken = False

    def shut(self, how: str) -> None:
        self.done.append(how)

    def reopen(self) -> None:
        if self.taken:
            raise OSError(98, "Address already in use")
        self.done.append("open")


@pytest.fixture
def clock() -> Clock:
    return Clock()


def shutter(clock: Clock, *tables: dict[str, Any]) -> tuple[Port, Faults, list[str]]:
    port, live, logged = Port(), Faults(clock, lambda conn, summary, detail, payload: None), []
    live.configure(tables)
    live.begin(7)
    Shutter(port, live, lambda how: None, logged.append)
    return port, live, logged


def test_outages_come_again_and_again(clock: Clock):
    table = {"kind": "refuse", "from_seconds": 10.0, "until_seconds": 13.0, "period_seconds": 60.0}
    port, _, _ = shutter(clock, table)
    times = []
    for second in range(200):
        if len(port.done) > len(times):
            times.append(second)
        clock.advance(1)
    assert port.done == ["closed", "open"] * 4
    assert times == [10, 13, 70, 73, 130, 133, 190, 193]


def test_what_lifts_itself(clock: Clock):
    port, live, _ = shutter(clock, {"kind": "refuse", "enabled": False, "ttl_seconds": 5.0})
    live.switch(live.all[0], on=True)
    clock.advance(4.9)
    assert port.done == ["closed"]
    clock.advance(0.2)
    assert port.done == ["closed", "open"]
    assert not clock.getDelayedCalls()


def test_a_closed_port_wins_over_one_that_does_not_accept(clock: Clock):
    port, live, _ = shutter(clock, {"kind": "refuse", "how": "unaccepted"}, {"kind": "refuse", "from_seconds": 5.0})
    clock.advance(6)
    assert port.done == ["unaccepted", "open", "closed"]
    live.switch(live.all[1], on=False)
    assert port.done == ["unaccepted", "open", "closed", "open", "unaccepted"]
    assert [fault.hits for fault in live.all] == [2, 1]


def test_what_cannot_be_opened_is_logged_once(clock: Clock):
    port, live, logged = shutter(clock, {"kind": "refuse"})
    port.taken = True
    live.switch(live.all[0], on=False)
    clock.pump([1.0] * 5)
    assert port.done == ["closed"]
    assert len(logged) == 1
    port.taken = False
    clock.advance(1)
    assert port.done == ["closed", "open"]


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("tcp", {"probability": 0.5}, "probability"),
    ("http", {"nth": 2}, "nth"),
    ("websocket", {"how": "unaccepted", "peer": ["10.0.0.1"]}, "peer"),
    ("udp", {"first": 2}, "first"),
    ("udp", {"how": "reset"}, "how"),
    ("tcp", {"match": "x"}, "match"),
]


@pytest.mark.parametrize(("protocol", "table", "wrong"), WRONG)
def test_what_contradicts_itself_is_named(protocol: str, table: dict[str, Any], wrong: str):
    found = [key for _, key, _ in problems([{"kind": "refuse"} | table], protocol, tls=False)]
    assert found == [wrong]


def test_a_reset_may_have_conditions():
    table = {"kind": "refuse", "how": "reset", "probability": 0.5, "peer": ["10.0.0.0/8"]}
    assert not list(problems([table], "tcp", tls=False))
