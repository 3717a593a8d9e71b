"""HTTP/2 as a service speaks it: Twisted's, with bounds, and with requests and refusals recorded.

Twisted's HTTP/2 has no public name yet: what is used of it here is that of the release in
CONTRIBUTING.md.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from functools import partial
from typing import Any, cast

from h2.errors import ErrorCodes
from h2.events import TrailersReceived
from h2.exceptions import DenialOfServiceError, FrameTooLargeError, ProtocolError, TooManyStreamsError
from h2.frame_buffer import CONTINUATION_BACKLOG
from h2.settings import SettingCodes
from hyperframe.frame import GoAwayFrame
from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from app import events, limits
from app.http.reason_phrases import phrase
from app.limits import Reached
from app.services.http.http1 import RecordedChannel
from app.services.http.http1_ending import DRAIN, LOOK_AFTER, SLOWEST
from app.services.http.http1_refusing import in_words
from app.services.http.http2_faulted import habits_of
from app.services.http.http2_heads import Heads
from app.services.http.http2_sending import SendingConnection
from app.services.http.http2_stream import RecordedStream

MORE_FIELDS = 1 << 20
"""Bytes of a head beyond the limit ``field_bytes`` that are still read, to be refused. More end the connection."""

MAX_FIELDS = RecordedChannel.maxHeaders
"""Fields of a head, as on HTTP/1."""

GRACE = 5.0
"""Seconds that the peer has to read what was sent before we close."""

RESET_AFTER = 0.1
"""Seconds from the end of a response until the rest of its request is refused (RFC 9113 section 8.1), or its stream
is reset on purpose.

WORKAROUND: curl 7.88 loses a response that arrives together with the reset, and other clients wait for ever
for a reset: https://github.com/curl/curl/issues/986, https://github.com/curl/curl/issues/15316
"""


@implementer(IHalfCloseableProtocol)
class RecordedConnection(SendingConnection):
    """HTTP/2 that bounds the work and memory that a peer can cause, and records refusals."""

    site: Any
    _draining: Any = None
    _pausing: Any = None

    def __init__(self, site: Any, reactor: Any) -> None:
        super().__init__(reactor)
        self.site = self.factory = site
        self.requestFactory = site.requestFactory
        self.callLater = reactor.callLater  # type: ignore[method-assign]
        self._idle: float | None = site.limits["idle_seconds"] or None
        self.timeOut = self._idle
        fields = self._field_bytes = site.limits["field_bytes"]
        self.conn.local_settings[SettingCodes.MAX_HEADER_LIST_SIZE] = fields
        self.conn.local_settings.acknowledge()
        # More, so that what exceeds the limit can be refused alone: without its fields, all later heads would be
        # unreadable (RFC 9113 section 10.5.1).
        self.conn.decoder.max_header_list_size = fields + MORE_FIELDS
        self._heads = Heads(self.conn)
        # Twisted drops the fields behind a body (RFC 9110 section 6.5).
        self._receive: Any = self.conn.receive_data
        self.conn.receive_data = self._receive_data  # type: ignore[assignment, method-assign]
        self._marked = 0
        self._looking: Any = None
        self._unwanted: list[Any] = []

    def connectionMade(self) -> None:
        if self.tap.course is not None:
            self._habits = habits_of(self.tap)
        super().connectionMade()
        self.transport.registerProducer(self, True)

    def connectionLost(self, reason: Failure, _cancelTimeouts: bool = True) -> None:  # type: ignore[override]
        for call in (self._turn, self._draining, self._looking, self._pausing, *self._unwanted):
            if call is not None and call.active():
                call.cancel()
        super().connectionLost(reason, _cancelTimeouts)
        self.tap.factory.kept.drop(self)
        self._waiting.clear()
        if not _cancelTimeouts:
            self._give_up()

    # -- requests

    def _receive_data(self, data: bytes) -> list[Any]:
        received: list[Any] = self._receive(data)
        for event in received:
            if isinstance(event, TrailersReceived) and (stream := self.streams.get(event.stream_id)) is not None:
                stream.request.record_trailers([(bytes(name), bytes(value)) for name, value in event.headers])
        return received

    def dataReceived(self, data: bytes) -> None:
        if self._stillProducing:
            self._heads.begin_turn()
            super().dataReceived(data)
            self._refuse_overlong()
            self._schedule()  # the peer may have opened a window
            if self._heads.stopped and self._stillProducing:
                self.tap.after_wait(partial(self.dataReceived, b""))
                self.tap.pauseProducing()
                self._pausing = self.callLater(0, self.tap.resumeProducing)

    def _refuse_overlong(self) -> None:
        """Refuse a frame that is too long by its header (RFC 9113 section 4.2); h2 would first keep it, up to 16 MB."""
        most, begun = self.conn.max_inbound_frame_size, self.conn.incoming_buffer._data
        length = int.from_bytes(begun[:3]) if len(begun) >= 3 else 0
        if length > most and self._stillProducing:
            self.conn.close_connection(ErrorCodes.FRAME_SIZE_ERROR)
            self._terminate(Failure(FrameTooLargeError(f"a frame of {length:,} bytes, where {most:,} are allowed")))

    def resetTimeout(self) -> None:
        """Do nothing with each byte; ``timeoutConnection`` looks at the byte counts."""

    def _requestReceived(self, event: Any) -> None:
        if not self._stillProducing:
            return  # an earlier frame has ended the connection
        number = event.stream_id
        if self._last is not None and number > self._last:
            self._reset(number, ErrorCodes.REFUSED_STREAM)
            return
        stream = RecordedStream(number, self, event.headers, self.requestFactory, self.site, self.factory)
        if sum(len(name) + len(value) + 32 for name, value in event.headers) > self._field_bytes:
            stream.refuse(431, limits.FIELD_BYTES.reached(self._field_bytes, "head"))
        elif len(event.headers) > MAX_FIELDS:
            stream.refuse(431, limits.FIELDS.reached(MAX_FIELDS))
        elif full := self.no_room():
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
        """Ignore priorities: they are deprecated (RFC 9113 section 5.3.2), and a peer could make their tree grow."""

    def _handleWindowUpdate(self, event: Any) -> None:
        """Do nothing: ``dataReceived`` looks at waiting streams after each read."""

    # -- the end of a stream

    def refuse(self, stream: RecordedStream, status: int, why: str | Reached) -> None:
        """Answer ``status`` and nothing else. ``why``: in words, or the limit that was reached."""
        if isinstance(why, Reached):
            self.tap.record_limit(why.saying(f"refused: {why.text}").carrying(status=status))
            why = why.text
        detail = {"status": status, "refused": why, "stream": stream.number} | stream.known()
        self.tap.counters.answered(status)
        self.tap.record(events.HTTP_RESPONSE, f"{status} {phrase(status).decode()}  {why}", detail)
        if not stream.request.startedWriting:
            if self._is_open(stream.number):
                self._say(stream, status, in_words(why))
            stream.connectionLost(Failure(ConnectionLost(why)))
            self._requestDone(stream.number)
            self._tryToWriteControlData()
        else:
            self.abortRequest(stream.number)

    def _say(self, stream: RecordedStream, status: int, words: bytes) -> None:
        """Send a short response at once; without a body if the peer's window has no room."""
        room = stream.command != b"HEAD" and self.conn.local_flow_control_window(stream.number) >= len(words)
        fields = [
            (b":status", b"%d" % status),
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", b"%d" % (len(words) if room else 0)),
        ]
        self.conn.send_headers(stream.number, fields, end_stream=not room)
        if room:
            self.conn.send_data(stream.number, words, end_stream=True)

    def abortRequest(self, streamID: int, code: int = ErrorCodes.INTERNAL_ERROR) -> None:
        stream = self.streams.get(streamID)
        if stream is not None:
            stream.gone = stream.cut = True
            stream.connectionLost(Failure(ConnectionLost("aborted by us")))
            self._reset(streamID, code)
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

    def reset_soon(self, number: int, code: int) -> None:
        """Reset a stream behind what was written to it."""
        wait = RESET_AFTER if self.streams[number].request.begun else 0.0
        self._unwanted.append(self._reactor.callLater(wait, self._reset_behind, number, code))

    def _reset_behind(self, number: int, code: int) -> None:
        self._unwanted = [call for call in self._unwanted if call.active()]
        self.abortRequest(number, code)

    def _reset_unwanted(self, streamID: int) -> None:
        self._unwanted = [call for call in self._unwanted if call.active()]
        self._reset(streamID, ErrorCodes.NO_ERROR)
        self._tryToWriteControlData()

    def _reset(self, streamID: int, code: int) -> None:
        with suppress(ProtocolError):  # it is closed, by the peer
            self.conn.reset_stream(streamID, error_code=cast(ErrorCodes, code))

    # -- the end of the connection

    def drain(self) -> bool:
        """Accept no more requests (RFC 9113 section 6.8), and close after those that are open.

        Closes after ``DRAIN`` seconds at the latest. Returns False, and does nothing, if it was called
        before or the connection has ended.
        """
        if self._draining is not None or not (self._stillProducing and self._tryToWriteControlData()):
            return False
        self._last = self.conn.highest_inbound_stream_id
        # Not by h2: after a GOAWAY of its own, h2 takes all streams for ended.
        self.transport.write(GoAwayFrame(0, last_stream_id=self._last, error_code=ErrorCodes.NO_ERROR).serialize())
        self._draining = self.callLater(DRAIN, self._close)
        self._schedule()
        return True

    def go_away(self, stream: RecordedStream, code: int) -> None:
        """Look at neither ``stream`` nor those after it, and close after those before it."""
        if not self._stillProducing:
            return
        self._last = stream.number - 2 if self._last is None else min(self._last, stream.number - 2)
        self._tryToWriteControlData()
        self.transport.write(GoAwayFrame(0, last_stream_id=max(self._last, 0), error_code=code).serialize())
        self._reactor.callLater(0, self._drop_after_last)

    def _drop_after_last(self) -> None:
        for stream in list(self.streams.values()):
            if self._last is not None and stream.number > self._last and stream.number in self.streams:
                stream.gone = stream.cut = True
                stream.connectionLost(Failure(ConnectionLost("not looked at")))
                self._requestDone(stream.number)
        self._schedule()

    def readConnectionLost(self) -> None:
        """The client has finished sending: requests that are complete are answered, then the connection closes."""
        self._last = self.conn.highest_inbound_stream_id
        for stream in list(self.streams.values()):
            if not stream.complete:
                self.abortRequest(stream.number)
        self._schedule()
        if self._looking is None and self.streams:
            self._looking = self._reactor.callLater(LOOK_AFTER, self._ping, LOOK_AFTER)

    def _ping(self, seconds: float) -> None:
        """Ping a client that has finished sending, in ``seconds`` again, and so on: if it has left, that fails."""
        if self._stillProducing:
            self.conn.ping(bytes(8))
            self._tryToWriteControlData()
            self._looking = self._reactor.callLater(seconds, self._ping, 2 * seconds)

    def writeConnectionLost(self) -> None:
        """We have closed our side ourselves."""

    def _close(self) -> None:
        self._terminate(Failure(ConnectionLost("closed by us")))

    def timeoutConnection(self) -> None:
        """The idle time has passed since the last request was complete or answered.

        The connection goes on if the peer has sent a body or read a response fast enough, or can do
        nothing because it waits for us. Pings, and frames without a request, do not count.
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
        if isinstance(error, DenialOfServiceError):
            reached = limits.FIELD_BYTES.reached(self._field_bytes, "head")
            self.tap.record_limit(reached.saying(f"HTTP/2: {reached.text}: closing"))
        elif (most := self._exceeded(error, why)) is not None:
            self.tap.record_limit(limits.HTTP2.reached(most, why=why))
        elif isinstance(error, ProtocolError):
            self.tap.record(events.LOG, f"HTTP/2: the client breaks the rules: {why}", {"refused": why})
        super()._terminate(reason)

    def _exceeded(self, error: BaseException | None, why: str) -> int | None:
        """The limit for which h2 or Twisted ended the connection; None if it was for another reason."""
        if isinstance(error, TooManyStreamsError):
            return int(self.conn.local_settings.max_concurrent_streams)
        if why.startswith("Too many continuation frames"):
            return int(CONTINUATION_BACKLOG)
        if why.startswith("Too many stream resets"):
            return int(self._resetTokenBurst)
        return None

    def _give_up(self) -> None:
        """Close, and abort after ``GRACE`` seconds if the peer does not read what was sent."""
        self.setTimeout(None)
        self.transport.unregisterProducer()
        if self._abortingCall is None:
            self._abortingCall = self.callLater(GRACE, self.forceAbortClient)
