"""app.capture.writing.arena: what was put is there, unchanged, until it is released."""

import os
from collections import deque

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from app.capture.writing.arena import Arena, shared

SIZE = 8192
"""A page or more, as memory is mapped."""


@pytest.fixture
def arena():
    made = Arena(SIZE)
    yield made
    made.close()


def test_another_process_sees_what_is_put_and_cannot_change_it(arena):
    place = arena.put(b"payload")
    with shared(arena.file) as seen:
        assert seen[place : place + 7] == b"payload"
        with pytest.raises(TypeError):
            seen[0] = 1


def test_it_takes_as_much_as_it_has_and_no_more(arena):
    assert arena.put(bytes(SIZE)) == 0
    assert arena.put(b"x") is None
    arena.release(arena.mark)
    assert arena.put(b"x") == 0


def test_what_is_larger_finds_no_room(arena):
    assert arena.put(bytes(SIZE + 1)) is None
    assert arena.put(bytes(SIZE)) == 0


def test_it_begins_anew_when_all_is_released(arena):
    for _ in range(5):
        assert arena.put(bytes(3000)) == 0
        arena.release(arena.mark)


def test_closing_again_closes_nobody_elses_file():
    arena = Arena(SIZE)
    arena.close()
    with open(os.devnull) as other:
        arena.close()
        assert other.read() == ""


class Use(RuleBasedStateMachine):
    """Payloads come and go as batches do: several are put, then released together, the oldest first."""

    def __init__(self):
        super().__init__()
        self.arena = Arena(SIZE)
        self.seen = shared(self.arena.file)
        self.kept = deque()  # (place, payload), oldest first
        self.marks = deque()  # (mark, how many were put since the one before)
        self.fresh = 0
        self.number = 0

    @rule(length=st.integers(1, SIZE))
    def put(self, length):
        self.number += 1
        payload = bytes([self.number % 256]) * length
        place = self.arena.put(payload)
        used = sum(len(payload) for _, payload in self.kept)
        if place is None:
            assert self.kept or length > SIZE
            assert used + length > SIZE // 2 or used == 0  # at most one gap, at the end
        else:
            self.kept.append((place, payload))
            self.fresh += 1

    @precondition(lambda self: self.fresh)
    @rule()
    def mark(self):
        self.marks.append((self.arena.mark, self.fresh))
        self.fresh = 0

    @precondition(lambda self: self.marks)
    @rule()
    def release(self):
        mark, count = self.marks.popleft()
        self.arena.release(mark)
        for _ in range(count):
            self.kept.popleft()

    @invariant()
    def all_that_is_kept_is_unchanged(self):
        for place, payload in self.kept:
            assert self.seen[place : place + len(payload)] == payload

    def teardown(self):
        self.seen.close()
        self.arena.close()


@pytest.mark.hypothesis
def test_use():
    run_state_machine_as_test(Use, settings=settings(max_examples=200, stateful_step_count=40))
