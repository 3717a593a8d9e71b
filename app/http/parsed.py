"""The bodies of HTTP/1 messages, parsed by h11 out of the bytes of one direction. Those of HTTP/2 are in ``frames``."""

from __future__ import annotations

from collections import deque
from typing import Any

import h11

from app.http.body import MAX_BODY, Body
from app.http.heads import MAX_HEAD, Head, of_parsed, read_head

AT_ONCE = 16 << 10
"""Bytes that are parsed at once."""

MAX_WAITING = 256
"""Requests of one connection that wait for their responses."""


class ParsedBodies:
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
