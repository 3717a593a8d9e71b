"""The Qt reactor: delayed calls, nested loops, its end, fairness and idleness."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from PyQt5.QtCore import QEventLoop, QTimer
from twisted.internet import utils
from twisted.internet.abstract import FileDescriptor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.error import ConnectionRefusedError as Refused
from twisted.internet.protocol import Factory, Protocol, ServerFactory
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread

from tests import twisted_suite
from tests.helpers import until
from ui import reactor as reactor_module
from ui.reactor import EpollQtReactor


@pytest.fixture
def reactor() -> EpollQtReactor:
    from twisted.internet import reactor

    assert isinstance(reactor, EpollQtReactor)
    return reactor


@pytest.fixture
def other() -> Iterator[EpollQtReactor]:
    """A reactor of the test's own, which has no calls but its."""
    other = EpollQtReactor()
    yield other
    other._timer.stop()
    other._notifier.setEnabled(False)
    for waker in other._internalReaders:
        waker.connectionLost(None)
    other._poller.close()


class Wire(FileDescriptor):
    """Reads one byte at a time from a socket pair; ``on_read`` may do more."""

    def __init__(self, reactor: Any) -> None:
        super().__init__(reactor)
        self.end, self.other = socket.socketpair()
        self.end.setblocking(False)
        self.connected = 1
        self.reads = 0
        self.on_read: Callable[[], Any] = lambda: self.end.recv(1) and None

    def fileno(self) -> int:
        return self.end.fileno()

    def doRead(self) -> Any:
        self.reads += 1
        return self.on_read()

    def writeSomeData(self, data: bytes) -> int:
        return self.end.send(data)


@pytest.fixture
def wires(reactor: EpollQtReactor) -> Iterator[list[Wire]]:
    made = [Wire(reactor) for _ in range(2)]
    yield made
    for wire in made:
        wire.stopReading()
        wire.stopWriting()
        wire.end.close()
        wire.other.close()


class Dialog:
    """A Qt loop of its own, as a modal dialog has; left by ``close``.

    Attributes:
        timed_out: nobody closed it.
    """

    def __init__(self) -> None:
        self._loop = QEventLoop()
        self.open = self.timed_out = False

    def run(self) -> None:
        self.open = True
        limit = QTimer(singleShot=True, interval=30_000)
        limit.timeout.connect(self._give_up)
        limit.start()
        self._loop.exec_()
        limit.stop()
        self.open = False

    def close(self, *_: Any) -> None:
        self._loop.quit()

    def _give_up(self) -> None:
        self.timed_out = True
        self.close()


def test_passes_twisteds_own_tests_for_reactors(tmp_path: Path) -> None:
    found = twisted_suite.run("ui.reactor.EpollQtReactor", tmp_path)
    assert found["failed"] == []
    assert found["run"] > 200


# -- delayed calls


@pytest_twisted.ensureDeferred
async def test_delayed_calls_come_in_order(reactor: EpollQtReactor, monkeypatch: pytest.MonkeyPatch) -> None:
    came: list[str] = []
    now = reactor.seconds()
    monkeypatch.setattr(reactor, "seconds", lambda: now)  # all are asked for at one moment, however long it takes
    delays = {"d": 0.04, "b": 0.02, "c": 0.03, "a": 0}
    calls = {name: reactor.callLater(delay, came.append, name) for name, delay in delays.items()}
    calls["c"].cancel()
    sooner, later = reactor.callLater(9, came.append, "sooner"), reactor.callLater(0.01, came.append, "later")
    sooner.reset(0.03)
    later.reset(0.05)
    monkeypatch.undo()
    await until(lambda: len(came) == 5)
    assert came == ["a", "b", "sooner", "d", "later"]


@pytest_twisted.ensureDeferred
async def test_a_call_beyond_what_a_timer_holds_waits(reactor: EpollQtReactor) -> None:
    call = reactor.callLater(400 * 24 * 3600, lambda: None)
    await deferLater(reactor, 0, lambda: None)
    assert call.active()
    call.cancel()


@pytest_twisted.ensureDeferred
async def test_a_call_asked_for_by_a_slot_comes(reactor: EpollQtReactor) -> None:
    came: Deferred[str] = Deferred()
    QTimer.singleShot(0, lambda: reactor.callLater(0.001, came.callback, "slot") and None)
    assert await came == "slot"


def test_the_timer_is_armed_only_for_another_deadline(other: EpollQtReactor, monkeypatch: pytest.MonkeyPatch) -> None:
    starts: list[int] = []
    start = other._timer.start
    monkeypatch.setattr(other._timer, "start", lambda ms: (starts.append(ms), start(ms)))
    calls = [other.callLater(60, lambda: None)]
    assert len(starts) == 1
    calls += [other.callLater(70 + i, lambda: None) for i in range(50)]
    for call in calls[1:]:
        call.reset(90)
    for _ in range(5):
        other._drain()
    assert len(starts) == 1
    other.callLater(30, lambda: None)
    assert len(starts) == 2
    assert 29_000 < starts[1] <= 30_001


# -- Qt loops below a handler


@pytest_twisted.ensureDeferred
async def test_calls_come_below_a_dialog_that_a_call_has_opened(reactor: EpollQtReactor) -> None:
    dialog, came = Dialog(), list[bool]()
    reactor.callLater(0, dialog.run)
    await until(lambda: dialog.open)
    reactor.callLater(0.001, lambda: came.append(dialog.open))
    QTimer.singleShot(0, lambda: reactor.callLater(0.002, lambda: (came.append(dialog.open), dialog.close())) and None)
    await until(lambda: not dialog.open)
    assert came == [True, True]


@pytest_twisted.ensureDeferred
async def test_a_dialog_opened_for_a_thread_opens_once(reactor: EpollQtReactor) -> None:
    opened, after = list[int](), list[int]()
    dialog = Dialog()

    def show() -> None:
        opened.append(1)
        if len(opened) == 1:
            dialog.run()

    def ask() -> None:
        reactor.callFromThread(show)
        reactor.callFromThread(after.append, 1)
        reactor.callFromThread(reactor.callLater, 0.01, dialog.close)

    threading.Thread(target=ask).start()
    await until(lambda: opened and not dialog.open)
    assert (opened, after) == ([1], [1])


@pytest_twisted.ensureDeferred
async def test_what_a_slot_writes_below_a_dialog_leaves_at_once(reactor: EpollQtReactor, wires: list[Wire]) -> None:
    wire, dialog = wires[0], Dialog()
    wire.other.setblocking(False)
    got: list[bytes] = []

    def look() -> None:
        try:
            got.append(wire.other.recv(9))
        except BlockingIOError:
            return
        dialog.close()

    def show() -> None:
        QTimer.singleShot(0, lambda: wire.write(b"sent"))
        timer = QTimer()
        timer.timeout.connect(look)
        timer.start(1)
        dialog.run()
        timer.stop()
        got.append(b"closed")

    reactor.callLater(0, show)
    await until(lambda: b"closed" in got)
    assert got == [b"sent", b"closed"]


@pytest_twisted.ensureDeferred
async def test_readiness_seen_before_a_dialog_is_not_used_after_it(reactor: EpollQtReactor, wires: list[Wire]) -> None:
    """Meanwhile a descriptor may have been closed, and its number be another's."""
    dialog = Dialog()
    done: list[int] = []

    def first(wire: Wire) -> Callable[[], None]:
        def read() -> None:
            wire.end.recv(9)
            if not done:
                done.append(1)
                reactor.callLater(0, dialog.close)
                dialog.run()
                done.append(2)

        return read

    for wire in wires:
        wire.on_read = first(wire)
        wire.other.send(b"x")
        wire.startReading()
    await until(lambda: len(done) == 2)
    assert [wire.reads for wire in wires] == [1, 1]


# -- other threads


@pytest_twisted.ensureDeferred
async def test_calls_from_threads_come_in_order_and_once(reactor: EpollQtReactor) -> None:
    came: list[int] = []

    def ask() -> None:
        for i in range(1000):
            reactor.callFromThread(came.append, i)

    await deferToThread(ask)
    await until(lambda: len(came) >= 1000)
    assert came == list(range(1000))


@pytest_twisted.ensureDeferred
async def test_a_call_from_a_thread_is_not_forgotten_when_the_budget_ends(
    reactor: EpollQtReactor, wires: list[Wire], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reactor_module, "BUDGET", 0.0)
    came: list[int] = []
    dialog = Dialog()  # nothing else wakes the reactor while it is open

    def ask() -> Any:
        wires[0].end.recv(1)
        reactor.callFromThread(came.append, 1)
        reactor.callFromThread(dialog.close)
        return reactor.waker.doRead()

    wires[0].on_read = ask
    wires[0].startReading()
    wires[0].other.send(b"x")
    dialog.run()
    assert came == [1]
    assert not dialog.timed_out


@pytest_twisted.ensureDeferred
async def test_what_a_call_from_a_thread_raises_stops_no_other(reactor: EpollQtReactor, logged_failures: Any) -> None:
    came: list[int] = []
    reactor.callFromThread(int, "no number")
    reactor.callFromThread(came.append, 1)
    await until(lambda: came)
    assert len(logged_failures(ValueError)) == 1


# -- fairness and idleness


@pytest_twisted.ensureDeferred
async def test_busy_descriptors_starve_neither_each_other_nor_qt(
    reactor: EpollQtReactor, wires: list[Wire], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reactor_module, "BUDGET", 0.0005)
    for wire in wires:
        wire.on_read = lambda: None  # stays readable
        wire.other.send(b"x")
        wire.startReading()
    ticks, loop, timer = list[int](), QEventLoop(), QTimer()
    called: list[int] = []

    def tick() -> None:
        ticks.append(wires[0].reads)
        if len(ticks) == 10:
            loop.quit()

    def again() -> None:
        called.append(1)
        if len(ticks) < 10:
            reactor.callLater(0, again)

    timer.timeout.connect(tick)
    timer.start(0)
    reactor.callLater(0, again)
    loop.exec_()
    timer.stop()
    assert len(ticks) == 10
    assert ticks[-1] > 0
    assert abs(wires[0].reads - wires[1].reads) <= 1
    assert called
    for wire in wires:
        wire.stopReading()
    await deferLater(reactor, 0.001, lambda: None)


def test_an_idle_reactor_does_not_wake_up(reactor: EpollQtReactor, monkeypatch: pytest.MonkeyPatch) -> None:
    later = reactor.callLater(60, lambda: None)
    woken: list[int] = []
    real = EpollQtReactor.runUntilCurrent
    loop = QEventLoop()
    QTimer.singleShot(10, lambda: monkeypatch.setattr(EpollQtReactor, "runUntilCurrent", count))

    def count(self: EpollQtReactor) -> None:
        woken.append(1)
        real(self)

    QTimer.singleShot(200, loop.quit)
    loop.exec_()
    later.cancel()
    assert woken == []


# -- clients and processes


@pytest_twisted.ensureDeferred
async def test_connects_as_a_client_and_is_refused(reactor: EpollQtReactor) -> None:
    class Greets(Protocol):
        def connectionMade(self) -> None:
            self.transport.write(b"hello")
            self.transport.loseConnection()

    class Listens(Protocol):
        def __init__(self) -> None:
            self.got = b""
            self.lost: Deferred[bytes] = Deferred()

        def dataReceived(self, data: bytes) -> None:
            self.got += data

        def connectionLost(self, reason: Any = None) -> None:
            self.lost.callback(self.got)

    port = reactor.listenTCP(0, ServerFactory.forProtocol(Greets), interface="127.0.0.1")
    endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port)
    protocol: Any = await endpoint.connect(Factory.forProtocol(Listens))
    assert await protocol.lost == b"hello"
    await port.stopListening()
    with pytest.raises(Refused):
        await endpoint.connect(Factory.forProtocol(Listens))


@pytest_twisted.ensureDeferred
async def test_runs_a_process_to_its_end(reactor: EpollQtReactor) -> None:
    code = "import sys; sys.stdout.write('o' * 200000); sys.stderr.write('e'); sys.exit(3)"
    out, err, status = await utils.getProcessOutputAndValue(sys.executable, ["-c", code], reactor=reactor)
    assert (len(out), err, status) == (200_000, b"e", 3)


@pytest_twisted.ensureDeferred
async def test_the_time_below_a_dialog_is_no_turn_that_takes_long(reactor: EpollQtReactor) -> None:
    class Turns:
        """How many turns run at each moment."""

        asleep, began, found = False, 0.0, list[int]()

        def end(self) -> None:
            self.began = -abs(self.began)

    turns, dialog = Turns(), Dialog()

    def note(then: Callable[[], object] = lambda: None) -> None:
        turns.found.append(int(turns.began > 0))
        then()

    reactor.callLater(0, note, dialog.run)
    reactor.turns = turns
    try:
        await until(lambda: dialog.open)
        QTimer.singleShot(0, note)
        await until(lambda: len(turns.found) == 2)
        reactor.callLater(0, note, dialog.close)
        await until(lambda: not dialog.open)
    finally:
        reactor.turns = None
    assert turns.found == [1, 0, 1]
