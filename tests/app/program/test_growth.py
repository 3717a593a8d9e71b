"""app.program.growth: what only grows for an hour is told, once; on a clock of the test's."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from twisted.internet.task import Clock

from app import events
from app.capture.recorder import Recorder
from app.program.growth import EVERY, SLOT, Growth, Trend, record
from tests.app.services.helpers import Tape

MINUTE = 60.0
MB = 1_000_000


def told(memory: Callable[[float], float | None], minutes: int = 180) -> list[Trend]:
    """The trends when memory is so much at each minute; None: the program sleeps."""
    found: list[Trend] = []
    now = [0.0]
    growth = Growth(lambda: {"memory": int(memory(now[0] / MINUTE) or 0)}, found.append)
    for minute in range(minutes):
        now[0] = minute * MINUTE
        if memory(minute) is not None:
            growth.sample(now[0])
    return found


@pytest.mark.parametrize(
    ("memory", "times"),
    [
        (lambda minute: 100 * MB, 0),
        (lambda minute: 100 * MB + minute * MB, 2),
        (lambda minute: 100 * MB + minute * 0.1 * MB, 0),  # too little to matter
        (lambda minute: 1000 * MB + minute * MB, 0),  # 6 % in an hour
        (lambda minute: 100 * MB + (minute % 50) * 5 * MB, 0),  # comes and goes
        (lambda minute: 100 * MB + minute * MB + (minute % 5) * 30 * MB, 2),  # grows beneath what comes and goes
        (lambda minute: 100 * MB + min(minute, 40) * MB, 0),  # settles
        (lambda minute: 100 * MB + minute * MB if minute % 60 < 20 else None, 0),  # sleeps for most of the time
        (lambda minute: 100 * MB + minute * MB if minute % 10 < 6 else None, 2),
    ],
)
def test_tells_what_only_grows(memory: Callable[[float], float | None], times: int) -> None:
    assert len(told(memory)) == times


def test_says_from_what_to_what() -> None:
    trend = told(lambda minute: 100 * MB + minute * MB)[0]
    assert (trend.what, trend.first, trend.last, trend.seconds) == ("memory", 100 * MB, 155 * MB, 12 * SLOT)


def test_looks_no_more_often_than_it_has_to() -> None:
    reads: list[float] = []
    growth = Growth(lambda: reads.append(0) or {}, pytest.fail)  # type: ignore[func-returns-value]
    for tenth in range(1200):
        growth.sample(1000 + tenth / 10)
    assert len(reads) == 120 / EVERY


def test_the_event_says_it_in_words() -> None:
    recorder = Recorder(Clock())
    tape = Tape(recorder)
    record(recorder, Trend("memory", 100 * MB, 155 * MB, 3600.0))
    recorder.flush()
    [event] = tape.all()
    assert event.kind == events.NAMES[events.GROWING]
    assert event.summary == "Memory: only grows, from 100.0 MB to 155.0 MB in 60 minutes. See Help, This program"
    assert event.detail == {"what": "memory", "first": 100 * MB, "last": 155 * MB, "seconds": 3600.0}
