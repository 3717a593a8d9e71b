"""app.programs.wire and intake: what a program sends, also where it has written into the pipe itself."""

import json
import struct
import threading
from collections import deque
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock

from app import events
from app.capture.writing.batch import SAME, SAME_BUT_ONE
from app.programs import wire
from app.programs.inside.link import Sending
from app.programs.intake import SLICE, Intake


def event(kind=events.LOG, service=0, conn=0, payload=None, summary=None, detail=None, size=None, time=1):
    return [time, kind, service, conn, size, payload, summary, detail]


def frames(data):
    return list(wire.Reader().feed(data))


def test_a_batch_comes_out_as_it_went_in():
    flat = [
        *event(payload=b"one", summary="a\udcffb", detail='{"x": 1}', size=3), *event(payload=b"two"),
        *event(payload=SAME_BUT_ONE), *event(payload=SAME, conn=7), *event(payload=b""),
    ]  # fmt: skip
    [frame] = frames(wire.encoded((3, [("Echo:1", "tcp")], flat)))
    assert (frame.sequence, frame.services) == (3, [("Echo:1", "tcp")])
    found = list(frame.items())
    assert [item[4] for item in found] == [b"one", b"two", b"one", b"two", b""]
    assert found[0][5:] == ("a?b", '{"x": 1}', 3)
    assert (found[3][3], found[3][7]) == (7, None)


def test_it_may_come_byte_by_byte():
    reader = wire.Reader()
    data = wire.note(files=["a.py"]) + wire.encoded((1, None, event()))
    found = [frame for at in range(len(data)) for frame in reader.feed(data[at : at + 1])]
    assert [frame.sequence for frame in found] == [0, 1]
    assert found[0].note == {"files": ["a.py"]}


@pytest.mark.parametrize(
    "data",
    [
        wire.HEAD.pack(1, 0, 0, 1 << 40),
        wire.HEAD.pack(1, 1 << 31, 0, 0),
        wire.HEAD.pack(1, 0, 1 << 31, 10),
        wire.HEAD.pack(1, 2, 0, 0) + b"[]",
        wire.HEAD.pack(1, 5, 0, 0) + b"{nope",
        wire.HEAD.pack(1, 17, 0, 0) + b'{"services": [1]}',
    ],
)
def test_what_is_no_frame_is_refused(data):
    with pytest.raises(wire.BrokenFrameError):
        frames(data)


@given(st.binary(max_size=200))
def test_events_that_break_off_are_refused(body):
    [frame] = frames(wire.HEAD.pack(1, 0, len(body) // wire.EVENT.size, len(body)) + body)
    try:
        for item in frame.items():
            assert len(item) == 8
    except wire.BrokenFrameError:
        pass


class Shown:
    """Who is told; keeps all calls."""

    def __init__(self):
        self.told = []

    def __getattr__(self, name):
        return lambda *args: self.told.append((name, *args)) or 5


class Recorder:
    """Keeps what is recorded; ``press`` holds it back."""

    def __init__(self):
        self.pressed, self.failures, self.recorded, self.connections = False, 0, [], 100
        self.pressure = SimpleNamespace(connect=self._connect)

    def _connect(self, listener):
        self.listener = listener
        return lambda: None

    def counters(self, number):
        return SimpleNamespace(failures=0)

    def add_connection(self):
        self.connections += 1
        return self.connections

    def record(self, *args):
        self.recorded.append(args)

    def press(self, pressed):
        self.pressed = pressed
        self.listener(pressed)


@pytest.fixture
def desk():
    made = SimpleNamespace(clock=Clock(), recorder=Recorder(), shown=Shown(), answers=[], held=[])
    made.intake = Intake(
        made.clock,
        made.recorder,
        9,
        made.shown,
        made.shown,
        made.answers.append,
        made.held.append,
        lambda: made.held.append("idle"),
    )
    return made


def run(desk):
    while desk.clock.getDelayedCalls():
        desk.clock.advance(0)


def test_numbers_and_times_become_ours(desk):
    opened = json.dumps({"peer": "a", "host": "b"})
    flat = [
        *event(events.CONNECTION_OPENED, 1, 4, detail=opened, time=1 << 62),
        *event(events.DATA_RECEIVED, 1, 4, b"hello"),
        *event(events.LOG, summary="said"), *event(events.NOTE, detail='{"event": 1}'), *event(999),
    ]  # fmt: skip
    desk.intake.feed(wire.encoded((1, [("Echo:1", "tcp")], flat)))
    run(desk)
    assert [(kind, number, conn) for kind, number, conn, *_ in desk.recorder.recorded] == [
        (events.CONNECTION_OPENED, 5, 101), (events.DATA_RECEIVED, 5, 101), (events.LOG, 9, 0),
    ]  # fmt: skip
    assert all(1 << 60 < args[-1] < 1 << 61 for args in desk.recorder.recorded)  # neither before its start nor to come
    assert ("on_bytes", 1, 101, events.DATA_RECEIVED, 5) in desk.shown.told
    assert json.loads(desk.answers[-1])["stored"] == 1


def test_it_waits_for_the_capture_and_holds_the_program_back(desk):
    desk.recorder.press(True)
    for sequence in range(1, 8):
        desk.intake.feed(wire.encoded((sequence, None, event(summary="x"))))
    run(desk)
    assert not desk.recorder.recorded
    assert desk.held == [True]
    desk.recorder.press(False)
    run(desk)
    assert len(desk.recorder.recorded) == 7
    assert desk.held == [True, False, "idle"]


def test_a_turn_takes_no_more_than_a_slice(desk):
    desk.intake.feed(wire.encoded((1, None, event(summary="x") * (SLICE + 1))))
    desk.clock.calls.pop().func()  # one turn: the clock would go on with the next
    assert len(desk.recorder.recorded) == SLICE
    assert len(desk.answers) == 1
    run(desk)
    assert len(desk.recorder.recorded) == SLICE + 1


def test_a_frame_of_events_that_break_off_is_passed_over(desk):
    body = struct.pack("<qHIQqqii", 1, events.LOG, 0, 0, -1, 500, -1, -1)
    desk.intake.feed(wire.HEAD.pack(1, 0, 1, len(body)) + body)
    desk.intake.feed(wire.encoded((2, None, event(summary="next"))))
    run(desk)
    assert [args[4] for args in desk.recorder.recorded] == ["next"]


class Slow(Sending):
    """One whose writer needs 6 s for each batch, of which there are ``left``."""

    def __init__(self, left):
        self.now, self.left = 0.0, left
        self._recorder = SimpleNamespace(flush=lambda: None, idle=False, stored=0)
        self._queue, self._wanted = deque(), threading.Condition()

    def wait(self, seconds):
        self.now += 6
        if self.left:
            self.left -= 1
            self._recorder.stored += 1
            self._recorder.idle = not self.left

    def _gone(self):
        return False


@pytest.mark.parametrize(("left", "idle", "seconds"), [(5, True, 30), (0, False, 12)])
def test_the_end_waits_as_long_as_more_is_stored(monkeypatch, left, idle, seconds):
    slow = Slow(left)
    monkeypatch.setattr("app.programs.inside.link.time", SimpleNamespace(monotonic=lambda: slow.now))
    slow.close()
    assert (slow._recorder.idle, slow.now) == (idle, seconds)
