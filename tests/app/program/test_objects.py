"""app.program.figures and app.program.objects: what they find of the running program."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterator

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from app.program import objects
from app.program.figures import BY_NAME, Figures, written


class Leaked:
    """Something to be found."""

    def __init__(self) -> None:
        self.held = [1]


def test_figures_follow_what_is_opened() -> None:
    clock = Clock()
    figures = Figures(clock, lambda: 3)
    before = figures.read()
    assert set(before) == set(BY_NAME)
    assert before["connections"] == 3
    clock.callLater(1, lambda: None)
    opened = [os.open(os.devnull, os.O_RDONLY) for _ in range(5)]
    go = threading.Event()
    thread = threading.Thread(target=go.wait)
    thread.start()
    try:
        now = figures.read()
    finally:
        go.set()
        thread.join()
        for descriptor in opened:
            os.close(descriptor)
    assert now["delayed"] == before["delayed"] + 1
    assert now["threads"] >= before["threads"] + 1
    assert now["descriptors"] >= before["descriptors"] + 5
    assert now["memory"] > 1_000_000


@pytest.mark.parametrize(
    ("name", "number", "change", "words"),
    [
        ("memory", 84_200_000, False, "84.2 MB"), ("memory", 1_500_000, True, "+1.5 MB"),
        ("threads", 1204, False, "1,204"), ("threads", 3, True, "+3"), ("threads", -3, True, "-3"),
        ("threads", 0, True, "0"),
    ],
)  # fmt: skip
def test_figures_are_written_for_people(name: str, number: int, change: bool, words: str) -> None:
    assert written(name, number, change=change) == words


def test_types_that_have_grown_come_first() -> None:
    before = objects.types()
    held = [Leaked() for _ in range(5000)]
    rows = objects.changes(before, objects.types())
    assert (f"{__name__}.Leaked", 5000, 5000) in rows[:3]
    del held
    assert objects.changes(Counter(a=3, b=1), Counter(b=1, c=2)) == [("c", 2, 2), ("a", 0, -3)]


@pytest.fixture
def recording() -> Iterator[None]:
    objects.record_deferreds(True)
    yield
    objects.record_deferreds(False)


def test_deferreds_that_have_not_fired_are_counted() -> None:
    before = objects.waiting()[objects.NOT_RECORDED]
    held = [Deferred[None]() for _ in range(3)]
    assert objects.waiting()[objects.NOT_RECORDED] >= before + 3
    held[0].callback(None)
    assert objects.waiting()[objects.NOT_RECORDED] >= before + 2


@pytest.mark.usefixtures("recording")
def test_and_say_where_they_were_made_once_that_is_recorded() -> None:
    assert objects.records_deferreds()
    held = [_made_here() for _ in range(4)]
    [count] = [count for where, count in objects.waiting().items() if where.endswith(" _made_here")]
    assert count == len(held)


def _made_here() -> Deferred[None]:
    return Deferred()


def test_memory_is_named_by_the_line_that_holds_it() -> None:
    tracing = objects.Tracing()
    assert tracing.grown() == []
    tracing.turn(True)
    try:
        tracing.mark()
        held = [bytes(1000) for _ in range(1000)]
        top = tracing.grown()[0]
        assert top.where.startswith("program/test_objects.py:")
        assert top.size > len(held) * 1000
    finally:
        tracing.turn(False)
    assert not tracing.on
