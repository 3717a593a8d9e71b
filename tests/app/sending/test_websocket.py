"""WebSocket conversations with servers that do not play along."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import pytest_twisted
from autobahn.twisted.websocket import WebSocketServerProtocol
from websockets.sync.server import ServerConnection, serve

from app.sending import websocket
from tests.app.sending.helpers import Talker
from tests.app.services.helpers import Desk, Tape
from tests.app.services.websocket_frames import url
from tests.helpers import until


@contextmanager
def many() -> Iterator[int]:
    """A server that sends as many letters as it is asked for."""

    def answer(peer: ServerConnection) -> None:
        for message in peer:
            peer.send("a" * int(message))

    with serve(answer, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.socket.getsockname()[1]
        finally:
            server.shutdown()
            thread.join()


@pytest_twisted.ensureDeferred
async def test_a_server_that_never_answers_the_handshake_is_said_to(talker: Talker) -> None:
    talker.sender.timeout = 0.2
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        heard = await talker.talk(f"ws://127.0.0.1:{port}")
    wanted = f"127.0.0.1:{port} did not open a WebSocket: it did not answer the handshake within 0.2 s. Check the path."
    assert heard.reason == wanted


@pytest.mark.parametrize(("size", "whole"), [(1000, True), (1001, False), (1036, False)])
@pytest_twisted.ensureDeferred
async def test_no_compressed_message_is_cut_to_what_we_take(
    size: int, whole: bool, talker: Talker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "MAX_MESSAGE", 1000)
    with many() as port:
        heard = await talker.talk(f"ws://127.0.0.1:{port}", b"%d" % size)
        await until(lambda: heard.got or heard.reason)
        heard.conversation.close()
        await until(lambda: heard.reason)
    assert heard.got == (b"a" * size if whole else b"")


class SaysIt(WebSocketServerProtocol):
    """Sends the code that it is told, or closes without one."""

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        code, _, reason = payload.partition(b" ")
        self.sendCloseFrame(int(code) if code else None, reason or None)


@pytest.mark.parametrize(
    ("asked", "theirs", "ours", "clean", "told"),
    [
        (b"1006", 1006, 1002, False, "with code 1006, which breaks the rules of WebSocket."),
        (b"1016", 1016, 1002, False, "with code 1016, which breaks the rules of WebSocket."),
        (b"1000 \xff", 1000, 1007, False, "with code 1000, which breaks the rules of WebSocket."),
        (b"", 1005, 1005, True, "without a code."),
        (b"4000 why", 4000, 4000, True, "with code 4000: why."),
    ],
)
@pytest_twisted.ensureDeferred
async def test_c6_the_sending_side_records_the_same(
    asked: bytes, theirs: int, ours: int, clean: bool, told: str, desk: Desk, talker: Talker, tape: Tape
) -> None:
    service = await desk.start("websocket", make=lambda: SaysIt)
    heard = await talker.talk(url(service), asked)
    await until(lambda: heard.reason and len(tape.all("ws.closed")) == 2)
    assert heard.reason.endswith(told)
    (closed,) = (e for e in tape.all("ws.closed") if e.service != service.number)
    assert (closed.detail["clean"], closed.detail["their_code"], closed.detail["our_code"]) == (clean, theirs, ours)
    assert closed.detail["code"] == theirs
    assert closed.summary.startswith(f"{theirs}")
