"""app.program.turns: a turn that takes long is seen once, with what ran; the thread sleeps while there is none."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.failures.blocked import Block
from app.program.delays import Delays
from app.program.turns import LONG, LOOK_AGAIN, WINDOW, Turns


class Watched:
    """Turns on a clock of the test's, and what they tell."""

    def __init__(self) -> None:
        self.now = 100.0
        self.delayed = 0.0
        self.blocks: list[Block] = []
        self.unfinished: list[Block | None] = []
        self.turns = Turns(self.blocks.append, self.unfinished.append, clock=lambda: self.now)
        self.turns._delays = self  # type: ignore[assignment]

    def seconds(self) -> float:
        """As ``Delays``."""
        return self.delayed

    def look(self, after: float = 0.0) -> float | None:
        self.now += after
        return self.turns.look()


@pytest.fixture
def it() -> Watched:
    return Watched()


def test_the_thread_sleeps_until_a_turn_begins(it: Watched) -> None:
    assert it.look() == LONG
    assert not it.turns.asleep
    assert it.look(LONG) is None
    assert it.turns.asleep
    it.turns.begin()
    assert not it.turns.asleep
    assert it.turns._bell.get_nowait() is None
    it.turns.end()
    it.turns.begin()
    assert it.turns._bell.empty()  # it is woken once, not with each turn


def test_the_thread_looks_again_when_the_turn_that_runs_would_be_too_long(it: Watched) -> None:
    it.turns.begin()
    assert it.look(0.1) == pytest.approx(LONG - 0.1)
    it.turns.end()
    it.turns.begin()
    assert it.look(0.1) == pytest.approx(LONG - 0.1)
    it.turns.end()
    assert it.look() == LONG
    assert it.look(LONG) is None
    assert it.blocks == []


def test_between_turns_it_does_not_sleep_so_that_not_each_of_them_has_to_wake_it(it: Watched) -> None:
    for _ in range(10):
        assert it.look() == LONG
        for _ in range(100):
            it.turns.begin()
            it.now += LONG / 100
            it.turns.end()
        assert not it.turns.asleep
    assert it.turns._bell.empty()


def test_a_turn_that_begins_and_ends_while_the_thread_goes_to_sleep_is_not_one_that_blocks(it: Watched) -> None:
    it.turns.begin()
    it.turns.end()
    assert it.look(LONG) == LONG

    class Between(Guard):
        def cancel(self) -> None:
            it.turns.begin()
            it.turns.end()

    it.now += 0.1
    it.turns.guard = Between()
    assert it.look(LONG) == LONG
    assert not it.turns.asleep
    assert it.unfinished == it.blocks == []


def test_a_turn_that_began_while_it_waited_is_seen_in_time(it: Watched) -> None:
    it.look()
    it.now += 0.1
    it.turns.begin()
    assert it.look(0.15) == pytest.approx(LONG - 0.15)
    it.look(LONG - 0.15)
    assert it.unfinished


def test_a_long_turn_is_told_once_with_the_stack_that_ran_first(it: Watched) -> None:
    it.turns.begin()
    _first(it)
    assert it.look(1.0) == pytest.approx(1.3)
    it.turns.end()
    it.turns.end()
    [block] = it.blocks
    assert block.seconds == pytest.approx(1.3)
    assert "_first" in [frame.function for frame in block.frames]
    assert not block.unfinished
    so_far = [block.seconds for block in it.unfinished if block is not None]
    assert so_far == pytest.approx([0.3, 1.3])
    assert it.unfinished[-1] is None


def _first(it: Watched) -> None:
    assert it.look(0.3) == pytest.approx(0.3)


def test_a_turn_that_does_not_end_is_looked_at_ever_more_rarely(it: Watched) -> None:
    it.turns.begin()
    waits = [it.look(0.3)]
    for _ in range(6):
        waits.append(it.look(waits[-1] or 0))
    assert waits == sorted(waits)  # type: ignore[type-var]
    assert waits[-1] == LOOK_AGAIN
    assert it.blocks == []


def test_a_turn_that_was_over_before_it_was_seen_has_no_stack(it: Watched) -> None:
    it.turns.begin()
    it.now += 0.3
    it.turns.end()
    assert it.blocks == [Block(pytest.approx(0.3), ())]  # type: ignore[arg-type]


def test_time_that_the_system_gave_to_others_does_not_count(it: Watched) -> None:
    it.look()
    it.turns.begin()
    it.delayed += 0.9
    assert it.look(1.0) == pytest.approx(LONG - 0.1)
    it.turns.end()
    assert it.blocks == []


def test_the_longest_turn_is_forgotten_after_a_while(it: Watched) -> None:
    for seconds in (0.1, 0.2, 0.05):
        it.turns.begin()
        it.now += seconds
        it.turns.end()
    assert it.turns.longest() == pytest.approx(0.2)
    it.now += WINDOW
    assert it.turns.longest() == pytest.approx(0.2)
    assert it.turns.longest() == pytest.approx(0.2)
    it.now += WINDOW
    it.turns.longest()
    assert it.turns.longest() == 0.0


class Guard:
    """Says what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def arm(self) -> None:
        self.told.append("arm")

    def cancel(self) -> None:
        self.told.append("cancel")


def test_who_watches_when_no_thread_can_run_is_armed_while_that_may_be_needed(it: Watched) -> None:
    it.turns.guard = guard = Guard()
    it.look()
    it.look()
    assert guard.told == ["arm", "cancel"]  # it sleeps
    it.turns.begin()
    it.look(0.1)
    assert guard.told[2:] == ["arm", "arm"]
    it.look(0.2)
    it.look(1.0)
    assert guard.told[4:] == ["cancel", "cancel"]  # the stack is known
    it.turns.close()
    assert guard.told[6:] == ["cancel"]


class Reactor:
    turns: Any = None


@pytest.fixture
def opened() -> Iterator[Callable[..., Turns]]:
    made: list[Turns] = []

    def opening(reactor: Any, report: Callable[[Block], None]) -> Turns:
        turns = Turns(report)
        turns.open(reactor)
        made.append(turns)
        return turns

    yield opening
    for turns in made:
        turns.close()


def test_names_what_another_thread_sees_running(opened: Callable[..., Turns]) -> None:
    blocks: list[Block] = []
    turns = opened(Reactor(), blocks.append)
    turns.begin()
    _small_steps(lambda: turns._seen[0] == turns.began)
    turns.end()
    [block] = blocks
    assert "_small_steps" in [frame.function for frame in block.frames]
    assert block.frames[-1].source


def test_what_the_thread_waited_for_before_does_not_count(
    opened: Callable[..., Turns], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a program that has run for long on a busy machine, a first turn was not seen before that was made up for."""
    monkeypatch.setattr(Delays, "seconds", lambda self: 90.0)
    test_names_what_another_thread_sees_running(opened)


def _small_steps(until: Callable[[], bool]) -> None:
    while not until():
        pass


def test_a_reactor_that_is_not_ours_has_no_turns_to_watch(opened: Callable[..., Turns]) -> None:
    before = threading.active_count()
    opened(object(), pytest.fail)
    assert threading.active_count() == before


def test_after_the_end_the_reactor_is_let_alone(opened: Callable[..., Turns]) -> None:
    reactor = Reactor()
    turns = opened(reactor, pytest.fail)
    assert reactor.turns is turns
    turns.close()
    turns.close()
    assert reactor.turns is None
