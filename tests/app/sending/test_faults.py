"""A client that fails on purpose, as servers see it."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
import pytest_twisted

from tests.app.sending.helpers import Talker, certificate, context, websockets_server
from tests.helpers import until

ensure = pytest_twisted.ensureDeferred

DATA = b"0123456789"
ANSWER = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"


class Witness:
    """A server for one client: what came, how it ended, and after how many milliseconds the first byte came."""

    def __init__(self, secure: ssl.SSLContext | None, answer: bytes = b"") -> None:
        self.came, self.end, self.first = b"", "open", 0.0
        self._secure, self._answer = secure, answer
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with self._listening:
            plain, _ = self._listening.accept()
        began = monotonic()
        plain.settimeout(5)
        with plain:
            try:
                if self._secure is None:
                    self._read(plain, began)
                else:
                    with self._secure.wrap_socket(plain, server_side=True, do_handshake_on_connect=False) as peer:
                        peer.do_handshake()
                        self._read(peer, began)
            except (ConnectionResetError, BrokenPipeError, ssl.SSLEOFError, ssl.SSLZeroReturnError):
                self.end = "reset"
            except OSError:
                self.end = "reset"

    def _read(self, peer: socket.socket, began: float) -> None:
        while data := peer.recv(65_536):
            self.first = self.first or (monotonic() - began) * 1000
            self.came += data
            if self._answer and DATA in self.came:
                peer.sendall(self._answer)
        self.end = "closed"

    def join(self) -> None:
        self._thread.join(5)


@contextmanager
def witness(folder: Path, scheme: str) -> Iterator[Witness]:
    secure = context(certificate(folder, "127.0.0.1")) if scheme in ("tls", "https") else None
    made = Witness(secure, ANSWER if scheme.startswith("http") else b"")
    yield made
    made.join()


SEEN: list[tuple[dict[str, Any], bytes, str]] = [
    ({"kind": "delay", "ms": 200.0}, DATA, "closed"),
    ({"kind": "connect-delay", "ms": 200.0}, DATA, "closed"),
    ({"kind": "stall", "ms": 200.0}, DATA, "closed"),
    ({"kind": "rate", "bytes_per_second": 50.0, "burst_bytes": 1}, DATA, "closed"),
    ({"kind": "slice", "bytes": 3, "pause_ms": 5.0}, DATA, "closed"),
    ({"kind": "slow-close", "after_ms": 100.0}, DATA, "closed"),
    ({"kind": "close"}, b"", "closed"),
    ({"kind": "reset"}, b"", "reset"),
    ({"kind": "half-close"}, b"", "closed"),
    ({"kind": "cut", "bytes": 4}, b"0123", "closed"),
    ({"kind": "cut", "part": 0.5, "then": "reset"}, b"01234", "reset"),
    ({"kind": "corrupt", "how": "truncate", "count": 3}, b"0123456", "closed"),
    ({"kind": "refuse", "how": "reset"}, b"", "reset"),
]
"""What a server sees of a client that sends DATA and closes when all of it has left."""

LATE = ("delay", "connect-delay", "stall")


@pytest.mark.parametrize(
    ("table", "came", "end", "scheme"),
    [
        pytest.param(*seen, scheme, id=" ".join(map(str, [*seen[0].values(), scheme])))
        for seen in SEEN
        for scheme in ("tcp", "tls")
        if (seen[0]["kind"], scheme) != ("refuse", "tls")  # Python's ssl cannot wrap a socket that was reset already
    ],
)
@ensure
async def test_what_a_server_sees(
    talker: Talker, tape: Any, tmp_path: Path, table: dict[str, Any], came: bytes, end: str, scheme: str
):
    talker.sender.fail([table], scheme, 7)
    with witness(tmp_path, scheme) as server:
        heard = await talker.talk(f"{scheme}://127.0.0.1:{server.port}", DATA, verify=False)
        await heard.conversation.drained()
        heard.conversation.close()
        await until(lambda: heard.reason)
    assert server.came == came
    if scheme == "tcp":  # Python's ssl calls a reset the end
        assert server.end == end
    [told] = await until(lambda: tape.all("connection.closed"))
    assert told.detail["reason"].startswith("reset by a fault") == (end == "reset")
    if table["kind"] in LATE:
        assert server.first >= 100
    closed = heard.conversation.closed
    assert closed is not None
    assert not closed.failed, closed
    # The capture has what was on the wire.
    assert tape.data("data.sent") == came
    assert tape.all("fault.applied")[0].detail["kind"] == table["kind"]


@pytest.mark.parametrize("scheme", ["tcp", "tls"])
@ensure
async def test_one_that_hangs_sends_nothing_and_stays(talker: Talker, tape: Any, tmp_path: Path, scheme: str):
    talker.sender.fail([{"kind": "hang"}], scheme, 7)
    with witness(tmp_path, scheme) as server:
        heard = await talker.talk(f"{scheme}://127.0.0.1:{server.port}", DATA, verify=False)
        await heard.conversation.drained()
        assert server.end == "open"
        heard.conversation.abort()
        await until(lambda: heard.reason)
    assert server.came == b""
    assert not tape.all("data.sent")


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("kind", ["close", "reset", "cut"])
@ensure
async def test_http_that_a_fault_ends_is_no_failure(
    talker: Talker, tmp_path: Path, kind: str, scheme: str, logged_failures: Any
):
    talker.sender.fail([{"kind": kind}], "http", 7)
    with witness(tmp_path, scheme) as server:
        heard = await talker.talk(f"{scheme}://127.0.0.1:{server.port}/", DATA, verify=False)
        await until(lambda: heard.reason)
    assert heard.reason == f"{'Reset' if kind == 'reset' else 'Closed'} on purpose, by a fault."
    assert not heard.conversation.closed.failed  # type: ignore[union-attr]
    assert server.end == ("reset" if kind == "reset" else "closed")


@pytest.mark.parametrize("scheme", ["http", "https"])
@ensure
async def test_a_slow_request_is_answered(talker: Talker, tmp_path: Path, scheme: str):
    talker.sender.fail([{"kind": "slice", "bytes": 7, "pause_ms": 1.0}], "http", 7)
    with witness(tmp_path, scheme) as server:
        heard = await talker.talk(f"{scheme}://127.0.0.1:{server.port}/", DATA, verify=False)
        await until(lambda: heard.got == b"ok")
        heard.conversation.close()
    assert heard.conversation.code == 200  # type: ignore[attr-defined]


@pytest.mark.parametrize("secure", [False, True], ids=["ws", "wss"])
@pytest.mark.parametrize(
    ("table", "got", "reason"),
    [
        ({"kind": "delay", "ms": 50.0}, b"12", ""),
        ({"kind": "slice", "bytes": 3, "pause_ms": 1.0}, b"12", ""),
        ({"kind": "close", "nth": 3}, b"1", "Closed on purpose, by a fault."),
        ({"kind": "reset", "nth": 3}, b"1", "Reset on purpose, by a fault."),
        ({"kind": "cut", "nth": 3, "bytes": 3}, b"1", "Closed on purpose, by a fault."),
        ({"kind": "reset", "nth": 1}, b"", "Reset on purpose, by a fault."),
        ({"kind": "refuse", "how": "reset"}, b"", "Reset on purpose, by a fault."),
    ],
)
@ensure
async def test_websocket(talker: Talker, tmp_path: Path, table: dict[str, Any], got: bytes, reason: str, secure: bool):
    talker.sender.fail([table], "websocket", 7)
    more = {"ssl": context(certificate(tmp_path, "127.0.0.1"))} if secure else {}
    with websockets_server(**more) as port:
        heard = talker.make(f"{'wss' if secure else 'ws'}://127.0.0.1:{port}/", verify=False)
        await heard.conversation.connect()
        for count, message in enumerate((b"1", b"2"), 1):
            await heard.conversation.send(message)
            await until(lambda count=count: len(heard.got) == count or heard.reason)
        assert heard.got == got
        assert heard.reason == reason
        assert heard.conversation.closed is None or not heard.conversation.closed.failed
        heard.conversation.close()
        await until(lambda: heard.reason)


@ensure
async def test_datagrams_fail_too(talker: Talker, tape: Any):
    talker.sender.fail([{"kind": "reorder", "nth": 1}, {"kind": "duplicate", "nth": 3}], "udp", 7)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(5)
        heard = await talker.talk(f"udp://127.0.0.1:{server.getsockname()[1]}", b"1", b"2", b"3")
        await heard.conversation.drained()
        assert [server.recv(10) for _ in range(4)] == [b"2", b"1", b"3", b"3"]
        heard.conversation.close()
    assert [e.payload for e in tape.all("datagram.sent")] == [b"2", b"1", b"3", b"3"]


@ensure
async def test_what_a_delay_holds_leaves_before_a_datagram_port_is_closed(talker: Talker):
    talker.sender.fail([{"kind": "delay", "ms": 300.0}], "udp", 7)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(5)
        heard = await talker.talk(f"udp://127.0.0.1:{server.getsockname()[1]}", b"1")
        await heard.conversation.drained()
        heard.conversation.close()
        assert server.recv(10) == b"1"
