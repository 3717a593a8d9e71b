"""Connections that cannot be accepted for want of descriptors (A13): with real limits, and on a clock."""

from __future__ import annotations

import errno
import json
import os
import resource
import signal
import socket
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.task import Clock

from app.services import sockets
from app.services.admission import SHORT_AGAIN, SHORT_FIRST, Admission
from tests.app.services.helpers import Desk, Peer, address
from tests.helpers import serving, until, wait_for

LIMITS = {"connections": 10, "connections_per_peer": 10, "allow_public": False, "idle_seconds": 0.0}


class Owner:
    """Stands for a service, and its recorder."""

    number = 1
    pressed = False

    def __init__(self) -> None:
        self.recorder = self
        self.told: list[tuple[Any, ...]] = []

    def record_limit(self, reached: Any, service: int) -> None:
        detail = json.loads(reached.detail())
        self.told.append((detail["limit"], detail["count"], reached.text))


def test_a13_one_event_tells_of_all_connections_of_some_seconds() -> None:
    clock, owner = Clock(), Owner()
    admission = Admission(owner, clock, LIMITS)  # type: ignore[arg-type]
    error = OSError(errno.EMFILE, "Too many open files")
    for _ in range(100):
        admission.on_short(error, 2)
    assert owner.told == []
    clock.advance(SHORT_FIRST)
    assert [told[:2] for told in owner.told] == [("open_files", 200)]
    assert owner.told[0][2].startswith("200 connections were closed as soon as they were made: no more than")
    admission.on_short(error, 1)
    clock.advance(SHORT_AGAIN - 1)
    assert len(owner.told) == 1
    clock.advance(1)
    assert owner.told[1][:2] == ("open_files", 1)
    clock.advance(SHORT_AGAIN)
    assert (len(owner.told), clock.getDelayedCalls()) == (2, [])


def test_a13_what_was_not_told_is_told_when_the_port_closes() -> None:
    clock, owner = Clock(), Owner()
    admission = Admission(owner, clock, LIMITS)  # type: ignore[arg-type]
    admission.on_short(OSError(errno.ENFILE, "Too many open files in system"), 0)
    admission.stop()
    assert owner.told == [
        ("open_files", 0,
         "connections cannot be accepted: Too many open files in system. They wait until they can be"),
    ]  # fmt: skip
    assert clock.getDelayedCalls() == []


@pytest.mark.parametrize("number", [errno.ENFILE, errno.ENOMEM, errno.ENOBUFS])
@pytest_twisted.ensureDeferred
async def test_a13_a_port_that_can_neither_accept_nor_close_waits_a_moment(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    service = await desk.start()
    monkeypatch.setattr(sockets, "PAUSE", 0.05)
    calls = 0

    def accept(self: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls < 4:
            raise OSError(number, os.strerror(number))
        return real(self)

    real = socket.socket.accept
    monkeypatch.setattr(socket.socket, "accept", accept)
    peer = Peer(service)
    await peer.send(b"hello")
    await peer.expect(b"hello")
    assert 4 <= calls < 20  # it was not asked again at once, for ever
    await service.stop()
    [told] = desk.tape.all("limit.reached")
    assert told.detail == {"limit": "open_files", "value": None, "count": 0}


@pytest_twisted.ensureDeferred
async def test_a13_a_port_that_closes_while_it_waits_leaves_nothing_behind(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = await desk.start()
    asked: list[int] = []

    def accept(self: Any) -> Any:
        asked.append(1)
        raise OSError(errno.ENFILE, "Too many open files in system")

    monkeypatch.setattr(socket.socket, "accept", accept)
    client = socket.create_connection(address(service), 5)
    await until(lambda: asked)
    await service.stop()
    client.close()


def test_a13_two_hundred_connections_with_64_descriptors_are_one_event(tmp_path: Path) -> None:
    workspace = tmp_path / "w.toml"
    workspace.write_text('version = 1\n[[service]]\nname = "a"\nprotocol = "tcp"\nlisten = "127.0.0.1:0"\n')
    with serving(workspace, tmp_path / "x.lpost") as program:
        [where] = program.wait_up().values()
        resource.prlimit(program.process.pid, resource.RLIMIT_NOFILE, (64, 64))
        clients = [socket.create_connection(where, 5) for _ in range(200)]

        def recorded(kind: str) -> list[Any]:
            return [event for event in map(json.loads, list(program.lines)) if event["kind"] == kind]

        wait_for(lambda: recorded("limit.reached"))
        for client in clients:
            client.close()
        opened = len(recorded("connection.opened"))
        wait_for(lambda: len(recorded("connection.closed")) == opened)
        with socket.create_connection(where, 5) as client:
            client.sendall(b"hello")
            assert client.recv(5) == b"hello"
        program.kill(signal.SIGTERM)
        assert program.wait() == 0
        told = recorded("limit.reached")
        # One, or a second one with the rest where this machine took more than a second.
        assert len(told) <= 2
        assert sum(event["detail"]["count"] for event in told) == 200 - opened
        assert {(event["detail"]["limit"], event["detail"]["value"]) for event in told} == {("open_files", 64)}
        assert "connections were closed as soon as they were made" in told[0]["summary"]
