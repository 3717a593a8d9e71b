"""app.watch.watches and turns, in virtual time."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field, replace

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from app import events
from app.status import Failed, Listening, Starting, Stopped, Waiting
from app.watch import turns
from app.watch.config import WatchConfig
from app.watch.result import Result
from app.watch.watches import AT_ONCE, Watches


@dataclass
class Recorder:
    """Keeps what is recorded."""

    events: list = field(default_factory=list)

    def record(self, kind, service=0, conn=0, payload=None, summary="", detail="{}"):
        self.events.append((kind, conn, summary, json.loads(detail)))

    def record_failure(self, e, *_):
        raise e

    def kinds(self):
        return [kind for kind, *_ in self.events]


@dataclass
class Service:
    """A service that has no more than a status."""

    config: object
    status: object


@dataclass
class Desk:
    """Watches whose checks are answered by the test."""

    clock: Clock = field(default_factory=Clock)
    recorder: Recorder = field(default_factory=Recorder)
    services: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)
    given_up: list = field(default_factory=list)
    at: list = field(default_factory=list)
    outcome: list | None = None

    def __post_init__(self):
        self.watches = Watches(self.clock, self.recorder, self.check, lambda: self.services)

    def check(self, config, url):
        self.at.append((round(self.clock.seconds(), 3), config.name))
        if self.outcome is not None:
            done = Deferred()
            done.callback(result(self.outcome.pop(0) if len(self.outcome) > 1 else self.outcome[0]))
            return done
        done = Deferred(lambda _: self.given_up.append(config.name))
        self.asked.append((url.text, done))
        return done

    def run(self, seconds, step=0.5):
        self.clock.pump([step] * round(seconds / step))

    def answer(self, ok=True, at=0):
        self.asked.pop(at)[1].callback(result(ok))


def result(ok, conn=0):
    return Result(ok, 1.5, "" if ok else "nobody is there", conn=conn, time=1)


def config(name="a", target="tcp://127.0.0.1:1", **more):
    return WatchConfig(name, target, **more)


def test_twenty_watches_are_spread_over_their_period_and_keep_their_turns():
    desk = Desk(outcome=[True])
    desk.watches.become([config(f"number {i}", f"tcp://127.0.0.1:{i + 1}") for i in range(20)])
    desk.run(60)
    assert desk.at == []  # they have not begun
    desk.watches.start()
    desk.run(100, 0.01)
    turns_of = {name: [at - 60 for at, n in desk.at if n == name] for name in desk.watches}
    assert all(len(at) in (10, 11) for at in turns_of.values())
    phases = sorted({round(at[-1] % 10, 1) for at in turns_of.values()})
    assert len(phases) >= 15
    assert max(b - a for a, b in itertools.pairwise(phases)) < 3
    for at in turns_of.values():
        assert at[0] <= turns.SOON + 0.011
        assert all(9.9 < b - a < 10.1 for a, b in itertools.pairwise(at[1:]))
    desk.watches.stop()
    assert desk.clock.getDelayedCalls() == []


def test_the_turn_of_a_name_is_always_the_same():
    assert turns.share("api answers") == turns.share("api answers") != turns.share("api answers 2")
    assert turns.share("api answers") == pytest.approx(0.7828, abs=1e-4)


@pytest.mark.parametrize("now", [0.0, 3.0, 1e9, 1e9 + 0.3])
@pytest.mark.parametrize("every", [1.0, 7.3, 86_400.0])
def test_the_next_turn_is_later_than_now_and_not_by_more_than_a_period(now, every):
    due = turns.following("a", every, 0.1, now)
    assert now < due <= now + every * 1.000001 + 0.1 + every


def test_an_idle_program_wakes_for_its_checks_alone():
    desk = Desk(outcome=[True])
    desk.watches.become([config(f"number {i}", f"tcp://127.0.0.1:{i + 1}") for i in range(20)])
    desk.watches.start()
    assert len(desk.clock.getDelayedCalls()) == 20


def test_it_is_down_and_up_again_after_so_many_in_a_row():
    desk = Desk(outcome=[True, False, False, True, False, False, False, True, False, True, True, True])
    desk.watches.become([config(every_seconds=1)])
    changes = []
    desk.watches.changed.connect(lambda watch: changes.append(watch.state))
    desk.watches.start()
    watch = desk.watches["a"]
    assert (watch.state, watch.uptime) == ("unknown", None)
    desk.run(14)
    assert list(dict.fromkeys(changes)) == ["up", "down"]
    told = [(kind, summary) for kind, _, summary, _ in desk.recorder.events if kind != events.WATCH_CHECKED]
    assert told == [
        (events.WATCH_FAILED, "a is down, after 3 checks in a row: nobody is there"),
        (events.WATCH_RECOVERED, "a is up again, after 4 s"),  # by the clock that nobody sets
    ]
    assert desk.recorder.events[0] == (
        events.WATCH_CHECKED, 0, "a: ok  1.5 ms",
        {"watch": "a", "target": "tcp://127.0.0.1:1", "ok": True, "milliseconds": 1.5, "reason": ""},
    )  # fmt: skip
    assert watch.words == "ok"
    assert 0.5 < watch.uptime < 0.8


def test_one_that_is_never_well_is_down_without_having_been_up():
    desk = Desk(outcome=[False])
    desk.watches.become([config(every_seconds=1, fails_after=2)])
    desk.watches.start()
    desk.run(10)
    assert desk.recorder.kinds().count(events.WATCH_FAILED) == 1


def test_never_two_at_once_on_one_target_whatever_they_are_called():
    desk = Desk()
    desk.watches.become([config("a"), config("b", "http://127.0.0.1:1/x"), config("c", "tcp://127.0.0.1:2")])
    desk.watches.start()
    desk.run(30)
    assert sorted(url for url, _ in desk.asked) in (
        ["http://127.0.0.1:1/x", "tcp://127.0.0.1:2"],
        ["tcp://127.0.0.1:1", "tcp://127.0.0.1:2"],
    )
    first = next(i for i, (url, _) in enumerate(desk.asked) if "127.0.0.1:1" in url)
    desk.answer(at=first)
    assert len(desk.asked) == 2  # the other one has its turn
    desk.watches.stop()


@pytest.mark.parametrize("how", ["stop", "pause", "become", "hold", "service"])
def test_what_was_under_way_when_a_watch_stops_is_no_check_that_failed(how):
    """However the check itself ends: who quits, pauses or changes a watch may not be told that its target is down."""
    desk = Desk()
    desk.services["echo"] = named(Listening("127.0.0.1:7"))
    watched = config(target="echo", fails_after=1)
    desk.watches.become([watched])
    desk.check = desk.watches._check = lambda *_: Deferred(lambda done: done.callback(result(False)))
    desk.watches.start()
    desk.run(turns.SOON)
    assert desk.watches["a"].running
    match how:
        case "stop":
            desk.watches.stop()
        case "pause":
            desk.watches.pause("a")
        case "become":
            desk.watches.become([])
        case "hold":
            desk.watches.hold(lambda _: "it is not trusted")
        case "service":
            desk.services["echo"].status = Stopped()
            desk.watches.on_service(desk.services["echo"])
    assert desk.recorder.events == []
    desk.watches.stop()


def test_a_check_that_takes_longer_than_its_period_is_not_begun_again_meanwhile():
    desk = Desk()
    desk.watches.become([config(every_seconds=1)])
    desk.watches.start()
    desk.run(10)
    assert len(desk.asked) == 1
    assert desk.watches["a"].running
    desk.answer()
    assert not desk.watches["a"].running
    desk.run(1.5)
    assert len(desk.asked) == 1
    desk.watches.stop()


def test_only_so_many_run_at_once():
    desk = Desk()
    desk.watches.become([config(f"number {i}", f"tcp://127.0.0.1:{i + 1}") for i in range(30)])
    desk.watches.start()
    desk.run(30)
    assert len(desk.asked) == AT_ONCE
    desk.answer()
    assert len(desk.asked) == AT_ONCE
    desk.watches.stop()


def test_turns_that_were_slept_through_are_not_made_up_for():
    desk = Desk(outcome=[True])
    desk.watches.become([config(every_seconds=1)])
    desk.watches.start()
    desk.clock.advance(3600)
    desk.clock.advance(0.001)
    assert len(desk.at) == 1


def test_an_edit_begins_anew_and_the_others_go_on():
    desk = Desk()
    desk.watches.become([config("a"), config("b", "tcp://127.0.0.1:2")])
    desk.watches.start()
    desk.run(10)
    desk.answer()
    desk.answer()
    a, b = desk.watches["a"], desk.watches["b"]
    lists = []
    desk.watches.list_changed.connect(lambda w: lists.append(list(w)))
    desk.watches.become([b.config, replace(a.config, fails_after=1)])
    assert desk.watches["b"] is b
    assert desk.watches["a"] is not a
    assert desk.watches["a"].state == "unknown"
    desk.watches.become([b.config])
    assert lists == [["b", "a"], ["b"]]
    assert len(desk.clock.getDelayedCalls()) == 1
    desk.watches.stop()


def test_one_that_is_removed_is_given_up():
    desk = Desk()
    desk.watches.become([config("a")])
    desk.watches.start()
    desk.run(10)
    desk.watches.become([])
    assert desk.given_up == ["a"]
    assert desk.clock.getDelayedCalls() == []
    assert desk.recorder.events == []


def test_pause_and_run_now():
    desk = Desk()
    desk.watches.become([config("a")])
    desk.watches.start()
    desk.watches.pause("a")
    desk.run(30)
    assert desk.asked == []
    desk.watches.check_now("a")
    desk.watches.check_now("a")
    assert len(desk.asked) == 1
    desk.answer()
    desk.run(30)
    assert desk.asked == []
    desk.watches.pause("a", False)
    desk.run(5)
    assert len(desk.asked) == 1
    desk.watches.pause("a")
    assert desk.given_up == ["a"]
    assert desk.clock.getDelayedCalls() == []


def test_one_that_is_held_does_not_run_and_says_why():
    desk = Desk()
    desk.watches.start()
    desk.watches.become([config("a")], lambda _: "not trusted")
    desk.watches.check_now("a")
    desk.run(30)
    assert desk.asked == []
    assert (desk.watches["a"].state, desk.watches["a"].words) == ("unknown", "not trusted")
    desk.watches.hold(lambda _: "")
    desk.run(5)
    assert len(desk.asked) == 1
    desk.watches.stop()


def named(status):
    class Config:
        name, protocol, tls, listen = "echo", "tcp", None, "127.0.0.1:7"

    return Service(Config, status)


@pytest.mark.parametrize(
    ("host", "url"),
    [("127.0.0.1:7", "tcp://127.0.0.1:7"), ("0.0.0.0:7", "tcp://127.0.0.1:7"), ("[::]:7", "tcp://[::1]:7")],
)
def test_a_service_is_reached_where_it_is_bound(host, url):
    desk = Desk()
    desk.services["echo"] = named(Listening(host))
    desk.watches.become([config("a", "echo")])
    desk.watches.start()
    desk.run(5)
    assert [asked for asked, _ in desk.asked] == [url]
    desk.watches.stop()


def test_a_service_that_the_user_stopped_is_not_checked_and_one_that_failed_is_down():
    desk = Desk(outcome=[True])
    service = desk.services["echo"] = named(Stopped())
    desk.watches.become([config("a", "echo", fails_after=1)])
    desk.watches.start()
    desk.run(30)
    watch = desk.watches["a"]
    assert (watch.state, watch.words, desk.recorder.events) == ("unknown", "echo is stopped", [])
    service.status = Failed("Port 7 is in use.")
    desk.watches.on_service(service)
    desk.run(5)
    assert (watch.state, watch.words) == ("down", "echo does not run: Port 7 is in use.")
    assert desk.at == []
    for status in (Starting(), Waiting("Port 7 is in use.", 2, 1.0)):  # it is tried again
        service.status = status
        desk.watches.on_service(service)
        desk.run(5)
        assert watch.state == "down"
    service.status = Listening("127.0.0.1:7")
    desk.watches.on_service(service)
    desk.run(30)
    assert watch.state == "up"
    service.status = Stopped()
    desk.watches.on_service(service)
    assert (watch.state, watch.words) == ("unknown", "echo is stopped")
    desk.watches.stop()


def test_what_a_watch_has_found_to_be_down_is_known_by_its_place():
    desk = Desk(outcome=[False])
    desk.services["echo"] = named(Listening("0.0.0.0:7"))
    targets = ("http://LocalHost:9080/health", "tcp://[::1]:5", "echo")
    desk.watches.become([config(target, target, fails_after=1) for target in targets])
    places = (("127.0.0.1", 9080), ("localhost", 9080), ("::1", 5), ("127.0.0.1", 7))
    assert not any(desk.watches.is_down(*place) for place in places)
    desk.watches.start()
    desk.run(30)
    assert all(desk.watches.is_down(*place) for place in places)
    assert not any(desk.watches.is_down(*place) for place in (("127.0.0.1", 8), ("::1", 6), ("10.0.0.1", 9080)))
    desk.outcome = [True]
    desk.run(30)
    assert not any(desk.watches.is_down(*place) for place in places)
    desk.outcome = [False]
    desk.run(30)
    desk.watches.become([])
    assert not any(desk.watches.is_down(*place) for place in places)
    desk.watches.stop()


@pytest.mark.parametrize(
    ("watched", "others"),
    [
        (
            "tcp://localhost:5",
            ("LOCALHOST.", "127.0.0.1", "::1", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1", "api.localhost"),
        ),
        ("tcp://[::1]:5", ("localhost", "127.0.0.1", "::1")),
        ("tcp://[2001:DB8:0::1]:5", ("2001:db8::1", "2001:0db8:0:0:0:0:0:1")),
        ("tcp://10.0.0.1:5", ("10.0.0.1", "::ffff:10.0.0.1")),
        ("tcp://Example.org:5", ("example.org", "example.ORG.")),
    ],
)
def test_a_host_is_the_same_however_it_is_written(watched, others):
    desk = Desk(outcome=[False])
    desk.watches.become([config("a", watched, fails_after=1)])
    desk.watches.start()
    desk.run(30)
    assert [host for host in others if not desk.watches.is_down(host, 5)] == []
    assert not any(desk.watches.is_down(host, 5) for host in ("127.0.0.2", "::2", "example.com", "10.0.0.2"))
    desk.watches.stop()


def test_a_service_that_is_down_is_so_where_it_is_now():
    desk = Desk(outcome=[False])
    service = desk.services["echo"] = named(Listening("127.0.0.1:7"))
    desk.watches.become([config("a", "echo", fails_after=1)])
    desk.watches.start()
    desk.run(30)
    assert desk.watches.is_down("127.0.0.1", 7)
    service.status = Listening("[::1]:8")
    desk.watches.on_service(service)
    assert not desk.watches.is_down("127.0.0.1", 7)
    assert desk.watches.is_down("localhost", 8)
    desk.watches.stop()


def test_a_service_that_waits_to_be_tried_again_is_down():
    desk = Desk(outcome=[True])
    desk.services["echo"] = named(Waiting("Port 7 is in use.", 1, 1.0))
    desk.watches.become([config("a", "echo", fails_after=1)])
    desk.watches.start()
    desk.run(30)
    assert desk.watches["a"].state == "down"
    desk.watches.stop()
