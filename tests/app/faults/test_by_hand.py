"""What is set on one open connection by hand, and lifted."""

from __future__ import annotations

import socket

import pytest
import pytest_twisted
from twisted.internet.threads import deferToThread

from tests.app.services.helpers import Desk, address
from tests.helpers import until


@pytest.mark.parametrize(
    "table", [{"kind": "freeze"}, {"kind": "stall", "ms": 60_000.0}, {"kind": "delay", "ms": 60_000.0}]
)
@pytest_twisted.ensureDeferred
async def test_lifting_passes_what_was_held_on_that_connection_alone(desk: Desk, table: dict[str, object]):
    service = await desk.start()
    with socket.create_connection(address(service), 10) as client, socket.create_connection(address(service), 10) as o:
        await until(lambda: len(service.connections) == 2)
        number = min(service.connections)
        service.fail()
        assert service.faults.strike_connection(number, table) is not None
        o.sendall(b"OTHER")
        assert await deferToThread(o.recv, 100) == b"OTHER"
        client.sendall(b"HELD")
        assert service.faults.lift_connection(number)
        assert await deferToThread(client.recv, 100) == b"HELD"
        assert not service.faults.lift_connection(number)
    assert service.faults.all == []
