"""UDP services: every datagram, a flow for each peer, and what cannot be sent or was lost."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.interfaces import IUDPTransport
from twisted.internet.protocol import DatagramProtocol
from twisted.internet.utils import getProcessOutput

from app.services import admission
from app.services.service import Service
from app.services.tap import datagrams
from app.status import Stopped
from tests.app.services.helpers import Desk, Tape, address
from tests.helpers import until


class Client:
    """A UDP socket connected to a service; ``got`` is what came back."""

    def __init__(self, service: Service, bind: str = "") -> None:
        where = address(service)
        self.socket = socket.socket(socket.AF_INET6 if ":" in where[0] else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        if bind:
            self.socket.bind((bind, 0))
        self.socket.connect(where)
        self.socket.setblocking(False)
        self.got: list[bytes] = []

    def send(self, data: bytes) -> None:
        self.socket.send(data)

    def pull(self) -> list[bytes]:
        while True:
            try:
                self.got.append(self.socket.recv(70_000))
            except BlockingIOError:
                return self.got

    async def expect(self, count: int) -> list[bytes]:
        await until(lambda: len(self.pull()) >= count)
        return self.got


@pytest.fixture
def clients() -> Iterator[list[Client]]:
    made: list[Client] = []
    yield made
    for client in made:
        client.socket.close()


class Other(DatagramProtocol):
    """Does what a datagram says."""

    noisy = False

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        assert IUDPTransport.providedBy(self.transport) or self.transport is not None
        transport: Any = self.transport
        if datagram == b"fail":
            raise ValueError("in datagramReceived")
        if datagram == b"exit":
            raise SystemExit(1)
        if datagram == b"too large":
            transport.write(bytes(70_000), addr)
        if datagram == b"a name":
            transport.write(b"x", ("localhost", 9))
        if datagram == b"sequence":
            transport.writeSequence([b"a ", b"sequence"], addr)
        if datagram == b"connect":
            transport.connect(*addr)
            transport.write(b"connected")
        if datagram == b"host":
            transport.write(b"%d" % transport.getHost().port, addr)


@pytest_twisted.ensureDeferred
async def test_echoes_datagrams_of_every_size(desk: Desk, tape: Tape, clients: list[Client]) -> None:
    clients.append(client := Client(await desk.start("udp")))
    sizes = [1, 0, 1472, 9000, 65_507]
    for size in sizes:
        client.send(b"x" * size)
        await client.expect(sizes.index(size) + 1)
    assert [len(d) for d in client.got] == sizes
    assert [len(e.payload or b"") for e in tape.all("datagram.received")] == sizes
    assert [len(e.payload or b"") for e in tape.all("datagram.sent")] == sizes


@pytest_twisted.ensureDeferred
async def test_each_peer_is_a_flow_of_its_own(desk: Desk, tape: Tape, clients: list[Client]) -> None:
    service = await desk.start("udp")
    clients += [Client(service) for _ in range(3)]
    for turn in range(1, 3):
        for client in clients:
            client.send(b"%d" % turn)
            await client.expect(turn)
    opened = tape.all("connection.opened")
    assert len(opened) == 3 == len(service.connections)
    for event, client in zip(opened, clients, strict=True):
        assert event.detail["peer"] == "{}:{}".format(*client.socket.getsockname())
        assert tape.data("datagram.received", event.conn) == tape.data("datagram.sent", event.conn) == b"12"
    await service.stop()
    closed = tape.all("connection.closed")
    assert [e.detail["received"] for e in closed] == [2, 2, 2]
    assert {e.detail["reason"] for e in closed} == {"closed by us"}
    assert service.connections == {}
    assert (service.received, service.sent, service.opened) == (6, 6, 3)


@pytest_twisted.ensureDeferred
async def test_serves_ipv6(desk: Desk, tape: Tape, clients: list[Client]) -> None:
    clients.append(client := Client(await desk.start("udp", host="::1")))
    client.send(b"six")
    assert await client.expect(1) == [b"six"]
    assert tape.all("connection.opened")[0].detail["peer"].startswith("[::1]:")


@pytest_twisted.ensureDeferred
async def test_the_peer_silent_for_longest_makes_room(desk: Desk, tape: Tape, clients: list[Client]) -> None:
    service = await desk.start("udp", limits={"connections": 3})
    clients += [Client(service) for _ in range(4)]
    for i, who in enumerate((0, 1, 2, 0, 3, 1)):
        clients[who].send(b"%d" % i)
        await until(lambda who=who: clients[who].pull() and len(tape.all("datagram.sent")) == i + 1)  # noqa: B023
        assert len(service.connections) <= 3
    assert [e.detail["reason"] for e in tape.all("connection.closed")] == ["made room for another peer"] * 2
    first = [e.conn for e in tape.all("connection.opened")]
    assert [e.conn for e in tape.all("connection.closed")] == [first[1], first[2]]


@pytest_twisted.ensureDeferred
async def test_a_flow_can_be_ended_and_sent_to_by_the_user(desk: Desk, tape: Tape, clients: list[Client]) -> None:
    service = await desk.start("udp")
    clients.append(client := Client(service))
    client.send(b"x")
    await client.expect(1)
    (flow,) = service.connections.values()
    flow.send(b"typed")
    assert await client.expect(2) == [b"x", b"typed"]
    flow.on_pressure(True)
    flow.finish()
    flow.abort()
    assert service.connections == {}
    client.send(b"y")
    await client.expect(3)
    assert len(tape.all("connection.opened")) == 2


@pytest.mark.parametrize(("word", "kind"), [(b"fail", ValueError), (b"exit", SystemExit), (b"a name", ValueError)])
@pytest_twisted.ensureDeferred
async def test_a_failure_is_recorded_once_with_its_datagram(
    word: bytes, kind: type[BaseException], desk: Desk, tape: Tape, clients: list[Client]
) -> None:
    service = await desk.start("udp", make=Other)
    clients.append(client := Client(service))
    client.send(word)
    client.send(b"host")
    assert await client.expect(1) == [b"%d" % address(service)[1]]
    (failure,) = tape.all("failure")
    assert failure.payload == word
    assert failure.conn == tape.all("connection.opened")[0].conn
    assert kind.__name__ in failure.summary or "InvalidAddress" in failure.summary
    assert len(service.connections) == 1


@pytest_twisted.ensureDeferred
async def test_an_answer_that_is_too_large_is_recorded(desk: Desk, tape: Tape, clients: list[Client]) -> None:
    clients.append(client := Client(await desk.start("udp", make=Other)))
    client.send(b"too large")
    client.send(b"sequence")
    assert await client.expect(1) == [b"a sequence"]
    (note,) = tape.all("log")
    assert note.summary.startswith("a datagram of 70,000 bytes to 127.0.0.1:")
    assert note.summary.endswith(" was not sent: it is longer than a datagram can be")
    assert not tape.all("failure")
    assert [e.size or len(e.payload or b"") for e in tape.all("datagram.sent")] == [10]


@pytest_twisted.ensureDeferred
async def test_a_responder_may_connect_its_transport(desk: Desk, tape: Tape, clients: list[Client]) -> None:
    clients.append(client := Client(await desk.start("udp", make=Other)))
    client.send(b"connect")
    assert await client.expect(1) == [b"connected"]
    assert tape.data("datagram.sent") == b"connected"
    assert len(tape.all("connection.opened")) == 1


@pytest_twisted.ensureDeferred
async def test_a_client_that_is_gone_does_no_harm(desk: Desk, tape: Tape, clients: list[Client]) -> None:
    service = await desk.start("udp")
    gone = Client(service)
    clients.append(client := Client(service))
    for _ in range(3):
        gone.send(b"x")
    gone.socket.close()
    client.send(b"y")
    assert await client.expect(1) == [b"y"]
    assert not tape.all("failure", "log")


@pytest_twisted.ensureDeferred
async def test_what_the_kernel_drops_is_counted_as_lost(desk: Desk, tape: Tape, clients: list[Client]) -> None:
    service = await desk.start("udp")
    port: Any = service._port
    port.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    clients.append(client := Client(service))
    sent = 500  # in one turn: nobody reads meanwhile
    for i in range(sent):
        client.send(b"%0500d" % i)
    await until(lambda: tape.all("limit.reached"))
    received = len(tape.all("datagram.received"))
    assert 0 < received < sent
    (limit,) = tape.all("limit.reached")
    buffer = port.socket.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    assert limit.detail == {"limit": "receive_buffer", "value": buffer, "dropped": sent - received}
    assert f"dropped {sent - received:,} datagrams" in limit.summary
    assert desk.recorder.lost == sent - received
    client.send(b"and on")
    await until(lambda: b"and on" in client.pull())


@pytest_twisted.ensureDeferred
async def test_drops_are_counted_when_it_is_stopped_at_once(desk: Desk, tape: Tape, clients: list[Client]) -> None:
    service = await desk.start("udp")
    port: Any = service._port
    port.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    clients.append(client := Client(service))
    for i in range(200):
        client.send(b"%0500d" % i)
    await until(lambda: tape.all("datagram.received"))
    await service.stop()
    assert service.status == Stopped()
    assert len(tape.all("datagram.received")) + desk.recorder.lost == 200


@pytest_twisted.ensureDeferred
async def test_stop_protocol_that_raises_is_recorded(desk: Desk, tape: Tape) -> None:
    class Bad(Other):
        def stopProtocol(self) -> None:
            raise ValueError("in stopProtocol")

    service = await desk.start("udp", make=Bad)
    await service.stop()
    assert service.status == Stopped()
    assert len(tape.all("failure")) == 1


@pytest_twisted.ensureDeferred
async def test_answers_socat(desk: Desk, tape: Tape) -> None:
    host, port = address(await desk.start("udp"))
    socat = shutil.which("socat")
    assert socat
    out = await getProcessOutput(
        "/bin/sh", ["-c", f"printf hello | {socat} -t 20 - UDP:{host}:{port},readbytes=5"], reactor=desk.reactor
    )
    assert out == b"hello"
    assert tape.data("datagram.received") == b"hello"


@pytest_twisted.ensureDeferred
async def test_of_too_many_ports_of_one_address_the_oldest_makes_room(
    desk: Desk, tape: Tape, clients: list[Client]
) -> None:
    service = await desk.start("udp", limits={"connections_per_peer": 2})
    clients += [Client(service, "127.0.0.2"), *(Client(service) for _ in range(3))]
    for client in clients:
        client.send(b"x")
        await client.expect(1)
    opened = [e.conn for e in tape.all("connection.opened")]
    assert [e.conn for e in tape.all("connection.closed")] == [opened[1]]
    (limit,) = tape.all("limit.reached")
    assert (limit.conn, limit.detail) == (opened[1], {"limit": "connections_per_peer", "value": 2})
    assert len(service.connections) == 3


@pytest_twisted.ensureDeferred
async def test_the_flow_of_a_silent_peer_ends(desk: Desk, tape: Tape, clients: list[Client]) -> None:
    service = await desk.start("udp", limits={"idle_seconds": 0.2})
    clients.append(client := Client(service))
    client.send(b"x")
    await until(lambda: tape.all("connection.closed"))
    (limit,) = tape.all("limit.reached")
    assert (limit.summary, limit.detail) == ("silent for 0.2 s: closing", {"limit": "idle_seconds", "value": 0.2})
    assert tape.all("connection.closed")[0].summary == "closed by us: it was silent"
    assert not service.connections
    client.send(b"y")
    assert await client.expect(2) == [b"x", b"y"]
    assert len(tape.all("connection.opened")) == 2


@pytest_twisted.ensureDeferred
async def test_a_datagram_above_the_limit_is_captured_and_not_answered(
    desk: Desk, tape: Tape, clients: list[Client]
) -> None:
    service = await desk.start("udp", limits={"message_bytes": 3})
    clients.append(client := Client(service))
    for datagram in (b"four", b"two"):
        client.send(datagram)
    assert await client.expect(1) == [b"two"]
    assert tape.data("datagram.received") == b"fourtwo"
    (limit,) = tape.all("limit.reached")
    assert limit.summary == "not answered: datagrams are limited to 3 bytes"
    assert limit.detail == {"limit": "message_bytes", "value": 3}


@pytest_twisted.ensureDeferred
async def test_datagrams_of_public_addresses_are_dropped_and_counted(
    desk: Desk, tape: Tape, clients: list[Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "is_public", lambda host: host != "127.0.0.1")
    service = await desk.start("udp")
    strangers = [Client(service, f"127.0.0.{i}") for i in range(2, 5)]
    clients += [*strangers, near := Client(service)]
    for client in strangers * 10:
        client.send(b"in")
    near.send(b"near")
    assert await near.expect(1) == [b"near"]
    told = tape.all("limit.reached")
    assert [e.detail["peer"] for e in told] == ["{}:{}".format(*c.socket.getsockname()) for c in strangers]
    assert {(e.detail["limit"], e.detail["value"]) for e in told} == {("allow_public", False)}
    assert told[0].summary.startswith("datagrams from 127.0.0.2:")
    assert len(tape.all("datagram.received")) == len(tape.all("connection.opened")) == 1
    await service.stop()
    assert tape.all("limit.reached")[-1].detail["count"] == 30
    assert not any(client.pull() for client in strangers)


@pytest_twisted.ensureDeferred
async def test_a_flood_of_public_addresses_makes_few_events(
    desk: Desk, tape: Tape, clients: list[Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "is_public", lambda host: host != "127.0.0.1")
    monkeypatch.setattr(datagrams, "MAX_RECORDED", 50)
    service = await desk.start("udp")
    clients += [Client(service, f"127.0.0.{i}") for i in range(2, 102)]
    for client in clients:
        client.send(b"in")
    clients.append(near := Client(service))
    near.send(b"near")
    await near.expect(1)
    (tap,) = [connection._tap for connection in service.connections.values()]  # type: ignore[attr-defined]
    assert len(tap._recorded) == 50
    await service.stop()
    events = tape.all("limit.reached")
    assert events[-1].detail["count"] == 100
    assert sum("peer" in e.detail for e in events) + sum(e.detail.get("count", 0) for e in events[:-1]) == 50
    assert len(events) < 50
