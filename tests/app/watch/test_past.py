"""What watches and alerts know of the time before the program was started, from the capture that is gone on with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred

from app import events
from app.alerts.alert import Alert
from app.capture.reading import told
from app.post import Post
from app.services.config import ServiceConfig
from app.watch.config import WatchConfig
from app.watch.result import KEPT
from app.workspace.reading import Workspace
from tests.app.alerts.desk import Shown
from tests.helpers import until

ECHO = ServiceConfig("echo", "tcp", "127.0.0.1", 0, "echo")
WATCH = WatchConfig("a", "echo", every_seconds=3600)
ALERT = Alert("loud", "nothing-like-it", then=("notify", "webhook https://example.org/secret"))


def checked(ok: bool, watch: str = "a", target: str = "echo", **more: Any) -> tuple[int, str]:
    reason = "" if ok else "it is gone"
    detail = {"watch": watch, "target": target, "ok": ok, "milliseconds": 1.5, "reason": reason}
    return events.WATCH_CHECKED, json.dumps(detail | more)


def said(kind: int, **detail: Any) -> tuple[int, str]:
    return kind, json.dumps({"alert": "loud"} | detail)


async def run(path: Path, *recorded: tuple[int, str]) -> Post:
    """A Post on this capture; what is recorded is stored."""
    from twisted.internet import reactor

    post = Post(reactor, Workspace((ECHO,), watches=(WATCH,), alerts=(ALERT,)))
    Shown(post)
    await post.open(path)
    for kind, detail in recorded:
        post.recorder.record(kind, summary="", detail=detail)
    post.recorder.flush()
    await until(lambda: post.recorder.idle)
    return post


async def ended(post: Post) -> None:
    await Deferred.fromCoroutine(post.shut_down())


@pytest_twisted.ensureDeferred
async def test_uptime_and_course_go_on_where_the_capture_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(told, "PART", 100)  # several steps
    path = tmp_path / "x.lpost"
    many = [checked(number % 4 != 0) for number in range(KEPT + 100)]
    others = [checked(True, "b"), checked(True, target="tcp://127.0.0.1:1")]
    await ended(await run(path, *many, *others, checked(False)))
    post = await run(path)
    try:
        watch = post.watches["a"]
        await until(lambda: watch.checks == KEPT + 101)
        assert watch.well == (KEPT + 100) * 3 // 4
        assert (watch.state, watch.words, watch.milliseconds) == ("unknown", "", None)  # nothing is known of now
        assert watch.earlier
        results = list(watch.results)
        assert len(results) == KEPT
        assert results == sorted(results, key=lambda result: result.time)
        assert (results[-1].ok, results[-1].reason) == (False, "it is gone")
        await post.start_all()
        post.watches.check_now("a")
        await until(lambda: watch.state == "up")
        assert (watch.checks, watch.earlier) == (KEPT + 102, False)
        assert watch.results[-1].ok
    finally:
        await ended(post)


@pytest_twisted.ensureDeferred
async def test_what_became_of_alerts_is_known(tmp_path: Path) -> None:
    path = tmp_path / "x.lpost"
    hook = "webhook https://example.org"
    before = await run(
        path,
        said(events.ALERT_RAISED, count=1, seconds=60.0, event=1),
        said(events.ALERT_SENT, action="notify", words="shown"),
        said(events.ALERT_UNSENT, action=hook, reason="the older"),
        said(events.ALERT_UNSENT, action=hook, reason="it is down", again=10.0),
        said(events.ALERT_SENT, action=hook, words="a test", test=True),
    )
    await ended(before)
    post = await run(path)
    try:
        one = post.alerts.watched["loud"]
        await until(lambda: one.raised_at)
        assert one.state == "armed"
        outcomes = {action: post.alerts.lanes.outcomes["loud", action] for action in ALERT.then}
        assert [(one.done, one.words, one.again) for one in outcomes.values()] == [
            (True, "shown", None), (False, "it is down", None),
        ]  # fmt: skip
        assert post.alerts.lanes.waiting == 0
    finally:
        await ended(post)


@pytest_twisted.ensureDeferred
async def test_a_capture_may_say_anything_of_them(tmp_path: Path) -> None:
    path = tmp_path / "x.lpost"
    kinds = (events.WATCH_CHECKED, *events.ALERTS)
    nonsense = ['{"watch": 1, "alert": 2}', "[]", '{"watch": "a", "target": "echo", "milliseconds": "x", "ok": 7}']
    await ended(await run(path, *((kind, detail) for kind in kinds for detail in nonsense), checked(True)))
    post = await run(path)
    try:
        watch = post.watches["a"]
        await until(lambda: watch.checks)
        assert (watch.checks, watch.well, len(watch.results)) == (2, 1, 1)
    finally:
        await ended(post)
