"""app.programs.open_ports: what is kept of a port that its program closes and opens anew."""

import pytest
from twisted.internet.task import Clock

from app import events
from app.capture.recorder import Recorder
from app.programs.open_ports import OpenPorts

TABLES = ({"kind": "delay", "ms": 5.0}, {"kind": "corrupt", "enabled": False})


@pytest.mark.parametrize(("name", "again", "any_port"), [
    ("Echo:8000", "Echo:8000", False), ("Echo:40001", "Echo:51234", True), ("outgoing", "outgoing", False),
])  # fmt: skip
@pytest.mark.parametrize("by_end", [False, True], ids=["closed", "ended"])
def test_a_fault_that_was_switched_stays_so_when_the_port_opens_again(name, again, any_port, by_end):
    orders = []
    clock = Clock()
    ports = OpenPorts("echo", 1, Recorder(clock), clock, lambda **words: orders.append(words), lambda *_: TABLES)
    ports.on_port(1, name, "tcp")
    ports.on_status(1, events.SERVICE_STARTED, {"host": "127.0.0.1:1", "any_port": any_port})
    delay, corrupt = ports.all[1].faults.all
    ports.all[1].faults.switch(delay, on=False)
    ports.all[1].faults.switch(corrupt, on=True)
    if by_end:
        ports.let_go()
    else:
        ports.on_status(1, events.SERVICE_STOPPED, {})
    assert ports.all == {}
    orders.clear()

    ports.on_port(2, again, "tcp")
    assert [fault.enabled for fault in ports.all[2].faults.all] == [False, True]
    assert [(order["do"], order["service"], order.get("on")) for order in orders] == [
        ("faults", 2, None), ("switch", 2, False), ("switch", 2, True),
    ]  # fmt: skip


def test_another_port_has_switches_of_its_own():
    clock = Clock()
    ports = OpenPorts("echo", 1, Recorder(clock), clock, lambda **_: None, lambda *_: TABLES)
    ports.on_port(1, "Echo:8000", "tcp")
    ports.all[1].faults.switch(ports.all[1].faults.all[0], on=False)
    ports.let_go()
    ports.on_port(2, "Echo:8001", "tcp")
    assert [fault.enabled for fault in ports.all[2].faults.all] == [True, False]
