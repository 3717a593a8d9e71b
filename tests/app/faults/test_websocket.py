"""Faults on WebSocket messages, seen by the package websockets."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from select import select
from time import monotonic
from typing import Any, cast

import pytest
import pytest_twisted
from twisted.internet.threads import deferToThread
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import ClientConnection, connect

from app.faults import find
from app.services.service import Service
from app.websocket.frames import TEXT, frame
from tests.app.faults.test_streams import faults
from tests.app.services.helpers import Desk, Peer, Tape, address
from tests.helpers import still_from_thread, until

HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


GLANCE = 0.05
"""Seconds after which a client looks whether anything more will come."""


class Client:
    """What a client sees, in words: messages, ``closed 1011``, ``lost``, ``no pong``."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.seen: list[Any] = []
        self.times: list[float] = []
        self._began = monotonic()

    def note(self, what: Any) -> None:
        self.seen.append(what)
        self.times.append((monotonic() - self._began) * 1000)

    def _unread(self) -> bool:
        """Whether the package has still to look at its socket."""
        with suppress(OSError, ValueError):  # it has been closed
            return bool(select([self.connection.socket], [], [], 0)[0])
        return True

    def read(self, most: int = 0, *, patient: bool = False) -> bool:
        """Read until nothing more will come, it ends, or so many messages have come. Whether it lives.

        One who is ``patient`` knows that something comes.
        """
        all_done = patient
        while True:
            try:
                self.note(self.connection.recv(5 if patient else GLANCE))
                all_done = patient
            except TimeoutError:
                if all_done:  # and nothing has come since
                    return True
                # What has come is read by a thread of the package's.
                all_done = still_from_thread() and not self._unread()
                continue
            except ConnectionClosed as e:
                theirs, ours = e.rcvd, e.sent
                self.note(f"closed {theirs.code}" if theirs else f"refused with {ours.code}" if ours else "lost")
                return False
            most -= 1
            if not most:
                return True


def talk(where: tuple[str, int], secure: bool, sent: tuple[str | bytes, ...], ping: bool, one_by_one: bool) -> Client:
    url = f"{'wss' if secure else 'ws'}://{where[0]}:{where[1]}/"
    with connect(
        url, ssl=trusting() if secure else None, ping_interval=None, open_timeout=60, close_timeout=0.5
    ) as connection:
        client = Client(connection)
        if ping and not connection.ping().wait(0.4):
            client.note("no pong")
        for message in sent:
            with suppress(ConnectionClosed):  # what is read next says so
                connection.send(message)
            if one_by_one and not client.read(1):
                return client
        client.read()
        return client


async def talked(service: Service, *sent: str | bytes, ping: bool = False, one_by_one: bool = False) -> Client:
    secure = service.tls is not None
    client: Client = await deferToThread(talk, address(service), secure, sent, ping, one_by_one)
    return client


async def start(desk: Desk, *tables: dict[str, Any], tls: bool = False, **more: Any) -> Service:
    return await desk.start("websocket", **faults(*tables), **more, **({"tls": {}} if tls else {}))


ONE_BY_ONE = ("reset", "garbage")
"""Kinds that lose what has not left when they act, or have the client forget what it has read together with noise."""

SEEN: list[tuple[dict[str, Any], list[Any]]] = [
    ({"kind": "close", "nth": 2}, ["1", "lost"]),
    ({"kind": "close", "nth": 2, "after_ms": 50.0}, ["1", "lost"]),
    ({"kind": "reset", "nth": 2}, ["1", "lost"]),
    ({"kind": "half-close", "nth": 2}, ["1", "lost"]),
    ({"kind": "cut", "part": 0.5, "nth": 2}, ["1", "lost"]),
    ({"kind": "cut", "bytes": 0, "nth": 2, "then": "reset"}, ["1", "lost"]),
    ({"kind": "garbage", "nth": 2}, ["1", "refused with 1002"]),
    ({"kind": "delay", "ms": 50.0}, ["1", "2", "3"]),
    ({"kind": "stall", "ms": 50.0}, ["1", "2", "3"]),
    ({"kind": "rate", "bytes_per_second": 2000.0}, ["1", "2", "3"]),
    ({"kind": "slice", "bytes": 1, "pause_ms": 1.0}, ["1", "2", "3"]),
    ({"kind": "slow-close"}, ["1", "2", "3"]),
    ({"kind": "lose", "nth": 2}, ["1", "3"]),
    ({"kind": "lose", "first": 1, "burst_ms": 60_000.0}, []),
    ({"kind": "duplicate", "nth": 2}, ["1", "2", "2", "3"]),
    ({"kind": "duplicate", "nth": 2, "gap": 1}, ["1", "2", "3", "2"]),
    ({"kind": "duplicate", "nth": 2, "ms": 50.0}, ["1", "2", "3", "2"]),
    ({"kind": "reorder", "nth": 2}, ["1", "3", "2"]),
    ({"kind": "reorder", "nth": 3, "ms": 50.0}, ["1", "2", "3"]),
    ({"kind": "hang", "nth": 2}, ["1"]),
    ({"kind": "hang", "nth": 2, "ms": 10_000.0}, ["1"]),
    ({"kind": "freeze", "nth": 2}, []),
    ({"kind": "corrupt", "how": "truncate", "nth": 2}, ["1", "", "3"]),
    ({"kind": "corrupt", "how": "zero", "nth": 2}, ["1", "\0", "3"]),
    ({"kind": "ws", "nth": 2, "code": 4321}, ["1", "closed 4321"]),
    ({"kind": "ws", "nth": 2, "code": 0}, ["1", "closed 1005"]),
    ({"kind": "ws", "nth": 2, "code": 1006}, ["1", "refused with 1002"]),
    ({"kind": "ws", "nth": 2, "how": "bad-utf8"}, ["1", "refused with 1007"]),
    ({"kind": "ws", "nth": 2, "how": "masked"}, ["1", "refused with 1002"]),
    ({"kind": "ws", "nth": 2, "how": "reserved-bit"}, ["1", "refused with 1002"]),
    ({"kind": "ws", "nth": 2, "how": "fragments", "count": 200}, ["1", "2", "3"]),
]
"""What is seen by one who sends 1, 2, 3 to an echo, whichever side is hit."""


def cases() -> Iterator[Any]:
    for table, seen in SEEN:
        kind = find(table["kind"])
        assert kind is not None
        words = " ".join(str(value) for value in table.values())
        for side in kind.sides:
            for secure in (False, True):
                name = f"{words} {side}{' TLS' if secure else ''}"
                yield pytest.param(table | {"on": side}, seen, secure, id=name)


@pytest.mark.parametrize(("table", "seen", "secure"), list(cases()))
@pytest_twisted.ensureDeferred
async def test_what_a_client_sees(desk: Desk, table: dict[str, Any], seen: list[Any], secure: bool, tape: Tape):
    service = await start(desk, table, tls=secure)
    client = await talked(service, "1", "2", "3", one_by_one=table["kind"] in ONE_BY_ONE)
    assert client.seen == seen
    assert tape.all("fault.applied")[0].detail["kind"] == table["kind"]


@pytest.mark.parametrize(("how", "refused"), [("wrong-accept", "Sec-WebSocket-Accept"), ("subprotocol", "subprotocol")])
@pytest_twisted.ensureDeferred
async def test_a_handshake_that_clients_refuse(desk: Desk, how: str, refused: str, tape: Tape):
    service = await start(desk, {"kind": "ws", "how": how})
    with pytest.raises(InvalidHandshake, match=f"(?i){refused}"):
        await talked(service, "1")
    assert tape.all("fault.applied")[0].payload is None


@pytest_twisted.ensureDeferred
async def test_a_ping_without_its_pong(desk: Desk, tape: Tape):
    service = await start(desk, {"kind": "ws", "how": "no-pong"})
    assert (await talked(service, "1", ping=True)).seen == ["no pong", "1"]
    assert [m.detail["opcode"] for m in tape.all("ws.message")] == ["ping", "text", "text"]


@pytest_twisted.ensureDeferred
async def test_one_that_hangs_answers_neither_pings_nor_the_close(desk: Desk, tape: Tape):
    service = await start(desk, {"kind": "hang", "on": "received"})

    def client() -> Any:
        where = address(service)
        with connect(f"ws://{where[0]}:{where[1]}/", ping_interval=None, close_timeout=0.2) as connection:
            connection.send("1")
            ponged = connection.ping().wait(0.2)
            connection.close()
            return ponged, connection.protocol.close_rcvd

    assert await deferToThread(client) == (False, None)
    [end] = await until(lambda: tape.all("ws.closed"))
    assert end.detail["their_code"] == 1000
    assert end.detail["our_code"] is None


@pytest_twisted.ensureDeferred
async def test_what_is_delayed_comes_before_the_close(desk: Desk, tape: Tape):
    service = await start(desk, {"kind": "delay", "ms": 200.0})

    def client() -> list[Any]:
        where = address(service)
        with connect(f"ws://{where[0]}:{where[1]}/", ping_interval=None) as connection:
            connection.send("1")
            connection.close()
            return [*connection]

    assert await deferToThread(client) == ["1"]
    [end] = await until(lambda: tape.all("ws.closed"))
    assert (end.detail["clean"], end.detail["their_code"], end.detail["our_code"]) == (True, 1000, 1000)


@pytest_twisted.ensureDeferred
async def test_the_messages_that_are_recorded_are_those_of_the_wire(desk: Desk, tape: Tape):
    tables = {"kind": "corrupt", "how": "zero", "on": "received", "nth": 1}, {"kind": "lose", "nth": 2}
    service = await start(desk, *tables)
    assert (await talked(service, "1", "2")).seen == ["\0"]
    told = [(m.detail["direction"], m.payload) for m in tape.all("ws.message")]
    assert sorted(told) == [("received", b"1"), ("received", b"2"), ("sent", b"\0")]
    assert [e.payload for e in tape.all("fault.applied")] == [b"1", b"2"]


@pytest_twisted.ensureDeferred
async def test_a_message_that_a_rate_holds_back_is_recorded_when_it_has_left(desk: Desk, tape: Tape):
    service = await start(desk, {"kind": "stall", "ms": 60_000.0, "nth": 2})

    peer = Peer(service)
    peer.push(HANDSHAKE)
    await peer.expect(b"\r\n\r\n")
    peer.push(frame(TEXT, b"1", mask=b"mask"))
    await until(lambda: tape.all("fault.applied"))
    peer.reset()
    await until(lambda: tape.all("connection.closed"))
    assert [m.detail["direction"] for m in tape.all("ws.message")] == ["received"]


@pytest_twisted.ensureDeferred
async def test_lifting_passes_on_what_was_held_on_an_open_connection(desk: Desk, tape: Tape):
    service = await start(desk)

    def client() -> list[Any]:
        where = address(service)
        with connect(f"ws://{where[0]}:{where[1]}/", ping_interval=None) as connection:
            got = []
            for message in ("1", "2"):
                connection.send(message)
                got.append(connection.recv(5))
            return got

    talking = deferToThread(client)
    await until(lambda: tape.all("ws.message"))
    assert service.apply(replace(service.config, faults=({"kind": "delay", "ms": 60_000.0, "match": "2"},)))
    await until(lambda: tape.all("fault.applied") or talking.called)
    service.faults.switch(service.faults.all[0], on=False)
    assert await talking == ["1", "2"]


@pytest_twisted.ensureDeferred
async def test_a_client_is_held_back_whose_messages_wait(desk: Desk, tape: Tape):
    service = await start(desk, {"kind": "delay", "on": "received", "ms": 150.0})

    def client() -> int:
        where = address(service)
        with connect(f"ws://{where[0]}:{where[1]}/", ping_interval=None, max_size=None) as connection:
            for _ in range(40):
                connection.send(bytes(64 << 10))
            return sum(len(connection.recv(5)) for _ in range(40))

    most = 0

    def look() -> bool:
        nonlocal most
        for tap in service.connections.values():
            most = max(most, cast(Any, tap).messages.incoming.size)
        return sending.called

    sending = deferToThread(client)
    await until(look)
    assert await sending == 40 * (64 << 10)
    assert 0 < most <= (256 + 64 + 64) << 10


@pytest_twisted.ensureDeferred
async def test_a_compressed_connection_is_cut_and_misframed_as_well(desk: Desk):
    text = "12" * 1000
    service = await start(desk, {"kind": "ws", "how": "fragments", "count": 7}, options={"compression": True})
    assert (await talked(service, text)).seen == [text]


@pytest_twisted.ensureDeferred
async def test_by_hand_on_an_open_connection(desk: Desk, tape: Tape):
    service = await start(desk, {"kind": "lose", "enabled": False})

    def client() -> Any:
        where = address(service)
        with connect(f"ws://{where[0]}:{where[1]}/", ping_interval=None) as connection:
            client_of = Client(connection)
            client_of.read(patient=True)
            return client_of.seen

    talking = deferToThread(client)
    [opened] = await until(lambda: tape.all("ws.opened"))
    assert service.faults.strike_connection(opened.conn, {"kind": "close"}) is not None
    assert await talking == ["lost"]
