"""app.outposts.console and following: the capture of an outpost is read into ours, each event once."""

import json
from contextlib import closing
from types import SimpleNamespace

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.endpoints import UNIXClientEndpoint

from app import events
from app.alerts.alert import Alert
from app.outposts import protocol as p
from app.outposts.console import Console
from app.outposts.errors import LostError, RefusedError
from app.outposts.outpost import Outpost
from app.outposts.ways.carrier import Connected, Lost
from app.outposts.ways.stream import StreamCarrier
from app.post import Post
from app.responders.relay.errors import UpstreamAwayError
from app.responders.relay.outposts import Located
from app.services.config import ServiceConfig
from app.watch.config import WatchConfig
from app.workspace.reading import Workspace
from tests.app.capture.captures import read
from tests.app.outposts.consoles import OURS, THEIRS, carrier_to, of, spoken, until_read
from tests.helpers import until


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
    from app.outposts.ways.socket import ControlSocket

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
        assert where(desk, "bench/echo") == Located("127.0.0.1", port, news=outpost.told.news, tls=False)
        desk.post.watches.check_now("it answers")
        await until(lambda: watch.words == "ok")
        await until(lambda: not watch.running)
        await bench.post.stop_all()
        await until(lambda: where(desk, "bench/echo") == "its status there is stopped")
        desk.post.watches.check_now("it answers")
        assert watch.words == "bench/echo is not reachable: its status there is stopped"
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
