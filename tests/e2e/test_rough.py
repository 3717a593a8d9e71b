"""Rough treatment: many connections, large data, peers that do not read, and an early start."""

from __future__ import annotations

import hashlib
import os
import random
import socket
import struct
from pathlib import Path

from app.events import CONNECTION_CLOSED
from tests.e2e.clients import socat
from tests.e2e.conftest import Start
from tests.e2e.program import chosen, payload, query
from tests.e2e.workspaces import ECHO
from tests.helpers import serving, wait_for

MEGABYTE = 1 << 20
RESETS = 2_000


def _memory(pid: int) -> int:
    """Resident bytes of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_two_thousand_resets_are_two_thousand_connections(start: Start) -> None:
    """Each is opened and closed once in the capture, and the service goes on."""
    program = start(ECHO, "--start")
    program.wait_up(1)
    address = program.addresses()["tcp-echo"]
    for _ in range(RESETS):
        client = socket.create_connection(address, 5)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
    assert socat("TCP", address, b"still here") == b"still here"
    program.press("ctrl+q")
    assert program.wait() == 0
    events = program.events()
    opened, closed = chosen(events, "connection.opened"), chosen(events, "connection.closed")
    assert len(opened) == len({e["conn"] for e in opened}) == RESETS + 1
    assert sorted(e["conn"] for e in closed) == sorted(e["conn"] for e in opened)
    assert not chosen(events, "failure")


def test_ten_megabytes_come_back_whole(start: Start) -> None:
    """Through socat and in the capture, both ways: one checksum."""
    program = start(ECHO, "--start")
    program.wait_up(1)
    data = random.Random(10).randbytes(10 * MEGABYTE)
    checksum = hashlib.sha256(data).hexdigest()
    assert hashlib.sha256(socat("TCP", program.addresses()["tcp-echo"], data)).hexdigest() == checksum
    program.wait_event(lambda e: e.kind == CONNECTION_CLOSED)
    events = program.events()
    assert hashlib.sha256(payload(events, "data.received")).hexdigest() == checksum
    assert hashlib.sha256(payload(events, "data.sent")).hexdigest() == checksum


def test_a_client_that_never_reads_costs_no_memory(start: Start) -> None:
    """The sender is paused before the program has grown by 60 MB; other clients are served meanwhile."""
    program = start(ECHO, "--start")
    program.wait_up(1)
    address = program.addresses()["tcp-echo"]
    before = _memory(program.process.pid)
    with socket.create_connection(address, 5) as client:
        client.settimeout(1)
        given = _push(client, 200 * MEGABYTE)
        assert given < 200 * MEGABYTE
        assert _memory(program.process.pid) - before < 60 * MEGABYTE
        assert socat("TCP", address, b"and me?") == b"and me?"
        assert _memory(program.process.pid) - before < 60 * MEGABYTE


def _push(client: socket.socket, most: int) -> int:
    """Send up to ``most`` bytes, until the peer reads nothing for a second. Returns the bytes sent."""
    given, piece = 0, b"x" * MEGABYTE
    while given < most:
        try:
            given += client.send(piece)
        except TimeoutError:
            break
    return given


def test_serve_listens_when_it_has_said_so(tmp_path: Path) -> None:
    """Its first line comes when one can connect, and everything said then is in its capture."""
    workspace, capture = tmp_path / "echo.toml", tmp_path / "run.lpost"
    workspace.write_text(ECHO)
    with serving(workspace, capture) as program:
        address = program.wait_up()["tcp-echo"]
        with socket.create_connection(address, 5) as client:
            client.sendall(b"at once")
            assert client.recv(100) == b"at once"
        wait_for(lambda: any("connection.closed" in line for line in list(program.lines)))
        program.process.terminate()
        assert program.wait(30) == 0
    events = query(capture)
    assert payload(events, "data.received") == payload(events, "data.sent") == b"at once"
    assert events[-1]["kind"] == "service.stopped"
