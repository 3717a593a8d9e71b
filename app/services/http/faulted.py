"""An HTTP exchange that fails on purpose: stands between a request and its channel, of either version.

A request is a candidate when it is to be answered, an answer when its head is about to be written. What faults change
is the body, in which nothing of the transfer coding is left, and the head. Conditions look at head and body as HTTP/1
writes them; of an answer that is written in parts, at the first part.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, cast

from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure
from twisted.web.http import NO_BODY_CODES
from twisted.web.http_headers import Headers

from app.faults import MESSAGES, RECEIVED, SENT
from app.faults.hits import Course
from app.faults.lane import LEAST, MOST, Lane, Piece, mark
from app.faults.live import Faults
from app.faults.targets import ENDED, Told
from app.services.http.malformed import NO_END
from app.services.tap.pacing import Pace

PACE = 0.02
"""Seconds between the bytes of a head that leaves slowly."""

FIRST = 0.1
"""Seconds that a head waits for the first part of its body, so that faults can look at that, too."""


class Exchange:
    """A request and its answer; for the request, its channel. What faults do to it is in ``faulted_target``.

    Attributes:
        request: the ``RecordedRequest``.
        channel: the one that it has the place of.
        stream: its number on HTTP/2; None on HTTP/1.
        transport: that of the channel.
        incoming, outgoing: the request, and the parts of the answer, as they wait.
        begun: whether the head of the answer has left.
        sent: bytes of its body that have left.
    """

    protocol_name = "http"

    def __init__(self, request: Any, channel: Any) -> None:
        self.request, self.channel = request, channel
        self.stream: int | None = channel.number
        self.tap: Any = channel.tap
        self.transport = channel.transport
        self._course: Course = self.tap.course
        self._faults: Faults = self.tap.factory.faults
        self._clock = self._faults.clock
        self.incoming, self.outgoing = Lane(self._clock), Lane(self._clock, self._on_size)
        self.begun = False
        self.sent = 0
        self.chunked = False
        self.spoiled: set[str] = set()  # what is wrong with the answer beside its head
        self.slow: Any = None  # the fault for which the head leaves byte by byte
        self._first = b""
        self._struck = False  # faults were asked about the answer
        self._lost = False  # the answer is withheld
        self._over = False  # a fault has ended it
        self._full = False  # the rest of the body is not wanted
        self._complete = False  # the responder has written all of it
        self._ends = False  # nothing more is written
        self._pause: dict[Any, float] = {}  # before the end, by fault
        # Bytes until it is cut, whether it is reset then, and who is told.
        self._left: tuple[int, bool, Told | None] | None = None
        self._pace: Pace | None = None
        self._ending: Any = None
        self._waiting: Any = None  # for the first part of the body
        self._course.within[cast(Any, self)] = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.channel, name)

    @property
    def factory(self) -> Exchange:
        return self

    def log(self, request: object) -> None:
        """It is not known yet how the answer ends."""

    # -- the request

    def receive(self, command: bytes, path: bytes, version: bytes) -> None:
        """The request is to be answered."""
        request = self.request
        request.method, request.uri, request.clientproto = command, path, version
        stream = request.body
        if stream is None or stream.length == 0 or not self._faults.look_at(RECEIVED):
            self._receive_now()
        else:
            stream.on_first = self._receive_now
            self._waiting = self._clock.callLater(FIRST, self._receive_now)

    def _receive_now(self) -> None:
        """The whole body has come, or the first part of one that is passed on as it comes."""
        self._stop_waiting()
        if self._over:
            return
        request = self.request
        if request.body is not None:
            request.body.on_first = None
        line = b"%b %b %b" % (request.method, request.uri, request.clientproto)
        body = request.gathered if request.body is None else request.body.first
        piece = Piece(body, partial(self._accept, body), whole=True)
        self._strike(RECEIVED, MESSAGES, piece, self.incoming, head_of(line, request.fields) + body)
        if piece.gone:
            piece.then.append(self._unasked)
        self.incoming.put(piece)

    def _accept(self, came: bytes, body: bytes) -> None:
        request = self.request
        if body is not came and request.body is None:
            request.gathered = body
        elif body is not came:
            request.body.first = body
        request.accept(request.method, request.uri, request.clientproto)

    def _strike(self, on: str, level: str, piece: Piece, lane: Lane, seen: bytes) -> None:
        path, method = self.request.uri.decode("latin-1"), self.request.method.decode("latin-1")
        target = cast(Any, self)
        self._faults.strike(self._course, on, level, piece, lane, target, path=path, method=method, seen=seen)

    def _unasked(self) -> None:
        """The responder is not asked."""
        if not (self._over or self.request.startedWriting):
            self.request.hangs = True
            self.incoming.after_lift(self._go_on)

    def _go_on(self) -> None:
        """The fault that withheld request or answer is lifted: the connection goes on with the next."""
        if not self._over:
            self._over, self.request.hangs = True, False
            self._leave()
            self._skip()
            self._release()

    def _release(self) -> None:
        """A responder that still writes need not."""
        if not self._complete:
            self.request.connectionLost(Failure(ConnectionDone()))

    # -- the answer, as the responder writes it

    def writeHeaders(self, *head: object) -> None:
        """The request has it all."""
        self.chunked = bool(self.request.chunked)

    def writeSequence(self, chunk: Any) -> None:
        self._take(chunk[2])

    def write(self, data: bytes) -> None:
        if not self.request.chunked:  # else it is the last chunk, which ``requestDone`` stands for, too
            self._take(data)

    def _take(self, data: bytes) -> None:
        if not self._struck:
            self._first += data
            if self._waiting is not None:
                self._begin_now()
        elif not self._unwanted:
            self._put(Piece(data, self._pass_on))

    def begin(self) -> None:
        """The head is known, and perhaps the first part of the body."""
        none = self.bodiless or self.request.responseHeaders.getRawHeaders(b"Content-Length") == [b"0"]
        if self._first or none or not self._faults.look_at(SENT):
            self._begin_now()
        else:
            self._waiting = self._clock.callLater(FIRST, self._begin_now)

    def _begin_now(self) -> None:
        self._stop_waiting()
        self._struck = True
        piece = Piece(self._first, self._pass_on)
        self._first = b""
        self._strike_answer(piece, self._head() + piece.data)
        if piece.gone:
            piece.then.append(self._unanswered)
        self._on_size(self.outgoing.size)
        if self.slow is not None and not piece.gone:
            head = Piece(self._head(), self._pass_head)
            head.due.update(piece.due)
            head.slices[self.slow] = (lambda: 1, PACE)
            self.outgoing.put(head)
        self._put(piece)

    def _stop_waiting(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and waiting.active():
            waiting.cancel()

    def _strike_answer(self, piece: Piece, seen: bytes) -> None:
        self._strike(SENT, MESSAGES, piece, self.outgoing, seen)

    def _put(self, piece: Piece) -> None:
        if self._left is not None:
            left, reset, told = self._left
            self._left = left - len(piece.data), reset, told
            if left <= len(piece.data):
                if told is not None and left < len(piece.data):
                    told(piece.data, left)
                piece.data = piece.data[:left]
                piece.then.append(partial(self._cut_now, reset))
                self._full = True
                self._on_size(self.outgoing.size)
        self.outgoing.put(piece)

    @property
    def _unwanted(self) -> bool:
        """Whether nothing that the responder writes is sent any more."""
        return self._over or self._lost or self._full

    def requestDone(self, request: object) -> None:
        if self._waiting is not None:
            self._begin_now()
        self._complete = True
        if self._pause and not self._over:
            pause, now = mark(), self._clock.seconds()
            pause.due.update({fault: now + seconds for fault, seconds in self._pause.items()})
            self.outgoing.put(pause)
        self.outgoing.after(self._end)

    def give_up(self, why: str) -> None:
        """The responder cannot complete the answer, for the reason ``why``: break it off behind what it has written."""
        if not (self._over or self._complete):
            if self._waiting is not None:
                self._begin_now()
            self._complete = True
            self.outgoing.after(partial(self._end_by, reset=True, why=why))

    # -- the answer, as it leaves

    def _pass_on(self, data: bytes) -> None:
        if self._over or self._lost:
            return  # what waited
        if self.begun:
            self._write_body(data)
        else:
            self.begun = True
            self._write_first(data)
        self.sent += len(data)

    def _pass_head(self, data: bytes) -> None:
        self.begun = True
        self.tap.write(data)

    def _unanswered(self) -> None:
        if not (self._over or self.begun):
            self._lost = self.request.hangs = True
            self._on_size(self.outgoing.size)
            self.outgoing.after_lift(self._go_on_soon)

    def _go_on_soon(self) -> None:
        # In a turn of its own: most responders finish in the turn in which they write.
        if self._ending is None and not self._over:
            self._ending = self._clock.callLater(0, self._go_on)

    def _end(self) -> None:
        """All of the answer has left."""
        if self._over or self._ends:
            return
        self._ends = True
        if self._lost:
            self._go_on()
        elif self._left is not None:
            self._cut_now(self._left[1])
        else:
            self._write_end()
            self._after_bytes(self._ended)

    def _ended(self) -> None:
        if self._lost:
            self._go_on()
        elif not self._over:
            self._record("")
            self._leave()
            if NO_END not in self.spoiled:
                self._done()
            self._release()

    def _record(self, cut: str) -> None:
        if not self.request.is_answered:
            self.request.sentLength = self.sent
            self.request.record_response(cut)

    def _stop(self) -> None:
        """A fault ends it."""
        self._over = True
        self._on_size(self.outgoing.size)

    def drop(self) -> bool:
        """Connection or stream is gone. Returns whether some of the answer had left."""
        self._over = True
        self.request.sentLength = self.sent
        self._leave()
        return self.begun

    def _leave(self) -> None:
        self._course.within.pop(cast(Any, self), None)
        self.incoming.close()
        self.outgoing.close()
        self._stop_waiting()
        ending, self._ending = self._ending, None
        if ending is not None and ending.active():
            ending.cancel()

    # -- of each version

    def _write_first(self, data: bytes) -> None:
        """Write the head and the first part of the body."""
        raise NotImplementedError

    def _write_body(self, data: bytes) -> None:
        raise NotImplementedError

    def _write_end(self) -> None:
        """Write what follows the body."""

    def _after_bytes(self, call: Callable[[], None]) -> None:
        """Call ``call`` when faults that act on bytes hold nothing more of what was written."""
        call()

    def _done(self) -> None:
        """All was written."""
        self.channel.requestDone(self.request)

    def _skip(self) -> None:
        """Go on, though nothing was written."""

    def _break_off(self, reset: bool) -> None:
        """End connection or stream behind what was written."""
        raise NotImplementedError

    def _head(self) -> bytes:
        line = b"%b %d %b" % (self.request.clientproto, self.request.code, self.request.code_message)
        return head_of(line, self._fields())

    def _fields(self) -> list[tuple[bytes, bytes]]:
        headers: Headers = self.request.responseHeaders
        return [(name, value) for name, values in headers.getAllRawHeaders() for value in values]

    @property
    def bodiless(self) -> bool:
        """Whether its answer can have no body."""
        return self.request.method == b"HEAD" or self.request.code in NO_BODY_CODES

    # -- a producer of the answer

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        self._pace = Pace(producer, self, streaming)
        self.channel.registerProducer(self._pace, True)
        self._pace.begin(full=self._unwanted or self.outgoing.size > MOST)

    def unregisterProducer(self) -> None:
        pace, self._pace = self._pace, None
        if pace is not None:
            pace.end()
        self.channel.unregisterProducer()

    def _on_size(self, size: int) -> None:
        if self._pace is not None and (size > MOST or size < LEAST):
            self._pace.hold(full=self._unwanted or size > MOST)

    # -- ended by a fault

    def _words(self, what: str) -> str:
        return f"{what} {ENDED} after {self.sent:,} bytes"

    def _end_by(self, *, reset: bool, why: str) -> None:
        if not self._over:
            self._stop()
            self._after_bytes(partial(self._end_now, why, reset))

    def _end_now(self, why: str, reset: bool) -> None:
        if self.begun:
            self._record(why)
        self._break_off(reset)

    def _cut_now(self, reset: bool) -> None:
        if not self._over:
            if not self.begun:
                self._pass_on(b"")
            self._end_by(reset=reset, why=self._words("cut"))


def head_of(line: bytes, fields: list[tuple[bytes, bytes]]) -> bytes:
    """A head as HTTP/1 writes it."""
    return b"%b\r\n%b\r\n" % (line, b"".join(b"%b: %b\r\n" % field for field in fields))
