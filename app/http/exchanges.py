"""HTTP exchanges: each request with its response and both bodies, put together from events.

The events ``http.request`` and ``http.response`` hold request line, status and headers. h11 parses the
bodies out of the connection's raw bytes. HTTP/2 is not parsed: its exchanges have no bodies.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import h11

from app import events
from app.events import Event

MAX_BODY = 1 << 20
"""Bytes of a body that are kept; the rest is only counted."""

MAX_MESSAGES, MAX_MESSAGE_BYTES = 10_000, 4 << 20
"""WebSocket messages of one connection that are kept, and bytes of them."""

MAX_OPEN = 2_000
"""Connections followed at once; the one silent for the longest is given up."""

MAX_WAITING = 256
"""Requests of one connection that wait for their responses."""


@dataclass
class Body:
    """One body, without its transfer coding. ``data`` is cut at ``limit``; ``size`` counts all bytes."""

    data: bytearray = field(default_factory=bytearray)
    size: int = 0
    whole: bool = False
    limit: int = MAX_BODY

    def add(self, data: bytes) -> None:
        self.size += len(data)
        room = self.limit - len(self.data)
        if room > 0:
            self.data += data[:room]

    @property
    def cut(self) -> bool:
        return len(self.data) < self.size


@dataclass
class Exchange:
    """One request, with its response if there was one.

    Attributes:
        request: the event ``http.request``, or ``ws.opened`` of a WebSocket.
        response: None where there was none.
        request_body, response_body: None where they are not known.
        messages: the events ``ws.message`` of a WebSocket; ``messages_cut``: whether some are left out.
        secure: whether it came over TLS.
    """

    request: Event
    response: Event | None = None
    request_body: Body | None = None
    response_body: Body | None = None
    messages: list[Event] = field(default_factory=list)
    messages_cut: bool = False
    secure: bool = False


class Exchanges:
    """Takes events, oldest first, and gives exchanges when they are complete.

    ``max_body``: bytes of a body that are kept.
    """

    def __init__(self, max_body: int = MAX_BODY) -> None:
        self._max_body = max_body
        self._open: OrderedDict[int, _Connection] = OrderedDict()

    def take(self, event: Event) -> Iterator[Exchange]:
        if event.conn is None:
            return
        connection = self._open.get(event.conn)
        if connection is None:
            if event.kind not in (events.CONNECTION_OPENED, *_KINDS):
                return
            connection = self._open[event.conn] = _Connection(self._max_body)
        self._open.move_to_end(event.conn)
        if event.kind == events.CONNECTION_CLOSED:
            del self._open[event.conn]
            connection.close()
            yield from connection.rest()
            return
        yield from connection.take(event)
        if len(self._open) > MAX_OPEN:
            _, oldest = self._open.popitem(last=False)
            yield from oldest.rest()

    def rest(self) -> Iterator[Exchange]:
        """The exchanges that are not complete when the events end."""
        for connection in self._open.values():
            yield from connection.rest()
        self._open.clear()


_KINDS = frozenset(
    {
        events.DATA_RECEIVED, events.DATA_SENT, events.HTTP_REQUEST, events.HTTP_RESPONSE, events.WS_OPENED,
        events.WS_MESSAGE, events.TLS_OPENED,
    }
)  # fmt: skip


class _Connection:
    def __init__(self, max_body: int) -> None:
        self._waiting: deque[Exchange] = deque()
        self._socket: Exchange | None = None
        self._secure = False
        self._outgoing = False
        self._message_bytes = 0
        self._requests = _Reader(h11.SERVER, max_body)
        self._responses = _Reader(h11.CLIENT, max_body)

    def take(self, event: Event) -> Iterator[Exchange]:
        kind = event.kind
        if kind in (events.DATA_RECEIVED, events.DATA_SENT):
            asks = (kind == events.DATA_RECEIVED) is not self._outgoing
            (self._requests if asks else self._responses).feed(event.payload or b"")
        elif kind == events.CONNECTION_OPENED:
            self._outgoing = bool(event.detail.get("outgoing"))
        elif kind == events.TLS_OPENED:
            self._secure = True
            if event.detail.get("alpn") == "h2":
                self._give_up()
        elif kind == events.HTTP_REQUEST:
            yield from self._on_request(event)
        elif kind == events.HTTP_RESPONSE:
            yield from self._on_response(event)
        elif kind == events.WS_OPENED:
            self._give_up()
            self._socket = Exchange(event, secure=self._secure)
        elif kind == events.WS_MESSAGE and self._socket is not None:
            self._on_message(self._socket, event)

    def _give_up(self) -> None:
        """The connection no longer speaks HTTP/1."""
        self._requests.broken = self._responses.broken = True

    def _on_request(self, event: Event) -> Iterator[Exchange]:
        exchange = Exchange(event, secure=self._secure)
        if "stream" not in event.detail:
            # Of ours, the note comes before its bytes.
            exchange.request_body = self._requests.promised() if self._outgoing else self._requests.next_body()
            method, target = str(event.detail.get("method", "GET")), str(event.detail.get("target", "/"))
            exchange.response_body = self._responses.expect(method, target)
        self._waiting.append(exchange)
        if len(self._waiting) > MAX_WAITING:
            yield self._waiting.popleft()

    def _on_response(self, event: Event) -> Iterator[Exchange]:
        stream = event.detail.get("stream")
        for exchange in self._waiting:
            if exchange.request.detail.get("stream") == stream:
                exchange.response = event
                self._waiting.remove(exchange)
                yield exchange
                return

    def _on_message(self, socket: Exchange, event: Event) -> None:
        size = len(event.payload or b"")
        if len(socket.messages) >= MAX_MESSAGES or self._message_bytes + size > MAX_MESSAGE_BYTES:
            socket.messages_cut = True
            return
        self._message_bytes += size
        socket.messages.append(event)

    def close(self) -> None:
        self._responses.feed(b"")

    def rest(self) -> Iterator[Exchange]:
        if self._socket is not None:
            yield self._socket
        yield from self._waiting
        self._waiting.clear()


class _Reader:
    """The bodies of one direction of an HTTP/1 connection, in order."""

    def __init__(self, role: Any, max_body: int) -> None:
        self._role, self._max_body = role, max_body
        self._connection = h11.Connection(role, max_incomplete_event_size=1 << 20)
        self._parsed: deque[Body] = deque()
        self._promised: deque[Body] = deque()
        self._expected: deque[tuple[str, str, Body]] = deque()
        self._body: Body | None = None
        self._held = bytearray()
        self.broken = False

    def feed(self, data: bytes) -> None:
        if self.broken:
            return
        if self._role is h11.CLIENT and self._body is None and not self._begin():
            # Sent before we know of the request: an interim answer, or one to a request that was refused.
            self._held += data
            self.broken = len(self._held) > MAX_BODY
            return
        try:
            self._connection.receive_data(data)
            self._read()
        except (h11.ProtocolError, RuntimeError, ValueError):
            self.broken = True

    def next_body(self) -> Body | None:
        """The body of the next request that was read to its end, or of the request that is being read."""
        if self._parsed:
            return self._parsed.popleft()
        return None if self.broken else self._body

    def promised(self) -> Body | None:
        """The body of the next request, before it is read."""
        if self.broken or len(self._promised) > MAX_WAITING:
            return None
        self._promised.append(Body(limit=self._max_body))
        return self._promised[-1]

    def expect(self, method: str, target: str) -> Body | None:
        """The body of the response to this request, before it is read."""
        if self.broken or len(self._expected) > MAX_WAITING:
            return None
        body = Body(limit=self._max_body)
        self._expected.append((method, target, body))
        if self._body is None and self._begin() and self._held:
            held, self._held = bytes(self._held), bytearray()
            self.feed(held)
        return body

    def _begin(self) -> bool:
        """Begin to read the next expected response."""
        if self._body is not None:
            return True
        if not self._expected or self._connection.our_state is not h11.IDLE:
            return False
        method, target, self._body = self._expected.popleft()
        try:
            self._connection.send(h11.Request(method=method, target=target, headers=[("Host", "x")]))
            self._connection.send(h11.EndOfMessage())
        except h11.ProtocolError:
            self.broken = True
        return not self.broken

    def _read(self) -> None:
        while True:
            event = self._connection.next_event()
            if event is h11.NEED_DATA or event is h11.PAUSED or isinstance(event, h11.ConnectionClosed):
                return
            if isinstance(event, h11.Request):
                self._body = self._promised.popleft() if self._promised else Body(limit=self._max_body)
            elif isinstance(event, h11.Data) and self._body is not None:
                self._body.add(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                self._end()

    def _end(self) -> None:
        if self._body is not None:
            self._body.whole = True
        if self._role is h11.SERVER:
            if self._body is not None:
                self._parsed.append(self._body)
                while len(self._parsed) > MAX_WAITING:
                    self._parsed.popleft()
            # h11 reads the next request only when this one was answered.
            self._connection.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
            self._connection.send(h11.EndOfMessage())
        self._body = None
        if self._connection.our_state is h11.DONE and self._connection.their_state is h11.DONE:
            self._connection.start_next_cycle()
            if self._role is h11.CLIENT:
                self._begin()
