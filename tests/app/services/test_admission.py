"""Limits: who is refused and how, what is told of it, and when the silent are closed."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.utils import getProcessOutput
from websockets.exceptions import ConnectionClosedOK, InvalidStatus

from app.services import admission
from app.services.admission import RECORDED_PER_SECOND, is_public
from app.services.surroundings import Surroundings
from tests.app.services.helpers import Desk, Peer, Tape, address, closed
from tests.app.services.websocket_frames import talk
from tests.helpers import open_files, until


def bound(host: str, where: tuple[str, int]) -> socket.socket:
    """A client that comes from ``host``."""
    client = socket.create_connection(where, 5, (host, 0))
    client.setblocking(False)
    return client


def breaches(tape: Tape) -> list[tuple[str, Any]]:
    return [(e.detail["limit"], e.detail["value"]) for e in tape.all("limit.reached")]


@pytest.mark.parametrize(
    ("host", "public"),
    [
        ("8.8.8.8", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.1.1", False),
        ("100.64.0.1", False),
        ("::1", False),
        ("fe80::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("2607:f8b0::1", True),
        ("2607:f8b0::1%eth0", True),
        ("::ffff:8.8.8.8", True),
        ("::ffff:192.168.0.1", False),
        ("2002:0808:0808::1", True),
        ("2002:c0a8:0001::1", False),
        ("2001:0:4136:e378:8000:63bf:f7f7:f7f7", True),  # Teredo of 8.8.8.8
        ("2001:0:4136:e378:8000:63bf:3f57:fefe", False),  # Teredo of 192.168.1.1
        ("64:ff9b::808:808", True),
        ("64:ff9b::c0a8:1", False),
        ("/run/a.socket", False),
        ("", False),
    ],
)
def test_tells_public_addresses_from_private_ones(host: str, public: bool) -> None:
    assert is_public(host) is public


@pytest_twisted.ensureDeferred
async def test_more_connections_than_allowed_are_closed_and_recorded(desk: Desk, tape: Tape) -> None:
    service = await desk.start(limits={"connections": 2})
    first, second = Peer(service), Peer(service)
    await until(lambda: len(service.connections) == 2)
    files = len(open_files())
    third = Peer(service)
    name = third.name
    assert await third.end() == b""
    last = await closed(tape)
    assert last.detail["reason"] == "refused: connections are limited to 2"
    assert breaches(tape) == [("connections", 2)]
    (limit,) = tape.all("limit.reached")
    assert limit.conn == last.conn
    assert [e.detail["peer"] for e in tape.all("connection.opened", conn=last.conn)] == [name]
    await until(lambda: len(open_files()) <= files)
    first.close()
    await until(lambda: len(service.connections) == 1)
    fourth = Peer(service)
    fourth.push(b"in")
    await fourth.expect(b"in")
    second.push(b"still")
    await second.expect(b"still")


@pytest_twisted.ensureDeferred
async def test_each_address_has_its_own_limit(desk: Desk, tape: Tape) -> None:
    service = await desk.start(limits={"connections_per_peer": 1})
    where = address(service)
    with bound("127.0.0.1", where) as first, bound("127.0.0.2", where) as other:
        await until(lambda: len(service.connections) == 2)
        peer = Peer(service)
        assert await peer.end() == b""
        assert (await closed(tape)).detail["reason"] == "refused: connections from one address are limited to 1"
        assert breaches(tape) == [("connections_per_peer", 1)]
        first.close()
        await until(lambda: len(service.connections) == 1)
        again = Peer(service)
        again.push(b"in")
        await again.expect(b"in")
        assert other.fileno() > 0


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients have more time to ask than any needs."""
    monkeypatch.setattr(admission, "LINGER", 60.0)


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("protocol", ["http", "websocket"])
@pytest_twisted.ensureDeferred
async def test_a_client_of_http_is_told_that_there_is_no_room(protocol: str, desk: Desk, tape: Tape) -> None:
    responder = "inspector" if protocol == "http" else "echo"
    service = await desk.start(protocol, responder, limits={"connections": 1})
    Peer(service)
    await until(lambda: service.connections)
    curl = shutil.which("curl")
    assert curl
    host, port = address(service)
    out = await getProcessOutput(curl, ["-si", f"http://{host}:{port}/"], reactor=desk.reactor)
    assert out.startswith(b"HTTP/1.1 503 ")
    assert b"Retry-After: " in out
    assert out.endswith(b"refused: connections are limited to 1\n")
    assert breaches(tape) == [("connections", 1)]
    last = await closed(tape)
    assert tape.data("data.sent", last.conn) == out
    assert tape.data("data.received", last.conn).startswith(b"GET / ")
    assert len(service.connections) == 1


@pytest.mark.usefixtures("patient")
@pytest_twisted.ensureDeferred
async def test_websockets_reads_why_it_is_refused(desk: Desk) -> None:
    service = await desk.start("websocket", limits={"connections": 1})
    Peer(service)
    await until(lambda: service.connections)

    async def nothing(client: Any) -> None: ...

    with pytest.raises(InvalidStatus) as refused:
        await talk(service, nothing)
    assert refused.value.response.status_code == 503


@pytest_twisted.ensureDeferred
async def test_one_that_is_told_to_go_takes_nobodys_place(desk: Desk, tape: Tape) -> None:
    service = await desk.start("http", "inspector", limits={"connections": 1})
    first = Peer(service)
    await until(lambda: service.connections)
    lingers = Peer(service)
    await lingers.expect(b"503")
    first.close()
    await until(lambda: len(service.connections) == 1)
    second = Peer(service)
    second.push(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await second.expect(b"200 OK")
    await until(lambda: lingers.pull().ended)


@pytest_twisted.ensureDeferred
async def test_a_flood_of_refusals_is_counted(desk: Desk, tape: Tape) -> None:
    service = await desk.start(limits={"connections": 1})
    Peer(service)
    await until(lambda: service.connections)
    flood = [Peer(service) for _ in range(300)]
    await until(lambda: all(peer.pull().ended for peer in flood))
    await service.stop()
    limits = tape.all("limit.reached")
    told = [e for e in limits if "count" not in e.detail]
    rest = [e for e in limits if "count" in e.detail]
    assert len(told) + sum(e.detail["count"] for e in rest) == 300
    assert RECORDED_PER_SECOND <= len(told) < 300
    assert rest[0].summary == f"and {rest[0].detail['count']:,} more refused: connections are limited to 1"
    assert rest[0].detail["limit"] == "connections"


@pytest.fixture
def foreign(monkeypatch: pytest.MonkeyPatch) -> None:
    """127.0.0.2 counts as public."""
    monkeypatch.setattr(admission, "is_public", lambda host: host == "127.0.0.2")


@pytest.mark.usefixtures("foreign")
@pytest.mark.parametrize("protocol", ["tcp", "http", "websocket"])
@pytest_twisted.ensureDeferred
async def test_public_addresses_are_refused_without_a_word(protocol: str, desk: Desk, tape: Tape) -> None:
    service = await desk.start(protocol, "inspector" if protocol == "http" else "echo", host="0.0.0.0")
    with bound("127.0.0.2", ("127.0.0.1", address(service)[1])) as stranger:
        await closed(tape)
        assert stranger.recv(100) == b""
    assert breaches(tape) == [("allow_public", False)]
    assert "its address is public" in tape.all("limit.reached")[0].summary
    neighbour = Peer(("127.0.0.1", address(service)[1]))
    await until(lambda: service.connections)
    neighbour.close()


@pytest.mark.usefixtures("foreign")
@pytest_twisted.ensureDeferred
async def test_public_addresses_are_served_when_allowed(desk: Desk, tape: Tape) -> None:
    service = await desk.start(limits={"allow_public": True})
    with bound("127.0.0.2", address(service)):
        await until(lambda: service.connections)
    assert not breaches(tape)


@pytest_twisted.ensureDeferred
async def test_a_silent_tcp_connection_is_closed(desk: Desk, tape: Tape) -> None:
    service = await desk.start(limits={"idle_seconds": 0.2})
    peer = Peer(service)
    peer.push(b"once")
    assert await peer.end() == b"once"
    assert (await closed(tape)).detail["reason"] == "closed by us: it was silent"
    assert breaches(tape) == [("idle_seconds", 0.2)]


@pytest_twisted.ensureDeferred
async def test_a_silent_websocket_is_closed_with_its_handshake(desk: Desk, tape: Tape) -> None:
    service = await desk.start("websocket", limits={"idle_seconds": 0.5})

    async def listen(client: Any) -> None:
        await client.recv()

    with pytest.raises(ConnectionClosedOK) as ended:
        await talk(service, listen, ping_interval=None)
    assert ended.value.rcvd is not None
    assert ended.value.rcvd.code == 1001
    await closed(tape)
    assert breaches(tape) == [("idle_seconds", 0.5)]


@pytest_twisted.ensureDeferred
async def test_on_tls_a_refused_connection_is_closed(desk: Desk, tape: Tape, tmp_path: Path) -> None:
    desk.surroundings = Surroundings(data=tmp_path)
    service = await desk.start("http", "inspector", tls={}, limits={"connections": 1})
    Peer(service)
    await until(lambda: service.connections)
    files = len(open_files())
    assert await Peer(service).end() == b""
    assert (await closed(tape)).detail["reason"] == "refused: connections are limited to 1"
    assert breaches(tape) == [("connections", 1)]
    await until(lambda: len(open_files()) <= files)


@pytest_twisted.ensureDeferred
async def test_http_is_not_silent_while_an_answer_is_made(desk: Desk, tape: Tape) -> None:
    rules = [{"path": "/", "delay": 0.5, "body": "at last"}]
    peer = Peer(await desk.start("http", "mock", options={"rules": rules}, limits={"idle_seconds": 0.2}))
    peer.push(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (await peer.end()).endswith(b"at last")
    assert [limit for limit, _ in breaches(tape)] in ([], ["idle_seconds"])
