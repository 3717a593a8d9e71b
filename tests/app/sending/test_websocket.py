"""WebSocket conversations with servers that do not play along."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import pytest_twisted
from websockets.sync.server import ServerConnection, serve

from app.sending import websocket
from tests.app.sending.helpers import Talker
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
async def test_a_server_that_never_answers_the_handshake_is_said_to(
    talker: Talker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        heard = await talker.talk(f"ws://127.0.0.1:{port}")
    wanted = f"127.0.0.1:{port} opened no WebSocket: it did not answer the handshake within 0.2 s. Check the path."
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
