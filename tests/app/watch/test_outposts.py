"""Watches on services of outposts, whose places the test tells."""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock

from app.post import Post
from app.responders.relay.errors import UpstreamAwayError
from app.responders.relay.outposts import Located
from app.watch.config import WatchConfig, mistakes, without_outpost
from app.watch.watches import Watches
from app.workspace.reading import Workspace
from tests.app.watch.test_watches import Desk, config


class Outposts:
    """Says where ``rack-2/echo`` is: a place, or why it is nowhere."""

    def __init__(self, told):
        self.told = told

    def locate(self, outpost, service):
        assert (outpost, service) == ("rack-2", "echo")
        if isinstance(self.told, str):
            raise UpstreamAwayError(address="rack-2/echo", reason=self.told)
        return self.told


def desk_of(told, **more):
    """A desk with one watch on ``rack-2/echo``, and its outposts."""
    desk, outposts = Desk(), Outposts(told)
    desk.watches = Watches(desk.clock, desk.recorder, desk.check, lambda: desk.services, outposts.locate)
    desk.watches.become([config("a", "rack-2/echo", every_seconds=1, **more)])
    desk.watches.start()
    return desk, outposts


def check(desk):
    """Check now. Returns the URLs that are connected to."""
    desk.watches.check_now("a")
    return [url for url, _ in desk.asked]


def test_it_follows_the_service_as_it_moves_stops_and_is_lost():
    desk, outposts = desk_of(Located("10.0.0.2", 9407), fails_after=1, recovers_after=1)
    watch = desk.watches["a"]
    assert check(desk) == ["tcp://10.0.0.2:9407"]
    desk.answer()
    assert (watch.state, desk.watches.is_down("10.0.0.2", 9407)) == ("up", False)
    outposts.told = "its status there is stopped"
    assert check(desk) == []
    assert (watch.state, watch.words) == ("down", "rack-2/echo is not reachable: its status there is stopped")
    outposts.told = "the link to bench-3 was cut"
    assert check(desk) == []
    assert watch.words == "rack-2/echo is not reachable: the link to bench-3 was cut"
    outposts.told = Located("fd00::3", 9500)
    assert check(desk) == ["tcp://[fd00::3]:9500"]
    desk.answer(ok=False)
    assert [desk.watches.is_down(*at) for at in (("10.0.0.2", 9407), ("fd00::3", 9500))] == [False, True]
    outposts.told = Located("10.0.0.2", 9408)
    check(desk)
    desk.answer(ok=False)
    assert [desk.watches.is_down(*at) for at in (("fd00::3", 9500), ("10.0.0.2", 9408))] == [False, True]
    desk.watches.stop()


@pytest.mark.parametrize(
    ("protocol", "options", "url", "words"),
    [
        ("http", {"expect_status": "200"}, "http://10.0.0.2:80", ""),
        ("udp", {"send": "ping"}, "udp://10.0.0.2:80", ""),
        ("websocket", {}, "ws://10.0.0.2:80", ""),
        ("http", {"send": "x"}, "", "rack-2/echo speaks http: send is not for http"),
        ("udp", {}, "", "rack-2/echo speaks udp: send is missing: a target is only found by what it answers"),
        ("tcp", {"certificate_days": 3}, "", "rack-2/echo speaks tcp: certificate_days is not for tcp, which has no"),
        ("ssh", {}, "", "there is no client for ssh, which rack-2/echo speaks"),
    ],
)
def test_the_outpost_tells_the_protocol(protocol, options, url, words):
    desk, _ = desk_of(Located("10.0.0.2", 80, protocol == "udp", protocol=protocol), **options)
    assert [at.removesuffix("/") for at in check(desk)] == [url] * bool(url)
    assert desk.watches["a"].words.startswith(words)
    assert bool(desk.recorder.events) == bool(words)  # a failed check
    desk.watches.stop()


def test_a_check_takes_it_for_an_address_as_any_other_and_no_service_of_ours():
    taken = []

    def look(config, url):
        taken.append((config.name, config.target, config.url == url))
        return Desk(outcome=[True]).check(config, url)

    outposts = Outposts(Located("10.0.0.2", 9407))
    desk = Desk()
    services = {}
    watches = Watches(desk.clock, desk.recorder, look, lambda: services, outposts.locate)
    watches.become([config("a", "rack-2/echo")])
    watches.check_now("a")
    assert taken == [("a", "tcp://10.0.0.2:9407", True)]
    assert desk.recorder.events[0][3]["target"] == "rack-2/echo"


def test_what_is_wrong_with_its_table():
    table = {"name": "a", "target": "rack-2/echo", "send": "x", "expect_status": "404", "certificate_days": 3}
    assert list(mistakes(table, {"here": "tcp"})) == []
    assert [m.option for m in mistakes(table | {"expect_status": "4xx"}, {})] == ["expect_status"]
    assert list(without_outpost(table, {}, {"rack-2"})) == []
    [mistake] = without_outpost(table, {}, {"rack-1"})
    assert mistake.option == "target"
    assert mistake.text == 'names an outpost that the workspace does not read: "rack-2". There are rack-1'
    # A service here may have a slash in its name, and comes first.
    assert list(without_outpost(table, {"rack-2/echo": "tcp"}, ())) == []
    assert [m.option for m in mistakes(table, {"rack-2/echo": "tcp"})] == ["expect_status", "certificate_days"]


def test_the_post_asks_who_reads_the_outposts_at_the_time_of_the_check():
    post = Post(Clock(), Workspace(watches=(WatchConfig("a", "rack-2/echo"),)))
    post.watches.check_now("a")
    assert post.watches["a"].words == "rack-2/echo is not reachable: no outposts are read here"
    post.locate = Outposts("it is being connected").locate
    post.watches.check_now("a")
    assert post.watches["a"].words == "rack-2/echo is not reachable: it is being connected"
