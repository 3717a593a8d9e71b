"""A client of HTTP/2 in memory, which keeps the rules no more than a test wants."""

from __future__ import annotations

from typing import Any

import h2.config
import h2.connection
import h2.events
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from app.services.http.port import DEFAULTS, RecordedSite
from app.services.tap.factory import TapFactory
from tests.app.services.helpers import Desk

HEAD = [(":method", "GET"), (":scheme", "https"), (":authority", "x"), (":path", "/")]


class Wire(StringTransport):
    negotiatedProtocol = b"h2"
    aborted = False

    def abortConnection(self) -> None:
        self.aborted = True

    def unregisterProducer(self) -> None:
        self.producer = None


class H2Peer:
    """A connection of its own to a site of its own.

    Attributes:
        events: what came, in order.
    """

    def __init__(self, desk: Desk, root: Any, faults: tuple[Any, ...] = (), **limits: Any) -> None:
        self.clock = Clock()
        site = RecordedSite(root, self.clock, {**DEFAULTS, **limits}, http2=True)
        site.noisy = False
        service = desk.service("http", "inspector", faults=faults)
        service.faults.clock = self.clock
        self.tap: Any = TapFactory(site, service).buildProtocol(None)  # type: ignore[arg-type]
        self.wire = Wire()
        self.tap.makeConnection(self.wire)
        config = h2.config.H2Configuration(
            client_side=True, validate_outbound_headers=False, normalize_outbound_headers=False
        )
        self.h2 = h2.connection.H2Connection(config)
        self.h2.initiate_connection()
        self.events: list[Any] = []
        self.flush()

    @property
    def connection(self) -> Any:
        return self.tap.wrappedProtocol

    def flush(self) -> None:
        """Let each side hear what the other has said, and the service have its turns."""
        for _ in range(200):
            if data := self.h2.data_to_send():
                self.tap.dataReceived(data)
            self.clock.advance(0)
            heard = self.wire.value()
            self.wire.clear()
            if heard:
                self.events += self.h2.receive_data(heard)
            elif not data:
                return

    def ask(self, *fields: tuple[str, str], path: str = "/", method: str = "GET", end: bool = True) -> int:
        """Send the head of a request; its stream."""
        stream: int = self.h2.get_next_available_stream_id()
        head = [(":method", method), (":scheme", "https"), (":authority", "x"), (":path", path), *fields]
        self.h2.send_headers(stream, head, end_stream=end)
        self.flush()
        return stream

    def send(self, stream: int, data: bytes, end: bool = False) -> None:
        self.h2.send_data(stream, data, end_stream=end)
        self.flush()

    def of(self, kind: Any) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def statuses(self) -> list[int]:
        found = self.of(h2.events.ResponseReceived)
        return [int({bytes(n): bytes(v) for n, v in event.headers}[b":status"]) for event in found]

    def body(self, stream: int) -> bytes:
        return b"".join(event.data for event in self.of(h2.events.DataReceived) if event.stream_id == stream)
