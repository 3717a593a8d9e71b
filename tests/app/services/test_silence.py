"""app.services.silence: when the silent are closed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from twisted.internet.task import Clock

from app.limits import IDLE_SECONDS, Reached
from app.services.silence import Silence

Make = Callable[[float], Silence]


class Watched:
    """Stands for a Tap: counts, and what was done to it."""

    def __init__(self, reactor: Clock) -> None:
        self.received = self.sent = self.waiting = 0
        self.reactor = reactor
        self.log: list[tuple[str, float]] = []

    def unsent(self) -> int:
        return self.waiting

    def record_limit(self, reached: Reached) -> None:
        assert reached.limit is IDLE_SECONDS
        self.log.append((reached.text, self.reactor.seconds()))

    def finish(self, why: str) -> None:
        self.log.append(("finish", self.reactor.seconds()))

    def abort(self) -> None:
        self.log.append(("abort", self.reactor.seconds()))


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Capture:
    """Whether it is falling behind."""

    held = False


@pytest.fixture
def capture() -> Capture:
    return Capture()


@pytest.fixture
def make(clock: Clock, capture: Capture) -> Make:
    return lambda seconds: Silence(clock, seconds, lambda: capture.held)


def test_the_silent_are_closed_within_a_quarter_more(make: Make, clock: Clock) -> None:
    silence = make(8.0)
    silent, busy = Watched(clock), Watched(clock)
    silence.opened(silent)
    clock.advance(0.7)
    silence.opened(busy)
    for _ in range(100):
        clock.advance(0.1)
        busy.received += 1
    assert [what for what, _ in silent.log] == ["silent for 8 s: closing", "finish"]
    assert 8.0 <= silent.log[0][1] <= 10.0
    assert not busy.log
    silence.closed(silent)
    silence.closed(busy)
    assert not clock.getDelayedCalls()


@pytest.mark.parametrize("moved", ["received", "sent", "waiting"])
def test_whoever_moves_bytes_is_not_silent(moved: str, make: Make, clock: Clock) -> None:
    silence = make(4.0)
    tap = Watched(clock)
    silence.opened(tap)
    for _ in range(10):
        clock.advance(3.9)
        setattr(tap, moved, getattr(tap, moved) + 1)
    assert not tap.log


def test_one_that_does_not_close_in_good_order_is_aborted(make: Make, clock: Clock) -> None:
    silence = make(4.0)
    tap = Watched(clock)
    silence.opened(tap)
    clock.pump([0.1] * 50)
    tap.sent += 100  # a last word, which nobody takes
    clock.pump([0.1] * 50)
    assert [what for what, _ in tap.log] == ["silent for 4 s: closing", "finish", "abort"]


def test_nobody_is_silent_while_the_capture_holds_them_back(make: Make, clock: Clock, capture: Capture) -> None:
    silence = make(4.0)
    tap = Watched(clock)
    silence.opened(tap)
    capture.held = True
    clock.pump([0.1] * 100)
    assert not tap.log
    capture.held = False
    clock.pump([0.1] * 60)
    assert tap.log


def test_nothing_ticks_where_nothing_is_asked(make: Make, clock: Clock) -> None:
    make(0.0).opened(Watched(clock))
    assert not clock.getDelayedCalls()
