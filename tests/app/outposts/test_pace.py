"""How often a console reads, and how long an outpost gathers events."""

import pytest
from twisted.internet.task import Clock

from app import events
from app.capture.recorder import INTERVAL, Recorder
from app.outposts.pace import AWAITED, BETWEEN, GONE, READS, Gathering, Turns


class Sent:
    """A writer that stores nothing, and counts."""

    def __init__(self):
        self.batches = 0

    def send(self, parts):
        self.batches += 1


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def sent():
    return Sent()


@pytest.fixture
def recorder(clock, sent):
    made = Recorder(clock)
    made.on_opened(sent, 0, made.range)
    return made


@pytest.fixture
def gathering(clock, recorder):
    made = Gathering(clock, recorder)
    yield made
    made.close()
    recorder.flush()
    clock.advance(GONE)
    assert not clock.getDelayedCalls()


def test_one_that_reads_alone_never_waits_for_its_turn(clock):
    turns = Turns(clock)
    for _ in range(3):
        clock.advance(1 / READS)
        assert turns.take() == 0


def test_many_read_one_after_another_and_all_get_their_turn(clock):
    turns = Turns(clock)
    clock.advance(10)  # turns that nobody took are not made up for
    assert [round(turns.take() * READS) for _ in range(4)] == [0, 1, 2, 3]
    clock.advance(2 / READS)
    assert round(turns.take() * READS) == 2


def leaves_after(clock, recorder, sent):
    """Seconds from an event until it is sent to the writer."""
    before, began = sent.batches, clock.seconds()
    recorder.record(events.LOG, summary="now")
    while sent.batches == before:
        clock.advance(0.005)
    return clock.seconds() - began


def test_an_event_that_is_waited_for_leaves_soon_and_those_between_two_reads_together(
    clock, recorder, sent, gathering
):  # fmt: skip
    assert leaves_after(clock, recorder, sent) == pytest.approx(INTERVAL, abs=0.01)
    recorder.record(events.LOG, summary="what had not left when the read came")
    with gathering.waiting():
        assert sent.batches == 2
        assert leaves_after(clock, recorder, sent) == pytest.approx(AWAITED, abs=0.01)
    assert leaves_after(clock, recorder, sent) == pytest.approx(BETWEEN, abs=0.01)


def test_what_was_gathered_between_two_reads_leaves_when_the_next_one_waits(clock, recorder, sent, gathering):
    gathering.answered()
    recorder.record(events.LOG, summary="between")
    clock.advance(BETWEEN / 2)
    assert not sent.batches
    with gathering.waiting():
        assert sent.batches == 1
        recorder.record(events.LOG, summary="its batch leaves by the time of now, not by that of the one before")
        clock.advance(AWAITED + 0.001)
        assert sent.batches == 2


def test_an_outpost_that_nobody_reads_any_more_stores_as_any_program(clock, recorder, sent, gathering):
    gathering.answered()
    clock.advance(GONE)
    assert leaves_after(clock, recorder, sent) == pytest.approx(INTERVAL, abs=0.01)


def test_a_second_console_that_waits_has_its_event_soon_whatever_the_first_one_does(clock, recorder, sent, gathering):
    with gathering.waiting():
        with gathering.waiting():
            pass
        gathering.answered()
        clock.advance(GONE)
        assert leaves_after(clock, recorder, sent) == pytest.approx(AWAITED, abs=0.01)
