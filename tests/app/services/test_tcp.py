"""TCP services against clients from other projects, blocking ones and bad ones."""

from __future__ import annotations

import socket
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.threads import deferToThread
from twisted.internet.utils import getProcessOutput

from app.failures.record import from_json
from tests.app.services.helpers import Desk, Peer, Tape, address
from tests.helpers import until


@pytest.mark.parametrize(
    "client", ["nc -N {host} {port}", "socat -t 20 - TCP:{host}:{port}", "socat -t 20 - TCP:{host}:{port},cr"]
)
@pytest_twisted.ensureDeferred
async def test_echoes_to(client: str, desk: Desk, tape: Tape) -> None:
    host, port = address(await desk.start())
    command = f"(echo one; echo two) | {client.format(host=host, port=port)}"
    out = await getProcessOutput("/bin/sh", ["-c", command], reactor=desk.reactor)
    await until(lambda: tape.all("connection.closed"))
    assert out.split() == [b"one", b"two"]
    assert tape.data("data.received").split() == tape.data("data.sent").split() == [b"one", b"two"]


@pytest_twisted.ensureDeferred
async def test_many_connections_may_wait_to_be_accepted(desk: Desk) -> None:
    service = await desk.start()
    peers = [Peer(service) for _ in range(300)]  # in one turn of the reactor
    await until(lambda: len(service.connections) == 300)
    for peer in peers:
        peer.close()
    await until(lambda: not service.connections)


@pytest_twisted.ensureDeferred
async def test_half_a_message_is_kept_when_the_peer_goes(desk: Desk, tape: Tape) -> None:
    peer = Peer(await desk.start("tcp", "fragile"))
    peer.push(b"whole line\nhalf a li")
    await peer.expect(b"whole line\n")
    peer.close()
    await until(lambda: tape.all("connection.closed"))
    assert tape.data("data.received") == b"whole line\nhalf a li"
    assert tape.data("data.sent") == b"whole line\n"


@pytest.mark.parametrize("responder", ["echo", "fragile"])
@pytest_twisted.ensureDeferred
async def test_garbage_is_captured_and_does_no_harm(responder: str, desk: Desk, tape: Tape) -> None:
    service = await desk.start("tcp", responder)
    garbage = bytes(range(256)) + b"\n\0\r\n\xff\xfe" + b"GET / HTTP/1.1\r\n\r\n\x16\x03\x01"
    peer, other = Peer(service), Peer(service)
    peer.push(garbage)
    await until(lambda: tape.data("data.received") == garbage)
    peer.reset()
    await until(lambda: tape.all("connection.closed"))
    assert not tape.all("failure")
    other.push(b"still here\n")
    await other.expect(b"still here\n")


@pytest_twisted.ensureDeferred
async def test_serves_ipv6(desk: Desk, tape: Tape) -> None:
    peer = Peer(await desk.start(host="::1"))
    peer.push(b"six")
    await peer.expect(b"six")
    (opened,) = tape.all("connection.opened")
    assert opened.detail["peer"] == f"[::1]:{peer.socket.getsockname()[1]}"
    assert opened.detail["host"].startswith("[::1]:")


@pytest_twisted.ensureDeferred
async def test_a_client_that_writes_ten_megabytes_and_only_then_reads_gets_all(desk: Desk, tape: Tape) -> None:
    sent = b"".join(b"%09d\n" % i for i in range(1_000_000))

    def client() -> bytes:
        with socket.create_connection(where, 20) as blocking:
            blocking.sendall(sent)
            blocking.shutdown(socket.SHUT_WR)
            with blocking.makefile("rb") as answers:
                return answers.read(len(sent))

    where = address(await desk.start())
    assert await deferToThread(client) == sent
    await until(lambda: tape.all("connection.closed"))
    assert tape.data("data.received") == tape.data("data.sent") == sent
    (closed,) = tape.all("connection.closed")
    assert closed.summary == "closed by the peer"
    assert (closed.detail["received"], closed.detail["sent"], closed.detail["unsent"]) == (len(sent), len(sent), 0)


@pytest_twisted.ensureDeferred
async def test_a_line_that_fails_is_recorded_once_with_frames_locals_and_bytes(
    desk: Desk, tape: Tape, logged_failures: Any
) -> None:
    service = await desk.start("tcp", "fragile")
    other, peer = Peer(service), Peer(service)
    await until(lambda: service.opened == 2)
    peer.push(b"before\n")
    await peer.expect(b"before\n")
    peer.push(b"fail\nafter\n")
    assert await peer.end() == b"before\n"
    await until(lambda: tape.all("connection.closed"))
    (failure,) = tape.all("failure")
    assert failure.summary.startswith("ValueError: Processing failed  (fragile.py:")
    assert failure.conn == tape.all("connection.closed")[0].conn == tape.all("connection.opened")[1].conn
    assert failure.payload == b"fail\n"
    record = from_json(failure.detail)
    assert (record.type, record.message) == ("ValueError", "Processing failed")
    assert [frame.function for frame in record.frames][-2:] == ["messageReceived", "process"]
    assert ("line", "b'fail'") in record.frames[-1].locals
    assert dict(record.frames[-1].source)[record.frames[-1].line].strip() == 'raise ValueError("Processing failed")'
    assert tape.all("connection.closed")[0].summary == "closed after a failure"
    for connected in (other, Peer(service)):
        connected.push(b"still here\n")
        await connected.expect(b"still here\n")
    assert len(tape.all("failure")) == 1
    logged_failures(ValueError)
