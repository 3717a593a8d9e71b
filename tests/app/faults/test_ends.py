"""Connections that faults end: late, until they are lifted; in the middle of what is written in parts."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import ensureDeferred
from twisted.internet.protocol import Factory, Protocol

from app.faults import tables
from tests.app.faults.http_desk import BODY, asked, started
from tests.app.faults.http_peers import HTTP1, HTTP2, WIRES, get
from tests.app.services.helpers import Desk, Peer, Tape
from tests.helpers import until


class Ends(Protocol):
    """Closes when it has heard the end."""

    def dataReceived(self, data: bytes) -> None:
        self.transport.write(data)  # type: ignore[union-attr]
        if data == b"end":
            self.transport.loseConnection()  # type: ignore[union-attr]


class Parts(Protocol):
    """Writes three parts of ten bytes each."""

    def connectionMade(self) -> None:
        for letter in b"abc":
            self.transport.write(bytes([letter]) * 10)  # type: ignore[union-attr]


SLOW = {"kind": "slow-close", "on": "received", "after_ms": 3_600_000.0}


@pytest.mark.parametrize("when", ["before", "while it waits"])
@pytest_twisted.ensureDeferred
async def test_lifting_a_slow_close_closes_at_once(desk: Desk, tape: Tape, when: str):
    service = await desk.start(make=lambda: Factory.forProtocol(Ends), faults=(SLOW,))
    peer = Peer(service)
    peer.push(b"hello" if when == "before" else b"end")
    await until(lambda: tape.all("data.sent"))
    service.faults.switch(service.faults.all[0], on=False)
    if when == "before":
        peer.push(b"end")
    await peer.end()
    assert peer.ended == "closed"


@pytest.mark.parametrize("wire", [HTTP1, HTTP2])
@pytest_twisted.ensureDeferred
async def test_lifting_a_slow_close_ends_http_at_once(desk: Desk, home: None, tape: Tape, wire: str):
    service = await started(desk, wire, {**SLOW, "on": "sent"})
    if wire == HTTP1:
        peer = Peer(service)
        peer.push(get("/", "GET", "Connection: close"))
        await peer.expect(BODY)
        service.faults.switch(service.faults.all[0], on=False)
        await peer.end()
    else:
        asking = ensureDeferred(asked(service, wire))
        await until(lambda: tape.all("fault.applied"))
        service.faults.switch(service.faults.all[0], on=False)
        assert (await asking).end == "END"


@pytest.mark.parametrize(("size", "kept"), [(3, b"aaa"), (10, b"a" * 10), (13, b"a" * 10 + b"bbb"), (25, None)])
@pytest.mark.parametrize("late", [False, True], ids=["at once", "late"])
@pytest_twisted.ensureDeferred
async def test_a_cut_is_exact_where_it_is_written_in_parts(
    desk: Desk, tape: Tape, size: int, kept: bytes | None, late: bool
):
    faults: list[dict[str, Any]] = [{"kind": "cut", "bytes": size}]
    if late:
        faults.append({"kind": "delay", "ms": 30.0})
    service = await desk.start(make=lambda: Factory.forProtocol(Parts), faults=tuple(faults))
    peer = Peer(service)
    await peer.end()
    assert bytes(peer.got) == (b"a" * 10 + b"b" * 10 + b"c" * 5 if kept is None else kept)
    cuts = [e for e in tape.all("fault.applied") if e.detail["kind"] == "cut"]
    assert cuts[0].summary == f"cut: cut after {size} bytes, then close"
    if size in (13, 25):
        left, part = (3, b"b" * 10) if size == 13 else (5, b"c" * 10)
        assert cuts[1].summary == f"cut: {left} of 10 bytes left, then close"
        assert cuts[1].payload == part
    else:
        assert len(cuts) == 1
        assert cuts[0].payload == b"a" * 10


@pytest.mark.parametrize("wire", WIRES)
@pytest_twisted.ensureDeferred
async def test_a_cut_of_an_answer_in_parts_has_the_part_that_was_cut(desk: Desk, home: None, tape: Tape, wire: str):
    service = await started(desk, wire, {"kind": "cut", "bytes": 510})
    got = await asked(service, wire, "/chunks", ends=True)
    assert got.body == BODY[:510]
    first, cut = tape.all("fault.applied")
    assert (first.payload, cut.payload) == (BODY[:250], BODY[500:750])
    assert cut.summary == "cut: 10 of 250 bytes left, then close"


@pytest.mark.parametrize(("protocol", "more"), [("tcp", {}), ("http", {"how": "unaccepted"}), ("udp", {})])
@pytest.mark.parametrize(("period", "wrong"), [(0.001, True), (0.09, True), (0.1, False), (0.0, False)])
def test_a_port_is_not_shut_hundreds_of_times_a_second(protocol: str, more: Any, period: float, wrong: bool):
    outage = {"kind": "refuse", "until_seconds": 0.0005, "period_seconds": period, **more}
    found = list(tables.problems([outage], protocol, tls=False))
    assert found == [
        (0, "period_seconds", "must be at least 0.1 s: the port is closed and opened each time")
    ] * wrong  # fmt: skip
    if protocol == "tcp":
        assert not list(tables.problems([{**outage, "how": "reset"}], protocol, tls=False))
