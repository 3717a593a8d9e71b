"""WebSocket services against PyPI's client: messages, notes, the end."""

from __future__ import annotations

import os
import struct
from typing import Any

import pytest
import pytest_twisted
from autobahn.twisted.websocket import WebSocketServerProtocol
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from app.status import Stopped
from tests.app.services.helpers import Desk, Tape
from tests.app.services.websocket_frames import (
    CLOSE,
    FINAL,
    OPENING,
    PING,
    PONG,
    TEXT,
    Raw,
    closing,
    ended,
    frame,
    messages,
    talk,
)
from tests.helpers import until

# -- what a right client sees, and what is noted of it


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest_twisted.ensureDeferred
async def test_texts_and_bytes_are_echoed_and_recorded(host: str, desk: Desk, tape: Tape) -> None:
    async def script(client: ClientConnection) -> list[str | bytes]:
        said = []
        for message in ("Grüße", b"\0\xff", "", b""):
            await client.send(message)
            said.append(await client.recv())
        return said

    service = await desk.start("websocket", host=host)
    assert await talk(service, script) == ["Grüße", b"\0\xff", "", b""]
    await ended(tape)
    sent = [("text", "Grüße".encode()), ("binary", b"\0\xff"), ("text", b""), ("binary", b"")]
    assert messages(tape) == [(d, kind, data) for kind, data in sent for d in ("received", "sent")]
    assert tape.all("ws.message")[0].summary == "← text  Grüße"
    assert tape.all("ws.message")[3].summary.startswith("→ binary  ")
    assert {e.conn for e in tape.all()[1:]} == {tape.all("connection.opened")[0].conn}


@pytest_twisted.ensureDeferred
async def test_the_notes_come_in_order_among_the_bytes(desk: Desk, tape: Tape) -> None:
    peer = Raw(await desk.start("websocket"))
    await peer.open()
    peer.say(frame(TEXT, b"hi"))
    await until(lambda: peer.frames())
    peer.say(closing(1000))
    assert await peer.closed() == (1000, b"")
    await peer.end()
    await ended(tape)
    assert tape.kinds()[1:] == [
        *("connection.opened", "data.received", "data.sent", "ws.opened"),
        *("data.received", "ws.message", "data.sent", "ws.message"),
        *("data.received", "data.sent", "ws.closed", "connection.closed"),
    ]


@pytest_twisted.ensureDeferred
async def test_a_megabyte_in_fragments_comes_back_whole(desk: Desk, tape: Tape) -> None:
    whole = os.urandom(1 << 20)

    async def script(client: ClientConnection) -> Any:
        await client.send(whole[i : i + 65_536] for i in range(0, len(whole), 65_536))
        return await client.recv()

    service = await desk.start("websocket")
    assert await talk(service, script, max_size=None) == whole
    assert messages(tape) == [("received", "binary", whole), ("sent", "binary", whole)]


@pytest_twisted.ensureDeferred
async def test_a_ping_between_fragments_is_answered_and_recorded(desk: Desk, tape: Tape) -> None:
    peer = Raw(await desk.start("websocket"))
    await peer.open()
    peer.say(frame(TEXT, b"one ", first=0) + frame(PING, b"?") + frame(PONG, b"!") + frame(0, b"two"))
    await until(lambda: len(peer.frames()) == 2)
    assert peer.frames() == [(FINAL | PONG, b"?"), (FINAL | TEXT, b"one two")]
    assert [m for m in messages(tape) if m[0] == "received"] == [
        ("received", "ping", b"?"),
        ("received", "pong", b"!"),
        ("received", "text", b"one two"),
    ]
    peer.close()
    await ended(tape)


@pytest_twisted.ensureDeferred
async def test_a_frame_that_comes_byte_by_byte_is_one_message(desk: Desk, tape: Tape) -> None:
    service = await desk.start("websocket")
    peer = Raw(service)
    for i in range(len(OPENING + b"\r\n")):
        peer.say((OPENING + b"\r\n")[i : i + 1])
    await peer.open() if not await peer.expect(b"\r\n\r\n") else None
    del peer.got[:]
    (tap,) = service.connections.values()
    for byte in frame(TEXT, b"slow"):
        peer.say(bytes([byte]))
        await until(lambda: tap.received == len(peer.wrote))
    await until(lambda: peer.frames() == [(FINAL | TEXT, b"slow")])
    peer.close()
    await ended(tape)
    assert messages(tape)[0] == ("received", "text", b"slow")


@pytest.mark.parametrize(
    ("known", "offered", "chosen"),
    [([], ["b", "a"], "b"), (["a"], ["b", "a"], "a"), (["c"], ["b", "a"], None), (["a"], None, None)],
)
@pytest_twisted.ensureDeferred
async def test_a_subprotocol_is_chosen_of_those_offered(
    known: list[str], offered: list[str] | None, chosen: str | None, desk: Desk, tape: Tape
) -> None:
    async def script(client: ClientConnection) -> Any:
        return client.subprotocol

    service = await desk.start("websocket", options={"subprotocols": known})
    more: Any = {"subprotocols": offered} if offered else {}
    assert await talk(service, script, target="/chat?x=ä", origin="http://here", **more) == chosen
    (opened,) = tape.all("ws.opened")
    assert opened.detail["offered"] == (offered or [])
    assert opened.detail["subprotocol"] == chosen
    assert opened.detail["origin"] == "http://here"
    assert opened.detail["target"] == "/chat?x=%C3%A4"
    assert opened.summary == "/chat?x=%C3%A4" + (f"  subprotocol {chosen}" if chosen else "")
    assert "upgrade" in [name.lower() for name, _ in opened.detail["fields"]]


@pytest_twisted.ensureDeferred
async def test_the_clients_close_code_and_reason_come_back_and_are_recorded(desk: Desk, tape: Tape) -> None:
    async def script(client: ClientConnection) -> Any:
        await client.close(4001, "tschüß")
        return client.close_code, client.close_reason

    assert await talk(await desk.start("websocket"), script) == (4001, "tschüß")
    await ended(tape)
    (closed,) = tape.all("ws.closed")
    assert closed.summary == "4001  tschüß"
    assert closed.detail["clean"] is True
    assert (closed.detail["their_code"], closed.detail["their_reason"]) == (4001, "tschüß")
    assert (closed.detail["our_code"], closed.detail["our_reason"]) == (4001, "tschüß")


@pytest_twisted.ensureDeferred
async def test_a_code_that_was_registered_after_the_rfc_is_one(desk: Desk, tape: Tape) -> None:
    peer = Raw(await desk.start("websocket"))
    await peer.open()
    peer.say(frame(CLOSE, struct.pack("!H", 1014)))
    assert (await peer.closed())[0] == 1014
    await peer.end()
    await ended(tape)
    (closed,) = tape.all("ws.closed")
    assert (closed.detail["clean"], closed.detail["their_code"]) == (True, 1014)


@pytest_twisted.ensureDeferred
async def test_the_responders_close_code_and_reason_reach_the_client(desk: Desk, tape: Tape) -> None:
    class Closes(WebSocketServerProtocol):
        def onMessage(self, payload: bytes, isBinary: bool) -> None:
            self.sendClose(4002, payload.decode())

    async def script(client: ClientConnection) -> Any:
        await client.send("genug")
        with pytest.raises(ConnectionClosed):
            await client.recv()
        return client.close_code, client.close_reason

    assert await talk(await desk.start("websocket", make=lambda: Closes), script) == (4002, "genug")
    await ended(tape)
    (closed,) = tape.all("ws.closed")
    assert (closed.detail["our_code"], closed.detail["our_reason"], closed.detail["clean"]) == (4002, "genug", True)


@pytest_twisted.ensureDeferred
async def test_a_client_that_closes_without_a_code_is_recorded(desk: Desk, tape: Tape) -> None:
    peer = Raw(await desk.start("websocket"))
    await peer.open()
    peer.say(frame(CLOSE))
    await peer.end()
    await ended(tape)
    (closed,) = tape.all("ws.closed")
    assert closed.detail["clean"] is True
    assert (closed.summary, closed.detail["code"], closed.detail["reason"]) == ("1005", 1005, None)
    assert (closed.detail["their_code"], closed.detail["our_code"]) == (1005, 1005)


# -- the user's side, and the end


@pytest.mark.parametrize(("data", "said"), [("tippt ☺".encode(), "tippt ☺"), (b"\xff\0", b"\xff\0")])
@pytest_twisted.ensureDeferred
async def test_what_the_user_sends_is_a_message(data: bytes, said: str | bytes, desk: Desk, tape: Tape) -> None:
    async def script(client: ClientConnection) -> Any:
        return await client.recv()

    service = await desk.start("websocket")
    answer = talk(service, script)
    await until(lambda: tape.all("ws.opened"))
    (tap,) = service.connections.values()
    tap.send(data)
    assert await answer == said
    assert messages(tape) == [("sent", "text" if isinstance(said, str) else "binary", data)]


@pytest_twisted.ensureDeferred
async def test_stopping_says_1001_to_each_client(desk: Desk, tape: Tape) -> None:
    async def script(client: ClientConnection) -> Any:
        with pytest.raises(ConnectionClosed):
            await client.recv()
        return client.close_code, client.close_reason

    service = await desk.start("websocket")
    answers = [talk(service, script) for _ in range(3)]
    await until(lambda: len(tape.all("ws.opened")) == 3)
    await service.stop(20)
    assert [await answer for answer in answers] == [(1001, "the service is stopping")] * 3
    assert service.status == Stopped()
    assert service.connections == {}
    assert {e.detail["reason"] for e in tape.all("connection.closed")} == {"closed by us"}
    assert {e.detail["our_code"] for e in tape.all("ws.closed")} == {1001}


@pytest_twisted.ensureDeferred
async def test_stopping_does_not_wait_for_a_client_that_does_not_answer(desk: Desk, tape: Tape) -> None:
    service = await desk.start("websocket")
    silent, half = Raw(service), Raw(service)
    await silent.open()
    half.say(OPENING)
    await until(lambda: len(service.connections) == 2)
    stopped: list[None] = []
    service.stop().addCallback(stopped.append)
    assert await silent.closed() == (1001, b"the service is stopping")
    await until(lambda: stopped, 8)  # the one that does not open would have ten seconds
    assert len(tape.all("connection.closed")) == 2
    for peer in (silent, half):
        await peer.end()


@pytest_twisted.ensureDeferred
async def test_a_client_that_vanishes_after_the_opening_leaves_nothing(desk: Desk, tape: Tape) -> None:
    service = await desk.start("websocket")
    for end in ("close", "reset"):
        peer = Raw(service)
        await peer.open()
        peer.say(frame(TEXT, b"half", length=100))
        getattr(peer, end)()
    await ended(tape, 2)
    assert [e.detail["clean"] for e in tape.all("ws.closed")] == [False, False]
    assert [e.summary[:4] for e in tape.all("ws.closed")] == ["1006", "1006"]
    assert not tape.all("ws.message", "failure")
    assert service.connections == {}


@pytest_twisted.ensureDeferred
async def test_a_client_that_vanishes_in_the_opening_has_no_websocket_notes(desk: Desk, tape: Tape) -> None:
    service = await desk.start("websocket")
    peer = Raw(service)
    peer.say(OPENING)
    await until(lambda: tape.all("data.received"))
    peer.close()
    await ended(tape)
    assert tape.kinds() == ["service.started", "connection.opened", "data.received", "connection.closed"]
