"""app.sending.reconnecting, on a clock that the test advances."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from twisted.internet.task import Clock

from app import events
from app.sending.conversation import Conversation, Open
from app.sending.errors import SendError
from app.sending.reconnecting import Reconnecting
from app.sending.request import Request
from app.sending.sender import Sender
from app.sending.url import parse


class Recorded:
    """Takes the place of a recorder."""

    def __init__(self) -> None:
        self.events: list[tuple[int, dict[str, Any]]] = []

    def add_service(self, *_: object) -> int:
        return 1

    class pressure:  # noqa: N801
        @staticmethod
        def connect(_: object) -> object:
            return lambda: None

    def record(self, kind: int, number: int, *, summary: str, detail: str) -> None:
        self.events.append((kind, json.loads(detail)))


class Talk(Conversation):
    """Connects where ``refused`` does not say otherwise."""

    refused = False

    async def _connect(self) -> None:
        if self.refused:
            raise SendError
        self._opened()

    def _finish(self) -> None:
        self._close("Closed by us.", failed=False)

    _abort = _finish

    def drop(self) -> None:
        self._close("Closed by the peer.", failed=False)


class Stand:
    def __init__(self) -> None:
        self.clock, self.recorder = Clock(), Recorded()
        self.sender = Sender(self.clock, self.recorder, Path())  # type: ignore[arg-type]
        self.made: list[Talk] = []
        self.refused = False
        self.reconnecting = Reconnecting(self.sender, self.make, lambda failed: 2.0**failed)

    def make(self) -> Talk:
        talk = Talk(Request(parse("tcp://127.0.0.1:9007")), self.sender)
        talk.refused = self.refused
        self.made.append(talk)
        return talk

    def open(self) -> Talk:
        from twisted.internet.defer import Deferred

        talk = self.make()
        Deferred.fromCoroutine(talk.connect())
        assert isinstance(talk.status, Open)
        self.reconnecting.follow(talk)
        return talk


def test_a_connection_that_is_lost_is_made_again_and_longer_is_waited_each_time():
    stand = Stand()
    stand.open().drop()
    stand.refused = True
    waits = []
    for _ in range(4):
        assert stand.reconnecting.waiting
        waits.append(stand.reconnecting.seconds_left)
        stand.clock.advance(waits[-1])
    assert waits == [1, 2, 4, 8]
    stand.refused = False
    stand.clock.advance(16)
    assert isinstance(stand.made[-1].status, Open)
    assert not stand.reconnecting.waiting
    assert not stand.clock.getDelayedCalls()
    assert [kind for kind, _ in stand.recorder.events] == [events.RECONNECTING] * 5
    assert stand.recorder.events[1][1] == {
        "address": "127.0.0.1:9007", "attempt": 2, "seconds": 2.0, "reason": str(SendError()),
    }  # fmt: skip
    stand.made[-1].drop()
    assert stand.reconnecting.seconds_left == 1  # counted anew


def test_the_wait_can_be_cut_short():
    stand = Stand()
    stand.open().drop()
    stand.clock.advance(0.25)
    stand.reconnecting.now()
    assert isinstance(stand.made[-1].status, Open)
    assert stand.recorder.events[0][1]["seconds"] == 0.25
    stand.reconnecting.now()  # nothing is waited for
    assert len(stand.made) == 2


def test_one_that_we_close_stays_closed():
    stand = Stand()
    stand.open().close()
    assert not stand.reconnecting.waiting
    stand.clock.advance(100)
    assert len(stand.made) == 1


def test_no_more_is_waited_once_it_is_closed():
    stand = Stand()
    stand.open().drop()
    stand.reconnecting.close()
    assert not stand.clock.getDelayedCalls()
    assert not stand.sender.conversations


def test_the_sender_ends_the_wait_when_the_program_ends():
    stand = Stand()
    stand.open().drop()
    stand.sender.close(1.0)
    assert not stand.clock.getDelayedCalls()


def test_one_that_was_lost_before_it_was_followed_is_made_again():
    stand = Stand()
    talk = stand.open()
    stand.reconnecting._unhook()
    talk.drop()
    stand.reconnecting.follow(talk)
    assert stand.reconnecting.waiting


def test_the_policy_is_that_of_twisted():
    stand = Stand()
    waits = [Reconnecting(stand.sender, stand.make)._policy(failed) for failed in (0, 1, 50, 10_000)]
    assert [low <= wait < low + 1 for low, wait in zip((1, 1.5, 60, 60), waits, strict=True)] == [True] * 4
