"""The Tap: stands between a transport and any Twisted protocol, and records what passes."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from time import time_ns
from typing import Any

from twisted.internet import error
from twisted.internet.interfaces import (
    IAddress,
    IHalfCloseableProtocol,
    IHandshakeListener,
    INegotiated,
    IProtocol,
    ITransport,
)
from twisted.python.failure import Failure
from zope.interface import alsoProvides, implementer

from app import events
from app.limits import Reached
from app.services.address import written
from app.services.budget import UNCOUNTED
from app.services.tap.holding import BY_CAPTURE, Holding, TapBuilder
from app.text.escapes import amount


@implementer(IHalfCloseableProtocol)
class Tap(Holding):
    """One recorded connection: a protocol to the transport, a transport to the responder.

    Attributes:
        number: the connection's, in this run.
        peer, host: as ``address:port``.
        ours: whether we opened it.
        opened: ns since 1970.
        received, sent: bytes so far.
        course: what faults know of it; None while its service has had none.
        counters: of its owner.
    """

    def __init__(self, factory: TapBuilder, wrapped: IProtocol) -> None:
        super().__init__(factory, wrapped)
        owner = self._owner = factory.owner
        self._record = owner.recorder.record
        self.counters = owner.recorder.counters(owner.number)
        self._owner_number = owner.number
        self.ours = factory.outgoing
        self._ended_by = ""
        self._half_closing = False
        self._following = False
        self._unfinished, self._awaited = 0, ""
        self._gathers: set[str] = set()  # what is large enough to be counted
        self.number = 0
        self.received = 0
        self.sent = 0

    # -- called by the transport

    def makeConnection(self, transport: ITransport) -> None:
        self._wire = transport
        self._secured = INegotiated.providedBy(transport)
        self._write = self._write_secured if self._secured else transport.write
        self.opened = time_ns()
        self._peer, self._host = transport.getPeer(), transport.getHost()
        self.peer, self.host = written(self._peer), written(self._host)
        self.number = self._recorder.add_connection()
        detail = {"peer": self.peer, "host": self.host}
        if watch := self._owner.check_of("tcp", self.peer):
            detail["watch"] = watch
        if self.ours:
            self.record(events.CONNECTION_OPENED, f"connected to {self.peer}", detail | {"outgoing": True})
        else:
            self.record(events.CONNECTION_OPENED, f"accepted from {self.peer}", detail)
        self._owner.add_connection(self)
        self._made()
        if self._recorder.pressed:
            self.hold(BY_CAPTURE)
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

    def _made(self) -> None:
        """The connection has its number, and nothing has passed yet."""

    def on_faults(self) -> None:
        """Faults can act on this connection from now on; see ``app.services.tap.faulted``."""

    def handshakeCompleted(self) -> None:
        """The TLS handshake is done; the connection was made before it."""
        self.record(events.TLS_OPENED, *self._wire.on_handshake())
        if IHandshakeListener.providedBy(self.wrappedProtocol):
            try:
                self.wrappedProtocol.handshakeCompleted()
            except BaseException as e:
                self._failed(e, None)
                raise

    def dataReceived(self, data: bytes) -> None:
        self.received += len(data)
        self._record(events.DATA_RECEIVED, self._owner_number, self.number, data)
        try:
            # Looked up each time: some protocols set another one in their place.
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
        self.factory.kept.drop(self)
        try:
            super().connectionLost(reason)
        except BaseException as e:
            self._failed(e, None)
            self.wrappedProtocol = None  # type: ignore[assignment]
        self._give_back()
        words = self._reason(reason)
        unsent = (self.unsent() or 0) + waiting
        detail = {
            "reason": words,
            "received": self.received,
            "sent": self.sent,
            "unsent": unsent,
            "seconds": (time_ns() - self.opened) / 1e9,
        }
        if unsent:
            words += f", {amount(unsent)} not sent"
        if self._unfinished:
            detail["unfinished"] = self._unfinished
            words += f", {amount(self._unfinished)} of a message without an end{self._awaited}"
        self.record(events.CONNECTION_CLOSED, words, detail)
        self._forget_unsent()
        self._owner.remove_connection(self)

    def readConnectionLost(self) -> None:
        """The peer has closed its sending side; the responder may go on answering.

        A responder without ``IHalfCloseableProtocol`` is closed after what it has written was sent.
        (Twisted alone would drop what was not sent yet. Over TLS, request and end often arrive together,
        and a client that sends and closes would get no answer.)
        """
        self._following = True  # if the responder closes in here, it was the peer who began
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
        """Record an exception that the responder raised, with the bytes that caused it."""
        self._recorder.record_failure(e, self._owner_number, self.number, payload)

    def unfinished(self, size: int, awaited: str = "") -> None:
        """Have the event of the end say that the last ``size`` bytes which came are a message without an end.

        For the responder's ``connectionLost``. ``awaited``: what is known of the message, in words.
        """
        self._unfinished, self._awaited = size, awaited and f" ({awaited})"

    def gather(self, size: int, what: str = "unfinished") -> Reached | None:
        """Count ``size`` bytes for ``what`` is kept of the peer's messages: until they are whole, until answered.

        Returns the limit if the program has no room for them, and counts nothing: they are to be dropped, and the
        connection closed.
        """
        full = None
        if size > UNCOUNTED:
            self._gathers.add(what)
            full = self._owner.budget.put((self, what), size)
        if self._gathers and (full or size <= UNCOUNTED):
            self._gathers.discard(what)
            self._owner.budget.drop((self, what))
        return full

    def _give_back(self) -> None:
        while self._gathers:
            self._owner.budget.drop((self, self._gathers.pop()))

    def record(self, kind: int, summary: str, detail: dict[str, Any] | str, **more: Any) -> None:
        """Record what the bytes of this connection mean to their protocol; ``detail`` may be JSON already."""
        if not isinstance(detail, str):
            detail = json.dumps(detail)
        self._record(kind, self._owner_number, self.number, summary=summary, detail=detail, **more)

    def record_limit(self, reached: Reached) -> None:
        """Record that this connection reached a limit."""
        self._recorder.record_limit(reached, self._owner_number, self.number)

    @property
    def wire(self) -> Any:
        """The transport below: Twisted's for TCP, or ours for TLS."""
        return self._wire

    @property
    def ended_by(self) -> str:
        """Who ended it, or in words what did; empty while nothing has."""
        return self._ended_by

    def ended(self, why: str) -> None:
        """Take ``why``, in words, for the reason of the connection's end."""
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
            return "timed out: the peer no longer answered"
        if reason.check(error.ConnectionLost):
            return "reset by the peer"
        return reason.getErrorMessage() or "lost"

    # -- called by the responder

    @property
    def protocol(self) -> IProtocol:
        """The responder's protocol; the responder may set another one, as on any transport."""
        return self.wrappedProtocol

    @protocol.setter
    def protocol(self, protocol: IProtocol) -> None:
        self.wrappedProtocol = protocol

    def write(self, data: bytes) -> None:
        if not isinstance(data, bytes):
            raise TypeError("Data must be bytes")  # as the transport says, before it is recorded
        if not self._open and not self._drains():
            return  # as the transport does; it is not recorded, because it is not sent
        if self._queue is not None:
            self._queue.append(data)
        elif data:
            self.sent += len(data)
            self._record(events.DATA_SENT, self._owner_number, self.number, data)
            self._write(data)

    def write_by(self, rule: int, data: bytes) -> None:
        """As ``write``, for what a rule of the responder sends: its event has the number of the rule.

        What waits for the capture is recorded without it.
        """
        if self._queue is not None or not self._open or not data:
            self.write(data)
            return
        self.sent += len(data)
        self._record(events.DATA_SENT, self._owner_number, self.number, data, None, events.by_rule(rule))
        self._write(data)

    def _write_secured(self, data: bytes) -> None:
        self._wire.write(data)
        # TLS says only once that the buffer is full, and not with each write.
        if self._valve is not None and self._valve.full:
            self._valve.pauseProducing()
        elif self._paced is not None:
            self._paced.measure()

    def after_writes(self, call: Callable[[], None]) -> None:
        """Call ``call`` when what was written has left, as far as faults hold it back."""
        call()

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
            self._open, self._after_queue = False, self.loseConnection
            return
        super().loseConnection()
        self._close_valve()

    def abortConnection(self) -> None:
        self._open = self._half_closing = False
        self._queue = self._after_queue = self._rest = None
        self._ended_by = self._ended_by or "abort"
        self._wire.abortConnection()

    # -- called for the user

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
