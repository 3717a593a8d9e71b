"""UDP services do not answer each other, or themselves, without end."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.protocol import DatagramProtocol

from app.services.answering import MOST, PAUSE, DatagramPorts, Guard
from tests.app.services.helpers import Desk, Tape, address
from tests.helpers import until


class Answers(DatagramProtocol):
    """A plugin's responder: answers everything."""

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        self.transport.write(b"and you?", addr)  # type: ignore[union-attr]


class Writes:
    """Has a service write to an address as if it answered, which is what one forged datagram does."""

    def __init__(self, service: Any) -> None:
        self._tap = next(c._tap for c in service.connections.values() if c.host.endswith(service.status.host[-6:]))

    def to(self, where: tuple[str, int]) -> None:
        self._tap.write(b"forged", where)


async def forge(desk: Desk, source: Any, target: Any) -> None:
    """Have ``target`` get one datagram whose source is ``source``'s port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(b"hello", address(source))
        await until(lambda: source.connections)
    Writes(source).to(address(target))


SCRIPT = {"rules": [{"when": "message", "then": ["send again"]}]}

RESPONDERS = [("echo", {}), ("chargen", {}), ("script", SCRIPT), ("plugin", {})]


async def answering(desk: Desk, name: str, options: dict[str, Any]) -> Any:
    make = Answers if name == "plugin" else None
    return await desk.start("udp", "echo" if make else name, options=options, make=make)


@pytest.mark.parametrize(("name", "options"), RESPONDERS, ids=[name for name, _ in RESPONDERS])
@pytest_twisted.ensureDeferred
async def test_a7_a_datagram_from_its_own_port_is_never_answered(
    name: str, options: dict[str, Any], desk: Desk, tape: Tape
) -> None:
    service = await answering(desk, name, options)
    await forge(desk, service, service)
    await until(lambda: [e for e in tape.all("limit.reached") if e.detail["limit"] == "answers"])
    (reached,) = tape.all("limit.reached")
    assert "own address" in reached.summary
    assert [e.payload for e in tape.all("datagram.received", conn=reached.conn)] == [b"forged"]


@pytest.mark.parametrize(("name", "options"), RESPONDERS, ids=[name for name, _ in RESPONDERS])
@pytest_twisted.ensureDeferred
async def test_a7_two_services_answer_each_other_a_bounded_number_of_times(
    name: str, options: dict[str, Any], desk: Desk, tape: Tape
) -> None:
    one = await answering(desk, name, options)
    other = await answering(desk, name, options)
    await forge(desk, one, other)
    await until(lambda: [e for e in tape.all("limit.reached") if e.detail["limit"] == "answers"])
    before = len(tape.all("datagram.received"))
    assert before <= 2 * MOST + 3
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:  # others are still answered
        client.connect(address(other))
        client.setblocking(False)
        client.send(b"me")
        await until(lambda: readable(client))
    assert len(tape.all("datagram.received")) <= before + 2


def readable(client: socket.socket) -> bool:
    try:
        return bool(client.recv(1000))
    except BlockingIOError:
        return False


@pytest_twisted.ensureDeferred
async def test_a7_a_relay_does_not_pass_on_what_its_own_port_says(desk: Desk, tape: Tape) -> None:
    upstream = await desk.start("udp", "echo")
    host, port = address(upstream)
    relay = await desk.start("udp", "relay", options={"upstream": f"{host}:{port}"})
    await forge(desk, relay, relay)
    await until(lambda: tape.all("limit.reached"))
    assert not [e for e in tape.all("datagram.received") if e.service == upstream.number and e.payload == b"forged"]


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::"])
@pytest_twisted.ensureDeferred
async def test_a7_it_does_not_matter_where_the_service_listens(host: str, desk: Desk, tape: Tape) -> None:
    service = await desk.start("udp", "echo", host=host)
    port = address(service)[1]
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(b"hello", ("::1" if ":" in host else "127.0.0.1", port))
        await until(lambda: service.connections)
    Writes(service).to(("::1" if ":" in host else "127.0.0.1", port))
    await until(lambda: tape.all("limit.reached"))
    assert "own address" in tape.all("limit.reached")[0].summary


# -- the guard alone


@contextmanager
def guard(bound: tuple[str, int] = ("127.0.0.1", 9008), *, group: bool = False) -> Iterator[tuple[Guard, list[float]]]:
    now = [0.0]
    ports = DatagramPorts()
    ports.opened(*bound)
    ports.opened("127.0.0.1", 9009)
    yield Guard(ports, bound, lambda: now[0], group=group), now


@pytest.mark.parametrize("port", [7, 13, 17, 19, 37])
def test_a7_servers_that_answer_everything_are_not_answered(port: int) -> None:
    with guard() as (made, _):
        assert port in made.suspicious
        assert made.refusal(("192.0.2.1", port)) is not None


def test_a7_the_same_port_elsewhere_is_a_client() -> None:
    with guard() as (made, _):
        assert made.refusal(("192.0.2.1", 9008)) is None
        assert made.refusal(("127.0.0.2", 9008)) is None
        assert made.refusal(("127.0.0.1", 9008)) is not None


def test_a7_a_row_ends_with_a_pause() -> None:
    other = ("127.0.0.1", 9009)
    with guard() as (made, now):
        assert [made.refusal(other) is None for _ in range(MOST + 2)] == [True] * MOST + [False] * 2
        now[0] += PAUSE + 1
        assert made.refusal(other) is None


def test_a7_in_a_group_others_may_have_the_same_port() -> None:
    with guard(group=True) as (made, _):
        assert [made.refusal(("127.0.0.1", 9008)) is None for _ in range(MOST + 1)] == [True] * MOST + [False]


def test_a7_a_closed_service_is_forgotten() -> None:
    ports = DatagramPorts()
    for host in ("127.0.0.1", "127.0.0.2"):
        ports.opened(host, 9008)
    ports.closed("127.0.0.1", 9008)
    assert (ports.holds("127.0.0.1", 9008), ports.holds("127.0.0.2", 9008)) == (False, True)
    ports.closed("127.0.0.2", 9008)
    assert 9008 not in ports.suspicious
