"""HTTP exchanges: each request with its response and both bodies, put together from events.

The events ``http.request`` and ``http.response`` hold request line, status and headers. The bodies are parsed out of
the connection's raw bytes: by h11, and where TLS agreed on HTTP/2, out of its frames.

A request that was refused before it was read has no event of its own. Its exchange has one made
of the bytes that came, as far as they can be read.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import h11

from app import events
from app.events import Event
from app.http.body import MAX_BODY, Body
from app.http.frames import FramedBodies
from app.http.heads import MAX_HEAD, Head, of_parsed, read_head

MAX_MESSAGES, MAX_MESSAGE_BYTES = 10_000, 4 << 20
"""WebSocket messages of one connection that are kept, and bytes of them."""

MAX_OPEN = 2_000
"""Connections followed at once; the one silent for the longest is given up."""

MAX_KEPT = 128 << 20
"""Bytes of bodies and messages that all connections keep together; above that, the one silent for the longest lets go
of its own."""

MAX_FAULTS = 100
"""Events of faults that are kept of a connection at once."""

AT_ONCE = 16 << 10
"""Bytes that are parsed at once."""

MAX_WAITING = 256
"""Requests of one connection that wait for their responses."""


@dataclass
class Exchange:
    """One request, with its response if there was one.

    Attributes:
        request: the event ``http.request``, or ``ws.opened`` of a WebSocket. Of what was refused before it
            was read, one with the id of the response, and with ``refused`` in its detail.
        response: None where there was none.
        request_body, response_body: None where they are not known. Those of a WebSocket have only their heads, those
            of HTTP/2 have none.
        messages: the events ``ws.message`` of a WebSocket; ``messages_cut``: whether some are left out.
        secure: whether it came over TLS.
        outgoing: whether the request was ours.
        first, last: ids of the events between which it passed.
        until: when the last of it happened, in ns since 1970.
        ended: why the connection ended, where that came first; empty where it is not known.
        faults: the events ``fault.applied`` of its connection, or of its stream, while it passed; those after the
            first ``MAX_FAULTS`` are left out.
    """

    request: Event
    response: Event | None = None
    request_body: Body | None = None
    response_body: Body | None = None
    messages: list[Event] = field(default_factory=list)
    messages_cut: bool = False
    secure: bool = False
    outgoing: bool = False
    first: int = 0
    last: int = 0
    until: int = 0
    ended: str = ""
    faults: list[Event] = field(default_factory=list)


class Exchanges:
    """Takes events, oldest first, and gives exchanges when they are complete.

    ``max_body``: bytes of a body that are kept.
    """

    def __init__(self, max_body: int = MAX_BODY) -> None:
        self._max_body = max_body
        self._open: OrderedDict[int, _Connection] = OrderedDict()
        self._latest = (0, 0)
        self._kept = 0

    def take(self, event: Event) -> Iterator[Exchange]:
        self._latest = (event.id, event.time)
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
            self._kept -= connection.kept
            connection.close()
            yield from connection.rest(event.id, event.time, str(event.detail.get("reason", "")))
            return
        yield from connection.take(event)
        self._kept += connection.count()
        if self._kept > MAX_KEPT:
            self._let_go()
        if len(self._open) > MAX_OPEN:
            _, oldest = self._open.popitem(last=False)
            self._kept -= oldest.kept
            yield from oldest.rest(*self._latest)

    def _let_go(self) -> None:
        for connection in self._open.values():
            if connection.kept:
                connection.let_go()
                self._kept += connection.count()
                if self._kept <= MAX_KEPT // 2:
                    return

    def rest(self) -> Iterator[Exchange]:
        """The exchanges that are not complete when the events end."""
        for connection in self._open.values():
            yield from connection.rest(*self._latest)
        self._open.clear()
        self._kept = 0


_KINDS = frozenset(
    {
        events.DATA_RECEIVED, events.DATA_SENT, events.HTTP_REQUEST, events.HTTP_RESPONSE, events.WS_OPENED,
        events.WS_MESSAGE, events.TLS_OPENED, events.FAULT_APPLIED,
    }
)  # fmt: skip


class _Connection:
    """One connection. ``kept``: bytes of bodies and messages that it had at the last ``count``."""

    def __init__(self, max_body: int) -> None:
        self.kept = 0
        self._waiting: deque[Exchange] = deque()
        self._socket: Exchange | None = None
        self._secure = False
        self._outgoing = False
        self._first = 0
        self._closing: Exchange | None = None
        self._message_bytes = 0
        self._faults: list[Event] = []
        self._requests = _Reader(h11.SERVER, max_body)
        self._responses = _Reader(h11.CLIENT, max_body)
        # On HTTP/2: the bodies of requests and responses, and the exchanges whose response was noted before its bytes.
        self._max_body = max_body
        self._framed: tuple[FramedBodies, FramedBodies] | None = None
        self._answering: dict[Any, Exchange] = {}

    def take(self, event: Event) -> Iterator[Exchange]:
        kind = event.kind
        self._first = self._first or event.id
        if kind in (events.DATA_RECEIVED, events.DATA_SENT):
            asks = (kind == events.DATA_RECEIVED) is not self._outgoing
            if self._framed is not None:
                self._framed[0 if asks else 1].feed(event.payload or b"")
                yield from self._answered(event)
            else:
                (self._requests if asks else self._responses).feed(event.payload or b"", event.time)
        elif kind == events.CONNECTION_OPENED:
            self._outgoing = bool(event.detail.get("outgoing"))
        elif kind == events.TLS_OPENED:
            self._secure = True
            if event.detail.get("alpn") == "h2":
                self._framed = FramedBodies(self._max_body), FramedBodies(self._max_body)
        elif kind == events.HTTP_REQUEST:
            yield from self._on_request(event)
        elif kind == events.HTTP_RESPONSE:
            yield from self._on_response(event)
        elif kind == events.WS_OPENED:
            self._socket = self._exchange(event)
            self._socket.request_body = self._requests.next_body()
            self._socket.response_body = self._responses.unasked()
            self._give_up()
        elif kind == events.WS_MESSAGE and self._socket is not None:
            self._on_message(self._socket, event)
        elif kind == events.FAULT_APPLIED and "total" not in event.detail:
            self._on_fault(event)

    def count(self) -> int:
        """Count what is kept. Returns how much more that is than before."""
        before, self.kept = self.kept, sum(len(body.data) for body in self._bodies()) + self._message_bytes
        return self.kept - before

    def let_go(self) -> None:
        """Keep the data of no body and no message."""
        for body in self._bodies():
            body.let_go()
        if self._socket is not None and self._socket.messages:
            self._socket.messages, self._socket.messages_cut, self._message_bytes = [], True, 0

    def _bodies(self) -> Iterator[Body]:
        """Each body once: a message that is being read may belong to an exchange already."""
        waiting = [*self._waiting, *self._answering.values(), *filter(None, (self._closing, self._socket))]
        bodies = [body for one in waiting for body in (one.request_body, one.response_body) if body is not None]
        readers = (self._requests, self._responses) if self._framed is None else self._framed
        bodies += [body for reader in readers for body in reader.bodies()]
        return iter({id(body): body for body in bodies}.values())

    def _give_up(self) -> None:
        """The connection no longer speaks HTTP."""
        self._requests.broken = self._responses.broken = True

    def _exchange(self, request: Event) -> Exchange:
        outgoing = self._outgoing or bool(request.detail.get("outgoing"))
        return Exchange(request, secure=self._secure, outgoing=outgoing, first=self._first)

    def _on_request(self, event: Event) -> Iterator[Exchange]:
        exchange = self._exchange(event)
        if "stream" in event.detail:
            self._give_bodies(exchange, event.detail["stream"])
        else:
            # Of ours, the note comes before its bytes.
            exchange.request_body = self._requests.promised() if self._outgoing else self._requests.next_body()
            method, target = str(event.detail.get("method", "GET")), str(event.detail.get("target", "/"))
            exchange.response_body = self._responses.expect(method, target)
        self._waiting.append(exchange)
        if len(self._waiting) > MAX_WAITING:
            yield self._until(self._waiting.popleft(), event.id, event.time)

    def _on_response(self, event: Event) -> Iterator[Exchange]:
        stream = event.detail.get("stream")
        exchange = next((one for one in self._waiting if one.request.detail.get("stream") == stream), None)
        if exchange is not None:
            self._waiting.remove(exchange)
        elif "refused" in event.detail:
            exchange = self._refused(event)
        else:
            return
        exchange.response, self._first = event, event.id + 1
        self._until(exchange, event.id, event.time)
        if stream is not None and exchange.response_body is not None:
            # Nothing is known of the end of a stream that the other side took for a new one, or of too many.
            over = [self._answering.pop(stream, None)]
            self._answering[stream] = exchange
            if len(self._answering) > MAX_WAITING:
                over.append(self._answering.pop(next(iter(self._answering))))
            yield from filter(None, over)
            yield from self._answered(event)
        elif "refused" in event.detail and "stream" not in event.detail and self._closing is None:
            self._closing = exchange  # the note comes before its bytes, and after them the connection closes
        else:
            yield exchange

    def _give_bodies(self, exchange: Exchange, stream: object) -> None:
        if self._framed is not None and isinstance(stream, int):
            exchange.request_body, exchange.response_body = (bodies.body(stream) for bodies in self._framed)

    def _answered(self, event: Event) -> Iterator[Exchange]:
        """The exchanges on HTTP/2 of which ``event`` brought the last byte, or tells that there are no more."""
        if self._framed is None:
            return
        requests, responses = self._framed
        for stream, exchange in list(self._answering.items()):
            if responses.is_over(stream) or responses.known(stream) is None or requests.is_reset(stream):
                requests.forget(stream)
                responses.forget(stream)
                del self._answering[stream]
                yield self._until(exchange, event.id, event.time)

    def _refused(self, response: Event) -> Exchange:
        """What was answered before it had been read."""
        framed = "stream" in response.detail
        body, head, since = (None, None, 0) if framed else self._requests.unfinished()
        known = tuple(str(response.detail.get(key, "")) for key in ("method", "target", "version"))
        method, target, version = known if any(known) or head is None else head.line
        fields = head.fields if head is not None else []
        why = response.detail["refused"]
        detail = {"method": method, "target": target, "version": version, "fields": fields, "refused": why}
        summary = f"{method} {target}".strip()
        request = replace(
            response, kind=events.HTTP_REQUEST, time=since or response.time, summary=summary, detail=detail,
            size=body.size if body is not None else None, payload=None, note=None,
        )  # fmt: skip
        exchange = self._exchange(request)
        if framed:
            self._give_bodies(exchange, response.detail["stream"])
            return exchange
        exchange.request_body = body or (Body(head=head) if head is not None else None)
        # Of a refused request only HEAD tells anything about the response; the rest may be anything, even TLS.
        exchange.response_body = self._responses.expect("HEAD" if method == "HEAD" else "GET", "/")
        return exchange

    def _on_message(self, socket: Exchange, event: Event) -> None:
        size = len(event.payload or b"")
        if len(socket.messages) >= MAX_MESSAGES or self._message_bytes + size > MAX_MESSAGE_BYTES:
            socket.messages_cut = True
            return
        self._message_bytes += size
        socket.messages.append(event)

    def close(self) -> None:
        self._responses.feed(b"", 0)

    def rest(self, last: int, until: int, ended: str = "") -> Iterator[Exchange]:
        """What is not complete: up to the event ``last`` at ``until``, in which the connection ``ended``."""
        if self._socket is not None:
            yield self._until(self._socket, last, until, ended)
        if self._closing is not None:
            yield self._closing
        for exchange in self._answering.values():
            exchange.faults = self._faults_of(exchange, last)
            yield exchange
        self._answering.clear()
        for exchange in self._waiting:
            yield self._until(exchange, last, until, ended)
        self._waiting.clear()

    def _until(self, exchange: Exchange, last: int, until: int, ended: str = "") -> Exchange:
        exchange.last, exchange.until, exchange.ended = last, until, ended
        exchange.faults = self._faults_of(exchange, last)
        return exchange

    def _faults_of(self, exchange: Exchange, last: int) -> list[Event]:
        stream = exchange.request.detail.get("stream")
        return [
            fault for fault in self._faults
            if exchange.first <= fault.id <= last and fault.detail.get("stream", stream) == stream
        ]  # fmt: skip

    def _on_fault(self, event: Event) -> None:
        if len(self._faults) >= MAX_FAULTS:
            known = (*self._waiting, *self._answering.values(), *filter(None, (self._socket,)))
            since = min((exchange.first for exchange in known), default=self._first)
            self._faults = [fault for fault in self._faults if fault.id >= since]
        if len(self._faults) < MAX_FAULTS:
            self._faults.append(replace(event, payload=None))


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
        # Of the head that is being read: its bytes, how many, and when the first of them came.
        self._head, self._head_size, self._since = bytearray(), 0, 0
        self._in_head = True
        self.broken = False

    def feed(self, data: bytes, time: int) -> None:
        if self.broken:
            return
        if self._role is h11.CLIENT and self._body is None and not self._begin():
            # Sent before we know of the request: an interim answer, or one to a request that was refused.
            self._held += data
            self.broken = len(self._held) > MAX_BODY
            return
        try:
            # What follows a message is looked at after each one: of many in one piece that would take long.
            for start in range(0, max(1, len(data)), AT_ONCE):
                part = data[start : start + AT_ONCE]
                if self._in_head:
                    self._add_to_head(part, time)
                self._connection.receive_data(part)
                self._read(time)
        except (h11.ProtocolError, RuntimeError, ValueError):
            self.broken = True

    def bodies(self) -> list[Body]:
        """Those that are read and that nobody has taken, and the one that is being read."""
        return [*self._parsed, *([self._body] if self._body is not None else [])]

    def _add_to_head(self, data: bytes, time: int) -> None:
        if not self._head_size:
            self._since = time
        self._head_size += len(data)
        self._head += data[: max(0, MAX_HEAD - len(self._head))]

    def _begin_head(self, time: int) -> None:
        """A message has ended: what else there is begins the next one."""
        self._head.clear()
        self._head_size, self._in_head = 0, True
        if left := self._connection.trailing_data[0]:
            self._add_to_head(left, time)

    def _end_head(self, message: Any) -> Head:
        size = self._head_size - len(self._connection.trailing_data[0])
        self._in_head = False
        return of_parsed(message, size)

    def unfinished(self) -> tuple[Body | None, Head | None, int]:
        """The request of which nobody has noted that it was read: body and head, and when it began."""
        body = self.next_body()
        if body is not None:
            return body, body.head, self._since
        return None, read_head(bytes(self._head)) if self._head else None, self._since

    def unasked(self) -> Body | None:
        """The response to what is no request of HTTP; only its head."""
        return Body(head=read_head(bytes(self._held))) if self._held else None

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
            self.feed(held, 0)
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
        except (h11.ProtocolError, UnicodeEncodeError):  # h11 encodes as ASCII; what was refused may be anything
            self.broken = True
        return not self.broken

    def _read(self, time: int) -> None:
        while True:
            event = self._connection.next_event()
            if event is h11.NEED_DATA or event is h11.PAUSED or isinstance(event, h11.ConnectionClosed):
                return
            if isinstance(event, h11.Request):
                self._body = self._promised.popleft() if self._promised else Body(limit=self._max_body)
                self._body.head = self._end_head(event)
            elif isinstance(event, h11.Response) and self._body is not None:
                self._body.head = self._end_head(event)
            elif isinstance(event, h11.InformationalResponse):
                self._begin_head(time)
            elif isinstance(event, h11.Data) and self._body is not None:
                self._body.add(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                self._end()
                self._begin_head(time)

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
