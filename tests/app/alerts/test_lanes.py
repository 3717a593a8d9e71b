"""What is told, what could not be, and when it is tried again: in virtual time."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from app import events
from app.alerts import actions, errors
from app.alerts.actions import Action
from app.alerts.lanes import AT_ONCE, GIVE_UP, LONGEST, Lanes
from app.alerts.told import Told
from app.capture.recorder import Recorder


class Desk:
    """Lanes whose action ``test`` does what ``act`` does.

    Attributes:
        told: what was told with success.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = Clock()
        self.recorder = Recorder(self.clock)
        self.kept: list[tuple[int, dict[str, Any]]] = []
        self.told: list[Told] = []
        self.tries = 0
        self.act: Callable[[Told], Any] = self.take
        self.allowed: Any = lambda *asked: None
        sender = SimpleNamespace(reactor=self.clock, recorder=self.recorder, number=1)
        means: Any = SimpleNamespace(reactor=self.clock, sender=sender)
        self.lanes = Lanes(means, lambda *asked: self.allowed(*asked), lambda _: None)

        def record(kind: int, service: int, **more: Any) -> None:
            import json

            self.kept.append((kind, json.loads(more["detail"])))

        monkeypatch.setattr(self.recorder, "record", record)

        async def act(told: Told, argument: str, _: Any) -> str:
            self.tries += 1
            done = self.act(told)
            return str(await done if isinstance(done, Deferred) else done)

        test = Action("test", "", act, "X", resolves=True, far=True)
        monkeypatch.setattr(actions, "all_actions", lambda: {"test": test, "silent": Action("silent", "", act)})

    def take(self, told: Told) -> str:
        self.told.append(told)
        return "done"

    def down(self, _: Told) -> str:
        raise errors.UnreachedError(reason="It is down.")

    def tell(self, alert: str = "a", action: str = "test x", state: Any = "raised", count: int = 1) -> None:
        self.lanes.tell(Told(alert, state, "f", count, 1, 0), action)

    def outcomes(self) -> list[str]:
        return [events.NAMES[kind] for kind, _ in self.kept]


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(monkeypatch)


def test_what_is_told_is_an_event(desk: Desk) -> None:
    desk.tell()
    assert desk.kept == [(events.ALERT_SENT, {"alert": "a", "action": "test x", "words": "done"})]


def test_a_server_that_is_down_for_an_hour_gets_the_newest_word_when_it_is_up(desk: Desk) -> None:
    desk.act = desk.down
    for minute in range(60):
        if minute % 5 == 0:
            desk.tell(count=minute)
        desk.clock.pump([1] * 60)
    assert desk.lanes.waiting == 1
    assert 10 < desk.tries < 25
    assert set(desk.outcomes()) == {"alert.unsent"}
    assert [detail["again"] for _, detail in desk.kept][:7] == [10, 20, 40, 80, 160, 320, 600]
    desk.act = desk.take
    desk.clock.pump([1] * 600)
    [told] = desk.told
    assert told.count == 55
    assert told.missed == 11
    assert desk.outcomes()[-1] == "alert.sent"
    assert not desk.clock.getDelayedCalls()


def test_after_a_day_it_is_given_up(desk: Desk) -> None:
    desk.act = desk.down
    desk.tell()
    desk.clock.pump([60] * int(GIVE_UP / 60 + 20))
    assert desk.lanes.waiting == 0
    assert "again" not in desk.kept[-1][1]
    assert desk.tries < 160
    assert not desk.clock.getDelayedCalls()


def test_what_will_not_get_better_is_not_tried_again(desk: Desk) -> None:
    def refuse(_: Told) -> str:
        raise errors.NoMailError

    desk.act = refuse
    desk.tell()
    desk.clock.advance(GIVE_UP)
    assert desk.tries == 1
    assert desk.outcomes() == ["alert.unsent"]


def test_one_that_never_answers_is_given_up_and_tried_again(desk: Desk) -> None:
    desk.act = lambda _: Deferred()
    desk.tell()
    desk.clock.advance(LONGEST)
    assert desk.outcomes() == ["alert.unsent"]
    desk.act = desk.take
    desk.clock.pump([1] * 20)
    assert len(desk.told) == 1


def test_few_connect_at_once(desk: Desk) -> None:
    waiting: list[Deferred[str]] = []

    def wait(_: Told) -> Deferred[str]:
        waiting.append(Deferred())
        return waiting[-1]

    desk.act = wait
    for number in range(50):
        desk.tell(f"a{number}")
    assert len(waiting) == AT_ONCE
    for number in range(50):
        waiting[number].callback("done")
    assert desk.outcomes() == ["alert.sent"] * 50


def test_while_one_word_is_told_the_newest_of_the_others_waits(desk: Desk) -> None:
    first: Deferred[str] = Deferred()
    desk.act = lambda _: first
    for count in range(1, 1_000):
        desk.tell(count=count)
    desk.act = desk.take
    first.callback("done")
    assert [told.count for told in desk.told] == [999]


def test_what_is_not_sent_at_the_end_is_recorded(desk: Desk) -> None:
    desk.act = desk.down
    desk.tell()
    desk.act = lambda _: Deferred()
    desk.tell("b")
    desk.lanes.close()
    assert [detail["reason"] for _, detail in desk.kept[1:]] == ["The program ended before the notice was sent."] * 2
    desk.clock.advance(LONGEST)
    assert not desk.clock.getDelayedCalls()


def test_one_that_was_taken_away_tells_nothing_more(desk: Desk) -> None:
    desk.act = desk.down
    desk.tell()
    desk.lanes.keep_only(set())
    desk.act = desk.take
    desk.clock.advance(GIVE_UP)
    assert not desk.told


def test_what_is_not_allowed_is_not_done(desk: Desk) -> None:
    desk.allowed = lambda *asked: errors.WithheldError(asks="it", path="x.toml")
    desk.tell()
    assert desk.tries == 0
    assert desk.outcomes() == ["alert.unsent"]


def test_only_some_tell_that_it_is_resolved(desk: Desk) -> None:
    desk.tell(state="resolved")
    desk.tell(action="silent", state="resolved")
    assert desk.tries == 1


def test_a_mistake_in_an_action_is_a_failure_and_no_end(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    failures: list[BaseException] = []
    monkeypatch.setattr(desk.recorder, "record_failure", lambda e, number: failures.append(e))
    desk.act = lambda _: 1 / 0
    desk.tell()
    assert [type(e) for e in failures] == [ZeroDivisionError]
    assert desk.outcomes() == ["alert.unsent"]
