"""Outposts that do not keep to anything: what they say harms nobody."""

import json

import msgspec
import pytest
import pytest_twisted
from msgspec.structs import replace
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock

from app import events
from app.capture.reading.stored import Stored
from app.capture.recorder import Recorder
from app.outposts import frames
from app.outposts import protocol as p
from app.outposts.arriving import Arriving, FalseError
from app.outposts.errors import RefusedError
from app.outposts.ways.carrier import Carrier, Closed, Connected, Lost
from tests.app.capture.captures import read
from tests.helpers import until


class Scripted(Carrier):
    """A way to an outpost that says what it is told to."""

    def __init__(self, capture="c" * 32, answers=(), services=()):
        super().__init__("liar")
        self._answers, self._capture, self._services = list(answers), capture, services
        self.dropped = []
        self.told = lambda request: None
        self.read = []

    def open(self):
        self.become(Connected())

    def close(self):
        self.become(Closed())
        return succeed(None)

    def now(self):
        self.become(Connected())

    def drop(self, reason):
        self.dropped.append(reason)
        self.become(Lost(reason))

    def ask(self, request):
        if isinstance(request, p.Hello):
            return succeed(p.Outpost(1, "x", "Liar 1\x1b[2J", "change", self._capture, 1, 0, 1 << 62))
        self.told(request)
        if isinstance(request, p.Status):
            return succeed(p.Services(self._services))
        if isinstance(request, p.Payload):
            return succeed(p.Part(b"x" * (1 << 16)))
        self.read.append(request)
        if self._answers:
            return succeed(self._answers.pop(0))
        return Deferred()


def event(id, kind=events.LOG, summary="said", detail=None, **more):
    given = {"service": "s", "protocol": "tcp", "conn": None, "peer": None, "host": None, "size": None, **more}
    given.setdefault("time", 1_700_000_000_000_000_000)
    given.setdefault("payload", None)
    time, payload, left_out = given.pop("time"), given.pop("payload"), given.pop("left_out", 0)
    return Stored(id, time, kind, *given.values(), summary, detail, payload, left_out)


def answer(*found, capture="c" * 32, last=None):
    return p.Events(capture, 1, found[-1].id if last is None and found else last or 0, found)


async def stored(desk, *answers):
    """What is stored of what an outpost answers, and the carrier."""
    carrier = Scripted(answers=answers)
    desk.console.add("liar", carrier)
    await until(lambda: carrier.read and not carrier._answers)
    desk.post.recorder.flush()
    await until(lambda: desk.post.recorder.idle)
    sql = (
        "SELECT e.kind, s.name, e.summary, e.detail FROM event e JOIN service s ON s.id = e.service"
        " WHERE s.outpost IS NOT NULL AND e.kind NOT IN (40, 41) ORDER BY e.id"
    )
    return read(desk.post.capture, sql), carrier


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ((event(1), event(1)), "event 1 after event 1"), ((event(5), event(2)), "event 2 after event 5"),
        ((event(1), event(2, time=-1)), "no time"), ((event(1), event(2, time=1 << 62)), "no time"),
        ((event(0),), "event 0 after event 0"),
    ],
)  # fmt: skip
def test_lies_about_ids_and_times_are_found(found, words):
    with pytest.raises(FalseError, match=words):
        Arriving(Recorder(Clock()), "liar", "c", 0, 0, {}).take(found)


@pytest_twisted.ensureDeferred
async def test_who_lies_is_let_go_in_words_and_what_it_said_before_is_kept(desk):
    found, carrier = await stored(desk, answer(event(1), event(1)))
    await until(lambda: carrier.dropped)
    assert "broke the protocol: it sent event 1 after event 1" in carrier.dropped[0]
    assert len(found) == 1


@pytest_twisted.ensureDeferred
async def test_what_is_missing_between_two_ids_is_an_event(desk):
    found, _ = await stored(desk, answer(event(3)), answer(event(4), event(9)))
    assert [kind for kind, *_ in found] == [events.OUTPOST_GAP, events.LOG, events.LOG, events.OUTPOST_GAP, events.LOG]
    assert json.loads(found[0][3]) == {"outpost": "liar", "first": 1, "last": 2, "count": 2}
    assert json.loads(found[3][3]) == {"outpost": "liar", "first": 5, "last": 8, "count": 4}


FALSE = [
        (999, None), (999, "{}"), (events.CONNECTION_OPENED, None), (events.CONNECTION_OPENED, "[]"),
        (events.CONNECTION_OPENED, '{"peer": 5, "host": "x"}'), (events.CONNECTION_OPENED, "{" * 5000),
        (events.CONNECTION_CLOSED, '{"reason": "x", "received": 1e400, "sent": 1, "unsent": 0, "seconds": 1}'),
        (events.CONNECTION_CLOSED,
         '{"reason": "x", "received": 99999999999999999999, "sent": 1, "unsent": 0, "seconds": 1.0}'),
        (events.CONNECTION_CLOSED, '{"reason": "x", "received": 1, "sent": 1, "unsent": 0, "seconds": NaN}'),
        (events.LOST, '{"count": "many", "from": "", "until": "", "why": ""}'), (events.LOST, "nonsense"),
        (events.HTTP_RESPONSE, '{"status": "x"}'), (events.HTTP_RESPONSE, '{"status": 200, "seconds": 1e999}'),
        (events.FAILURE, '{"group": 1}'), (events.TLS_OPENED, "null"),
    ]  # fmt: skip


@pytest_twisted.ensureDeferred
async def test_events_that_are_none_are_lines_of_the_log_and_harm_no_other(desk):
    false = [event(number, kind, detail=detail, conn=4) for number, (kind, detail) in enumerate(FALSE, 2)]
    found, carrier = await stored(desk, answer(event(1), *false, event(len(FALSE) + 2)))
    assert [one[0] for one in found] == [events.LOG] * (len(FALSE) + 2)
    assert [json.loads(one[3])["kind"] for one in found[1:-1]] == [kind for kind, _ in FALSE]
    assert not carrier.dropped
    assert desk.post.recorder.lost == 0


@pytest_twisted.ensureDeferred
async def test_names_are_one_line_and_bounded(desk):
    found, _ = await stored(
        desk, answer(event(1, service="a\x1b[2J\nb" + "x" * 999, peer="p\n" * 999, conn=7, summary="c\x1b[0m\u202ed"))
    )
    [(_, name, summary, _)] = found
    assert name.isprintable()
    assert len(name) < 300
    assert summary.isprintable()
    [(peer,)] = read(desk.post.capture, "SELECT peer FROM connection")
    assert peer.isprintable()


@pytest_twisted.ensureDeferred
async def test_its_notes_and_resolved_failures_are_not_ours(desk):
    desk.post.recorder.note(1, "mine")
    await stored(
        desk,
        answer(
            event(1, events.NOTE, detail='{"event": 1, "text": "theirs", "colour": ""}', service=None),
            event(2, events.FAILURE_RESOLVED, detail='{"group": "abc"}', service=None),
        ),
    )
    assert read(desk.post.capture, "SELECT text FROM note") == [("mine",)]
    assert read(desk.post.capture, "SELECT * FROM resolution") == []


@pytest_twisted.ensureDeferred
async def test_numbers_of_connections_that_cannot_be_are_none(desk):
    found, _ = await stored(desk, answer(event(1, conn=-5), event(2, conn=1 << 60), event(3, conn=2, size=-4)))
    assert len(found) == 3
    assert len(read(desk.post.capture, "SELECT id FROM connection")) == 1
    assert read(desk.post.capture, "SELECT max(size) FROM event WHERE service IS NOT NULL AND kind = 19") == [(None,)]


@pytest_twisted.ensureDeferred
async def test_a_payload_without_an_end_is_cut(desk, monkeypatch):
    monkeypatch.setattr("app.outposts.following.MOST_PAYLOAD", 200_000)
    await stored(desk, answer(event(1, events.DATA_RECEIVED, summary=None, size=1 << 50, left_out=1 << 50)))
    sql = "SELECT length(payload), size FROM event WHERE kind = ?"
    assert read(desk.post.capture, sql, events.DATA_RECEIVED) == [(200_000, 1 << 50)]


@pytest_twisted.ensureDeferred
async def test_large_payloads_of_one_answer_are_not_held_together(desk, monkeypatch):
    monkeypatch.setattr("app.outposts.following.MOST_PAYLOAD", p.MAX_READ)
    taken, take = [], Arriving.take
    monkeypatch.setattr(Arriving, "take", lambda self, found: (taken.append(len(found)), take(self, found)))
    told = {"summary": None, "size": p.MAX_READ, "left_out": p.MAX_READ}
    many = [event(n, events.DATA_RECEIVED, **told) for n in range(1, 4)]
    await stored(desk, answer(*many, *(event(n) for n in range(4, 9))))
    assert taken == [1, 1, 1, 5]


@pytest_twisted.ensureDeferred
async def test_one_that_shows_ever_new_captures_is_let_go(desk, monkeypatch):
    monkeypatch.setattr("app.outposts.following.MOST_CAPTURES", 3)
    carrier = Scripted(answers=[answer(event(1), capture=f"{n}") for n in range(9)])
    desk.console.add("liar", carrier)
    await until(lambda: carrier.dropped)
    assert "more than 3 captures" in carrier.dropped[0]
    assert len(carrier.read) == 4


HUGE = p.Service("x" * 10_000, "p\u202e" * 999, "r\0", "s\n", "w\x1b[2J" * 9_999, -5, 1 << 62, -1, 0)


@pytest_twisted.ensureDeferred
async def test_services_are_bounded_each_is_there_once_and_all_their_words_are_one_line(desk):
    echo = p.Service("echo", "tcp", "echo", "listening", "127.0.0.1:1", 0, 0, 0, 0)
    faults = tuple(p.Fault(f"f{at}\n", "delay", "received", True, 0) for at in range(9_999))
    many = [replace(echo, name=f"s{at}") for at in range(100_000)]
    first = [HUGE, replace(echo, faults=faults), replace(echo, status="failed"), replace(echo, name="")]
    liar = desk.console.add("liar", Scripted(services=(*first, *many)))
    await until(lambda: liar.services)
    assert len(liar.services) <= p.MOST_SERVICES
    assert liar.told.more >= 99_000
    huge, told, *_ = liar.services
    assert (told.name, told.status, len(told.faults)) == ("echo", "listening", 100)
    assert [one.name for one in liar.services].count("echo") == 1
    for text in (huge.name, huge.protocol, huge.responder, huge.status, huge.words, told.faults[0].name):
        assert text.isprintable()
        assert 0 < len(text) < 10_000


@pytest_twisted.ensureDeferred
async def test_a_flood_of_hints_asks_no_faster_than_it_may(desk):
    carrier = Scripted()
    liar = desk.console.add("liar", carrier)
    await until(lambda: liar.told.by_name is not None)
    clock = Clock()
    liar.told._reactor, asked = clock, []
    carrier.told = lambda request: (asked.append(request), carrier.hinted.emit(None))
    for _ in range(10):
        for _ in range(1_000):
            carrier.hinted.emit(None)
        clock.advance(0.09)
    assert 0 < len(asked) <= 10
    carrier.told = lambda request: None
    await desk.console.remove("liar")
    assert not clock.getDelayedCalls()


@pytest.mark.parametrize(
    "said",
    [
        {"last": 1 << 63}, {"first": -1}, {"minor": -1}, {"minor": 1 << 60}, {"allow": "everything"},
        {"version": "1"}, {"time": 1.5},
    ],
    ids=str,
)  # fmt: skip
def test_a_hello_that_cannot_be_is_refused(said):
    hello = msgspec.structs.asdict(p.Outpost(1, "x", "x", "read", "", 1, 0, 0)) | said
    with pytest.raises(RefusedError, match="answer to hello is wrong"):
        frames.answer_to(p.Hello(1, "me"), frames.answered(frames.encode({"to": 1, "answer": hello})))


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (p.Configuration("a"), {"toml": "x" * (p.MAX_REQUEST + 1)}),
        (p.Configuration("a"), {"toml": "x", "secret": "options"}),
        (p.Connections(), {"connections": [msgspec.to_builtins(p.Connection(1, "a", "b", "c", 0, 0, 0))] * 1_001}),
        (p.Read(), {"capture": "c", "first": 1, "last": 1 << 62}),
    ],
    ids=["long", "no list", "many connections", "last id"],
)
def test_an_answer_beyond_its_bounds_is_refused(request_, answer):
    with pytest.raises(RefusedError, match="is wrong"):
        frames.answer_to(request_, frames.answered(frames.encode({"to": 1, "answer": answer})))


@pytest.mark.parametrize("id", [1 << 62, (1 << 64) - 1])
def test_an_id_that_no_capture_can_hold_is_found(id):
    with pytest.raises(FalseError, match="no id that can be"):
        Arriving(Recorder(Clock()), "liar", "c", 0, 0, {}).take((event(id),))
