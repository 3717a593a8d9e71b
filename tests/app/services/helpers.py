"""A recorder whose events can be read, services on it, and a client that does what a test says."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, ClassVar

from twisted.internet.task import deferLater

from app import events, responders
from app.capture.recorder import Recorder, Stored
from app.capture.writing.batch import FIELDS, SAME, SAME_BUT_ONE, read
from app.services import service
from app.services.config import ServiceConfig
from app.services.service import Service
from app.services.surroundings import Surroundings
from app.status import Listening
from tests.helpers import until

CLOSING = 0.1
"""Seconds for which a service waits for its connections at the end of a test, which has no use for more."""


@dataclass(frozen=True)
class Recorded:
    """One event as the recorder sent it."""

    kind: str
    service: int
    conn: int
    size: int | None
    payload: bytes | None
    summary: str
    detail: dict[str, Any] = field(default_factory=dict)


class Tape:
    """Takes what a recorder sends, and says that it is stored unless it is ``stuck``."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.stuck = False
        self.count = 0
        self._events: list[Recorded] = []
        recorder.on_opened(self, 0, Stored())

    def send(self, parts: Sequence[bytes]) -> None:
        batch = read(BytesIO(b"".join(parts)))
        assert batch is not None
        sequence, _, flat, *_ = batch
        last = last_but_one = None
        for i in range(0, len(flat), FIELDS):
            _, kind, service, conn, size, payload, summary, detail = flat[i : i + FIELDS]
            if payload is SAME:
                payload = last
            elif payload is SAME_BUT_ONE:
                payload = last_but_one
            elif payload is not None:
                last, last_but_one = payload, last
            self._events.append(
                Recorded(
                    events.NAMES[kind],
                    service,
                    conn,
                    size,
                    payload,
                    summary or "",
                    json.loads(detail) if detail else {},
                )
            )
        self.count = sequence
        if not self.stuck:
            self.recorder._clock.callLater(0, self._stored, sequence)

    def _stored(self, sequence: int) -> None:
        self.recorder.on_stored(sequence, Stored())

    def unstick(self) -> None:
        self.stuck = False
        self._stored(self.count)

    def all(self, *kinds: str, conn: int | None = None) -> list[Recorded]:
        """The events so far; only of these kinds, and of this connection."""
        self.recorder.flush()
        return [e for e in self._events if (not kinds or e.kind in kinds) and conn in (None, e.conn)]

    def kinds(self) -> list[str]:
        return [e.kind for e in self.all()]

    def data(self, kind: str, conn: int | None = None) -> bytes:
        """The payloads of the events of one kind, joined."""
        return b"".join(e.payload or b"" for e in self.all(kind, conn=conn))


class Desk:
    """Services under test and what they record."""

    def __init__(self, reactor: Any, monkeypatch: Any) -> None:
        self.reactor, self._patch = reactor, monkeypatch
        self.recorder = Recorder(reactor)
        self.tape = Tape(self.recorder)
        self.surroundings = Surroundings()
        self.services: list[Service] = []
        self._made: dict[str, Callable[[], Any]] = {}

    def service(self, protocol: str = "tcp", responder: str = "echo", host: str = "127.0.0.1", **more: Any) -> Service:
        port = more.pop("port", 0)
        config = ServiceConfig(f"{protocol}-{len(self.services)}", protocol, host, port, responder, **more)
        made = Service(config, self.reactor, self.recorder, self.surroundings)
        self.services.append(made)
        return made

    def answer_with(self, protocol: str, make: Callable[[], Any]) -> None:
        """Have services of ``protocol`` answer with what ``make`` returns."""
        self._made[protocol] = make
        self._patch.setattr(service, "build", self._build)

    def _build(self, name: str, protocol: str, *more: Any) -> Any:
        return self._made[protocol]() if protocol in self._made else responders.build(name, protocol, *more)

    async def start(self, protocol: str = "tcp", responder: str = "echo", make: Any = None, **more: Any) -> Service:
        """A service that listens; with the responder that ``make`` returns, if given."""
        if make is not None:
            self.answer_with(protocol, make)
        started = self.service(protocol, responder, **more)
        status = await started.start()
        assert isinstance(status, Listening), status
        return started

    async def close(self) -> None:
        while Peer.made:
            Peer.made.pop().close()
        for made in self.services:
            await made.stop(CLOSING)
            made.dispose()
        # A thread may answer a service that has stopped, and what is recorded then is to be stored as well.
        await until(lambda: self.recorder.flush() or self.tape.stuck or self.recorder.idle)
        timer = self.recorder._timer
        if timer is not None:
            timer.cancel()


async def turn() -> None:
    """Let the reactor have one turn."""
    from twisted.internet import reactor

    await deferLater(reactor, 0, lambda: None)


def address(service: Service) -> tuple[str, int]:
    """Where ``service`` listens."""
    assert isinstance(service.status, Listening), service.status
    host, _, port = service.status.host.rpartition(":")
    return host.strip("[]"), int(port)


class Peer:
    """A TCP client on a plain socket.

    Attributes:
        got: what it has read.
        ended: "" while connected, then ``"closed"`` or ``"reset"``.
    """

    made: ClassVar[list[Peer]] = []
    """All peers of the test at hand, which are closed at its end."""

    def __init__(self, where: Service | tuple[str, int], receive_buffer: int = 0) -> None:
        where = where if isinstance(where, tuple) else address(where)
        self.socket = socket.socket(socket.AF_INET6 if ":" in where[0] else socket.AF_INET)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        Peer.made.append(self)
        self.socket.connect(where)
        self.socket.setblocking(False)
        self.got = bytearray()
        self.ended = ""

    @property
    def name(self) -> str:
        host, port = self.socket.getsockname()[:2]
        return f"{host}:{port}"

    def push(self, data: bytes) -> int:
        """Send what the kernel takes of ``data`` now; how much that was."""
        try:
            return self.socket.send(data)
        except BlockingIOError:
            return 0

    async def send(self, data: bytes) -> None:
        """Send all of ``data``, reading meanwhile."""
        view = memoryview(data)
        while view:
            count = self.push(view[: 1 << 20])
            view = view[count:]
            self.pull()
            if not count:
                await turn()

    def pull(self) -> Peer:
        """Read what there is."""
        while not self.ended:
            try:
                data = self.socket.recv(1 << 18)
            except BlockingIOError:
                break
            except (ConnectionResetError, BrokenPipeError):
                self.ended = "reset"
                break
            self.got += data
            if not data:
                self.ended = "closed"
        return self

    async def expect(self, data: bytes | int) -> bytes:
        """Read until ``data`` has come, or so many bytes; all that was read so far."""
        if isinstance(data, int):
            await until(lambda: len(self.pull().got) >= data or self.ended)
            assert len(self.got) >= data, (self.ended, bytes(self.got[-200:]))
        else:
            await until(lambda: data in self.pull().got or self.ended)
            assert data in self.got, (self.ended, bytes(self.got[-200:]))
        return bytes(self.got)

    async def end(self, seconds: float = 10.0) -> bytes:
        """Read until the other side closes; all that was read."""
        await until(lambda: self.pull().ended, seconds)
        self.socket.close()
        return bytes(self.got)

    def finish_sending(self) -> None:
        self.socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self.socket.close()

    def reset(self) -> None:
        if self.socket.fileno() == -1:
            return
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


async def closed(tape: Tape, count: int = 1) -> Any:
    """The last event of a connection's end, once there are ``count``."""
    return (await until(lambda: len(e := tape.all("connection.closed")) >= count and e))[-1]
