"""What a workspace of somebody else may watch, and what the Post does with watches."""

from __future__ import annotations

from dataclasses import replace

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred

from app import events
from app.plugin_loader.table import TABLE
from app.post import Post
from app.services.config import ServiceConfig
from app.trust.store import Trust
from app.watch.asks import of_watch
from app.watch.config import WatchConfig
from app.workspace import reading
from app.workspace.gate import Gate
from tests.app.watch.test_watches import Recorder
from tests.helpers import until

ECHO = ServiceConfig("echo", "tcp", "127.0.0.1", 0, "echo")
RELAY = ServiceConfig("way", "tcp", "127.0.0.1", 0, "relay", options={"upstream": "127.0.0.1:6379"})


@pytest.mark.parametrize(
    ("watch", "asks"),
    [
        (WatchConfig("a", "echo"), []),
        (WatchConfig("a", "tcp://127.0.0.1:1"), ['the watch "a" connects to tcp://127.0.0.1:1 every 10 s, by itself']),
        (
            WatchConfig("a", "http://example.org/x", every_seconds=60),
            ['the watch "a" connects to http://example.org:80/x every 60 s, by itself'],
        ),
        (
            WatchConfig("a", "way", send=r"FLUSHALL\r\n"),
            ['the watch "a" connects to 127.0.0.1:6379 by way of "way" and sends 10 B every 10 s, by itself'],
        ),
        (WatchConfig("a", "gone"), []),
        (
            WatchConfig("a", "rack-2/echo", send="ping"),
            ['the watch "a" connects to rack-2/echo on an outpost and sends 4 B every 10 s, by itself'],
        ),
    ],
)
def test_what_a_watch_asks_for(watch, asks):
    assert [str(ask) for ask in of_watch(watch, [ECHO, RELAY])] == asks


FILE = """version = 1
[[service]]
name = "echo"
protocol = "tcp"
listen = "127.0.0.1:0"
[[watch]]
name = "ours"
target = "echo"
[[watch]]
name = "theirs"
target = "tcp://127.0.0.1:1"
"""


@pytest.fixture
def stranger(tmp_path, monkeypatch):
    """A workspace that nobody trusts."""
    monkeypatch.setattr(TABLE, "_trust", Trust(TABLE.trust.file))
    path = tmp_path / "theirs" / "a.toml"
    path.parent.mkdir()
    path.write_text(FILE)
    return path


def test_no_watch_runs_while_the_question_is_open(stranger):
    workspace = reading.load(stranger)
    gate = Gate()
    gate.enter(workspace)
    ours, theirs = workspace.watches
    for watch in (ours, theirs):
        assert "connects to tcp://127.0.0.1:1" in str(gate.held_watch(watch))
    assert gate.held(workspace.services[0]) is None
    gate.watches_changed([ours, theirs, WatchConfig("more", "tcp://127.0.0.1:2")], by_user=True)
    assert gate.held_watch(WatchConfig("more", "tcp://127.0.0.1:2"))  # who has not answered has not allowed it
    gate.watches_changed([ours, theirs], by_user=False)
    gate.allow("content", [])
    assert gate.held_watch(theirs) is None
    assert gate.held_watch(ours) is None
    other = Gate()
    other.enter(reading.load(stranger))
    assert other.held_watch(theirs) is None
    stranger.write_text(FILE.replace("//127.0.0.1:1", "//127.0.0.1:2"))
    other.enter(changed := reading.load(stranger))
    assert other.held_watch(changed.watches[1])


def test_what_comes_back_by_undo_may_do_no_more_than_before(stranger):
    gate = Gate()
    gate.enter(reading.load(stranger))
    gate.allow("content", [])
    made = WatchConfig("made", "tcp://127.0.0.1:3")
    gate.watches_changed([made], by_user=False)
    assert gate.held_watch(made)
    gate.watches_changed([], by_user=False)
    gate.watches_changed([made], by_user=True)
    assert gate.held_watch(made) is None


@pytest_twisted.ensureDeferred
async def test_a_post_runs_what_is_trusted(stranger, tmp_path, monkeypatch):
    from twisted.internet import reactor

    post = Post(reactor, reading.load(stranger))
    monkeypatch.setattr(post.watches, "_recorder", recorder := Recorder())
    states = []
    post.watches.changed.connect(lambda watch: states.append((watch.config.name, watch.state)))
    await post.open(tmp_path / "x.lpost")
    try:
        assert post.state().watches == reading.load(stranger).watches
        assert post.question is not None
        await post.start_all()
        for name in ("theirs", "ours"):
            post.watches.check_now(name)
            assert post.watches[name].held
        assert recorder.kinds() == []
        await post.trust("content")
        post.watches.check_now("ours")
        await until(lambda: post.watches["ours"].state == "up")
        assert events.WATCH_CHECKED in recorder.kinds()
        assert not post.watches["theirs"].held
        await until(lambda: post.watches["theirs"].checks)
        assert "refused" in post.watches["theirs"].words
        one = replace(post.watches["ours"].config, every_seconds=20)
        await post.become(replace(post.state(), watches=(one,)))
        assert list(post.watches) == ["ours"]
        assert post.state().watches == (one,)
    finally:
        await Deferred.fromCoroutine(post.shut_down())
