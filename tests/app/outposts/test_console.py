"""app.outposts.console and following: the capture of an outpost is read into ours, each event once."""

import json
import socket
from contextlib import closing
from types import SimpleNamespace

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred, succeed
from twisted.internet.endpoints import UNIXClientEndpoint
from twisted.internet.task import Clock

from app import events
from app.alerts.alert import Alert
from app.capture.reading.stored import Stored
from app.capture.recorder import Recorder
from app.outposts import protocol as p
from app.outposts.arriving import Arriving, FalseError
from app.outposts.carrier import Carrier, Closed, Connected, Lost
from app.outposts.console import Console
from app.outposts.errors import LostError, RefusedError
from app.outposts.outpost import Outpost
from app.outposts.stream import StreamCarrier
from app.post import Post
from app.responders.relay.errors import UpstreamAwayError
from app.responders.relay.outposts import Located
from app.services.config import ServiceConfig
from app.watch.config import WatchConfig
from app.workspace.reading import Workspace
from tests.app.capture.captures import read
from tests.helpers import until

THEIRS = (
    "SELECT e.time, e.kind, e.service IS NULL, e.size, hex(e.payload), e.summary, e.detail FROM event e"
    " LEFT JOIN service s ON s.id = e.service WHERE {} ORDER BY e.id"
)
OURS = THEIRS.format(f"s.outpost IS NOT NULL AND e.kind NOT IN ({events.OUTPOST_CONNECTED}, {events.OUTPOST_LOST})")


def of(capture, sql):
    """Events as they should be the same here and there; the service of what has none is the outpost's here."""
    return [(*one[:2], *one[3:]) for one in read(capture, sql)]


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A console without outposts."""
    monkeypatch.setattr("app.outposts.console.LOOK_AGAIN", 0.01)
    post = Post(reactor, Workspace())
    pytest_twisted.blockon(post.open(tmp_path / "desk.lpost"))
    made = SimpleNamespace(post=post, console=Console(reactor, post, "desk"))
    made.console.open()
    yield made
    pytest_twisted.blockon(Deferred.fromCoroutine(made.console.close()))
    pytest_twisted.blockon(Deferred.fromCoroutine(made.post.shut_down()))


def carrier_to(path):
    return StreamCarrier(reactor, str(path), UNIXClientEndpoint(reactor, str(path)), lambda attempt: 0.01)


async def until_read(bench, desk, name="bench"):
    """Until all that ``bench`` has is stored at ``desk``."""
    outpost = desk.console.outposts[name]
    bench.post.recorder.flush()
    await until(lambda: bench.post.recorder.idle)
    last = bench.post.recorder.range.last
    await until(lambda: outpost.progress() and outpost.progress()[-1].last >= last)
    desk.post.recorder.flush()
    await until(lambda: desk.post.recorder.idle)


async def spoken(bench):
    """A client that has said something to the echo, and heard it."""
    await bench.post.start_all()
    client = socket.create_connection(("127.0.0.1", int(bench.post.services["echo"].status.host.split(":")[1])))
    client.sendall(b"hello")
    await until(lambda: bench.post.services["echo"].bytes_so_far()[1] == 5)
    return client


@pytest_twisted.ensureDeferred
async def test_every_event_is_read_with_its_time_and_connection(bench, desk):
    with closing(await spoken(bench)) as client:
        outpost = desk.console.add("bench", carrier_to(bench.path))
        await until_read(bench, desk)
        number = client.getsockname()[1]
    assert of(desk.post.capture, OURS) == of(bench.post.capture, THEIRS.format("1"))
    [connection] = read(desk.post.capture, "SELECT peer, received, sent, messages_sent FROM connection")
    assert connection == (f"127.0.0.1:{number}", 5, 5, 1)
    services = read(desk.post.capture, "SELECT name, protocol, outpost FROM service WHERE outpost IS NOT NULL")
    assert set(services) == {("bench", "outpost", "bench"), ("bench/echo", "tcp", "bench")}
    assert abs(outpost.clock) < 10**9
    assert outpost.behind == 0
    [told] = read(desk.post.capture, "SELECT detail FROM event WHERE kind = ?", events.OUTPOST_CONNECTED)
    assert json.loads(told[0])["target"] == str(bench.path)


@pytest_twisted.ensureDeferred
async def test_what_comes_later_comes_too_and_a_link_that_was_cut_changes_nothing(bench, desk):
    outpost = desk.console.add("bench", carrier_to(bench.path))
    for number in range(3):
        for line in range(700):
            bench.post.recorder.record(events.LOG, summary=f"{number}.{line}")
        await until_read(bench, desk)
        await bench.socket.close()
        await until(lambda: isinstance(outpost.carrier.way, Lost))
        bench.post.recorder.record(events.LOG, summary=f"{number} while cut")
        bench.listen()
        outpost.carrier.now()
    await until_read(bench, desk)
    assert of(desk.post.capture, OURS) == of(bench.post.capture, THEIRS.format("1"))
    lost = read(desk.post.capture, "SELECT summary FROM event WHERE kind = ?", events.OUTPOST_LOST)
    assert len(lost) == 3


@pytest_twisted.ensureDeferred
async def test_another_run_goes_on_where_the_first_ended(bench, desk, tmp_path):
    """Also in the middle of a connection, which has one number in both."""
    with closing(await spoken(bench)) as client:
        desk.console.add("bench", carrier_to(bench.path))
        await until_read(bench, desk)
        await desk.console.close()
        await desk.post.shut_down()
        desk.post = Post(reactor, Workspace())
        await desk.post.open(tmp_path / "desk.lpost")
        desk.console = Console(reactor, desk.post, "desk")
        desk.console.open()
        desk.console.add("bench", carrier_to(bench.path))
        client.sendall(b"again")
        await until(lambda: bench.post.services["echo"].bytes_so_far()[1] == 10)
        await until_read(bench, desk)
    assert of(desk.post.capture, OURS) == of(bench.post.capture, THEIRS.format("1"))
    assert read(desk.post.capture, "SELECT received, sent FROM connection") == [(10, 10)]


@pytest_twisted.ensureDeferred
async def test_a_writer_that_is_killed_takes_nothing_and_doubles_nothing(bench, desk):
    desk.console.add("bench", carrier_to(bench.path))
    for number in range(4):
        for line in range(1_000):
            bench.post.recorder.record(events.DATA_RECEIVED, payload=b"%d.%d" % (number, line))
        bench.post.recorder.flush()
        await until(lambda: bench.post.recorder.idle)
        if (process := desk.post.capturing._link._process) is not None and process.pid:
            process.signalProcess("KILL")
    await until_read(bench, desk)
    assert of(desk.post.capture, OURS) == of(bench.post.capture, THEIRS.format("1"))


@pytest_twisted.ensureDeferred
async def test_an_outpost_that_begins_another_capture_is_read_on(bench, desk, tmp_path):
    desk.console.add("bench", carrier_to(bench.path))
    bench.post.recorder.record(events.LOG, summary="in the first")
    await until_read(bench, desk)
    first = bench.post.capture
    await bench.post.new_capture(folder=tmp_path)
    bench.post.recorder.record(events.LOG, summary="in the second")
    outpost = desk.console.outposts["bench"]
    await until(lambda: len(outpost.progress()) == 2)
    await until_read(bench, desk)
    both = [*of(first, THEIRS.format("1")), *of(bench.post.capture, THEIRS.format("1"))]
    assert of(desk.post.capture, OURS) == both


GAPS = "SELECT detail FROM event WHERE kind = ?"


@pytest_twisted.ensureDeferred
async def test_an_outpost_that_has_begun_others_while_nobody_read_it_is_read_to_its_end(bench, desk, tmp_path):
    """Also payloads that are fetched apart, whose ids are those of other events in the capture of now."""
    large = b"large" * p.MAX_INLINE
    desk.console.add("bench", carrier_to(bench.path))
    bench.post.recorder.record(events.LOG, summary="read at once")
    await until_read(bench, desk)
    captures = [bench.post.capture]
    await bench.socket.close()
    for number in range(2):
        bench.post.recorder.record(events.DATA_RECEIVED, payload=large + b"%d" % number)
        await bench.post.new_capture(folder=tmp_path)
        captures.append(bench.post.capture)
    bench.listen()
    desk.console.outposts["bench"].carrier.now()
    await until(lambda: len(desk.console.outposts["bench"].progress()) == len(captures))
    await until_read(bench, desk)
    assert of(desk.post.capture, OURS) == [one for path in captures for one in of(path, THEIRS.format("1"))]
    assert not read(desk.post.capture, GAPS, events.OUTPOST_GAP)


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("again", [False, True], ids=["the same console", "another run of the console"])
async def test_a_capture_that_is_gone_unread_is_told_as_a_gap(bench, desk, tmp_path, again):
    outpost = desk.console.add("bench", carrier_to(bench.path))
    bench.post.recorder.record(events.LOG, summary="read")
    await until_read(bench, desk)
    [(_, last)] = [(one.capture, one.last) for one in outpost.progress()]
    if again:
        await desk.console.close()
    await bench.socket.close()
    bench.post.recorder.record(events.LOG, summary="never read")
    first = bench.post.capture
    await bench.post.new_capture(folder=tmp_path)
    first.unlink()
    bench.listen()
    if again:
        desk.console = Console(reactor, desk.post, "desk")
        desk.console.open()
        outpost = desk.console.add("bench", carrier_to(bench.path))
    outpost.carrier.now()
    await until(lambda: len(outpost.progress()) == 2)
    await until_read(bench, desk)
    [(told,)] = read(desk.post.capture, GAPS, events.OUTPOST_GAP)
    assert json.loads(told) == {"outpost": "bench", "first": last + 1}


@pytest_twisted.ensureDeferred
async def test_another_capture_of_ours_goes_on_where_the_first_ended(bench, desk, tmp_path):
    desk.console.add("bench", carrier_to(bench.path))
    bench.post.recorder.record(events.LOG, summary="one")
    await until_read(bench, desk)
    first = desk.post.capture
    await desk.post.new_capture(folder=tmp_path)
    bench.post.recorder.record(events.LOG, summary="two")
    await until_read(bench, desk)
    assert [one[4] for one in of(first, OURS)][-1] == "one"
    assert [one[4] for one in of(desk.post.capture, OURS)] == ["two"]
    assert read(desk.post.capture, "SELECT last FROM outpost") == [(bench.post.recorder.range.last,)]


@pytest_twisted.ensureDeferred
async def test_large_payloads_come_in_parts(bench, desk):
    payload = bytes(range(256)) * (p.MAX_READ // 256 + 5_000)
    desk.console.add("bench", carrier_to(bench.path))
    bench.post.recorder.record(events.DATA_RECEIVED, payload=payload)
    await until_read(bench, desk)
    [found] = read(desk.post.capture, "SELECT payload FROM event WHERE kind = ?", events.DATA_RECEIVED)
    assert found[0] == payload


@pytest_twisted.ensureDeferred
async def test_services_are_seen_and_steered_as_far_as_is_allowed(bench, desk):
    outpost = desk.console.add("bench", carrier_to(bench.path))
    await until(lambda: outpost.services)
    assert outpost.services[0].status == "stopped"
    assert outpost.allows(p.Put)
    await outpost.ask(p.Start())
    await until(lambda: outpost.services[0].status == "listening")
    bench.outpost.allow = "read"
    with pytest.raises(RefusedError, match="control"):
        await outpost.ask(p.Stop())


@pytest_twisted.ensureDeferred
async def test_a_pause_of_our_capture_leaves_the_events_at_the_outpost(bench, desk):
    outpost = desk.console.add("bench", carrier_to(bench.path))
    bench.post.recorder.record(events.LOG, summary="before the pause")
    await until_read(bench, desk)
    desk.post.recorder.pause()
    bench.post.recorder.record(events.LOG, summary="during the pause")
    bench.post.recorder.flush()
    await until(lambda: bench.post.recorder.idle)
    await outpost.ask(p.Status())
    before = outpost.progress()
    desk.post.recorder.resume()
    await until_read(bench, desk)
    assert outpost.progress() != before
    assert of(desk.post.capture, OURS) == of(bench.post.capture, THEIRS.format("1"))


@pytest_twisted.ensureDeferred
async def test_two_that_read_each_other_do_not_pass_on_what_they_read(bench, desk, folder):
    other = SimpleNamespace(post=bench.post, console=Console(reactor, bench.post, "bench"))
    other.console.open()
    from app.outposts.socket import ControlSocket

    theirs = Outpost(reactor, desk.post, "desk")
    listening = ControlSocket(reactor, folder / "desk", theirs)
    desk.console.add("bench", carrier_to(bench.path))
    other.console.add("desk", carrier_to(folder / "desk"))
    await until_read(bench, desk)
    await until_read(desk, other, "desk")
    await until_read(bench, desk)
    names = read(desk.post.capture, "SELECT DISTINCT s.name FROM event e JOIN service s ON s.id = e.service")
    assert {name for (name,) in names} <= {"bench", "bench/echo"}
    assert desk.console.outposts["bench"].carrier.way == Connected()
    await other.console.close()
    await listening.close()
    theirs.close()


@pytest_twisted.ensureDeferred
async def test_it_does_not_read_itself(bench, folder):
    console = Console(reactor, bench.post, "me")
    console.open()
    outpost = console.add("me", carrier_to(bench.path))
    await until(lambda: "this program itself" in outpost.problem)
    assert not outpost.progress()
    await console.close()


@pytest_twisted.ensureDeferred
async def test_an_event_of_an_outpost_raises_an_alert_of_the_console(bench, desk, monkeypatch):
    monkeypatch.setattr("app.alerts.live.PAUSE", 0.01)
    alert = Alert("boom", 'outpost == "bench" and service == "bench/echo" and payload contains "boom"', then=())
    await desk.post.become(Workspace(alerts=(alert,)))
    with closing(await spoken(bench)) as client:
        desk.console.add("bench", carrier_to(bench.path))
        await until_read(bench, desk)
        client.sendall(b"boom")
        await until(lambda: desk.post.alerts.watched["boom"].raised_at)
        await until_read(bench, desk)
    [(detail,)] = read(desk.post.capture, "SELECT detail FROM event WHERE kind = ?", events.ALERT_RAISED)
    raised = json.loads(detail)
    assert raised["alert"] == "boom"
    [found] = read(
        desk.post.capture,
        "SELECT e.payload, s.name FROM event e JOIN service s ON s.id = e.service WHERE e.id = ?", raised["event"],
    )  # fmt: skip
    assert found == (b"boom", "bench/echo")


@pytest_twisted.ensureDeferred
async def test_events_of_an_outpost_are_in_charts_of_the_console(bench, desk):
    with closing(await spoken(bench)):
        desk.console.add("bench", carrier_to(bench.path))
        await until_read(bench, desk)
    [added] = read(
        desk.post.capture,
        "SELECT sum(r.received), sum(r.sent), sum(r.opened) FROM rollup r JOIN service s ON s.id = r.id & 65535"
        " WHERE s.name = 'bench/echo' AND r.id >> 50 = 0",
    )  # fmt: skip
    assert added == (5, 5, 1)


# -- hostile outposts, by hand


class Scripted(Carrier):
    """A way to an outpost that says what it is told to."""

    def __init__(self, capture="c" * 32, answers=(), services=()):
        super().__init__("liar")
        self._answers, self._capture, self._services = list(answers), capture, services
        self.dropped = []
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
    assert "does not keep to the protocol: it sent event 1 after event 1" in carrier.dropped[0]
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
async def test_one_that_shows_ever_new_captures_is_let_go(desk, monkeypatch):
    monkeypatch.setattr("app.outposts.following.MOST_CAPTURES", 3)
    carrier = Scripted(answers=[answer(event(1), capture=f"{n}") for n in range(9)])
    desk.console.add("liar", carrier)
    await until(lambda: carrier.dropped)
    assert "more than 3 captures" in carrier.dropped[0]
    assert len(carrier.read) == 4


def test_a_carrier_that_is_not_connected_says_so():
    carrier = StreamCarrier(reactor, "x", UNIXClientEndpoint(reactor, "x"))
    failed = carrier.ask(p.Status())
    with pytest.raises(LostError, match="it is not connected"):
        raise failed.result.value
    failed.addErrback(lambda failure: None)


def where(desk, named):
    """Where the desk's relays would connect to, or why not."""
    try:
        return desk.post.services["relay"].surroundings.locate(*named.split("/"))
    except UpstreamAwayError as e:
        return e.fields["reason"]


@pytest_twisted.ensureDeferred
async def test_relays_and_watches_are_told_where_services_of_outposts_listen_now(bench, desk):
    desk.post.watches.become([WatchConfig("it answers", "bench/echo", send="ping", expect="ping")])
    watch = desk.post.watches["it answers"]
    desk.post.add(ServiceConfig("relay", "tcp", "127.0.0.1", 0, "relay"))
    assert where(desk, "bench/echo") == "the workspace reads no outpost called bench"
    outpost = desk.console.add("bench", carrier_to(bench.path))
    assert where(desk, "bench/echo") == "it is being connected"
    await until(lambda: outpost.services)
    assert where(desk, "bench/echo") == "its status there is stopped"
    for _ in range(2):
        await bench.post.start_all()
        port = int(bench.post.services["echo"].status.host.split(":")[1])
        await until(lambda: isinstance(where(desk, "bench/echo"), Located))
        assert where(desk, "bench/echo") == Located("127.0.0.1", port, news=outpost.news)
        desk.post.watches.check_now("it answers")
        await until(lambda: watch.words == "ok")
        await until(lambda: not watch.running)
        await bench.post.stop_all()
        await until(lambda: where(desk, "bench/echo") == "its status there is stopped")
        desk.post.watches.check_now("it answers")
        assert watch.words == "bench/echo is not there: its status there is stopped"
    assert where(desk, "bench/ohce") == "bench has no service of that name"
    await bench.post.start_all()
    await until(lambda: isinstance(where(desk, "bench/echo"), Located))
    await bench.socket.close()
    await until(lambda: not isinstance(where(desk, "bench/echo"), Located))
    assert outpost.services[0].status == "listening"  # as it was
    desk.console.held["held"] = "You have not allowed it."
    assert where(desk, "held/echo") == "You have not allowed it"
    await desk.console.close()
    assert where(desk, "bench/echo") == "no outposts are read here"
