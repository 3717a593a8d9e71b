"""TCP services against clients from other projects."""

from __future__ import annotations

import pytest
import pytest_twisted
from twisted.internet.utils import getProcessOutput

from app.services import tcp
from tests.app.services.helpers import Desk, Peer, Tape, address
from tests.helpers import until


@pytest.mark.parametrize("client", ["nc -N {host} {port}", "socat - TCP:{host}:{port}", "socat - TCP:{host}:{port},cr"])
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
    assert tcp.BACKLOG == 1024
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
