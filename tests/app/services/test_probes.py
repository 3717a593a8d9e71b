"""app.services.probes: the system is asked to look for peers that are gone. (What it finds takes seconds.)"""

from __future__ import annotations

import errno
import socket
from dataclasses import replace
from typing import Any

import pytest
import pytest_twisted

from app.services.service import Service
from tests.app.services.helpers import Desk, Peer, Tape, closed
from tests.helpers import until

LIMITS = {"ping_seconds": 2.5, "ping_timeout": 10.0}


async def accepted(service: Service) -> Any:
    """Our end of the newest connection of a client."""
    known = len(service.connections)
    Peer(service)
    await until(lambda: len(service.connections) > known)
    return list(service.connections.values())[-1]._wire.socket  # type: ignore[attr-defined]


def asked(made: socket.socket) -> list[int]:
    tcp = socket.IPPROTO_TCP
    names = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT)
    return [made.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE), *(made.getsockopt(tcp, name) for name in names)]


@pytest.mark.parametrize(("protocol", "responder"), [("tcp", "echo"), ("http", "inspector")])
@pytest_twisted.ensureDeferred
async def test_the_next_connections_are_probed_as_the_limits_say(protocol: str, responder: str, desk: Desk) -> None:
    service = await desk.start(protocol, responder, limits=LIMITS)
    assert asked(await accepted(service)) == [1, 3, 4, 3, 12_500]
    assert service.apply(replace(service.config, limits={}))  # without a restart
    assert asked(await accepted(service))[0] == 0


@pytest_twisted.ensureDeferred
async def test_a_websocket_has_pings_of_its_own(desk: Desk) -> None:
    service = await desk.start("websocket", limits=LIMITS)
    assert asked(await accepted(service))[0] == 0


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ETIMEDOUT, "timed out: the peer no longer answered"),
        (errno.EHOSTUNREACH, "timed out: the peer no longer answered"),
        (errno.ECONNRESET, "reset by the peer"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_the_end_of_the_connection_says_so(number: int, words: str, desk: Desk, tape: Tape) -> None:
    """The error that the system gives to the next call of ``recv`` is put there by hand."""
    service = await desk.start(limits=LIMITS)
    peer = Peer(service)
    [connection] = await until(lambda: service.connections.values())
    ours = connection._wire.socket  # type: ignore[attr-defined]

    class Failing(type(ours)):  # type: ignore[misc]
        def recv(self, *args: Any) -> bytes:
            self.ended = number
            raise OSError(number, "gone")

    ours.__class__ = Failing
    peer.push(b"x")
    assert (await closed(tape)).summary == words
