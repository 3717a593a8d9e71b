"""HTTP/2 as a service speaks it: Twisted's, with a sender of our own, bounds, and notes.

Twisted's own loop asks for a turn of the reactor again and again while a client's window is
closed, copies what is left of an answer with each frame, and never tells a producer that the
peer, whose window is large, does not read. It has no public name yet: what is used of it here
is that of the release in CONTRIBUTING.md.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from typing import Any, cast

from h2.errors import ErrorCodes
from h2.exceptions import DenialOfServiceError, FrameTooLargeError, ProtocolError, TooManyStreamsError
from h2.frame_buffer import CONTINUATION_BACKLOG
from h2.settings import SettingCodes
from hyperframe.frame import GoAwayFrame
from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.python.failure import Failure
from twisted.web._http2 import _END_STREAM_SENTINEL, H2Connection
from zope.interface import implementer

from app import events, limits
from app.http.reason_phrases import phrase
from app.limits import Reached
from app.services.http.http1_ending import DRAIN, SLOWEST, in_words
from app.services.http.http2_stream import NotingStream
from app.services.tap.tap import Tap

AHEAD = 256 << 10
"""Bytes of one answer that wait for the peer before its producer is paused, however large a
window the peer opens."""

KEPT = 64 << 20
"""Bytes of gathered bodies, and of answers, that one connection may have us keep."""

TURN = 256 << 10
"""Bytes that are sent before others have their turn."""

CONTROL = 256 << 10
"""Bytes of heads and acknowledgements that wait for a peer that does not read (CVE-2019-9512)."""

GRACE = 5.0
"""Seconds in which a connection that we close may still be read by its peer."""

RESET_AFTER = 0.1
"""Seconds after the end of an answer until the rest of its request is refused (RFC 9113 section 8.1).

WORKAROUND: curl 7.88 loses an answer that comes with the reset, and others wait for one for
ever: https://github.com/curl/curl/issues/986, https://github.com/curl/curl/issues/15316
"""


@implementer(IHalfCloseableProtocol)
class NotingConnection(H2Connection):
    """HTTP/2 with bounds on what a peer can have us do and keep, and its refusals noted.

    Attributes:
        tap: what records the connection.
    """

    transport: Any
    site: Any
    streams: dict[int, NotingStream]
    _turn: Any = None
    _draining: Any = None
    _last: int | None = None  # the stream after which the connection closes

    def __init__(self, site: Any, reactor: Any) -> None:
        super().__init__(reactor)
        self.site = self.factory = site
        self.requestFactory = site.requestFactory
        self.callLater = reactor.callLater  # type: ignore[method-assign]
        self._idle: float | None = site.limits["idle_seconds"] or None
        self.timeOut = self._idle
        fields = site.limits["field_bytes"]
        self.conn.local_settings[SettingCodes.MAX_HEADER_LIST_SIZE] = fields
        self.conn.local_settings.acknowledge()
        self.conn.decoder.max_header_list_size = fields
        self._marked = 0
        self._waiting: set[NotingStream] = set()
        self._unwanted: list[Any] = []

    @property
    def tap(self) -> Tap:
        return cast(Tap, self.transport)

    def connectionMade(self) -> None:
        super().connectionMade()
        self.transport.registerProducer(self, True)

    def connectionLost(self, reason: Failure, _cancelTimeouts: bool = True) -> None:  # type: ignore[override]
        for call in (self._turn, self._draining, *self._unwanted):
            if call is not None and call.active():
                call.cancel()
        super().connectionLost(reason, _cancelTimeouts)
        self._waiting.clear()
        if not _cancelTimeouts:
            self._give_up()

    # -- what comes

    def dataReceived(self, data: bytes) -> None:
        if self._stillProducing:
            super().dataReceived(data)
            self._refuse_overlong()
            self._schedule()  # the peer may have opened a window

    def _refuse_overlong(self) -> None:
        """h2 would keep all of a frame, up to 16 MB, before it looks at the length (RFC 9113 section 4.2)."""
        most, begun = self.conn.max_inbound_frame_size, self.conn.incoming_buffer._data
        length = int.from_bytes(begun[:3]) if len(begun) >= 3 else 0
        if length > most and self._stillProducing:
            self.conn.close_connection(ErrorCodes.FRAME_SIZE_ERROR)
            self._terminate(Failure(FrameTooLargeError(f"a frame of {length:,} bytes, where {most:,} are allowed")))

    def resetTimeout(self) -> None:
        """Not with each byte: see ``timeoutConnection``."""

    def _requestReceived(self, event: Any) -> None:
        if not self._stillProducing:
            return  # what came before it has ended the connection
        number = event.stream_id
        if self._last is not None and number > self._last:
            self._reset(number, ErrorCodes.REFUSED_STREAM)
            return
        stream = NotingStream(number, self, event.headers, self.requestFactory, self.site, self.factory)
        if full := self.no_room():
            stream.refuse(503, full)
        self.streams[number] = stream
        self._outboundStreamQueues[number] = deque()
        stream.admit()

    def _requestDataReceived(self, event: Any) -> None:
        # The answer may have ended before the request, and its stream with it.
        if event.stream_id in self.streams:
            super()._requestDataReceived(event)
        else:
            self.openStreamWindow(event.stream_id, event.flow_controlled_length)

    def _requestEnded(self, event: Any) -> None:
        stream = self.streams.get(event.stream_id)
        if stream is not None:
            stream.complete = True
            self.setTimeout(self._idle)
            stream.requestComplete()

    def _requestAborted(self, event: Any) -> None:
        stream = self.streams.get(event.stream_id)
        if stream is not None:
            stream.gone = True
            super()._requestAborted(event)

    def _handlePriorityUpdate(self, event: Any) -> None:
        """Deprecated (RFC 9113 section 5.3.2), and a tree that a peer could have grow: all streams are equal."""

    def _handleWindowUpdate(self, event: Any) -> None:
        """What waits for it is looked at after each read."""

    # -- what goes

    def no_room(self) -> Reached | None:
        """Why nothing more can be kept for this peer; None where it can."""
        kept = sum(stream.gathered + stream.unsent for stream in self.streams.values())
        return limits.KEPT_BYTES.reached(KEPT) if kept > KEPT else None

    def _is_open(self, number: int) -> bool:
        """Whether the peer has not reset a stream. h2 knows before we are told, which it does one by one."""
        stream = self.conn.streams.get(number)
        return stream is not None and not stream.closed

    def writeHeaders(self, version: Any, code: Any, reason: Any, headers: Any, streamID: int) -> None:
        if self._is_open(streamID):
            super().writeHeaders(version, code, reason, headers, streamID)

    def _send100Continue(self, streamID: int) -> None:
        if self._is_open(streamID):
            super()._send100Continue(streamID)

    def writeDataToStream(self, streamID: int, data: bytes) -> None:
        stream = self.streams[streamID]
        self._outboundStreamQueues[streamID].append(data)
        stream.unsent += len(data)
        self._schedule()
        if self.remainingOutboundWindow(streamID) <= 0:
            stream.flowControlBlocked()
            self._waiting.add(stream)

    def endRequest(self, streamID: int) -> None:
        self._outboundStreamQueues[streamID].append(_END_STREAM_SENTINEL)
        self._schedule()

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
        for stream in list(self._waiting):
            stream.windowUpdated()
            if stream.producer is None or stream._producerProducing:
                self._waiting.discard(stream)
        if self._last is not None and not self.streams:
            self._close()
        elif moved and self._consumerBlocked is None:
            self._schedule()

    def _tryToWriteControlData(self) -> bool:
        """Write what was framed, or keep it while the transport is full. Returns whether we are still connected."""
        data = self.conn.data_to_send()
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
        """Frame what is next of a stream's answer. Returns its bytes; None where nothing can be sent."""
        queue = self._outboundStreamQueues.get(number)
        if not queue:
            return None
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

    # -- what ends a stream

    def refuse(self, stream: NotingStream, status: int, why: str | Reached) -> None:
        """Answer ``status`` and nothing else. ``why``: in words, or the limit that was reached."""
        if isinstance(why, Reached):
            self.tap.record_limit(why.saying(f"refused: {why.text}").carrying(status=status))
            why = why.text
        detail = {"status": status, "refused": why, "stream": stream.number}
        self.tap.note(events.HTTP_RESPONSE, f"{status} {phrase(status).decode()}  {why}", detail)
        if not stream.request.startedWriting:
            if self._is_open(stream.number):
                self._say(stream, status, in_words(why))
            stream.connectionLost(Failure(ConnectionLost(why)))
            self._requestDone(stream.number)
            self._tryToWriteControlData()
        else:
            self.abortRequest(stream.number)

    def _say(self, stream: NotingStream, status: int, words: bytes) -> None:
        """Send a whole answer, as far as the peer's window lets us."""
        room = stream.command != b"HEAD" and self.conn.local_flow_control_window(stream.number) >= len(words)
        fields = [
            (b":status", b"%d" % status),
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", b"%d" % (len(words) if room else 0)),
        ]
        self.conn.send_headers(stream.number, fields, end_stream=not room)
        if room:
            self.conn.send_data(stream.number, words, end_stream=True)

    def abortRequest(self, streamID: int) -> None:
        stream = self.streams.get(streamID)
        if stream is not None:
            stream.gone = True
            stream.connectionLost(Failure(ConnectionLost("aborted by us")))
            self._reset(streamID, ErrorCodes.INTERNAL_ERROR)
            self._requestDone(streamID)
            self._tryToWriteControlData()

    def _requestDone(self, streamID: int) -> None:
        stream = self.streams.pop(streamID)
        del self._outboundStreamQueues[streamID]
        self._waiting.discard(stream)
        kept = sum(length or 0 for _, length in stream._inboundDataBuffer)
        stream._inboundDataBuffer.clear()
        if not self._stillProducing:
            return
        if kept:
            self.conn.acknowledge_received_data(kept, streamID)
        if not (stream.complete or stream.gone):
            self._unwanted.append(self._reactor.callLater(RESET_AFTER, self._reset_unwanted, streamID))
        self.setTimeout(self._idle)
        if self._last is not None:
            self._schedule()

    def _reset_unwanted(self, streamID: int) -> None:
        self._unwanted = [call for call in self._unwanted if call.active()]
        self._reset(streamID, ErrorCodes.NO_ERROR)
        self._tryToWriteControlData()

    def _reset(self, streamID: int, code: ErrorCodes) -> None:
        with suppress(ProtocolError):  # it is closed, by the peer
            self.conn.reset_stream(streamID, error_code=code)

    # -- what ends the connection

    def drain(self) -> bool:
        """Take no more requests (RFC 9113 section 6.8), and close after those that are open.

        Closes after ``DRAIN`` seconds at the latest. Returns False, and does nothing, where that
        was begun or the connection has ended.
        """
        if self._draining is not None or not (self._stillProducing and self._tryToWriteControlData()):
            return False
        self._last = self.conn.highest_inbound_stream_id
        # h2 would take its own for the end of all streams.
        self.transport.write(GoAwayFrame(0, last_stream_id=self._last, error_code=ErrorCodes.NO_ERROR).serialize())
        self._draining = self.callLater(DRAIN, self._close)
        self._schedule()
        return True

    def readConnectionLost(self) -> None:
        """The client has finished sending: requests that are complete are answered, then the connection closes."""
        self._last = self.conn.highest_inbound_stream_id
        for stream in list(self.streams.values()):
            if not stream.complete:
                self.abortRequest(stream.number)
        self._schedule()

    def writeConnectionLost(self) -> None:
        """We have closed our side ourselves."""

    def _close(self) -> None:
        self._terminate(Failure(ConnectionLost("closed by us")))

    def timeoutConnection(self) -> None:
        """The idle time has passed since the last request was complete or answered.

        A peer that sends a body or takes an answer has moved bytes since; one that can do
        nothing waits for us. Pings and frames that never make a request do not count.
        """
        tap = self.tap
        moved = tap.received + tap.sent - (tap.unsent() or 0)
        enough = moved - self._marked >= SLOWEST * cast(float, self._idle)
        self._marked = moved
        streams = self.streams.values()
        if tap.held or (streams and (enough or any(stream.waits_for_us for stream in streams))):
            self.setTimeout(self._idle)
            return
        reached = limits.IDLE_SECONDS.reached(self._idle, "streams" if streams else "no stream")
        tap.record_limit(reached)
        self.conn.close_connection(ErrorCodes.ENHANCE_YOUR_CALM if streams else ErrorCodes.NO_ERROR)
        self._terminate(Failure(ConnectionLost(reached.text)))

    def _terminate(self, reason: Failure) -> None:
        error = reason.value
        why = str(error.args[0]) if error and error.args else type(error).__name__
        if (most := self._exceeded(error, why)) is not None:
            self.tap.record_limit(limits.HTTP2.reached(most, why=why))
        elif isinstance(error, ProtocolError):
            self.tap.note(events.LOG, f"HTTP/2: the client breaks the rules: {why}", {"refused": why})
        super()._terminate(reason)

    def _exceeded(self, error: BaseException | None, why: str) -> int | None:
        """What is allowed of that which ended the connection because it was too much; None for other reasons."""
        if isinstance(error, TooManyStreamsError):
            return int(self.conn.local_settings.max_concurrent_streams)
        if isinstance(error, DenialOfServiceError):
            return int(self.conn.decoder.max_header_list_size)
        if why.startswith("Too many continuation frames"):
            return int(CONTINUATION_BACKLOG)
        if why.startswith("Too many stream resets"):
            return int(self._resetTokenBurst)
        return None

    def _give_up(self) -> None:
        """Close; a peer that does not take our last words is not waited for."""
        self.setTimeout(None)
        self.transport.unregisterProducer()
        if self._abortingCall is None:
            self._abortingCall = self.callLater(GRACE, self.forceAbortClient)
