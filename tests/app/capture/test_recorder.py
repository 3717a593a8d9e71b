"""app.capture.recorder."""

import json
from io import BytesIO

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from twisted.internet.task import Clock

from app import events
from app.capture import lost_events
from app.capture import recorder as module
from app.capture.recorder import INTERVAL, LARGE, Recorder, Stored
from app.capture.writing.arena import Arena, shared
from app.capture.writing.batch import FIELDS, read
from app.failures.fingerprint import fingerprint
from app.failures.record import from_json

MB = 1 << 20


class Sink:
    """Stands for the link: keeps what was sent, as (sequence, services, rows)."""

    def __init__(self):
        self.frames = []

    def send(self, parts):
        source = BytesIO(b"".join(parts))
        sequence, services, flat, *_ = read(source)
        assert source.read() == b""
        self.frames.append((sequence, services, [flat[i : i + FIELDS] for i in range(0, len(flat), FIELDS)]))

    @property
    def sequences(self):
        return [frame[0] for frame in self.frames]


class Bench:
    def __init__(self, opened=True):
        self.clock = Clock()
        self.recorder = Recorder(self.clock)
        self.sink = Sink()
        self.heard = []
        self.recorder.pressure.connect(lambda value: self.heard.append(("pressure", value)))
        self.recorder.trouble_changed.connect(lambda value: self.heard.append(("trouble", value and value.text)))
        if opened:
            self.recorder.on_opened(self.sink, 0, Stored())

    def record(self, count=1, payload=b"x"):
        for _ in range(count):
            self.recorder.record(events.DATA_RECEIVED, 1, 1, payload)

    def batch(self, count=1, payload=b"x"):
        self.record(count, payload)
        self.recorder.flush()

    @property
    def figures(self):
        return (self.recorder.seen, self.recorder.stored, self.recorder.lost)


@pytest.fixture
def bench():
    return Bench()


# -- batches


def test_events_leave_together_after_the_interval(bench):
    bench.record(3)
    bench.clock.advance(INTERVAL * 0.9)
    assert bench.sink.frames == []
    bench.clock.advance(INTERVAL * 0.2)
    assert [(s, len(rows)) for s, _, rows in bench.sink.frames] == [(1, 3)]


def test_nothing_wakes_up_when_nothing_happens(bench):
    bench.record()
    bench.clock.advance(1)
    assert bench.clock.getDelayedCalls() == []


def test_a_megabyte_leaves_at_once(bench):
    bench.record(1, b"x" * (MB + 1))
    assert bench.sink.sequences == [1]


def test_an_event_carries_all_its_fields_and_the_time_of_its_receipt(bench, monkeypatch):
    monkeypatch.setattr(module, "time_ns", lambda: 123)
    bench.recorder.record(events.HTTP_REQUEST, 2, 3, b"body", "GET /", '{"a": 1}', 9)
    bench.recorder.flush()
    assert bench.sink.frames[0][2] == [[123, events.HTTP_REQUEST, 2, 3, 9, b"body", "GET /", '{"a": 1}']]


@pytest.mark.parametrize(
    ("summary", "stored"),
    [("plain \\n ü", "plain \\n ü"), ("\udcff\ud800", r"\xff\xed\xa0\x80"), ("a\nb\x1b[0m", r"a\nb\e[0m")],
)
def test_a_summary_is_one_line_that_can_be_stored(bench, summary, stored):
    bench.recorder.record(events.LOG, summary=summary)
    bench.recorder.flush()
    assert bench.sink.frames[0][2][0][6] == stored


def test_services_are_told_once_and_again_when_there_are_more(bench):
    recorder = bench.recorder
    assert [recorder.add_service("a", "tcp"), recorder.add_service("b", "tcp")] == [1, 2]
    assert recorder.add_service("a", "tcp") == 1
    bench.batch()
    bench.batch()
    assert recorder.add_service("a", "udp") == 3
    bench.batch()
    told = [services for _, services, _ in bench.sink.frames]
    assert told == [[("a", "tcp"), ("b", "tcp")], None, [("a", "tcp"), ("b", "tcp"), ("a", "udp")]]


def test_connections_are_numbered_from_one(bench):
    assert [bench.recorder.add_connection() for _ in range(3)] == [1, 2, 3]


# -- what the writer says


def test_a_stored_batch_is_counted_and_told(bench):
    told = []
    bench.recorder.stored_changed.connect(told.append)
    bench.batch(3)
    assert not bench.recorder.idle
    bench.recorder.on_stored(1, Stored(1, 3, 4096))
    assert bench.figures == (3, 3, 0)
    assert bench.recorder.idle
    assert told == [Stored(1, 3, 4096)] == [bench.recorder.range]


def test_batches_wait_for_a_writer():
    bench = Bench(opened=False)
    bench.batch(2)
    bench.batch(1)
    bench.recorder.on_opened(bench.sink, 0, Stored())
    assert bench.sink.sequences == [1, 2]


def test_a_new_writer_gets_what_is_not_in_the_file_and_all_services(bench):
    bench.recorder.add_service("a", "tcp")
    for _ in range(3):
        bench.batch()
    bench.recorder.on_writer_gone()
    bench.batch()
    fresh = Sink()
    bench.recorder.on_opened(fresh, 2, Stored(1, 2))
    assert fresh.sequences == [3, 4]
    assert fresh.frames[0][1] == [("a", "tcp")]
    assert bench.figures == (4, 2, 0)


def test_a_new_writer_with_nothing_to_do_still_learns_the_services(bench):
    bench.recorder.add_service("a", "tcp")
    bench.batch()
    bench.recorder.on_writer_gone()
    fresh = Sink()
    bench.recorder.on_opened(fresh, 1, Stored(1, 1))
    assert fresh.frames == []
    bench.batch()
    assert fresh.frames[0][:2] == (2, [("a", "tcp")])


def test_the_same_writer_with_another_file_is_sent_nothing_twice(bench):
    bench.batch()
    bench.batch()
    bench.recorder.on_trouble("taken away")
    bench.recorder.on_opened(bench.sink, 0, Stored())
    assert bench.sink.sequences == [1, 2]


def test_a_rejected_batch_is_lost_and_no_other(bench):
    for count in (1, 2, 4):
        bench.batch(count)
    bench.recorder.on_stored(2, Stored(1, 1), rejected="it does not fit")
    assert bench.figures == (7, 1, 2)
    bench.recorder.on_stored(2, Stored(1, 1), rejected="it does not fit")
    assert bench.figures == (7, 1, 2)
    bench.recorder.on_stored(3, Stored(1, 5))
    assert bench.figures == (7, 5, 2)


def test_trouble_says_since_when_and_ends(bench):
    bench.recorder.on_trouble("disk full")
    since = bench.recorder.trouble.since
    bench.recorder.on_trouble("disk full")
    bench.recorder.on_trouble("folder gone")
    assert bench.recorder.trouble.since == since
    bench.recorder.on_stored(0, Stored())
    assert bench.recorder.trouble is None
    assert bench.heard == [("trouble", "disk full"), ("trouble", "folder gone"), ("trouble", None)]


# -- too much


def test_peers_pause_above_the_first_bound_and_go_on_below_the_second(bench):
    for _ in range(33):
        bench.batch(1, b"x" * MB)
    assert bench.heard == [("pressure", True)]
    bench.recorder.on_stored(24, Stored(1, 24))
    assert bench.recorder.pressed
    bench.recorder.on_stored(30, Stored(1, 30))
    assert bench.heard == [("pressure", True), ("pressure", False)]
    assert bench.figures == (33, 30, 0)


def test_nobody_is_paused_while_there_is_trouble(bench):
    bench.recorder.on_trouble("disk full")
    for _ in range(40):
        bench.batch(1, b"x" * MB)
    assert not bench.recorder.pressed
    bench.recorder.on_stored(1, Stored(1, 1))
    assert bench.recorder.pressed


def test_pressure_ends_with_trouble_and_with_a_new_writer_that_has_it_all(bench):
    for _ in range(33):
        bench.batch(1, b"x" * MB)
    bench.recorder.on_writer_gone()
    bench.recorder.on_opened(Sink(), 33, Stored(1, 33))
    assert bench.heard == [("pressure", True), ("pressure", False)]


def test_above_the_last_bound_events_are_lost_and_counted(bench):
    bench.recorder.on_trouble("disk full")
    for _ in range(70):
        bench.batch(1, b"x" * MB)
    seen, stored, lost = bench.figures
    assert (seen, stored) == (70, 0)
    assert lost == 70 - 64
    assert len(bench.sink.frames) == 64
    bench.recorder.on_stored(64, Stored(1, 64))
    bench.batch()
    assert bench.sink.sequences[-1] > 64
    bench.recorder.on_stored(bench.sink.sequences[-1], Stored(1, 65))
    # One more than those: the event that tells of them.
    assert bench.figures == (72, 66, 6)
    told = bench.sink.frames[-1][2][-1]
    assert told[1] == events.LOST
    assert told[6] == "6 events were lost: disk full"
    assert json.loads(told[7]).keys() == {"count", "from", "until", "why"}


def test_what_can_wait_is_not_lost_while_the_writer_works(bench):
    for _ in range(200):
        bench.batch(1, b"x" * MB)
    assert bench.recorder.pressed
    assert bench.figures == (200, 0, 0)


def test_above_the_ceiling_anything_is_lost(bench, monkeypatch):
    monkeypatch.setattr(module, "CEILING", 80 << 20)
    for _ in range(90):
        bench.batch(1, b"x" * MB)
    assert bench.figures == (90, 0, 10)


def test_datagrams_are_lost_above_the_last_bound(bench):
    for _ in range(64):
        bench.batch(1, b"x" * MB)
    for _ in range(3):
        bench.recorder.record_datagram(events.DATAGRAM_RECEIVED, 1, 1, b"x")
    bench.recorder.flush()
    assert bench.figures == (67, 0, 3)
    bench.recorder.on_stored(64, Stored(1, 64))
    bench.clock.advance(INTERVAL)
    assert [row[6] for row in bench.sink.frames[-1][2]] == [f"3 events were lost: {lost_events.FELL_BEHIND}"]


def test_losses_are_told_when_the_writer_has_caught_up_though_nothing_else_happens(bench):
    for _ in range(65):
        bench.batch(1, b"x" * MB)
    bench.recorder.record_datagram(events.DATAGRAM_RECEIVED, 1, 1, b"x")
    bench.clock.advance(10 * INTERVAL)
    assert len(bench.sink.frames) == 65
    bench.recorder.on_stored(65, Stored(1, 65))
    bench.clock.advance(INTERVAL)
    assert [row[1] for row in bench.sink.frames[-1][2]] == [events.LOST]


def test_losses_that_a_lost_batch_was_to_tell_are_told_again(bench):
    bench.recorder.lost_before(2)
    bench.clock.advance(INTERVAL)
    bench.recorder.on_stored(1, Stored(), rejected="it does not fit")
    bench.clock.advance(INTERVAL)
    told = {json.loads(row[7])["why"]: json.loads(row[7])["count"] for row in bench.sink.frames[-1][2]}
    assert told == {lost_events.KERNEL: 2, "it does not fit": 1}


def test_peers_are_held_back_while_trouble_is_passing(bench):
    bench.recorder.on_trouble("the writer is being restarted", passing=True)
    for _ in range(70):
        bench.batch(1, b"x" * MB)
    assert bench.recorder.pressed
    assert bench.figures == (70, 0, 0)
    bench.recorder.on_trouble("the writer is being restarted")
    assert not bench.recorder.pressed


def test_what_the_kernel_dropped_is_seen_and_lost(bench):
    bench.recorder.lost_before(5)
    assert bench.figures == (5, 0, 5)


def test_abandoned_batches_are_lost(bench):
    bench.batch(2)
    bench.record(1)
    told = []
    bench.recorder.stored_changed.connect(told.append)
    bench.recorder.abandon()
    assert bench.figures == (3, 0, 3)
    assert bench.recorder.idle
    assert bench.clock.getDelayedCalls() == []
    assert told


# -- failures


def test_an_exception_is_recorded_once_with_its_bytes(bench):
    error = ValueError("boom")
    bench.recorder.record_failure(error, 1, 2, b"the bytes")
    bench.recorder.record_failure(error)
    bench.recorder.flush()
    [row] = bench.sink.frames[0][2]
    assert row[1:4] == [events.FAILURE, 1, 2]
    assert row[5:7] == [b"the bytes", "ValueError: boom"]


# -- at all times


class Accounts(RuleBasedStateMachine):
    """Whatever happens in whatever order, each event is stored, lost, or on its way."""

    def __init__(self):
        super().__init__()
        self.bench = Bench()
        self.in_file, self.emitted = 0, 0
        self.alive = True

    @rule(count=st.integers(1, 5), large=st.booleans())
    def record(self, count, large):
        self.bench.record(count, b"x" * (6 * MB if large else 1))
        self.emitted += count

    @rule()
    def time_passes(self):
        self.bench.clock.advance(INTERVAL)

    @rule(count=st.integers(1, 3))
    def kernel_drops(self, count):
        self.bench.recorder.lost_before(count)
        self.emitted += count

    @precondition(lambda self: self.alive and self.bench.sink.frames)
    @rule(data=st.data(), rejected=st.sampled_from(["", "it does not fit"]))
    def answer(self, data, rejected):
        sequences = [s for s in self.bench.sink.sequences if s > self.in_file]
        if sequences:
            self.in_file = sequences[0] if rejected else data.draw(st.sampled_from(sequences))
            self.bench.recorder.on_stored(self.in_file, Stored(), rejected=rejected)

    @rule()
    def trouble(self):
        self.bench.recorder.on_trouble("full")

    @rule()
    def writer_dies(self):
        self.bench.recorder.on_writer_gone()
        self.alive = False

    @precondition(lambda self: not self.alive)
    @rule()
    def writer_returns(self):
        self.bench.sink = Sink()
        self.bench.recorder.on_opened(self.bench.sink, self.in_file, Stored())
        self.alive = True

    @invariant()
    def nothing_is_lost_unseen(self):
        recorder = self.bench.recorder
        on_way = sum(sent.count for sent in recorder._on_way) + len(recorder._pending) // FIELDS
        assert recorder.seen == recorder.stored + recorder.lost + on_way == self.emitted + recorder.losses.told
        assert recorder._on_way.bytes == sum(sent.size for sent in recorder._on_way)
        if recorder.idle:
            assert not recorder.pressed
            assert sum(recorder.losses.because.values()) == recorder.lost

    @invariant()
    def batches_come_in_order(self):
        sequences = self.bench.sink.sequences
        assert sequences == sorted(set(sequences))


@pytest.mark.hypothesis
def test_accounts():
    run_state_machine_as_test(Accounts, settings=settings(max_examples=25, stateful_step_count=25))


class Sharing(RuleBasedStateMachine):
    """Large payloads in shared memory are what they were whenever a writer, the first or the next, comes to them."""

    def __init__(self):
        super().__init__()
        self.arena = Arena(1 << 16)
        self.memory = shared(self.arena.file)
        self.recorder = Recorder(Clock())
        self.recorder.share(self.arena)
        self.recorded, self.lost = [], 0
        self.writer_returns()

    def send(self, parts):
        self.frames.append(b"".join(parts))

    @rule(sizes=st.lists(st.sampled_from([1, LARGE, 20_000, 70_000]), min_size=1, max_size=4))
    def record_and_flush(self, sizes):
        batch = [b"%09d" % len(self.recorded) + bytes([len(self.recorded) % 256]) * size for size in sizes]
        for payload in batch:
            self.recorder.record(events.DATA_RECEIVED, payload=payload)
        before, told = self.recorder.lost, self.recorder.losses.told
        self.recorder.flush()
        if self.recorder.lost == before:
            self.recorded.append(batch + [None] * (self.recorder.losses.told - told))

    @precondition(lambda self: self.frames)
    @rule(rejected=st.sampled_from(["", "it does not fit"]))
    def writer_stores(self, rejected):
        sequence, _, flat, *_ = read(BytesIO(self.frames.pop(0)), self.memory)
        assert flat[5::FIELDS] == self.recorded.pop(0)
        self.recorder.on_stored(sequence, Stored(), rejected=rejected)
        self.stored = sequence

    @rule()
    def writer_returns(self):
        self.frames = []
        self.recorder.on_writer_gone()
        self.recorder.on_opened(self, getattr(self, "stored", 0), Stored())

    @rule()
    def falls_behind(self):
        self.recorder.on_trouble("full")

    def teardown(self):
        self.recorder.abandon()
        assert self.arena.mark == 0  # all was released
        self.memory.close()
        self.arena.close()


@pytest.fixture
def soon_lost(monkeypatch):
    """Far fewer bytes may be on their way."""
    monkeypatch.setattr(module, "LOSE_ABOVE", 150_000)


@pytest.mark.hypothesis
@pytest.mark.usefixtures("soon_lost")
def test_sharing():
    run_state_machine_as_test(Sharing, settings=settings(max_examples=200, stateful_step_count=30))


# -- failure groups


def test_a_failure_carries_its_group(bench):
    for _ in range(2):
        try:
            raise ValueError("no")
        except ValueError as e:
            bench.recorder.record_failure(e)
    bench.recorder.flush()
    details = [json.loads(row[7]) for _, _, rows in bench.sink.frames for row in rows]
    assert [from_json(detail).type for detail in details] == ["ValueError"] * 2
    assert {detail["group"] for detail in details} == {fingerprint(from_json(details[0]))}


@pytest.mark.parametrize("reopened", [False, True])
def test_a_word_on_a_group_is_an_event(bench, reopened):
    bench.recorder.resolve("abc", "ValueError: no\nway", reopened=reopened)
    bench.recorder.flush()
    [(_, _, [row])] = bench.sink.frames
    assert row[1] == events.FAILURE_RESOLVED
    assert row[6] == ("reopened" if reopened else "resolved") + r": ValueError: no\nway"
    assert json.loads(row[7]) == {"group": "abc"} | ({"reopened": True} if reopened else {})


def test_a_text_of_a_class_of_its_own_does_not_stop_the_recorder():
    class Words(str):
        __slots__ = ()

    bench = Bench()
    bench.recorder.record(events.LOG, summary=Words("mine"), size=1 << 80)
    bench.recorder.record(events.DATA_RECEIVED, payload=b"x" * LARGE)
    bench.recorder.flush()
    bench.recorder.record(events.LOG, summary="next")
    bench.recorder.flush()
    rows = [row for _, _, rows in bench.sink.frames for row in rows]
    assert [row[6] for row in rows] == ["mine", None, "next"]
    assert rows[1][5] == b"x" * LARGE


# -- pauses


def test_a_pause_counts_what_passes_and_says_afterwards_how_much_that_was(bench):
    bench.record(2)
    bench.recorder.pause()
    bench.record(5)
    bench.recorder.record_datagram(events.DATAGRAM_RECEIVED, 1, 1, b"x")
    assert bench.recorder.paused
    bench.recorder.resume()
    bench.record(1)
    bench.recorder.flush()
    [(_, _, rows)] = bench.sink.frames
    kinds = [row[1] for row in rows]
    assert kinds == [5, 5, events.CAPTURE_PAUSED, events.CAPTURE_RESUMED, 5]
    summary, detail = rows[3][6], json.loads(rows[3][7])
    assert summary.startswith("6 events were not stored during a pause of ")
    assert detail["count"] == 6
    assert detail["from"] <= detail["until"]
    bench.recorder.on_stored(1, Stored(1, 5, 100))
    assert bench.recorder.seen == 11
    assert (bench.recorder.stored, bench.recorder.lost, bench.recorder.not_taken) == (5, 0, 6)


def test_a_pause_keeps_the_ends_of_connections_failures_and_notes(bench):
    bench.recorder.pause()
    for kind in (events.CONNECTION_OPENED, events.CONNECTION_CLOSED, events.SERVICE_STOPPED):
        bench.recorder.record(kind, 1, 1, detail="{}")
    bench.recorder.record_failure(ValueError("during a pause"))
    bench.recorder.note(1, "seen")
    bench.recorder.flush()
    [(_, _, rows)] = bench.sink.frames
    assert [events.NAMES[row[1]] for row in rows] == [
        "capture.paused", "connection.opened", "connection.closed", "service.stopped", "failure", "note",
    ]  # fmt: skip
    assert bench.recorder.not_taken == 0


def test_the_figures_go_on_while_it_is_paused(bench):
    bench.recorder.pause()
    bench.recorder.flush()
    heard = []
    bench.recorder.stored_changed.connect(heard.append)
    bench.clock.advance(INTERVAL)
    heard.clear()
    bench.record(3)
    bench.clock.advance(INTERVAL)
    assert heard == [Stored()]
    bench.clock.advance(10)
    assert heard == [Stored()]  # and nothing while nothing happens


def test_pausing_and_resuming_twice_changes_nothing(bench):
    changes = []
    bench.recorder.pause_changed.connect(changes.append)
    for call in (bench.recorder.resume, bench.recorder.pause, bench.recorder.pause, bench.recorder.resume):
        call()
    assert len(changes) == 2
    assert not bench.recorder.paused


def test_nobody_is_held_back_by_a_pause(bench):
    bench.recorder.pause()
    bench.record(40, b"x" * MB)
    assert bench.heard == []
    assert bench.recorder.lost == 0


def test_batches_that_are_held_go_to_the_next_writer(bench):
    bench.batch(2)
    bench.recorder.hold()
    bench.batch(3)
    assert bench.sink.sequences == [1]
    bench.recorder.on_stored(1, Stored(1, 2, 10))
    following = Sink()
    bench.recorder.on_opened(following, 0, Stored())
    assert following.sequences == [2]
    assert bench.figures == (5, 2, 0)
