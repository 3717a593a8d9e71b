"""The broadcast responder: each message goes to all other clients, in order; clients may come, go or not read."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.task import Clock
from twisted.internet.threads import deferToThread
from websockets.asyncio.client import connect

from app.responders import broadcast
from app.responders.broadcast import Fanout
from app.services.websocket import port as websocket
from tests.app.services.helpers import Desk, Peer, Tape, turn
from tests.app.services.websocket_frames import BINARY, FINAL, TEXT, Raw, frame, talk, url
from tests.helpers import until

CLIENTS = 60


async def crowd(where: str, echo: bool) -> list[list[str]]:
    """The messages that each client receives, while every client sends its number."""
    clients = await asyncio.gather(
        *[connect(where, proxy=None, max_queue=None, open_timeout=60) for _ in range(CLIENTS)]
    )
    for i, client in enumerate(clients):
        await client.send(str(i))
    heard = [[str(await client.recv()) for _ in range(CLIENTS - (not echo))] for client in clients]
    await asyncio.gather(*[client.close() for client in clients])
    return heard


@pytest.mark.parametrize("echo", [False, True])
@pytest_twisted.ensureDeferred
async def test_everybody_hears_all_the_others(echo: bool, desk: Desk, tape: Tape) -> None:
    service = await desk.start("websocket", "broadcast", options={"echo": echo})
    where = url(service)
    heard: Any = await deferToThread(lambda: asyncio.run(crowd(where, echo)))
    everybody = {str(i) for i in range(CLIENTS)}
    assert [set(said) for said in heard] == [everybody - (set() if echo else {str(i)}) for i in range(CLIENTS)]
    await until(lambda: not service.connections)
    sent = [e for e in tape.all("ws.message") if e.detail["direction"] == "sent"]
    assert len(sent) == CLIENTS * (CLIENTS - (not echo))


@pytest_twisted.ensureDeferred
async def test_a_message_stays_text_or_binary_and_in_order(desk: Desk) -> None:
    service = await desk.start("websocket", "broadcast")
    speaker, hearer = Raw(service), Raw(service)
    await speaker.open()
    await hearer.open()
    speaker.say(frame(TEXT, b"one") + frame(BINARY, b"\xff") + frame(TEXT, b"three"))
    await until(lambda: len(hearer.frames()) == 3)
    assert hearer.frames() == [(FINAL | TEXT, b"one"), (FINAL | BINARY, b"\xff"), (FINAL | TEXT, b"three")]
    assert not speaker.frames()
    for peer in Peer.made:
        peer.reset()


@pytest_twisted.ensureDeferred
async def test_those_who_are_gone_or_have_not_come_yet_are_left_out(desk: Desk, tape: Tape) -> None:
    service = await desk.start("websocket", "broadcast", options={"echo": True})
    Peer(service)  # and no handshake
    gone, refused = Raw(service), Peer(service)
    await gone.open()
    refused.push(b"GET / HTTP/1.1\r\n\r\n")
    await refused.end()
    gone.reset()
    await until(lambda: len(service.connections) == 1)

    async def say(client: Any) -> Any:
        await client.send("alone")
        return await client.recv()

    assert await talk(service, say) == "alone"
    assert not tape.all("failure")


@pytest_twisted.ensureDeferred
async def test_one_who_does_not_read_is_dropped_and_the_others_hear_on(
    desk: Desk, tape: Tape, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "UNREAD", 2 << 20)
    service = await desk.start("websocket", "broadcast", limits={"message_bytes": 1 << 20})
    speaker, hearer, deaf = Raw(service), Raw(service), Raw(service)
    for peer in (speaker, hearer, deaf):
        await peer.open()
    message = frame(BINARY, bytes(500_000))
    heard = count = 0
    while not tape.all("limit.reached"):
        await speaker.send(message)
        count += 1
        while heard < count * 500_000:
            heard += len(hearer.pull().got)
            del hearer.got[:]
            await turn()
    assert [e.detail["limit"] for e in tape.all("limit.reached")] == ["unread_bytes"]
    await until(lambda: len(tape.all("connection.closed")) == 1)
    closed = tape.all("connection.closed")[0]
    assert closed.conn == tape.all("limit.reached")[0].conn
    assert len(service.connections) == 2
    for peer in Peer.made:
        peer.reset()


class Listener:
    """Stands for a client and its transport."""

    STATE_CLOSED, STATE_OPEN = 0, 3

    def __init__(self) -> None:
        self.state, self.transport = self.STATE_OPEN, self
        self.heard: list[bytes] = []
        self.log: list[str] = []

    def sendMessage(self, payload: bytes, is_binary: bool) -> None:
        self.heard.append(payload)

    def pauseProducing(self) -> None:
        self.log.append("paused")

    def resumeProducing(self) -> None:
        self.log.append("resumed")


def test_others_have_their_turn_while_many_are_sent_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broadcast, "SLICE", -1.0)
    monkeypatch.setattr(broadcast, "MAX_PENDING", 5)
    clock, clients, speaker = Clock(), [Listener() for _ in range(3)], Listener()
    fanout = Fanout(clock)
    for message in (b"one", b"two", b"three"):
        fanout.send(message, False, clients, speaker)
    assert [client.heard for client in clients] == [[b"one"], [], []]
    assert speaker.log == ["paused"]
    clients[2].state = clients[2].STATE_CLOSED
    clock.advance(0)
    assert [client.heard for client in clients] == [[b"one", b"two", b"three"]] * 2 + [[]]
    assert speaker.log == ["paused", "resumed"]
    assert not clock.getDelayedCalls()
