"""Connections of a relay that are counted: those of its clients, not those that it keeps open to its upstream."""

from __future__ import annotations

import pytest
import pytest_twisted

from app.outposts.outpost import _described
from tests.app.responders.relay.test_balanced_relayed import request
from tests.app.responders.relay.test_responder import at
from tests.app.responders.relay.test_udp_relayed import Sender, senders
from tests.app.services.helpers import Desk, Peer, address
from tests.helpers import until

__all__ = ["senders"]


@pytest.mark.parametrize("protocol", ["tcp", "http"])
@pytest_twisted.ensureDeferred
async def test_what_a_relay_connects_to_is_no_connection_of_a_client(protocol: str, desk: Desk):
    upstream = await desk.start(protocol, "echo" if protocol == "tcp" else "inspector")
    scheme = "" if protocol == "tcp" else "http://"
    relay = await desk.start(protocol, "relay", options={"upstream": f"{scheme}{at(upstream)}"})
    peer = Peer(relay)
    await peer.send(b"x" if protocol == "tcp" else request())
    await peer.expect(b"x" if protocol == "tcp" else b"HTTP/1.1 200 ")
    await until(lambda: len(relay.connections) == 2)
    assert (relay.accepted, relay.opened) == (1, 1)
    assert (upstream.accepted, upstream.opened) == (1, 1)
    assert (_described(relay).connections, _described(relay).opened) == (1, 1)
    peer.close()
    await until(lambda: relay.accepted == 0)
    await relay.stop()
    assert (relay.accepted, relay.opened) == (0, 1)
    assert not relay.connections


@pytest_twisted.ensureDeferred
async def test_a_flow_to_the_upstream_is_no_peer(desk: Desk, senders: list[Sender]):
    upstream = await desk.start("udp", "echo")
    relay = await desk.start("udp", "relay", options={"upstream": at(upstream)})
    senders.append(Sender(address(relay)))
    senders[0].send(b"x")
    await until(lambda: len(relay.connections) == 2)
    assert (relay.accepted, relay.opened) == (1, 1)
