"""How answers leave an HTTP/2 connection: frame by frame, each stream in turn, within bounds.

It takes the place of Twisted's own loop, which asks for a turn of the reactor again and again while a
client's window is closed, copies the rest of an answer with each frame, and never tells a producer
that a peer with a large window does not read.
"""

from __future__ import annotations

from typing import Any, cast

from h2.connection import ConnectionState
from twisted.internet.error import ConnectionLost
from twisted.python.failure import Failure
from twisted.web._http2 import _END_STREAM_SENTINEL, H2Connection
from twisted.web.http_headers import Headers

from app import limits
from app.limits import Reached
from app.services.http.http2_stream import RecordedStream
from app.services.tap.tap import Tap
from app.services.tap.valve import AT_MOST
from app.text.escapes import amount

AHEAD = 256 << 10
"""Bytes of one response that may wait here before its producer is paused, however large the peer's window is."""

KEPT = 64 << 20
"""Bytes of request bodies and responses that are kept for one connection."""

TURN = 256 << 10
"""Bytes that are sent before other connections have their turn."""

CONTROL = 256 << 10
"""Bytes of HEADERS and acknowledgements that wait for a peer that does not read (CVE-2019-9512)."""


class SendingConnection(H2Connection):
    """The sending side of an HTTP/2 connection.

    Attributes:
        tap: what records the connection.
        streams: the open streams by their number.
    """

    transport: Any
    streams: dict[int, RecordedStream]
    _turn: Any = None
    _cut = False  # whether we have aborted the connection, because too much waits
    _last: int | None = None  # the stream after which the connection closes
    _habits: Any = None  # what it does wrong on purpose

    def __init__(self, reactor: Any) -> None:
        super().__init__(reactor)
        self._waiting: set[RecordedStream] = set()

    @property
    def tap(self) -> Tap:
        return cast(Tap, self.transport)

    def _close(self) -> None:
        raise NotImplementedError

    def no_room(self) -> Reached | None:
        """Why nothing more can be kept for this peer; None where it can."""
        kept = sum(stream.kept for stream in self.streams.values())
        return limits.KEPT_BYTES.reached(KEPT) if kept > KEPT else None

    def unsent(self) -> int:
        """Bytes of responses that wait here."""
        return sum(stream.unsent for stream in self.streams.values())

    def cut(self, total: int) -> None:
        """Abort the connection: ``total`` bytes wait for all peers of the port."""
        reached = limits.UNREAD_BYTES.reached(AT_MOST, "all", unread=amount(self.unsent()), all=amount(total))
        self._cut = True
        self.tap.record_limit(reached)
        self.tap.abort()

    def _is_open(self, number: int) -> bool:
        """Whether a stream was not reset by the peer. h2 knows before its events, which come one by one, tell us."""
        # Once a connection has ended, as by the peer's GOAWAY, h2 takes nothing more for any stream.
        if self.conn.state_machine.state is ConnectionState.CLOSED:
            return False
        stream = self.conn.streams.get(number)
        return stream is not None and not stream.closed

    def writeHeaders(self, version: Any, code: Any, reason: Any, headers: Any, streamID: int) -> None:
        if self._is_open(streamID):
            super().writeHeaders(version, code, reason, headers, streamID)

    def send_interim(self, number: int, code: int, fields: Headers) -> None:
        if self._is_open(number):
            pairs = [(name.lower(), value) for name, values in fields.getAllRawHeaders() for value in values]
            self.conn.send_headers(number, [(b":status", b"%d" % code), *pairs])
            self._tryToWriteControlData()

    def _send100Continue(self, streamID: int) -> None:
        if self._is_open(streamID):
            super()._send100Continue(streamID)

    def writeDataToStream(self, streamID: int, data: bytes) -> None:
        stream = self.streams[streamID]
        self._outboundStreamQueues[streamID].append(data)
        stream.unsent += len(data)
        if stream.unsent > AHEAD and not self._cut:
            self.tap.factory.kept.measure(self)
        self._schedule()
        if self.remainingOutboundWindow(streamID) <= 0:
            stream.flowControlBlocked()
            self._waiting.add(stream)

    def endRequest(self, streamID: int) -> None:
        self._outboundStreamQueues[streamID].append(_END_STREAM_SENTINEL)
        self._schedule()

    def reset_after(self, stream: RecordedStream, code: int) -> None:
        """Reset a stream when what was written has left."""
        if (queue := self._outboundStreamQueues.get(stream.number)) is not None:
            queue.append(code)
            self._schedule()

    def reset_soon(self, number: int, code: int) -> None:
        raise NotImplementedError

    def remainingOutboundWindow(self, streamID: int) -> int:
        if not self._is_open(streamID):
            return 0
        window: int = min(self.conn.local_flow_control_window(streamID), AHEAD)
        return window - self.streams[streamID].unsent

    def resumeProducing(self) -> None:
        super().resumeProducing()
        self._schedule()

    def _schedule(self) -> None:
        if self._turn is None and self._stillProducing:
            self._turn = self._reactor.callLater(0, self._sendPrioritisedData)

    def _sendPrioritisedData(self, *args: object) -> None:
        """Send frame by frame, a frame of each stream in turn, as far as windows and transport allow."""
        self._turn = None
        sent, moved = 0, True
        while moved and sent < TURN and self._consumerBlocked is None and self._stillProducing:
            moved = False
            for number in list(self.streams):
                size = self._send_frame(number)
                if size is not None:
                    sent, moved = sent + size, True
            self._tryToWriteControlData()
        if not self.unsent():
            self.tap.factory.kept.drop(self)
        for stream in list(self._waiting):
            stream.windowUpdated()
            if stream.producer is None or stream._producerProducing:
                self._waiting.discard(stream)
        if self._last is not None and not self.streams:
            self._close()
        elif moved and self._consumerBlocked is None:
            self._schedule()

    def _tryToWriteControlData(self) -> bool:
        """Write the frames that h2 has made, or keep them while the transport is full.

        Returns whether we are still connected.
        """
        data = self.conn.data_to_send()
        if data and self._habits is not None:
            data = self._habits.filtered(data)
        if not data:
            return True
        if self._consumerBlocked is None and not self._bufferedControlFrames:
            self.transport.write(data)
            return True
        self._bufferedControlFrames.append(data)
        self._bufferedControlFrameBytes += len(data)
        if self._bufferedControlFrameBytes <= CONTROL:
            return True
        reached = limits.HTTP2.reached(CONTROL, "control")
        self.tap.record_limit(reached)
        self.transport.abortConnection()
        self.connectionLost(Failure(ConnectionLost(reached.text)))
        return False

    def _send_frame(self, number: int) -> int | None:
        """Send the next frame of a stream's response. Returns its bytes; None if nothing can be sent now."""
        queue = self._outboundStreamQueues.get(number)
        if not queue:
            return None
        if isinstance(queue[0], int):
            self.reset_soon(number, queue.popleft())
            return 0
        if queue[0] is _END_STREAM_SENTINEL:
            self.conn.end_stream(number)
            self._requestDone(number)
            return 0
        room = min(self.conn.local_flow_control_window(number), self.conn.max_outbound_frame_size)
        if room <= 0:
            return None
        data = queue.popleft()
        if len(data) > room:
            queue.appendleft(data[room:])
            data = data[:room]
        self.streams[number].unsent -= len(data)
        self.conn.send_data(number, data)
        return len(data)
