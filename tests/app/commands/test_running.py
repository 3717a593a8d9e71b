"""Runs of a reactor, and their end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.commands.errors import OutputError
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


class Failing(Run):
    def __init__(self, reactor: Any, error: Exception, *, at_end: bool = False) -> None:
        super().__init__(reactor)
        self._error, self._at_end = error, at_end

    async def start(self) -> None:
        if not self._at_end:
            raise self._error

    async def shut_down(self) -> None:
        if self._at_end:
            raise self._error


@pytest.mark.parametrize("at_end", [False, True])
@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(24, "Too many open files"), "The system refuses: Too many open files."),
        (FileNotFoundError(2, "No such file or directory", "/a\x1bb"), "No such file or directory (/a\\eb)."),
        (OutputError(reason="full"), "Cannot write standard output: full."),
        (KeyError("x"), "KeyError: 'x'. This is a mistake in Listening Post."),
    ],
)
def test_a5_a_run_that_fails_says_a_sentence_and_ends(
    capsys: pytest.CaptureFixture[str], error: Exception, words: str, at_end: bool
) -> None:
    reactor = Reactor()
    assert Failing(reactor, error, at_end=at_end).run_reactor() == 1
    said = capsys.readouterr().err
    assert said.startswith("listening-post: ")
    assert said.endswith(f"{words}\n")
    assert reactor.stopped == (0 if at_end else 1)
