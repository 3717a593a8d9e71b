"""Alerts of a running Post: on real events, webhooks at our own inspector, captures that change."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred

from app import events
from app.alerts import live
from app.alerts.alert import Alert
from app.post import Post
from app.services.config import ServiceConfig
from app.status import Stopped
from app.workspace.reading import Workspace
from tests.app.alerts.desk import Shown, names, recorded
from tests.helpers import until

ensure = pytest_twisted.ensureDeferred

Make = Callable[..., Awaitable[Post]]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Makes Posts with these alerts and services, and shuts them down."""
    from twisted.internet import reactor

    monkeypatch.setattr(live, "PAUSE", 0.02)
    made: list[Post] = []

    async def making(*alerts: Alert, services: tuple[ServiceConfig, ...] = ()) -> Post:
        post = Post(reactor, Workspace(services, alerts=alerts))
        made.append(post)
        await post.open(tmp_path / "x.lpost")
        await post.start_all()
        return post

    yield making
    for post in made:
        pytest_twisted.blockon(Deferred.fromCoroutine(post.shut_down()))


def log(post: Post, *lines: str) -> None:
    for line in lines:
        post.recorder.record(events.LOG, summary=line, detail="{}")


async def seen(post: Post) -> None:
    """Return when the alerts have looked at all that was recorded."""
    post.recorder.flush()
    await until(lambda: post.recorder.idle)
    alerts = post.alerts
    await until(lambda: not alerts._looking and alerts._timer is None)


INSPECTOR = ServiceConfig("hook", "http", "127.0.0.1", 0, "inspector")


def url(post: Post, name: str = "hook", path: str = "/in") -> str:
    return f"http://{post.services[name].status.host}{path}"  # type: ignore[union-attr]


async def with_webhook(make: Make, when: str = "boom", **more: Any) -> Post:
    """A Post whose alert posts to its own service ``hook``."""
    post = await make(services=(INSPECTOR,))
    alert = Alert("a", when, quiet_seconds=1.0, then=(f"webhook {url(post)}",), **more)
    await post.become(Workspace(post.configs(), alerts=(alert,)))
    return post


@ensure
async def test_a_storm_is_told_once_with_its_last_event(make: Make) -> None:
    post = await make(Alert("a", "boom", 10))
    shown = Shown(post)
    log(post, *(f"boom {number}" for number in range(10_000)))
    await until(lambda: shown.told)
    await seen(post)
    [told] = shown.told
    assert told.count == 10_000
    assert told.event["summary"] == "boom 9999"
    assert names(post) == ["alert.raised", "alert.sent"]


@ensure
async def test_each_event_is_looked_at_once_and_none_from_before(make: Make, tmp_path: Path) -> None:
    post = await make()
    log(post, "boom before")
    await seen(post)
    await post.become(Workspace(alerts=(Alert("a", "boom", 4),)))
    shown = Shown(post)
    for _ in range(3):
        log(post, "boom", "calm")
        await seen(post)
    assert not shown.told
    log(post, "boom")
    await until(lambda: shown.told)
    assert shown.told[0].count == 4


@ensure
async def test_it_goes_on_in_the_next_capture(make: Make, tmp_path: Path) -> None:
    post = await make(Alert("a", "boom", 4))
    shown = Shown(post)
    log(post, "boom", "boom")
    await seen(post)
    log(post, "boom")  # may be stored in either
    await post.new_capture(folder=tmp_path)
    log(post, "boom")
    await until(lambda: shown.told)
    assert shown.told[0].count == 4
    await seen(post)
    assert names(post)[0] == "alert.raised"


@ensure
async def test_it_is_resolved_when_it_has_been_calm(make: Make) -> None:
    post = await make(Alert("a", "boom", quiet_seconds=1.0))
    shown = Shown(post)
    log(post, "boom")
    await until(lambda: len(shown.told) == 2)
    assert [told.state for told in shown.told] == ["raised", "resolved"]
    await seen(post)
    assert names(post) == ["alert.raised", "alert.sent", "alert.resolved", "alert.sent"]


@ensure
async def test_a_webhook_is_received_by_our_own_inspector_as_json_without_payload(make: Make) -> None:
    post = await with_webhook(make, "kind == data.received")
    await post.become(
        Workspace(
            (*post.configs(), ServiceConfig("echo", "tcp", "127.0.0.1", 0, "echo")), alerts=post.state().alerts
        )
    )  # fmt: skip
    await post.start_all()
    from twisted.internet import reactor
    from twisted.internet.endpoints import clientFromString
    from twisted.internet.protocol import Factory, Protocol

    host, port = post.services["echo"].status.host.split(":")  # type: ignore[union-attr]
    client = await clientFromString(reactor, f"tcp:{host}:{port}").connect(Factory.forProtocol(Protocol))
    client.transport.write(b"a secret")
    await until(lambda: "alert.sent" in names(post))
    client.transport.loseConnection()
    requests = [event for event in recorded(post, events.HTTP_REQUEST, events.DATA_RECEIVED) if event.service == "hook"]
    raw = b"".join(event.payload or b"" for event in requests if event.kind == events.DATA_RECEIVED)
    head, _, body = raw.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /in HTTP/1.1\r\n")
    assert b"Content-Type: application/json" in head
    found = json.loads(body)
    assert (found["alert"], found["state"], found["count"]) == ("a", "raised", 1)
    assert found["event"]["kind"] == "data.received"
    assert found["event"]["service"] == "echo"
    assert found["event"]["size"] == 8
    assert b"secret" not in body


@ensure
async def test_alerts_look_neither_at_themselves_nor_at_their_webhooks(make: Make) -> None:
    """Not even where the webhook goes to a service of ours, whose events fit."""
    post = await with_webhook(make, "not kind == log")
    shown = Shown(post)
    await seen(post)
    await until(lambda: "alert.resolved" in names(post))  # of the services that started
    before = len(names(post))
    await seen(post)
    await until(lambda: post.alerts.lanes.waiting == 0)
    log(post, "calm")
    await seen(post)
    assert len(recorded(post, events.HTTP_REQUEST)) >= 4  # two words, sent and received
    assert names(post).count("alert.raised") == 1
    assert before >= 3
    assert not shown.told


@ensure
async def test_it_stops_a_service(make: Make) -> None:
    post = await make(Alert("a", "boom", then=("stop hook",)), services=(INSPECTOR,))
    log(post, "boom")
    await until(lambda: isinstance(post.services["hook"].status, Stopped))


@ensure
async def test_trying_tells_and_stops_nothing(make: Make) -> None:
    post = await make(services=(INSPECTOR,))
    shown = Shown(post)
    alert = Alert("a", "boom", then=("notify", "stop hook", f"webhook {url(post)}", "webhook http://127.0.0.1:9/"))
    found = [await post.alerts.attempt(alert, action) for action in alert.then]
    assert [one.done for one in found] == [True, True, True, False]
    assert found[0].words == "shown here"
    assert found[1].words == "would stop hook"
    assert found[2].words.endswith("answered 200")
    assert "nothing listens there" in found[3].words
    assert shown.told[0].state == "test"
    await seen(post)
    assert all(event.detail["test"] for event in recorded(post))


@ensure
async def test_one_that_cannot_be_looked_for_leaves_the_others(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.capture.filters.language import Filter, parse

    broken = Filter("no_such_function(1)")
    monkeypatch.setattr(live, "parse", lambda when: broken if when == "broken" else parse(when))
    post = await make(Alert("b", "broken"), Alert("a", "boom"))
    shown = Shown(post)
    log(post, "boom")
    await until(lambda: shown.told)
    assert shown.told[0].alert == "a"
    assert "no such function" in post.alerts.watched["b"].trouble


@ensure
async def test_without_alerts_nothing_runs(make: Make) -> None:
    post = await make(Alert("a", "boom"))
    log(post, "x")
    await seen(post)
    assert post.alerts._reader is not None
    await post.become(Workspace())
    log(post, "boom")
    post.recorder.flush()
    await until(lambda: post.recorder.idle)
    assert post.alerts._reader is None
    assert post.alerts._timer is None
    with closing(sqlite3.connect(post.capture or "")) as db:  # nothing of alerts was ever recorded
        assert db.execute("SELECT count(*) FROM service").fetchone() == (0,)


@ensure
async def test_a_service_that_it_stops_stays_stopped_also_one_that_always_comes_back(make: Make) -> None:
    back = ServiceConfig("back", "tcp", "127.0.0.1", 0, "echo", restart={"when": "always", "delay_seconds": 0.01})
    post = await make(Alert("a", "boom", then=("stop back",)), services=(back,))
    seen_in: list[str] = []
    post.status_changed.connect(lambda service: seen_in.append(type(service.status).__name__))
    log(post, "boom")
    await until(lambda: isinstance(post.services["back"].status, Stopped))
    await seen(post)
    assert seen_in == ["Stopping", "Stopped"]
    assert post.services["back"].seconds_left == 0
