"""app.responders.relay.responder on UDP."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import succeed
from twisted.internet.task import Clock

from app.responders.relay import datagram as datagram_module
from app.responders.relay.datagram import IDLE, DatagramRelay
from tests.app.responders.context import BareContext, build
from tests.app.responders.relay.test_responder import at, said
from tests.app.services.helpers import Desk, Tape, address, turn
from tests.helpers import closed_port, until


class Sender:
    def __init__(self, where: Any) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.where = where

    def send(self, data: bytes) -> None:
        self.socket.sendto(data, self.where)

    def pull(self) -> list[bytes]:
        found = []
        while True:
            try:
                found.append(self.socket.recv(70_000))
            except BlockingIOError:
                return found


@pytest.fixture
def senders() -> Iterator[list[Sender]]:
    made: list[Sender] = []
    yield made
    for one in made:
        one.socket.close()


@pytest_twisted.ensureDeferred
async def test_answers_go_back_to_whoever_asked_and_both_halves_are_captured(
    desk: Desk, tape: Tape, senders: list[Sender]
):
    upstream = await desk.start("udp", "echo")
    service = await desk.start("udp", "relay", options={"upstream": at(upstream)})
    senders += [Sender(address(service)) for _ in range(3)]
    for number, sender in enumerate(senders):
        sender.send(b"from %d" % number)
    for number, sender in enumerate(senders):
        assert await until(sender.pull) == [b"from %d" % number]
    mine = [e for e in tape.all() if e.service == service.number]
    assert [e.payload for e in mine if e.kind == "datagram.received"].count(b"from 1") == 2
    assert [e.payload for e in mine if e.kind == "datagram.sent"].count(b"from 1") == 2
    await service.stop()
    await turn()
    assert not said(tape)
    assert len({e.detail["peer"] for e in tape.all("connection.opened") if e.service == upstream.number}) == 3


@pytest_twisted.ensureDeferred
async def test_a_relay_to_itself_is_said_and_ends(desk: Desk, tape: Tape, senders: list[Sender]):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    service = await desk.start("udp", "relay", port=port, options={"upstream": f"127.0.0.1:{port}"})
    senders.append(Sender(address(service)))
    senders[0].send(b"round and round")
    await until(lambda: said(tape))
    for _ in range(20):
        await turn()
    assert len(tape.all("datagram.received")) == 2
    assert said(tape) == [f"127.0.0.1:{port} leads back to this relay. Set another server as upstream."]


@pytest_twisted.ensureDeferred
async def test_an_upstream_that_nobody_serves_is_said_once(desk: Desk, tape: Tape, senders: list[Sender]):
    with closed_port(socket.SOCK_DGRAM) as port:
        service = await desk.start("udp", "relay", options={"upstream": f"127.0.0.1:{port}"})
        senders.append(Sender(address(service)))
        senders[0].send(b"1")
        await until(lambda: said(tape))
        senders[0].send(b"2")
        await until(lambda: len(tape.all("datagram.sent")) == 2)
        await service.stop()
    assert said(tape) == [f"127.0.0.1:{port} refused the connection. Start the server there, or correct its address."]


class Port:
    def __init__(self, number: int) -> None:
        self.number, self.open = number, True

    def getHost(self) -> Any:
        return type("Host", (), {"host": "10.0.0.8", "port": self.number})

    def stopListening(self) -> None:
        self.open = False


class Transport:
    def __init__(self) -> None:
        self.sent: list[Any] = []

    def write(self, datagram: bytes, addr: Any = None) -> None:
        self.sent.append((datagram, addr))

    def note(self, *_: Any) -> None:
        """The log is tested on sockets."""

    def connect(self, *target: Any) -> None:
        self.target = target


class PortContext(BareContext):
    def __init__(self) -> None:
        super().__init__(Clock())
        self.ports: list[Port] = []

    def open_datagrams(self, protocol: Any, host: str = "") -> Any:
        self.datagrams.append(protocol)
        protocol.transport = Transport()
        self.ports.append(Port(40_000 + len(self.ports)))
        return self.ports[-1]

    def in_thread(self, call: Any, *args: Any) -> Any:
        return succeed(("10.0.0.9", 53))


@pytest.fixture
def context() -> PortContext:
    return PortContext()


@pytest.fixture
def relay(context: PortContext) -> DatagramRelay:
    relay = build("relay", "udp", {"upstream": "example.net:53"}, context)
    relay.transport = Transport()
    return relay


def test_the_port_of_a_silent_client_is_closed(relay: DatagramRelay, context: PortContext):
    relay.datagramReceived(b"a", ("10.0.0.1", 1))
    context.reactor.advance(IDLE / 2)
    relay.datagramReceived(b"b", ("10.0.0.2", 1))
    context.reactor.advance(IDLE / 2)
    assert [port.open for port in context.ports] == [False, True]
    context.reactor.advance(IDLE / 2)
    assert [port.open for port in context.ports] == [False, False]
    assert not context.reactor.getDelayedCalls()


def test_an_answer_keeps_it_open(relay: DatagramRelay, context: PortContext):
    relay.datagramReceived(b"a", ("10.0.0.1", 1))
    context.reactor.advance(IDLE - 1)
    context.datagrams[0].datagramReceived(b"answer", ("10.0.0.9", 53))
    context.reactor.advance(IDLE - 1)
    assert context.ports[0].open
    assert relay.transport.sent == [(b"answer", ("10.0.0.1", 1))]
    relay.stopProtocol()
    assert not context.reactor.getDelayedCalls()


def test_the_client_silent_for_the_longest_makes_room(
    relay: DatagramRelay, context: PortContext, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(datagram_module, "MAX_FLOWS", 2)
    for number in (1, 2, 1, 3):
        relay.datagramReceived(b"x", ("10.0.0.1", number))
    assert [port.open for port in context.ports] == [True, False, True]


def test_what_comes_while_the_name_is_looked_up_is_kept_up_to_a_bound():
    from twisted.internet.defer import Deferred

    looking: Any = Deferred()
    context = PortContext()
    context.in_thread = lambda *args: looking  # type: ignore[method-assign]
    relay = build("relay", "udp", {"upstream": "example.net:53"}, context)
    relay.transport = Transport()
    for number in range(100):
        relay.datagramReceived(b"%d" % number, ("10.0.0.1", 1))
    looking.callback(("10.0.0.9", 53))
    assert [data for data, _ in context.datagrams[0].transport.sent] == [b"%d" % n for n in range(64)]


def test_an_upstream_that_is_unknown_is_said_and_asked_for_again():
    from twisted.internet.defer import fail

    context = PortContext()
    context.in_thread = lambda *args: fail(OSError("no"))  # type: ignore[method-assign]
    relay = build("relay", "udp", {"upstream": "example.net:53"}, context)
    relay.datagramReceived(b"x", ("10.0.0.1", 1))
    relay.datagramReceived(b"x", ("10.0.0.1", 1))
    assert [text for text, _ in context.logged] == [
        "No address is known for example.net:53. Check the spelling of its name."
    ]


def test_an_upstream_to_which_no_way_leads_is_said_and_tried_again(
    relay: DatagramRelay, context: PortContext, monkeypatch: pytest.MonkeyPatch
):
    def unreachable(*_: object) -> None:
        raise OSError(errno.ENETUNREACH, "Network is unreachable")

    with monkeypatch.context() as patch:
        patch.setattr(Transport, "connect", unreachable)
        for _ in range(2):
            relay.datagramReceived(b"x", ("10.0.0.1", 1))
    assert [text for text, _ in context.logged] == ["The connection to example.net:53 failed: Network is unreachable."]
    assert [port.open for port in context.ports] == [False, False]
    relay.datagramReceived(b"y", ("10.0.0.1", 1))
    assert context.datagrams[2].transport.sent == [(b"y", None)]
    relay.stopProtocol()
    assert not context.reactor.getDelayedCalls()


@pytest.mark.parametrize("listens", ["127.0.0.1", "0.0.0.0", "::"])
@pytest_twisted.ensureDeferred
async def test_c12_events_have_the_address_that_the_upstream_sees(
    listens: str, desk: Desk, tape: Tape, senders: list[Sender]
) -> None:
    upstream = await desk.start("udp", "echo", host=listens)
    port = address(upstream)[1]
    relay = await desk.start("udp", "relay", options={"upstream": f"127.0.0.1:{port}"}, host=listens)
    sender = Sender(("127.0.0.1", address(relay)[1]))
    senders.append(sender)
    sender.send(b"x")
    await until(sender.pull)
    assert len(tape.all("connection.opened")) == 3
    for event in tape.all("connection.opened"):
        assert not event.detail["host"].startswith(("0.0.0.0", "[::]"))
    inner = next(e for e in tape.all("connection.opened") if e.service == upstream.number)
    outer = next(e for e in tape.all("connection.opened") if e.detail["peer"] == f"127.0.0.1:{port}")
    assert outer.detail["host"] == inner.detail["peer"].replace("[::ffff:127.0.0.1]", "127.0.0.1")
