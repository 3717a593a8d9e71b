"""Runs of a reactor, and their end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.commands.running import Run


class Reactor:
    """Runs what it is to run, and can be stopped once, as Twisted's."""

    def __init__(self) -> None:
        self.first: Callable[[], Any]
        self.last: Callable[[], Any]
        self.stopped = 0

    def callWhenRunning(self, call: Callable[[], Any]) -> None:
        self.first = call

    def addSystemEventTrigger(self, phase: str, event: str, call: Callable[[], Any]) -> None:
        assert (phase, event) == ("before", "shutdown")
        self.last = call

    def run(self) -> None:
        self.first()
        self.last()

    def stop(self) -> None:
        self.stopped += 1


class Told(Run):
    def __init__(self, reactor: Any, stops: int) -> None:
        super().__init__(reactor)
        self.stops, self.did = stops, ["made"]

    async def start(self) -> None:
        self.did.append("started")
        self.exit_code = 3
        for _ in range(self.stops):
            self.stop()

    async def shut_down(self) -> None:
        self.did.append("shut down")
        self.stop()


def test_it_is_stopped_once_however_often_it_is_asked_for() -> None:
    reactor = Reactor()
    run = Told(reactor, stops=3)
    assert run.run_reactor() == 3
    assert run.did == ["made", "started", "shut down"]
    assert reactor.stopped == 1


def test_it_is_not_stopped_again_while_a_signal_shuts_it_down() -> None:
    reactor = Reactor()
    Told(reactor, stops=0).run_reactor()
    assert reactor.stopped == 0
