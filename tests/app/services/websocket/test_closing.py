"""Close frames: what is said to the peer, and what the event ``ws.closed`` says about them."""

from __future__ import annotations

import zlib

import pytest
import pytest_twisted
from autobahn.twisted.websocket import WebSocketServerProtocol

from tests.app.responders.relay.test_responder import free_ports
from tests.app.services.helpers import Desk, Tape
from tests.app.services.websocket_frames import CLOSE, FINAL, OPENING, PING, TEXT, Raw, closing, ended, frame
from tests.helpers import until

PREFIX = "invalid close code"


@pytest.mark.parametrize(
    ("sent", "theirs", "ours", "reason"),
    [
        *((closing(code), code, 1002, f"{PREFIX} {code}") for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 2999)),
        *((closing(code, b"why"), code, 1002, f"{PREFIX} {code}") for code in (1006, 5000, 65535)),
        (closing(1000, b"\xc3\x28"), 1000, 1007, "the reason of the close frame is not UTF-8"),
        (frame(CLOSE, b"\x03"), 1005, 1002, "received close control frame with payload len 1"),
        (frame(CLOSE, b"", masked=False), 1005, 1002, "unmasked client-to-server frame"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_c6_a_close_frame_that_breaks_the_rules_is_recorded_as_it_came(
    sent: bytes, theirs: int, ours: int, reason: str, desk: Desk, tape: Tape
) -> None:
    peer = Raw(await desk.start("websocket"))
    await peer.open()
    peer.say(sent)
    assert (await peer.closed())[0] == ours
    await peer.end()
    await ended(tape)
    (closed,) = tape.all("ws.closed")
    assert closed.summary == f"{theirs}, answered with {ours}  {reason}"
    assert closed.detail["code"] == closed.detail["their_code"] == theirs
    assert (closed.detail["clean"], closed.detail["our_code"], closed.detail["reason"]) == (False, ours, reason)


@pytest_twisted.ensureDeferred
async def test_c6_an_answer_that_breaks_the_rules_is_no_clean_end(desk: Desk, tape: Tape) -> None:
    service = await desk.start("websocket")
    peer = Raw(service)
    await peer.open()
    peer.say(frame(TEXT, b"x", first=FINAL | 0x40))
    assert (await peer.closed())[0] == 1002
    peer.say(closing(1006))
    await peer.end()
    await ended(tape)
    (closed,) = tape.all("ws.closed")
    assert (closed.detail["clean"], closed.detail["their_code"], closed.detail["our_code"]) == (False, 1006, 1002)


@pytest.mark.parametrize("lost", ["close", "reset"])
@pytest_twisted.ensureDeferred
async def test_c6_a_connection_lost_without_a_close_frame_is_1006_in_words(lost: str, desk: Desk, tape: Tape) -> None:
    peer = Raw(await desk.start("websocket"))
    await peer.open()
    getattr(peer, lost)()
    await ended(tape)
    (closed,) = tape.all("ws.closed")
    assert (closed.detail["code"], closed.detail["their_code"], closed.detail["our_code"]) == (1006, None, None)
    assert closed.summary == f"1006  {closed.detail['reason']}"
    assert "None" not in closed.summary


@pytest_twisted.ensureDeferred
async def test_c6_what_we_say_after_a_broken_message_is_what_the_row_shows(desk: Desk, tape: Tape) -> None:
    peer = Raw(await desk.start("websocket"))
    await peer.open()
    peer.say(frame(TEXT, b"x", first=FINAL | 0x40))
    code, reason = await peer.closed()
    peer.close()
    await ended(tape)
    (closed,) = tape.all("ws.closed")
    assert (closed.detail["code"], closed.detail["our_code"], code) == (1002, 1002, 1002)
    assert closed.summary == f"1002  {reason.decode()}"


class SaysIt(WebSocketServerProtocol):
    """Sends the code that it is told, or closes without one."""

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        code, _, reason = payload.partition(b" ")
        self.sendCloseFrame(int(code) if code else None, reason or None)


@pytest_twisted.ensureDeferred
async def test_c6_a_relay_tells_why_it_aborts(desk: Desk, tape: Tape) -> None:
    (port,) = free_ports(1)
    relay = await desk.start("websocket", "relay", options={"upstream": f"ws://127.0.0.1:{port}"})
    await desk.start("websocket", make=lambda: SaysIt, port=port)
    peer = Raw(relay)
    await peer.open()
    peer.say(frame(TEXT, b"1006"))
    await peer.end()
    await until(lambda: len(tape.all("ws.closed")) == 2)
    here, there = sorted(tape.all("ws.closed"), key=lambda e: e.service)
    assert (there.detail["our_code"], there.detail["their_code"], there.detail["clean"]) == (1006, 1002, True)
    assert (here.detail["code"], here.detail["their_code"], here.detail["clean"]) == (1006, None, False)
    said = [e.summary for e in tape.all("log") if e.service == relay.number]
    assert any("the upstream broke the rules of WebSocket" in words and "code 1006" in words for words in said)


@pytest.mark.parametrize("together", [False, True], ids=["", "with the handshake"])
@pytest.mark.parametrize(
    ("sent", "unfinished", "awaited"),
    [
        (frame(TEXT, b"x" * 84, first=0), 90, ""),
        (frame(TEXT, b"x" * 84)[:50], 50, " (its frame says 84)"),
        (frame(TEXT, b"x" * 84)[:6], 6, " (its frame says 84)"),
        (frame(TEXT, b"x" * 84)[:3], 3, ""),
        (frame(PING, b"x" * 84)[:50], 50, " (its frame says 84)"),
        (frame(TEXT, b"whole") + frame(TEXT, b"ab", first=0) + frame(PING, b"p") + frame(0, b"c", first=0), 22, ""),
        (frame(TEXT, b"whole") + frame(PING, b"p"), 0, ""),
    ],
)
@pytest_twisted.ensureDeferred
async def test_c23_an_end_inside_a_message_or_frame_is_told(
    sent: bytes, unfinished: int, awaited: str, together: bool, desk: Desk, tape: Tape
) -> None:
    peer = Raw(await desk.start("websocket"))
    if together:
        peer.say(OPENING + b"\r\n" + sent)
    else:
        await peer.open()
        peer.say(sent)
    count = len(OPENING) + 2 + len(sent)
    await until(lambda: len(tape.data("data.received")) >= count)
    peer.finish_sending()
    await ended(tape)
    (closed,), (end,) = tape.all("ws.closed"), tape.all("connection.closed")
    words = f", {unfinished} B of a message without an end{awaited}" if unfinished else ""
    assert closed.summary.startswith("1006  ")
    assert closed.summary.endswith(f" closing handshake{words}")
    assert closed.detail.get("unfinished", 0) == end.detail.get("unfinished", 0) == unfinished
    assert end.summary.endswith(words)


@pytest_twisted.ensureDeferred
async def test_c23_an_end_inside_a_compressed_message_is_told(desk: Desk, tape: Tape) -> None:
    peer = Raw(await desk.start("websocket"))
    await peer.open(b"Sec-WebSocket-Extensions: permessage-deflate\r\n")
    part = frame(TEXT, zlib.compress(bytes(100_000), wbits=-15)[:-4], first=0x40)
    peer.say(part)
    await until(lambda: len(tape.data("data.received")) >= len(part) + 100)
    peer.finish_sending()
    await ended(tape)
    (closed,) = tape.all("ws.closed")
    assert closed.detail["unfinished"] == len(part)
