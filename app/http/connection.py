"""The exchanges of one connection, from its events."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import h11

from app import events
from app.events import Event
from app.http.body import Body
from app.http.exchange import MAX_FAULTS, Exchange
from app.http.frames import FramedBodies
from app.http.parsed import MAX_WAITING, ParsedBodies

MAX_MESSAGES, MAX_MESSAGE_BYTES = 10_000, 4 << 20
"""WebSocket messages of one connection that are kept, and bytes of them."""


class Connection:
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
        self._requests = ParsedBodies(h11.SERVER, max_body)
        self._responses = ParsedBodies(h11.CLIENT, max_body)
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
