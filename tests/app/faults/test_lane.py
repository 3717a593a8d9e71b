"""app.faults.lane in virtual time: order, bytes, rates, bounds, lifting, and nothing left behind."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock

from app.faults.lane import Lane, Meter, Piece

PATTERN = bytes(range(251)) * 300


class Line:
    """A lane whose pieces are letters of one text, and what came of it.

    Attributes:
        got: each portion with its time.
        most: the most bytes that have waited.
    """

    def __init__(self) -> None:
        self.clock = Clock()
        self.lane = Lane(self.clock, self._on_size)
        self.got: list[tuple[float, bytes]] = []
        self.sent = bytearray()
        self.most = 0

    def _on_size(self, size: int) -> None:
        self.most = max(self.most, size)

    def put(self, size: int, **waits: Any) -> Piece:
        begin = len(self.sent) % 251
        data = PATTERN[begin : begin + size]
        self.sent += data
        piece = Piece(data, self._deliver)
        for name, value in waits.items():
            setattr(piece, name, value)
        self.lane.put(piece)
        return piece

    def _deliver(self, data: bytes) -> None:
        self.got.append((self.clock.seconds(), data))

    @property
    def data(self) -> bytes:
        return b"".join(data for _, data in self.got)

    def run(self, seconds: float, step: float = 0.005) -> None:
        self.clock.pump([step] * round(seconds / step))


WAITS = st.fixed_dictionaries(
    {},
    optional={
        "due": st.dictionaries(st.sampled_from("abc"), st.floats(0, 3), max_size=2),
        "slices": st.dictionaries(
            st.sampled_from("abc"),
            st.tuples(st.integers(1, 7).map(lambda n: lambda: n), st.floats(0, 0.05)), max_size=2,
        ),
    },
)  # fmt: skip


@given(st.lists(st.tuples(st.integers(1, 60), WAITS, st.floats(0, 0.5)), max_size=15), st.data())
def test_bytes_keep_their_order_and_none_is_lost_or_made(puts: list[Any], data: st.DataObject):
    line = Line()
    meters = {"r": Meter(500, 10, 0)} if data.draw(st.booleans(), "rate") else {}
    lifted = data.draw(st.sampled_from(["", "a", "r"]), "lifted")
    for number, (size, waits, pause) in enumerate(puts):
        line.put(size, meters=dict(meters), **waits)
        if lifted and number == len(puts) // 2:
            line.lane.lift(lifted)
        line.clock.advance(pause)
        assert line.sent.startswith(line.data)
        assert line.lane.size == len(line.sent) - len(line.data)
    line.run(10, 0.01)
    assert line.data == line.sent
    assert (line.lane.size, len(line.lane)) == (0, 0)
    assert not line.clock.getDelayedCalls()


@pytest.mark.parametrize("step", [0.005, 0.05])
@pytest.mark.parametrize(("rate", "size"), [(200, 100), (200, 65_536), (10_000, 1_460), (1_250_000, 65_536)])
def test_a_rate_is_kept_within_5_percent_over_10_s(rate: int, size: int, step: float):
    line = Line()
    meters = {"rate": Meter(rate, 0, 0)}
    while len(line.sent) < 12 * rate:
        line.put(size, meters=dict(meters))
    line.run(10, step)
    assert len(line.data) == pytest.approx(10 * rate, rel=0.05)


def test_a_burst_passes_at_once_and_the_rate_afterwards():
    line = Line()
    line.put(100_000, meters={"rate": Meter(1_000, 5_000, 0)})
    line.run(0.1)
    assert 5_000 <= len(line.data) <= 5_200
    line.run(9.9)
    assert len(line.data) == pytest.approx(15_000, rel=0.05)


def test_of_two_rates_the_lower_one_counts():
    line = Line()
    line.put(100_000, meters={"one": Meter(5_000, 0, 0), "other": Meter(1_000, 0, 0)})
    line.run(10)
    assert len(line.data) == pytest.approx(10_000, rel=0.05)


def test_a_whole_message_waits_until_the_rate_has_room_for_it():
    line = Line()
    meter = Meter(1_000, 0, 0)
    for _ in range(50):
        line.put(500, whole=True, meters={"rate": meter})
    line.run(10)
    assert {len(data) for _, data in line.got} == {500}
    assert len(line.data) == pytest.approx(10_000, rel=0.05)


def test_slices_come_with_their_pauses():
    line = Line()
    line.put(1_000, slices={"slice": (lambda: 100, 0.02)})
    line.run(1)
    assert [len(data) for _, data in line.got] == [100] * 10
    assert all(later - earlier >= 0.02 for (earlier, _), (later, _) in pairwise(line.got))


def test_one_that_is_late_has_those_behind_it_wait_and_none_that_is_early_passes_it():
    line = Line()
    line.put(1, due={"delay": 1.0})
    line.put(1, due={"delay": 0.2})
    line.put(1)
    line.run(0.99, 0.01)
    assert not line.got
    line.run(0.02, 0.01)
    assert [len(data) for _, data in line.got] == [1, 1, 1]
    assert line.data == line.sent


@pytest.mark.parametrize("waits", ["due", "meters", "slices"])
def test_lifting_passes_at_once_what_is_held(waits: str):
    line = Line()
    value: Any = {"due": 600.0, "meters": Meter(1, 0, 0), "slices": (lambda: 1, 60.0)}[waits]
    for _ in range(3):
        line.put(100, **{waits: {"fault": value}})
    line.run(1)
    assert len(line.data) < 5
    line.lane.lift("fault")
    assert line.data == line.sent
    assert not line.clock.getDelayedCalls()


def test_lifting_one_leaves_the_other():
    line = Line()
    line.put(10, due={"one": 1.0, "other": 2.0})
    line.lane.lift("other")
    line.run(0.9)
    assert not line.got
    line.run(0.2)
    assert line.data == line.sent


def test_a_fault_that_is_lifted_by_what_takes_a_slice_waits_no_more():
    """As when the responder's answer has the user, or a script, switch it off."""
    line = Line()
    piece = Piece(bytes(100), lambda data: (line._deliver(data), line.lane.lift("slice")))
    piece.slices["slice"] = (lambda: 10, 3_600.0)
    line.lane.put(piece)
    assert len(line.data) == 100
    assert not line.clock.getDelayedCalls()


@pytest.mark.parametrize("waits", ["slices", "meters"])
def test_a_lane_that_is_closed_by_what_takes_a_portion_leaves_nothing_behind(waits: str):
    line = Line()
    value: Any = {"meters": Meter(1_000, 10, 0), "slices": (lambda: 10, 60.0)}[waits]
    piece = Piece(bytes(100), lambda data: line.lane.close())
    getattr(piece, waits)["fault"] = value
    line.lane.put(piece)
    assert not line.clock.getDelayedCalls()


def test_what_waits_is_dropped_and_counted_when_the_lane_is_closed():
    line = Line()
    line.put(100, due={"delay": 5.0})
    line.put(50)
    line.lane.swallow("hang")
    line.lane.lift_at(60, "hang")
    assert line.lane.close() == 150
    assert not line.clock.getDelayedCalls()
    line.put(10)
    assert not line.got


def test_while_a_lane_swallows_nothing_comes_to_its_end():
    line = Line()
    ended: list[float] = []
    line.lane.swallow("hang")
    line.put(100)
    line.lane.after(lambda: ended.append(line.clock.seconds()))
    line.lane.lift_at(5.0, "hang")
    line.run(4.9, 0.1)
    assert (line.lane.swallowed, ended, line.got) == (100, [], [])
    line.run(0.2, 0.1)
    assert ended == [pytest.approx(5.0, abs=0.11)]
    line.put(5)
    assert len(line.data) == 5


def test_the_end_comes_after_all_that_waits():
    line = Line()
    line.put(10, due={"delay": 1.0})
    line.lane.after(partial(line.got.append, (9.0, b"end")))
    line.put(10)
    line.run(2)
    assert [data[:3] for _, data in line.got] == [bytes(line.sent[:3]), b"end", bytes(line.sent[10:13])]


def test_a_receiver_that_is_held_back_gets_nothing_until_it_goes_on():
    line = Line()
    line.lane.blocked = True
    line.put(10)
    line.put(10, due={"delay": 1.0})
    line.run(2)
    assert not line.got
    line.lane.go_on()
    assert line.data == line.sent
