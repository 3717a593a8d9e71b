"""A run repeats: the same seed has the same faults hit the same messages, whatever the timing."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

import pytest
import pytest_twisted
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock

from tests.app.faults.course import Stage
from tests.app.services.helpers import Desk, Peer, Tape
from tests.helpers import until

FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "delay", "ms": 20.0, "jitter_ms": 15.0, "distribution": "pareto", "probability": 0.3},
    {"kind": "corrupt", "probability": 0.2, "how": "byte", "count": 3},
    {"name": "pay breaks", "kind": "reset", "probability": 0.1, "match": "PAY"},
    {"kind": "hang", "nth": 4, "count_per": "connection", "probability": 0.2},
)

MESSAGES = (b"hello\n", b"PAY 12\n", b"x" * 40 + b"\n", b"PAY\n", b"\n", b"bye\n")

CONNECTIONS = 1_000


def run(
    tables: Iterable[dict[str, Any]], order: str, seed: int = 7, count: int = CONNECTIONS
) -> set[tuple[str, int, int, str]]:
    """What hits so many connections of six messages each, which come in this ``order``."""
    clock, chance = Clock(), random.Random(order)
    stage = Stage(clock, *tables, seed=seed)
    courses = [stage.open() for _ in range(count)]
    left = {course: list(MESSAGES) for course in courses}
    if order == "one after the other":
        turns = [course for course in courses for _ in MESSAGES]
    elif order == "from the last":
        turns = [course for course in reversed(courses) for _ in MESSAGES]
    else:
        turns = courses * len(MESSAGES)
        chance.shuffle(turns)
    for course in turns:
        if course.number in stage.broken:
            continue  # who is cut off says no more
        stage.message(course, left[course].pop(0))
        if order != "one after the other" and chance.random() < 0.01:
            clock.advance(chance.random())
        if not left[course]:
            stage.close(course)
    return stage.hits


@pytest.mark.parametrize("order", ["from the last", "shuffled", "shuffled otherwise"])
def test_on_1000_connections_whatever_the_order(order: str):
    expected = run(FAULTS, "one after the other")
    assert {name for name, *_ in expected} == {"delay", "corrupt", "pay breaks", "hang"}
    assert run(FAULTS, order) == expected


def test_another_seed_hits_others():
    first, other = (run(FAULTS, "shuffled", seed) for seed in (7, 8))
    assert len(first & other) < 0.5 * len(first)


@pytest.mark.parametrize(
    "added",
    [
        {"kind": "delay", "on": "received", "name": "mine"},
        {"kind": "corrupt", "name": "mine", "probability": 0.5, "how": "zero"},
        {"kind": "slice", "name": "mine", "vary": 5, "probability": 0.5},
        {"kind": "stall", "name": "mine", "every": 3},
    ],
)
@pytest.mark.parametrize("place", [0, 2, len(FAULTS)])
def test_a_fault_more_anywhere_draws_none_of_the_others_anew(added: dict[str, Any], place: int):
    expected = run(FAULTS, "shuffled", count=100)
    found = run((*FAULTS[:place], added, *FAULTS[place:]), "shuffled", count=100)
    assert {hit for hit in found if hit[0] != "mine"} == expected


def test_one_that_closes_changes_nothing_for_the_connections_that_it_spares():
    """Also not what others have counted in the service when it comes first."""
    tables = ({"kind": "corrupt", "every": 2}, {"kind": "delay", "nth": 700})
    more = {"name": "mine", "kind": "close", "probability": 0.1}

    def hits(*tables: dict[str, Any]) -> set[Any]:
        stage = Stage(Clock(), *tables)
        for _ in range(CONNECTIONS):
            stage.message(stage.open(), b"only one")
        return stage.hits

    spared = {hit[1] for hit in hits(*tables, more) if hit[0] == "mine"}
    assert 50 < len(spared) < 150
    assert {hit for hit in hits(*tables, more) if hit[0] != "mine"} == {
        hit for hit in hits(*tables) if hit[1] not in spared
    }


def test_once_now_takes_nothing_from_what_others_or_it_would_hit():
    def hits(once: bool) -> set[Any]:
        stage = Stage(Clock(), {"kind": "corrupt", "every": 3}, {"kind": "delay", "probability": 0.3})
        course = stage.open()
        for number in range(100):
            if once and number == 9:
                for fault in stage.faults.all:
                    stage.faults.once_now(fault)
            stage.message(course, b"message")
        return {(name, message) for name, _, message, _ in stage.hits}

    assert hits(once=True) == hits(once=False) | {("corrupt", 10), ("delay", 10)}


@given(st.lists(st.binary(max_size=30), max_size=20), st.integers(1, 2**32))
def test_what_is_done_to_a_message_depends_on_seed_connection_and_number_alone(messages: list[bytes], seed: int):
    tables = (
        {"kind": "corrupt", "how": "insert", "count": 3, "probability": 0.5},
        {"kind": "slice", "bytes": 5, "vary": 4, "pause_ms": 1.0},
    )
    got = []
    for steps in ([0.001], [0.5]):
        clock = Clock()
        stage = Stage(clock, *tables, seed=seed)
        course = stage.open()
        for message in messages:
            stage.message(course, message)
        clock.pump(steps * 400)
        got.append(course.target.got["sent"])  # type: ignore[attr-defined]
    assert got[0] == got[1]


# -- on a real connection


@pytest_twisted.ensureDeferred
async def test_messages_with_a_framing_are_hit_the_same_in_pieces_of_any_size(desk: Desk, tape: Tape):
    faults = (
        {"kind": "corrupt", "on": "received", "probability": 0.3, "how": "zero", "name": "heard"},
        {"kind": "delay", "probability": 0.4, "ms": 2.0, "jitter_ms": 2.0, "name": "late"},
    )
    rules = [{"when": "message", "then": ["send {{message}}"]}]
    options = {"framing": "delimiter", "rules": rules}
    text = b"".join(b"message %d\n" % number for number in range(30))
    seen = []
    for size in (7, 150, 4_096):
        service = await desk.start("tcp", "script", options=options, faults=faults, seed=7)
        peer, before = Peer(service), len(tape.data("data.received"))
        for begin in range(0, len(text), size):
            before += peer.push(text[begin : begin + size])
            await until(lambda before=before: len(tape.data("data.received")) == before)
        peer.finish_sending()
        answers = await peer.end()
        hits = [e for e in tape.all("fault.applied") if e.service == service.number]
        seen.append((answers, sorted((e.detail["fault"], e.detail["message"], e.payload or b"") for e in hits)))
    assert seen[0] == seen[1] == seen[2]
    assert {name for name, _, _ in seen[0][1]} == {"heard", "late"}
    for name, number, data in seen[0][1]:
        assert name != "heard" or data == b"message %d\n" % (number - 1)
