"""The rooms responder: membership, messages, and refused requests."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
import pytest_twisted
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.threads import deferToThread
from websockets.asyncio.client import connect

from app import responders
from app.responders import rooms
from app.responders.rooms import Rooms
from tests.app.services.helpers import Desk, Tape
from tests.app.services.websocket_frames import BINARY, Raw, frame, url
from tests.helpers import until

CLIENTS = 60


class Visitor:
    """A client that keeps its answers until the test takes them."""

    def __init__(self, place: Rooms) -> None:
        self.place = place
        self.heard: list[dict[str, Any]] = []

    def says(self, kind: str, room: str | None = None, **more: Any) -> dict[str, Any]:
        """Send a request. Returns the last answer."""
        request = {"type": kind, **({"room": room} if room is not None else {}), **more}
        self.place.on_message(self, json.dumps(request).encode())
        return self.heard[-1]

    def took(self) -> list[dict[str, Any]]:
        heard, self.heard = self.heard, []
        return heard


def place(**options: Any) -> Rooms:
    responder = responders.find("rooms")
    assert responder

    def tell(text: bytes, clients: Any, speaker: Any) -> None:
        for client in clients:
            client.heard.append(json.loads(text))

    return Rooms(responder.with_defaults(options), tell)


def visitors(count: int, **options: Any) -> list[Visitor]:
    there = place(**options)
    return [Visitor(there) for _ in range(count)]


def test_a_message_goes_to_the_others_in_its_room_only() -> None:
    a, b, c, outside = visitors(4)
    for visitor in (a, b):
        visitor.says("subscribe", "one")
    c.says("subscribe", "two")
    for visitor in (a, b, c):
        visitor.took()
    data = {"any": ["JSON", 1.5, None, True, "ü"]}
    assert a.says("publish", "one", data=data) == {"type": "published", "room": "one", "count": 1}
    assert b.took() == [{"type": "message", "room": "one", "data": data}]
    assert not c.took()
    assert outside.says("publish", "one", data=None) == {"type": "published", "room": "one", "count": 2}
    assert a.took()[1:] == b.took() == [{"type": "message", "room": "one", "data": None}]
    assert a.says("publish", "nowhere", data=1)["count"] == 0


def test_echo_sends_a_message_to_its_publisher_too() -> None:
    (a,) = visitors(1, echo=True)
    a.says("subscribe", "one")
    assert a.says("publish", "one", data=1) == {"type": "published", "room": "one", "count": 1}
    assert a.took()[1] == {"type": "message", "room": "one", "data": 1}


def test_those_in_a_room_hear_who_comes_and_goes() -> None:
    a, b, c = visitors(3)
    assert a.says("subscribe", "one") == {"type": "subscribed", "room": "one", "count": 1, "history": []}
    assert b.says("subscribe", "one")["count"] == 2
    assert c.says("subscribe", "one")["count"] == 3
    assert b.says("unsubscribe", "one") == {"type": "unsubscribed", "room": "one", "count": 2}
    c.place.on_gone(c)
    c.place.on_gone(c)
    assert [(heard["type"], heard["count"]) for heard in a.took()[1:]] == [
        ("joined", 2), ("joined", 3), ("left", 2), ("left", 1),
    ]  # fmt: skip
    assert [heard["type"] for heard in b.took()] == ["subscribed", "joined", "unsubscribed"]


def test_a_second_subscription_changes_nothing() -> None:
    a, b = visitors(2)
    a.says("subscribe", "one")
    b.says("subscribe", "one")
    a.took()
    assert b.says("subscribe", "one")["count"] == 2
    assert not a.took()


def test_a_second_subscription_does_not_send_the_history_again() -> None:
    a, b = visitors(2, history=3)
    a.says("subscribe", "one")
    a.says("publish", "one", data="x" * 1000)
    assert b.says("subscribe", "one")["history"] == ["x" * 1000]
    assert b.says("subscribe", "one") == {"type": "subscribed", "room": "one", "count": 2}


def test_a_room_keeps_no_more_than_its_bound_where_it_has_all_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "MAX_HISTORY", 250)
    a, b = visitors(2, history=100, rooms=1)
    a.says("subscribe", "one")
    for _ in range(5):
        a.says("publish", "one", data="x" * 98)
    assert b.says("subscribe", "one")["history"] == ["x" * 98] * 2


def test_a_large_room_is_told_of_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "MAX_NOTIFIED", 3)
    crowd = visitors(5)
    for visitor in crowd:
        visitor.says("subscribe", "one")
    assert [heard["count"] for heard in crowd[0].took()] == [1, 2, 3]


def test_lists_rooms_while_somebody_is_in_them() -> None:
    a, b = visitors(2)
    a.says("subscribe", "b")
    a.says("subscribe", "a")
    b.says("subscribe", "b")
    assert a.says("list") == {"type": "rooms", "rooms": [{"room": "a", "count": 1}, {"room": "b", "count": 2}]}
    a.place.on_gone(a)
    assert b.says("list") == {"type": "rooms", "rooms": [{"room": "b", "count": 1}]}


def test_a_newcomer_gets_the_last_messages() -> None:
    a, b = visitors(2, history=3)
    a.says("subscribe", "one")
    for i in range(5):
        a.says("publish", "one", data={"n": i})
    assert b.says("subscribe", "one")["history"] == [{"n": 2}, {"n": 3}, {"n": 4}]
    a.place.on_gone(a)
    b.place.on_gone(b)
    assert a.says("subscribe", "one")["history"] == []


def test_a_history_is_limited_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "HISTORY_SIZE", 1000)
    a, b = visitors(2, history=100, rooms=10)
    a.says("subscribe", "one")
    for i in range(10):
        a.says("publish", "one", data=f"{i}" * 28)
    a.says("publish", "one", data="x" * 101)
    assert [data[0] for data in b.says("subscribe", "one")["history"]] == ["7", "8", "9"]


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"hello", "this is not JSON"),
        (b"", "this is not JSON"),
        (b"[" * 100_000, "this is not JSON"),
        (b'{"type": "publish", "room": "a", "data": NaN}', "this is not JSON"),
        (b"1" * 5000, "this is not JSON"),
        (b"[1]", 'this is not a JSON object such as {"type": "list"}'),
        (b"{}", "type must be one of subscribe, unsubscribe, publish, list"),
        (b'{"type": []}', "type must be one of subscribe, unsubscribe, publish, list"),
        (b'{"type": "shout"}', "type must be one of subscribe, unsubscribe, publish, list"),
        (b'{"type": "subscribe"}', "room must be a text of 1 to 64 characters"),
        (b'{"type": "subscribe", "room": 1}', "room must be a text of 1 to 64 characters"),
        (b'{"type": "subscribe", "room": ""}', "room must be a text of 1 to 64 characters"),
        (b'{"type": "subscribe", "room": "' + b"x" * 65 + b'"}', "room must be a text of 1 to 64 characters"),
        (b'{"type": "unsubscribe", "room": "a"}', "you are not in this room"),
        (b'{"type": "publish", "room": "a"}', "publish needs data"),
        (
            b'{"type": "publish", "room": "a", "data": 1e999}',
            "data cannot be passed on: a number is too large, or it is nested too deeply",
        ),
    ],
)
def test_what_is_wrong_is_answered_in_words(sent: bytes, reason: str) -> None:
    (a,) = visitors(1)
    a.place.on_message(a, sent)
    assert a.took() == [{"type": "error", "reason": reason}]


def test_rooms_are_limited_for_all_and_for_each() -> None:
    a, b = visitors(2, rooms=3, rooms_per_client=2)
    assert a.says("subscribe", "1")["type"] == a.says("subscribe", "2")["type"] == "subscribed"
    assert a.says("subscribe", "3")["reason"] == "you are in 2 rooms, and may be in no more"
    assert b.says("subscribe", "3")["type"] == "subscribed"
    assert b.says("subscribe", "4")["reason"] == "there are 3 rooms, and may be no more"
    assert b.says("subscribe", "1")["type"] == "subscribed"
    assert b.says("unsubscribe", "3")["type"] == "unsubscribed"
    assert b.says("subscribe", "4")["type"] == "subscribed"


def test_half_a_surrogate_pair_passes_as_it_came() -> None:
    a, b = visitors(2)
    b.says("subscribe", "\ud800")
    a.says("publish", "\ud800", data="x\udfffü")
    assert b.took()[-1] == {"type": "message", "room": "\ud800", "data": "x\udfffü"}


_requests = st.tuples(
    st.integers(0, 2), st.sampled_from(["subscribe", "unsubscribe", "publish", "list", "gone"]), st.sampled_from("abc")
)


@given(st.lists(_requests, max_size=60))
def test_nothing_is_left_of_those_who_are_gone(requests: list[tuple[int, str, str]]) -> None:
    crowd = visitors(3, rooms=2, rooms_per_client=2, history=2)
    there = crowd[0].place
    for who, what, room in requests:
        if what == "gone":
            there.on_gone(crowd[who])
        else:
            crowd[who].says(what, room, data=1)
        members = {name: set(held.clients) for name, held in there._rooms.items()}
        assert all(members.values())
        assert len(members) <= 2
        assert {(c, n) for n, cs in members.items() for c in cs} == {
            (c, n) for c, ns in there._names_by_client.items() for n in ns
        }
    for visitor in crowd:
        there.on_gone(visitor)
    assert not there._rooms
    assert not there._names_by_client


async def meeting(where: str) -> list[list[Any]]:
    """The messages that each client in two rooms receives, while every client publishes its number in its room."""
    clients = await asyncio.gather(
        *[connect(where, proxy=None, max_queue=None, open_timeout=60) for _ in range(CLIENTS)]
    )

    async def say(client: Any, **request: Any) -> None:
        await client.send(json.dumps(request))

    async def until_told(client: Any, kind: str, count: int = 1) -> list[Any]:
        told: list[Any] = []
        while len(told) < count:
            message = json.loads(await client.recv())
            assert message["type"] != "error", message
            if message["type"] == kind:
                told.append(message)
        return told

    for i, client in enumerate(clients):
        await say(client, type="subscribe", room=f"room {i % 2}")
        await until_told(client, "subscribed")
    for i, client in enumerate(clients):
        await say(client, type="publish", room=f"room {i % 2}", data=i)
    heard = [[told["data"] for told in await until_told(client, "message", CLIENTS // 2 - 1)] for client in clients]
    await asyncio.gather(*[client.close() for client in clients])
    return heard


@pytest_twisted.ensureDeferred
async def test_many_clients_hear_their_own_room(desk: Desk, tape: Tape) -> None:
    service = await desk.start("websocket", "rooms")
    where = url(service)
    heard: Any = await deferToThread(lambda: asyncio.run(meeting(where)))
    assert [sorted(said) for said in heard] == [
        [j for j in range(CLIENTS) if j % 2 == i % 2 and j != i] for i in range(CLIENTS)
    ]
    await until(lambda: not service.connections)
    assert not tape.all("failure", "limit.reached")


@pytest_twisted.ensureDeferred
async def test_binary_messages_are_answered_in_words(desk: Desk) -> None:
    peer = Raw(await desk.start("websocket", "rooms"))
    await peer.open()
    peer.say(frame(BINARY, b'{"type": "list"}'))
    await peer.expect(b'{"type": "error", "reason": "send text, not binary messages"}')
    peer.reset()
