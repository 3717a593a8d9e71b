"""The Tap: stands between a transport and any Twisted protocol, and records what passes."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from time import time_ns
from typing import TYPE_CHECKING, Any, Protocol

from twisted.internet import error
from twisted.internet.interfaces import (
    IAddress,
    IHalfCloseableProtocol,
    IHandshakeListener,
    INegotiated,
    IProtocol,
    ITransport,
)
from twisted.protocols.policies import ProtocolWrapper
from twisted.python.failure import Failure
from zope.interface import alsoProvides, implementer

from app import events
from app.services.address import written
from app.services.tap.valve import Paced, Valve
from app.text.escapes import amount

if TYPE_CHECKING:
    from app.capture.recorder import Recorder
    from app.services.service import Connection
    from app.services.tap.factory import TapFactory


class Owner(Protocol):
    """Whom recorded connections belong to: a service, or whoever sends.

    Attributes:
        number: its number in the recorder.
        opened: connections so far.
    """

    recorder: Recorder
    opened: int

    @property
    def number(self) -> int: ...

    def add_connection(self, connection: Connection) -> None: ...

    def remove_connection(self, connection: Connection) -> None: ...

    @contextmanager
    def setting_up(self) -> Iterator[None]:
        """What a factory raises when it starts is its own failure."""


_BY_RESPONDER, _BY_BUFFER, _BY_CAPTURE = 1, 2, 4
"""Who keeps the peer from being read: the responder, a full write buffer, a slow capture."""


@implementer(IHalfCloseableProtocol)
class Tap(ProtocolWrapper):
    """One recorded connection: a protocol to the transport, a transport to the responder.

    Attributes:
        number: the connection's, in this run.
        peer, host: as ``address:port``.
        outgoing: whether we opened it.
        opened: ns since 1970.
        received, sent: bytes so far.
    """

    factory: TapFactory

    def __init__(self, factory: TapFactory, wrapped: IProtocol) -> None:
        super().__init__(factory, wrapped)  # type: ignore[arg-type]
        service = factory.service
        self._service = service
        self._recorder = service.recorder
        self._record = service.recorder.record
        self._service_number = service.number
        self.outgoing = factory.outgoing
        self._held = 0
        self._valve: Valve | None = None
        self._paced: Paced | None = None
        self._queue: deque[bytes] | None = None
        self._after_queue: Callable[[], None] | None = None
        self._rest: Callable[[], None] | None = None
        self._ended_by = ""
        self._open = True
        self._half_closing = False
        self._following = False
        self.number = 0
        self.received = 0
        self.sent = 0

    # -- the transport's side

    def makeConnection(self, transport: ITransport) -> None:
        self._wire: Any = transport
        self._secured = INegotiated.providedBy(transport)
        self._write = self._write_secured if self._secured else transport.write
        self.opened = time_ns()
        self._peer, self._host = transport.getPeer(), transport.getHost()
        self.peer, self.host = written(self._peer), written(self._host)
        self.number = self._recorder.add_connection()
        detail = {"peer": self.peer, "host": self.host}
        if self.outgoing:
            self.note(events.CONNECTION_OPENED, f"connected to {self.peer}", detail | {"outgoing": True})
        else:
            self.note(events.CONNECTION_OPENED, f"accepted from {self.peer}", detail)
        self._service.add_connection(self)
        if self._recorder.pressed:
            self.hold(_BY_CAPTURE)
            self._queue = deque()
        try:
            super().makeConnection(transport)
        except BaseException as e:
            self.failed(e, None)
            raise
        finally:
            # Also after a failure: Twisted leaves such a connection open.
            if self._secured:
                alsoProvides(self, IHandshakeListener)
            self._open_valve()

    def handshakeCompleted(self) -> None:
        """TLS is up, on a connection that was made before."""
        self.note(events.TLS_OPENED, *self._wire.on_handshake())
        if IHandshakeListener.providedBy(self.wrappedProtocol):
            try:
                self.wrappedProtocol.handshakeCompleted()
            except BaseException as e:
                self._failed(e, None)
                raise

    def dataReceived(self, data: bytes) -> None:
        self.received += len(data)
        self._record(events.DATA_RECEIVED, self._service_number, self.number, data)
        try:
            # Looked up each time: some protocols put another in their place as they go.
            self.wrappedProtocol.dataReceived(data)
        except BaseException as e:
            self._failed(e, data)
            raise

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        self._open = self._half_closing = False
        waiting = sum(map(len, self._queue or ()))
        self._queue = self._after_queue = self._rest = None
        self.connected = 0
        if self._valve is not None:
            self._valve.drained()
        try:
            super().connectionLost(reason)
        except BaseException as e:
            self._failed(e, None)
            self.wrappedProtocol = None  # type: ignore[assignment]
        words = self._reason(reason)
        unsent = (self.unsent() or 0) + waiting
        detail = {
            "reason": words,
            "received": self.received,
            "sent": self.sent,
            "unsent": unsent,
            "seconds": (time_ns() - self.opened) / 1e9,
        }
        self.note(events.CONNECTION_CLOSED, f"{words}, {amount(unsent)} not sent" if unsent else words, detail)
        self._service.remove_connection(self)

    def readConnectionLost(self) -> None:
        """The peer has closed its sending side; the responder may go on answering.

        One that knows nothing of it has its last answers sent. (Twisted would throw away what
        has not left yet: over TLS, where all of it comes as one, every answer to a client that
        sends and is done.)
        """
        self._following = True  # a responder that closes in here has not begun it
        try:
            if IHalfCloseableProtocol.providedBy(self.wrappedProtocol):
                self._half_closed(self.wrappedProtocol.readConnectionLost)
            else:
                self.loseConnection()
        finally:
            self._following = False

    def writeConnectionLost(self) -> None:
        if IHalfCloseableProtocol.providedBy(self.wrappedProtocol):
            self._half_closed(self.wrappedProtocol.writeConnectionLost)

    def _half_closed(self, tell: Callable[[], None]) -> None:
        try:
            tell()
        except BaseException as e:
            self._failed(e, None)
            raise

    def _failed(self, e: BaseException, payload: bytes | None) -> None:
        self._ended_by = "failure"
        self.failed(e, payload)

    def failed(self, e: BaseException, payload: bytes | None) -> None:
        """Record what the responder let out, with the bytes that caused it."""
        self._recorder.record_failure(e, self._service_number, self.number, payload)

    def note(self, kind: int, summary: str, detail: dict[str, Any] | str, **more: Any) -> None:
        """Record what the bytes of this connection mean to their protocol; ``detail`` may be JSON already."""
        if not isinstance(detail, str):
            detail = json.dumps(detail)
        self._record(kind, self._service_number, self.number, summary=summary, detail=detail, **more)

    @property
    def wire(self) -> Any:
        """The transport below: Twisted's for TCP, or ours for TLS."""
        return self._wire

    @property
    def ended_by(self) -> str:
        """Who ended it, or in words what did; empty while nothing has."""
        return self._ended_by

    def ended(self, why: str) -> None:
        """Have it end for this reason, in words."""
        self._ended_by = why

    def _reason(self, reason: Failure) -> str:
        if self._ended_by:
            return {
                "us": "closed by us",
                "peer": "closed by the peer",
                "abort": "aborted by us",
                "failure": "closed after a failure",
            }.get(self._ended_by, self._ended_by)
        if reason.check(error.ConnectionDone):
            return "closed by the peer"
        if reason.check(error.TimeoutError, error.TCPTimedOutError):
            return "timed out"
        if reason.check(error.ConnectionLost):
            return "reset by the peer"
        return reason.getErrorMessage() or "lost"

    # -- the responder's side

    @property
    def protocol(self) -> IProtocol:
        """The responder's protocol; it may set another here, as on any transport."""
        return self.wrappedProtocol

    @protocol.setter
    def protocol(self, protocol: IProtocol) -> None:
        self.wrappedProtocol = protocol

    def write(self, data: bytes) -> None:
        if not isinstance(data, bytes):
            raise TypeError("Data must be bytes")  # as the transport says, before it is recorded
        if not self._open and not self._drains():
            return  # as the transport does; what cannot leave was not sent
        if self._queue is not None:
            self._queue.append(data)
        elif data:
            self.sent += len(data)
            self._record(events.DATA_SENT, self._service_number, self.number, data)
            self._write(data)

    def _write_queued(self) -> None:
        """Write what waited for the capture, unless the capture falls behind again."""
        queue = self._queue
        while queue and not self._recorder.pressed:
            data = queue.popleft()
            self.sent += len(data)
            self._record(events.DATA_SENT, self._service_number, self.number, data)
            self._write(data)
        if queue or self._recorder.pressed:
            return
        self._queue = None
        if self._after_queue is not None:
            then, self._after_queue = self._after_queue, None
            then()

    def _write_secured(self, data: bytes) -> None:
        self._wire.write(data)
        # TLS says only once that the buffer is full, and not with each write.
        if self._valve is not None and self._valve.full:
            self._valve.pauseProducing()

    def writeSequence(self, data: Any) -> None:
        self.write(b"".join(data))

    def getPeer(self) -> IAddress:
        return self._peer

    def getHost(self) -> IAddress:
        # Asked for with every HTTP request, and a system call each time below us.
        return self._host

    def loseWriteConnection(self) -> None:
        if self._queue:
            self._open, self._after_queue = False, self.loseWriteConnection
            return
        self._open, self._half_closing = False, True
        self._wire.loseWriteConnection()
        self._close_valve()

    def _drains(self) -> bool:
        """Whether our sending side is closing and still takes bytes, until those before have left."""
        return self._half_closing and not getattr(self._wire, "_writeDisconnected", True)

    def loseConnection(self) -> None:
        self._ended_by = self._ended_by or ("peer" if self._following else "us")
        if self._queue:
            self._after_queue = self.loseConnection
            return
        super().loseConnection()
        self._close_valve()

    def abortConnection(self) -> None:
        self._open = self._half_closing = False
        self._queue = self._after_queue = self._rest = None
        self._ended_by = self._ended_by or "abort"
        self._wire.abortConnection()

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        self._close_valve()
        paced = Paced(producer, streaming, self._recorder.pressed)
        super().registerProducer(paced, streaming)
        self._paced = paced

    def unregisterProducer(self) -> None:
        self._paced = None
        super().unregisterProducer()
        self._open_valve()

    def pauseProducing(self) -> None:
        self.hold(_BY_RESPONDER)

    def resumeProducing(self) -> None:
        self.release(_BY_RESPONDER)

    def stopProducing(self) -> None:
        self.loseConnection()

    # -- holding the peer back

    def hold(self, who: int) -> None:
        """Read no more from the peer until everybody who held it has released it."""
        if not self._held:
            self._wire.pauseProducing()
        self._held |= who

    def release(self, who: int) -> None:
        if self._held & who:
            self._held &= ~who
            if self._rest is not None and not self.waits:
                self._take_rest()
            if not self._held:
                self._wire.resumeProducing()

    def after_wait(self, take_rest: Callable[[], None]) -> None:
        """Call ``take_rest`` once nothing ``waits`` any more, before more is read from the peer.

        For protocols that stop in the middle of what they were given: one read can hold
        messages that stand for a thousand times its size.
        """
        self._rest = take_rest

    def _take_rest(self) -> None:
        take_rest, self._rest = self._rest, None
        try:
            if take_rest is not None:
                take_rest()
        except Exception as e:
            self._failed(e, None)
            self.abortConnection()

    @property
    def held(self) -> bool:
        """Whether anybody keeps the peer from being read."""
        return bool(self._held)

    @property
    def waits(self) -> bool:
        """Whether the peer or the capture is behind: the next message is to wait for ``after_wait``."""
        return bool(self._held & (_BY_BUFFER | _BY_CAPTURE))

    @property
    def congested(self) -> bool:
        """Whether the peer has left so much unread that it is not read from either."""
        return bool(self._held & _BY_BUFFER)

    def on_pressure(self, pressed: bool) -> None:
        """The capture is falling behind, or has caught up."""
        if not pressed and self._queue is not None:
            self._write_queued()
        # Others may have written meanwhile, so that the capture is behind again.
        pressed = pressed or self._recorder.pressed
        (self.hold if pressed else self.release)(_BY_CAPTURE)
        if pressed and self._queue is None:
            self._queue = deque()
        if self._paced is not None:
            try:
                self._paced.on_pressure(pressed)
            except Exception as e:
                self.failed(e, None)

    def _open_valve(self) -> None:
        if self._open and not (self._valve or self.disconnecting or getattr(self._wire, "producer", None)):
            hold, release = partial(self.hold, _BY_BUFFER), partial(self.release, _BY_BUFFER)
            self._valve = Valve(self.factory.kept, self.unsent, hold, release)
            self._wire.registerProducer(self._valve, True)

    def _close_valve(self) -> None:
        """Let go of the transport.

        One that is closing waits for a producer which it has paused, and ours would have
        nothing more to tell it.
        """
        valve, self._valve = self._valve, None
        if valve is not None:
            self._wire.unregisterProducer()
            # Twisted keeps this for the next producer, who was never paused.
            self._wire.producerPaused = False
            valve.resumeProducing()

    def unsent(self) -> int | None:
        """Bytes that were written and never reached the kernel; None where the transport hides them."""
        wire = self._wire
        if self._secured:
            return min(int(wire.unsent()), self.sent)
        try:
            return int(len(wire.dataBuffer) - wire.offset + wire._tempDataLen)
        except AttributeError:
            return None

    # -- the user's side

    def send(self, data: bytes) -> None:
        """Send what the user typed."""
        self.write(data)

    def finish(self, why: str = "closed by us") -> None:
        """Close in good order: what was written still leaves."""
        self._ended_by = self._ended_by or why
        # TLS would wait for a producer that has no end, as HTTP's connections are.
        if getattr(self._wire, "producer", None):
            self._wire.unregisterProducer()
        self.loseConnection()

    def abort(self) -> None:
        """Close now, whatever was still to be sent."""
        self.abortConnection()
