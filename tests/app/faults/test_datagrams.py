"""Faults on UDP, with raw sockets, socat and nc."""

from __future__ import annotations

import itertools
import socket
import subprocess
from collections.abc import Iterator
from time import monotonic
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.protocol import DatagramProtocol
from twisted.internet.task import Clock
from twisted.internet.threads import deferToThread

from app.faults import find
from app.faults.live import Faults
from app.services.tap import faulty_flows
from app.services.tap.datagrams import DatagramTap
from app.services.tap.faulty_flows import FaultyFlows
from tests.app.faults.test_streams import faults
from tests.app.services.helpers import Desk, Tape, address
from tests.helpers import still_from_thread, until

GLANCE = 0.02
"""Seconds after which a client looks whether anything more will come."""


def talk(where: tuple[str, int], sent: tuple[bytes, ...]) -> list[tuple[float, bytes]]:
    """What a client gets for what it sends, with the milliseconds since; ``b"refused"`` for port unreachable."""
    got = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect(where)
        client.settimeout(GLANCE)
        began = monotonic()
        all_done = False
        try:
            for data in sent:
                client.send(data)
            while True:
                try:
                    data = client.recv(70_000)
                    got.append(((monotonic() - began) * 1000, data))
                except TimeoutError:
                    if all_done:  # and nothing has come since
                        return got
                    all_done = still_from_thread()
        except ConnectionRefusedError:
            got.append((0.0, b"refused"))
            return got


async def talked(service: Any, *sent: bytes) -> list[bytes]:
    return [data for _, data in await deferToThread(talk, address(service), sent)]


SEEN: list[tuple[dict[str, Any], list[bytes]]] = [
    ({"kind": "delay", "ms": 50.0}, [b"1", b"2", b"3"]),
    ({"kind": "delay", "ms": 80.0, "nth": 2}, [b"1", b"3", b"2"]),
    ({"kind": "lose", "nth": 2}, [b"1", b"3"]),
    ({"kind": "lose", "first": 1, "burst_ms": 60_000.0}, []),
    ({"kind": "duplicate", "nth": 2}, [b"1", b"2", b"2", b"3"]),
    ({"kind": "duplicate", "nth": 2, "gap": 1}, [b"1", b"2", b"3", b"2"]),
    ({"kind": "duplicate", "nth": 2, "ms": 80.0}, [b"1", b"2", b"3", b"2"]),
    ({"kind": "reorder", "nth": 1, "gap": 2}, [b"2", b"3", b"1"]),
    ({"kind": "reorder", "nth": 3, "ms": 50.0}, [b"1", b"2", b"3"]),
    ({"kind": "hang", "nth": 2}, [b"1"]),
    ({"kind": "hang", "nth": 2, "ms": 10_000.0}, [b"1"]),
    ({"kind": "corrupt", "nth": 2, "how": "zero"}, [b"1", b"\0", b"3"]),
    ({"kind": "corrupt", "nth": 2, "how": "truncate"}, [b"1", b"", b"3"]),
]
"""What is seen by one who sends 1, 2, 3 to an echo, whichever side is hit."""


def cases() -> Iterator[Any]:
    for table, seen in SEEN:
        for on in ("sent", "received"):
            yield pytest.param(table | {"on": on}, seen, id=" ".join(str(value) for value in [*table.values(), on]))


@pytest.mark.parametrize(("table", "seen"), list(cases()))
@pytest_twisted.ensureDeferred
async def test_what_a_client_sees(desk: Desk, table: dict[str, Any], seen: list[bytes], tape: Tape):
    service = await desk.start("udp", **faults(table))
    assert await talked(service, b"1", b"2", b"3") == seen
    assert tape.all("fault.applied")[0].detail["kind"] == table["kind"]
    kind = find(table["kind"])
    assert kind is not None
    if kind.name != "hang":
        # The capture tells the truth of the wire: what came, and what left.
        assert [e.payload for e in tape.all("datagram.received")] == [b"1", b"2", b"3"]
        assert [e.payload for e in tape.all("datagram.sent")] == seen


@pytest_twisted.ensureDeferred
async def test_jitter_changes_the_order(desk: Desk, tape: Tape):
    service = await desk.start("udp", **faults({"kind": "delay", "ms": 60.0, "jitter_ms": 60.0}))
    sent = [b"%d" % number for number in range(20)]
    got = await talked(service, *sent)
    assert sorted(got) == sorted(sent)
    assert got != sent
    received, left = tape.all("datagram.received"), tape.all("datagram.sent")
    assert [e.payload for e in received] == sent
    assert [e.payload for e in left] == got


@pytest_twisted.ensureDeferred
async def test_each_flow_is_a_connection(desk: Desk):
    service = await desk.start("udp", **faults({"kind": "lose", "nth": 1, "count_per": "connection"}))
    assert await talked(service, b"1", b"2") == [b"2"]
    assert await talked(service, b"3", b"4") == [b"4"]


@pytest_twisted.ensureDeferred
async def test_a_closed_port_is_unreachable_and_comes_back(desk: Desk, tape: Tape):
    service = await desk.start("udp", **faults({"kind": "refuse", "enabled": False}))
    where = address(service)
    assert await talked(service, b"1") == [b"1"]
    [fault] = service.faults.all
    service.faults.switch(fault, on=True)
    assert service.status.shut == "closed"
    assert await deferToThread(talk, where, (b"2",)) == [(0.0, b"refused")]
    service.faults.switch(fault, on=False)
    assert service.status.shut == ""
    assert await talked(service, b"3") == [b"3"]
    assert [e.summary for e in tape.all("fault.applied")] == [
        "refuse: the port is closed",
        "refuse: the port is open again",
    ]


@pytest_twisted.ensureDeferred
async def test_what_is_answered_while_the_port_is_closed_says_so(desk: Desk, tape: Tape):
    tables = {"kind": "delay", "ms": 100.0}, {"kind": "refuse", "enabled": False}
    service = await desk.start("udp", **faults(*tables))
    talking = deferToThread(talk, address(service), (b"1",))
    await until(lambda: tape.all("datagram.received"))
    service.faults.switch(service.faults.all[1], on=True)
    await talking
    [log] = await until(lambda: [e for e in tape.all("log") if "not sent" in e.summary])
    assert "a fault has closed the port" in log.summary


@pytest.mark.parametrize("program", ["socat", "nc"])
@pytest_twisted.ensureDeferred
async def test_others_see_it(desk: Desk, program: str):
    service = await desk.start("udp", **faults({"kind": "duplicate", "on": "sent"}))
    host, port = address(service)
    command = (
        ["socat", "-t1", "-", f"udp:{host}:{port}"] if program == "socat" else ["nc", "-u", "-w1", host, str(port)]
    )
    done = await deferToThread(subprocess.run, command, input=b"hello\n", capture_output=True, timeout=10, check=False)
    assert done.stdout == b"hello\nhello\n"


@pytest_twisted.ensureDeferred
async def test_no_fault_costs_one_look_at_an_attribute(desk: Desk):
    service = await desk.start("udp")
    assert await talked(service, b"1") == [b"1"]
    [flow] = service.connections.values()
    assert flow.faulty is None  # type: ignore[attr-defined]


# -- in virtual time


def flows(*tables: dict[str, Any]) -> tuple[Clock, FaultyFlows, list[str]]:
    clock, told = Clock(), []
    live = Faults(clock, lambda conn, summary, detail, payload: None)
    live.protocol = "udp"
    live.configure(tables)
    live.begin(7)
    return clock, FaultyFlows(live, lambda words, count: told.append(words)), told


class Peer:
    number, peer = 1, "10.0.0.1:5000"


def test_what_waits_is_bounded_and_the_capture_is_told():
    clock, made, told = flows({"kind": "delay", "ms": 1000.0})
    flow, got = made.open(Peer()), []
    for _ in range(300):
        flow.pass_on("sent", bytes(64_000), got.append)
    assert faulty_flows.MOST - 65_000 < made.waiting <= faulty_flows.MOST
    clock.advance(1.0)
    assert len(got) == faulty_flows.MOST // (64_000 + 256)
    assert made.waiting == 0
    assert told == [f"{300 - len(got)} datagrams were lost: 16 MiB of others wait for faults already"]


def test_a_flow_that_ends_gives_back_what_it_kept():
    clock, made, _ = flows({"kind": "delay", "ms": 1000.0}, {"kind": "reorder", "on": "received"})
    flow = made.open(Peer())
    flow.pass_on("sent", b"123", lambda data: None)
    flow.pass_on("received", b"45", lambda data: None)
    assert made.waiting == 5 + 2 * 256
    assert flow.end() == 3
    assert made.waiting == 0
    assert not clock.getDelayedCalls()


def test_lifting_passes_on_what_is_held_in_its_order():
    _, made, _ = flows({"kind": "reorder", "gap": 5, "first": 1}, {"kind": "delay", "ms": 1000.0, "nth": 2})
    flow, got = made.open(Peer()), []
    for data in (b"1", b"2", b"3"):
        flow.pass_on("sent", data, got.append)
    assert got == [b"3"]
    made.faults.switch(made.faults.all[0], on=False)
    assert got == [b"3", b"1"]
    made.faults.switch(made.faults.all[1], on=False)
    assert got == [b"3", b"1", b"2"]


@pytest.mark.parametrize("kept", [0.0, 0.5, 0.9])
def test_a_correlation_leaves_the_share_of_losses_as_it_is(kept: float):
    _, made, _ = flows({"kind": "lose", "probability": 0.2, "correlation": kept})
    flow, got = made.open(Peer()), []
    count = 20_000
    for number in range(count):
        flow.pass_on("sent", b"%d" % number, got.append)
    came = set(map(int, got))
    lost = [number not in came for number in range(count)]
    share = sum(lost) / count
    both = sum(one and other for one, other in itertools.pairwise(lost)) / count
    deviation = (0.2 * 0.8 / count * (1 + kept) / (1 - kept)) ** 0.5
    assert abs(share - 0.2) < 3 * deviation
    assert abs((both - share * share) / (share * (1 - share)) - kept) < 0.05


def test_a_burst_takes_all_with_it():
    clock, made, _ = flows({"kind": "lose", "nth": 3, "burst_ms": 100.0})
    flow, got = made.open(Peer()), []
    for number in range(20):
        flow.pass_on("sent", b"%d" % number, got.append)
        clock.advance(0.0201)
    assert [int(data) for data in got] == [0, 1, *range(7, 20)]


def test_a_run_repeats():
    def run() -> list[bytes]:
        clock, made, _ = flows({"kind": "delay", "ms": 50.0, "jitter_ms": 50.0}, {"kind": "lose", "probability": 0.3})
        flow, got = made.open(Peer()), []
        for number in range(50):
            flow.pass_on("sent", b"%d" % number, got.append)
        clock.advance(1.0)
        return got

    assert run() == run()


class Silent(DatagramProtocol):
    """Answers nothing."""


def test_a_relay_to_its_upstream_has_no_faults(desk: Desk):
    service = desk.service("udp", **faults({"kind": "lose"}))
    assert DatagramTap(Silent(), service, desk.reactor, outgoing=True)._faulty is None
