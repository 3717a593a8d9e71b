"""app.services.restart: a service that has failed comes back by itself."""

from __future__ import annotations

import errno
import socket
import subprocess
import sys
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.error import CannotListenError
from twisted.internet.testing import MemoryReactorClock

from app.capture.recorder import Recorder
from app.services import errors
from app.services.config import ServiceConfig
from app.services.restart import Restart
from app.services.service import Service
from app.services.surroundings import Surroundings
from app.status import Failed, Held, Listening, Starting, Stopped, Stopping, Waiting
from tests.app.services.helpers import Desk, Peer, Tape
from tests.helpers import ROOT, until


class Taken(MemoryReactorClock):
    """A reactor on which a port is taken while ``taken`` says so. Threads run at once."""

    taken = True
    errno = errno.EADDRINUSE
    asked = 0

    def listenTCP(self, port: int, factory: Any, backlog: int = 50, interface: str = "") -> Any:
        self.asked += 1
        if self.taken:
            raise CannotListenError(interface, port, OSError(self.errno, "no"))
        return super().listenTCP(port, factory, backlog, interface)

    def getThreadPool(self) -> Any:
        return self

    def callInThreadWithCallback(self, done: Any, call: Any, *args: Any) -> None:
        try:
            result, well = call(*args), True
        except Exception:
            from twisted.python.failure import Failure

            result, well = Failure(), False
        done(well, result)

    def callFromThread(self, call: Any, *args: Any) -> None:
        call(*args)


def held() -> errors.NotTrustedError:
    return errors.NotTrustedError(path="some.toml", asks="opens a port")


class Stand:
    """One service on such a reactor."""

    def __init__(self, **more: Any) -> None:
        more.setdefault("restart", {})
        self.reactor = Taken()
        self.recorder = Recorder(self.reactor)
        self.tape = Tape(self.recorder)
        self.surroundings = Surroundings(**more.pop("surroundings", {}))
        config = ServiceConfig("echo", "tcp", "127.0.0.1", 9007, "echo", **more)
        self.service = Service(config, self.reactor, self.recorder, self.surroundings)

    def start(self) -> Any:
        from twisted.internet.defer import Deferred

        Deferred.fromCoroutine(self.service.start())
        return self.service.status

    def restarts(self) -> list[dict[str, Any]]:
        return [event.detail for event in self.tape.all("service.restarting")]


def test_it_waits_longer_each_time_up_to_a_bound_and_is_up_once_the_port_is_free():
    stand = Stand(restart={"delay_seconds": 1, "factor": 3, "max_seconds": 10})
    service, clock = stand.service, stand.reactor
    waits = []
    stand.start()
    for _ in range(5):
        assert isinstance(service.status, Waiting)
        assert "9007" in service.status.reason
        assert service.seconds_left == service.status.seconds
        assert service.running
        waits.append((service.status.attempt, service.status.seconds))
        clock.advance(service.seconds_left)
    assert waits == [(1, 1), (2, 3), (3, 9), (4, 10), (5, 10)]
    clock.taken = False
    clock.advance(10)
    assert isinstance(service.status, Listening)
    assert [(one["attempt"], one["seconds"]) for one in stand.restarts()] == [*waits, (6, 10)]
    assert not [call for call in clock.getDelayedCalls() if call.getTime() > clock.seconds() + 1]


def test_after_it_was_up_the_tries_are_counted_anew():
    stand = Stand()
    stand.start()
    stand.reactor.taken = False
    stand.reactor.advance(1)
    assert isinstance(stand.service.status, Listening)
    stand.service.stop()
    stand.reactor.taken = True
    assert stand.start().attempt == 1


def test_so_many_tries_and_then_it_has_failed():
    stand = Stand(restart={"attempts": 2})
    stand.start()
    stand.reactor.advance(1)
    stand.reactor.advance(2)
    assert isinstance(stand.service.status, Failed)
    assert stand.reactor.asked == 3
    assert stand.start().attempt == 1  # by hand


@pytest.mark.parametrize("restart", [None, {"when": "never"}])
def test_without_restart_it_stays_failed(restart: Any):
    stand = Stand(restart=restart)
    assert isinstance(stand.start(), Failed)
    assert not stand.service.running


def test_it_can_be_tried_at_once_and_the_next_wait_is_the_longer_one():
    stand = Stand()
    stand.start()
    stand.reactor.advance(0.25)
    assert stand.start() == Waiting(stand.service.status.reason, 2, 2.0)  # type: ignore[union-attr]
    assert stand.restarts()[0]["seconds"] == 0.25
    stand.reactor.taken = False
    assert isinstance(stand.start(), Listening)


def test_stop_ends_the_wait():
    stand = Stand()
    stand.start()
    stand.service.stop()
    assert isinstance(stand.service.status, Stopped)
    stand.reactor.advance(100)
    assert stand.reactor.asked == 1


def test_a_service_that_is_removed_waits_no_longer():
    stand = Stand()
    stand.start()
    stand.service.dispose()
    stand.reactor.advance(100)
    assert stand.reactor.asked == 1


def test_one_that_may_not_start_any_more_is_held_and_wanted():
    stand = Stand()
    stand.start()
    stand.service.hold(held())
    assert isinstance(stand.service.status, Held)
    assert stand.service.wanted
    stand.reactor.advance(100)
    assert stand.reactor.asked == 1


def test_one_that_is_held_when_it_is_tried_again_waits_for_the_answer():
    allowed = [True]

    def admit(config: ServiceConfig) -> None:
        if not allowed[0]:
            raise held()

    stand = Stand(surroundings={"admit": admit})
    stand.start()
    allowed.clear()
    allowed.append(False)
    stand.reactor.advance(1)
    assert isinstance(stand.service.status, Held)
    assert stand.service.wanted


def test_a_change_of_what_failed_asks_for_a_new_service():
    stand = Stand()
    stand.start()
    changed = ServiceConfig("echo", "tcp", "127.0.0.1", 9008, "echo", restart={})
    assert not stand.service.apply(changed)  # the Post replaces and starts it
    assert isinstance(stand.service.status, Waiting)


def test_what_something_other_than_the_user_has_stopped_comes_back_where_it_always_does():
    for when, comes in ("always", True), ("failed", False):
        stand = Stand(restart={"when": when})
        stand.reactor.taken = False
        stand.start()
        stand.service.stop(by_user=False)
        assert isinstance(stand.service.status, Waiting if comes else Stopped)
        stand.reactor.advance(1)
        assert isinstance(stand.service.status, Listening if comes else Stopped)
        stand.service.stop()
        stand.reactor.advance(100)
        assert isinstance(stand.service.status, Stopped)


def test_endless_tries_never_overflow():
    clock = MemoryReactorClock()
    config = ServiceConfig("x", "tcp", "127.0.0.1", 1, "echo", restart={"factor": 100, "max_seconds": 0.1})
    restart = Restart(clock, lambda: None)
    for _ in range(10_000):
        assert restart.wait(config.settings("restart"))
        restart.cut_short()
    assert restart.seconds == 0.1


@pytest_twisted.ensureDeferred
async def test_one_whose_responder_broke_comes_back(desk: Desk, tape: Tape, logged_failures: Any):
    broken = [True]

    def make() -> Any:
        from twisted.internet.protocol import ServerFactory
        from twisted.protocols.wire import Echo

        if broken:
            raise RuntimeError("no")
        return ServerFactory.forProtocol(Echo)

    desk.answer_with("tcp", make)
    service = desk.service("tcp", "echo", restart={"delay_seconds": 0.1})
    assert isinstance(await service.start(), Waiting)
    broken.clear()
    await until(lambda: isinstance(service.status, Listening))
    assert tape.all("failure")


@pytest_twisted.ensureDeferred
async def test_a_port_that_another_program_has_is_taken_once_it_is_free(desk: Desk, tape: Tape):
    with socket.create_server(("127.0.0.1", 0)) as other:
        service = desk.service("tcp", "echo", port=other.getsockname()[1], restart={"delay_seconds": 0.2})
        status = await service.start()
        assert isinstance(status, Waiting)
    await until(lambda: isinstance(service.status, Listening))
    assert [event.detail["attempt"] for event in tape.all("service.restarting")] == [1]
    peer = Peer(service)
    await peer.send(b"back")
    await peer.expect(b"back")


LATE_INTERFACE = """
import subprocess, sys
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from app.capture.recorder import Recorder
from app.services.config import ServiceConfig
from app.services.service import Service
from app.services.surroundings import Surroundings

def on_status(service):
    print(type(service.status).__name__, flush=True)
    if type(service.status).__name__ == "Waiting":
        # A kernel may be without dummies.
        kinds = ("dummy", "bridge", "veth")
        assert any(subprocess.run(["ip", "link", "add", "late0", "type", kind]).returncode == 0 for kind in kinds)
        subprocess.run(["ip", "address", "add", "10.123.0.1/24", "dev", "late0"], check=True)
        subprocess.run(["ip", "link", "set", "late0", "up"], check=True)
    elif type(service.status).__name__ == "Listening":
        print(service.status.host, flush=True)
        reactor.callLater(0, reactor.stop)

# A namespace without any address lets every one be bound.
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
config = ServiceConfig("late", "tcp", "10.123.0.1", 9007, "echo", restart={"delay_seconds": 0.1})
service = Service(config, reactor, Recorder(reactor), Surroundings())
service.status_changed.connect(on_status)
reactor.callWhenRunning(lambda: Deferred.fromCoroutine(service.start()))
reactor.run()
"""


def test_an_address_that_is_not_there_yet_is_waited_for():
    stand = Stand()
    stand.reactor.errno = errno.EADDRNOTAVAIL
    assert "127.0.0.1" in stand.start().reason
    stand.reactor.taken = False
    stand.reactor.advance(1)
    assert isinstance(stand.service.status, Listening)


def test_an_interface_that_appears_late_is_listened_on():
    """In a network namespace of its own, in which whoever runs the test may add interfaces."""
    command = ["unshare", "--map-root-user", "--net", sys.executable, "-c", LATE_INTERFACE]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.split() == ["Starting", "Waiting", "Starting", "Listening", "10.123.0.1:9007"], done.stderr


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
@pytest.mark.parametrize(("when", "goes_on"), [("always", [Waiting, Starting, Listening]), ("failed", [Stopped])])
@pytest_twisted.ensureDeferred
async def test_a_port_that_was_closed_behind_the_service_is_opened_again_where_it_always_is(
    protocol: str, when: str, goes_on: list[type], desk: Desk, tape: Tape
):
    service = await desk.start(protocol, restart={"when": when, "delay_seconds": 0.01})
    states: list[type] = []
    service.status_changed.connect(lambda service: states.append(type(service.status)))
    service._port.stopListening()
    await until(lambda: len(states) == 1 + len(goes_on))
    assert states == [Stopping, *goes_on]
    await service.stop()
    assert isinstance(service.status, Stopped)
    assert [e.summary for e in tape.all("log")] == ["its port was closed"]
