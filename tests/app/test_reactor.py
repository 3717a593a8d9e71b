"""The prompt epoll reactor: new writers are tried in the same iteration; all else is as in Twisted."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.abstract import FileDescriptor
from twisted.internet.error import ConnectionDone

from app.reactor import PromptEPollReactor
from tests import twisted_suite


def test_passes_twisteds_own_tests_for_reactors(tmp_path: Path) -> None:
    found = twisted_suite.run("app.reactor.PromptEPollReactor", tmp_path)
    assert found["failed"] == []
    assert found["run"] > 200


class Wire(FileDescriptor):
    """One end of a socket pair; ``calls`` records the reactor's calls."""

    def __init__(self, reactor: Any) -> None:
        super().__init__(reactor)
        self.end, self.other = socket.socketpair()
        self.end.setblocking(False)
        self.calls: list[str] = []
        self.on_read: Callable[[], Any] = lambda: self.end.recv(100) and None
        self.on_write: Callable[[], Any] = self.stopWriting
        self.connected = 1

    def fileno(self) -> int:
        return self.end.fileno()

    def doRead(self) -> Any:
        self.calls.append("read")
        return self.on_read()

    def doWrite(self) -> Any:
        self.calls.append("write")
        return self.on_write()

    def connectionLost(self, reason: Any) -> None:
        self.calls.append("lost")
        self.stopReading()
        self.stopWriting()

    def close(self) -> None:
        self.end.close()
        self.other.close()


class Polls:
    """Stands for the epoll object: records the timeouts of its polls."""

    def __init__(self, poller: Any) -> None:
        self._poller, self.timeouts = poller, list[float]()

    def poll(self, timeout: float, limit: int) -> Any:
        self.timeouts.append(timeout)
        return self._poller.poll(0, limit)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._poller, name)


@pytest.fixture
def reactor() -> Iterator[Any]:
    reactor: Any = PromptEPollReactor()
    reactor._poller = Polls(reactor._poller)
    yield reactor
    reactor.disconnectAll()
    for waker in reactor._internalReaders:
        waker.connectionLost(None)
    reactor._poller.close()


@pytest.fixture
def wires(reactor: Any) -> Iterator[list[Wire]]:
    made = [Wire(reactor) for _ in range(3)]
    yield made
    reactor.removeAll()
    for wire in made:
        wire.close()


def test_a_write_asked_for_in_a_round_is_tried_in_that_round(reactor: Any, wires: list[Wire]) -> None:
    wire = wires[0]
    reactor.addReader(wire)
    wire.on_read = lambda: (wire.end.recv(9), wire.startWriting())[1]
    wire.other.send(b"x")
    reactor.doPoll(0)
    assert wire.calls == ["read", "write"]
    assert reactor._writes == set()
    assert reactor.getWriters() == []


def test_a_full_socket_waits_in_epoll(reactor: Any, wires: list[Wire]) -> None:
    wire = wires[0]
    wire.on_write = lambda: None
    reactor.doPoll(0)
    reactor.addWriter(wire)
    reactor.doPoll(0)
    assert reactor._writes == {wire.fileno()}
    assert reactor.getWriters() == [wire]
    reactor.doPoll(0)
    wire.on_write = wire.stopWriting
    reactor.doPoll(0)
    reactor.doPoll(0)
    assert len(wire.calls) >= 3
    assert reactor.getWriters() == []


def test_one_who_waits_in_epoll_is_not_tried_before_it_is_ready(reactor: Any, wires: list[Wire]) -> None:
    wire = wires[0]
    wire.on_write = lambda: None
    reactor.addWriter(wire)
    reactor.doPoll(0)
    wire.calls.clear()
    while True:
        try:
            wire.end.send(bytes(65536))
        except BlockingIOError:
            break
    reactor.addWriter(wire)
    reactor.doPoll(0)
    assert wire.calls == []


def test_fresh_writers_are_among_the_writers_and_can_be_removed(reactor: Any, wires: list[Wire]) -> None:
    reactor.doPoll(0)
    for wire in wires:
        reactor.addWriter(wire)
    reactor.addWriter(wires[0])
    reactor.addReader(wires[0])
    assert reactor.getWriters() == wires
    reactor.removeWriter(wires[1])
    removed = reactor.removeAll()
    assert sorted(map(id, removed)) == sorted(map(id, (wires[0], wires[2])))
    assert reactor.getWriters() == []
    reactor.doPoll(0)
    assert [wire.calls for wire in wires] == [[], [], []]


def test_what_a_write_asks_for_before_the_poll_does_not_wait_for_it(reactor: Any, wires: list[Wire]) -> None:
    wire, called = wires[0], list[int]()
    wire.on_write = lambda: (wire.stopWriting(), reactor.callLater(0, called.append, 1))[0]
    reactor.doPoll(0)
    reactor.addWriter(wire)
    reactor._poller.timeouts.clear()
    reactor.doPoll(None)
    assert reactor._poller.timeouts == [0.0]
    reactor.runUntilCurrent()
    assert called == [1]
    reactor.doPoll(None)
    assert reactor._poller.timeouts == [0.0, -1]


def test_two_that_feed_each_other_end_the_round(reactor: Any, wires: list[Wire]) -> None:
    one, two, _ = wires
    one.on_write = lambda: (one.stopWriting(), two.startWriting())[0]
    two.on_write = lambda: (two.stopWriting(), one.startWriting())[0]
    reactor.doPoll(0)
    reactor.addWriter(one)
    reactor.addWriter(two)
    reactor.doPoll(0)
    assert len(one.calls) + len(two.calls) <= 6
    assert reactor.getWriters()


def test_a_writer_removed_by_another_in_the_round_is_not_tried(reactor: Any, wires: list[Wire]) -> None:
    one, two, _ = wires
    one.on_write = lambda: (one.stopWriting(), two.stopWriting())[0]
    reactor.doPoll(0)
    reactor.addWriter(one)
    reactor.addWriter(two)
    reactor.doPoll(0)
    assert two.calls == []


@pytest.mark.parametrize("method", ["on_read", "on_write"])
def test_what_one_descriptor_raises_ends_it_alone(
    method: str, reactor: Any, wires: list[Wire], logged_failures: Any
) -> None:
    def fail() -> None:
        raise ValueError("as told")

    setattr(wires[0], method, fail)
    reactor.doPoll(0)
    for wire in wires:
        wire.other.send(b"x")
        reactor.addReader(wire)
        reactor.addWriter(wire)
    reactor.doPoll(0)
    assert wires[0].calls[-1] == "lost"
    assert sorted(wires[1].calls) == sorted(wires[2].calls) == ["read", "write"]
    assert len(logged_failures(ValueError)) == 1


def test_what_connection_lost_raises_is_logged(
    reactor: Any, wires: list[Wire], logged_failures: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(reason: Any) -> None:
        raise ValueError("in connectionLost")

    monkeypatch.setattr(wires[0], "connectionLost", fail)
    wires[0].on_read = ConnectionDone
    for wire in wires[:2]:
        wire.other.send(b"x")
        reactor.addReader(wire)
    reactor.doPoll(0)
    assert wires[1].calls == ["read"]
    assert len(logged_failures(ValueError)) == 1


def test_a_writer_whose_descriptor_is_gone_does_not_stop_the_loop(
    reactor: Any, wires: list[Wire], logged_failures: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    reactor.doPoll(0)
    reactor.addWriter(wires[0])
    reactor.addWriter(wires[1])

    def fail() -> int:
        raise OSError(9, "Bad file descriptor")

    monkeypatch.setattr(wires[0], "fileno", fail)
    reactor.doPoll(0)
    reactor.doPoll(0)
    assert wires[1].calls == ["write"]
    assert reactor._fresh == {}
    monkeypatch.undo()
    logged_failures(OSError)


def test_a_file_that_epoll_does_not_take_is_polled_and_let_go(reactor: Any, wires: list[Wire], tmp_path: Path) -> None:
    wire = wires[0]
    wire.on_write = lambda: None
    with open(tmp_path / "file", "wb") as file:
        wire.fileno = file.fileno  # type: ignore[method-assign]
        reactor.doPoll(0)
        reactor.addWriter(wire)
        reactor.doPoll(0)
        assert reactor.getWriters() == [wire]
        reactor.addWriter(wire)
        reactor.removeWriter(wire)
        assert reactor.getWriters() == []
    for call in reactor.getDelayedCalls():
        call.cancel()


def test_a_descriptor_removed_by_another_in_the_round_is_not_read(reactor: Any, wires: list[Wire]) -> None:
    for wire in wires:
        wire.on_read = lambda: [reactor.removeReader(other) for other in wires] and None
        wire.other.send(b"x")
        reactor.addReader(wire)
    reactor.doPoll(0)
    assert [call for wire in wires for call in wire.calls] == ["read"]


def test_more_ready_descriptors_than_a_slice_all_get_their_turn(
    reactor: Any, wires: list[Wire], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.reactor.SLICE", 1)
    for wire in wires:
        wire.on_read = lambda: None  # stays ready
        wire.other.send(b"x")
        reactor.addReader(wire)
    for _ in range(6):
        reactor.doPoll(0)
    assert [len(wire.calls) for wire in wires] == [2, 2, 2]


class Turns:
    """Says when a turn begins and ends."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def begin(self) -> None:
        self.told.append("begin")

    def end(self) -> None:
        self.told.append("end")


def test_a_turn_is_all_between_two_polls(reactor: Any, wires: list[Wire]) -> None:
    reactor.turns = turns = Turns()
    wire = wires[0]

    def read() -> None:
        turns.told.append("read")
        wire.end.recv(100)

    wire.on_read = read
    wire.startReading()
    wire.other.send(b"x")
    reactor.doIteration(0)
    reactor.doIteration(0)
    assert turns.told == ["end", "begin", "read", "end", "begin"]
