"""Faults on TCP, with real sockets."""

from __future__ import annotations

import socket
from dataclasses import replace
from time import monotonic
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.threads import deferToThread

from tests.app.services.helpers import Desk, Peer, Tape, address, closed
from tests.helpers import until


def talk(
    where: tuple[str, int], *sent: bytes, wait: float = 5.0, enough: int = 1 << 40
) -> list[tuple[float, bytes | str]]:
    """What a client gets, with the milliseconds since it connected: bytes, "FIN" or "RST".

    It reads until nothing came for ``wait`` seconds, or ``enough`` bytes have come.
    """
    size = 0
    got: list[tuple[float, bytes | str]] = []
    with socket.create_connection(where, 5) as peer:
        began = monotonic()
        peer.settimeout(wait)
        for data in sent:
            peer.sendall(data)
        while True:
            try:
                data = peer.recv(65_536)
            except ConnectionResetError:
                got.append(((monotonic() - began) * 1000, "RST"))
                return got
            except TimeoutError:
                return got
            got.append(((monotonic() - began) * 1000, data or "FIN"))
            size += len(data)
            if not data or size >= enough:
                return got


async def talked(
    service: Any, *sent: bytes, wait: float = 10.0, enough: int = 1 << 40
) -> list[tuple[float, bytes | str]]:
    return await deferToThread(talk, address(service), *sent, wait=wait, enough=enough)


def faults(*tables: dict[str, Any]) -> dict[str, Any]:
    return {"faults": tables, "seed": 7}


@pytest_twisted.ensureDeferred
async def test_a_delay_on_what_is_sent(desk: Desk, tape: Tape):
    service = await desk.start(**faults({"kind": "delay", "ms": 200}))
    [(late, data)] = await talked(service, b"PING", enough=4)
    assert data == b"PING"
    assert late >= 199
    await closed(tape)  # with it comes the total
    seen = {"fault": "delay", "kind": "delay", "on": "sent", "message": 1, "seed": 7}
    assert [event.detail for event in tape.all("fault.applied")] == [
        {**seen, "words": "200 ms late"}, {**seen, "words": "1 message, 4 bytes in all", "total": 1},
    ]  # fmt: skip


@pytest.mark.parametrize(("kind", "end"), [("close", "FIN"), ("reset", "RST")])
@pytest_twisted.ensureDeferred
async def test_the_second_message_with_a_text_ends_the_connection(desk: Desk, kind: str, end: str, tape: Tape):
    service = await desk.start(**faults({"kind": kind, "nth": 2, "match": "PAY", "on": "received"}))
    where = address(service)

    def client() -> list[Any]:
        with socket.create_connection(where, 5) as peer:
            got: list[Any] = []
            for data in (b"PAY 1", b"hello", b"PAY 2"):
                peer.sendall(data)
                try:
                    got.append(peer.recv(100) or "FIN")
                except ConnectionResetError:
                    got.append("RST")
            return got

    assert await deferToThread(client) == [b"PAY 1", b"hello", end]
    [event] = tape.all("fault.applied")
    assert event.payload == b"PAY 2"


@pytest_twisted.ensureDeferred
async def test_a_cut_is_exact(desk: Desk):
    service = await desk.start(**faults({"kind": "cut", "bytes": 7}))
    assert [what for _, what in await talked(service, b"0123456789")] == [b"0123456", "FIN"]


@pytest_twisted.ensureDeferred
async def test_what_is_left_of_a_cut_is_late(desk: Desk, tape: Tape):
    service = await desk.start(**faults({"kind": "delay", "ms": 200}, {"kind": "cut", "bytes": 7}, {"kind": "reset"}))
    [(late, data), (_, end)] = await talked(service, b"0123456789")
    assert (data, end) == (b"0123456", "FIN")
    assert late >= 199
    assert [e.detail["kind"] for e in tape.all("fault.applied")][:2] == ["cut", "delay"]


@pytest.mark.parametrize(
    "ends", [{"kind": "cut", "part": 0.5}, {"kind": "garbage", "bytes": 9}], ids=["cut", "garbage"]
)
@pytest_twisted.ensureDeferred
async def test_what_is_left_of_an_answer_is_late(desk: Desk, ends: dict[str, Any]):
    both = faults({"kind": "delay", "ms": 200}, ends)
    service = await desk.start("http", "inspector", **both)
    got = await talked(service, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert got[-1][1] == "FIN"
    assert got[0][0] >= 199
    assert bytes(got[0][1]).startswith(b"HTTP/1.1 200 OK\r\n")


@pytest_twisted.ensureDeferred
async def test_a_rate_is_kept(desk: Desk):
    service = await desk.start(**faults({"kind": "rate", "bytes_per_second": 100_000}))
    got = await talked(service, bytes(30_000), enough=30_000)
    assert sum(len(data) for _, data in got) == 30_000
    assert got[-1][0] >= 250  # how exactly it is kept, in virtual time, says test_lane


@pytest_twisted.ensureDeferred
async def test_a_live_fault_acts_on_an_open_connection_and_lifting_it_passes_what_it_held(desk: Desk, tape: Tape):
    service = await desk.start()
    peer = Peer(service)
    peer.push(b"1")
    await until(lambda: tape.all("data.sent"))
    assert service.apply(replace(service.config, faults=({"kind": "stall", "ms": 60_000.0, "first": 1},)))
    peer.push(b"2")
    await until(lambda: tape.all("fault.applied"))
    assert len(tape.all("data.sent")) == 1
    [fault] = service.faults.all
    service.faults.switch(fault, on=False)
    await until(lambda: len(tape.all("data.sent")) == 2)
    assert tape.data("data.sent") == b"12"


@pytest_twisted.ensureDeferred
async def test_freeze_passes_neither_the_message_that_it_hits_nor_one_read_with_it(desk: Desk, tape: Tape):
    options = {"framing": "delimiter", "rules": [{"when": "message", "then": ["send {{message}}"]}]}
    service = await desk.start("tcp", "script", options=options, **faults({"kind": "freeze", "match": "BB"}))
    peer = Peer(service)
    peer.push(b"AA\nBB\nCC\n")
    await until(lambda: service.faults.all[0].hits)
    service.faults.switch(service.faults.all[0], on=False)
    await until(lambda: peer.pull().got == b"AA\nBB\nCC\n")
    assert tape.data("data.received") == b"AA\nBB\nCC\n"


@pytest_twisted.ensureDeferred
async def test_freeze_from_the_first_message_on_answers_none(desk: Desk, tape: Tape):
    service = await desk.start(**faults({"kind": "freeze"}))
    assert await talked(service, b"A", b"B", wait=0.2) == []
    assert not tape.all("data.sent")
