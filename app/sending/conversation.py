"""A conversation: one connection that this program opens, with what it sends and receives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectError, ConnectingCancelledError
from twisted.internet.interfaces import IAddress, IProtocol, IProtocolFactory
from twisted.python.failure import Failure
from zope.interface import implementer

from app.errors import PostError
from app.sending import errors, reasons
from app.sending.answer import Answer
from app.sending.request import Request
from app.sending.sender import Sender
from app.signal import Signal

if TYPE_CHECKING:
    from app.services.tap.tap import Tap


@dataclass(frozen=True, slots=True)
class Connecting:
    """Connecting to ``address``."""

    address: str


@dataclass(frozen=True, slots=True)
class Open:
    """Connected; ``detail`` names what was negotiated, as a subprotocol; "" for nothing."""

    address: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Closed:
    """Closed, or never connected. ``reason`` is one sentence; ``failed``: it was an error, no regular close."""

    reason: str
    failed: bool


Status = Connecting | Open | Closed


class Conversation:
    """Base class of the clients. An error becomes the status ``Closed``, never an exception.

    Subclasses implement ``_connect``, ``_send``, ``_finish`` and ``_abort``, and call ``_opened`` and ``_lost``.

    Attributes:
        request: may be replaced; HTTP uses the current one for each message.
        status: ``status_changed`` emits the conversation after each change.
        received: emits bytes as they are received: data, a datagram, a message, a part of a body.
        noted: emits a line about them: the status or a header of a response, a close code.
        answered: where the protocol has answers, emits each one when its body has come.
        answers: whether the protocol shows where the answer to a message ends, as HTTP does.
        messages: whether the protocol keeps messages apart, as WebSocket does.
        received_text: whether what ``received`` emits is a whole message of text.
        was_open: whether it was connected at some time.
        patience: seconds of silence after which such an answer is given up.
    """

    answers = False
    messages = False
    received_text = False
    was_open = False
    patience = 30.0

    def __init__(self, request: Request, sender: Sender) -> None:
        self.request, self._sender = request, sender
        self._reactor = sender.reactor
        self.url = request.url
        self.status: Status = Connecting(self.url.address)
        self.status_changed: Signal[Conversation] = Signal()
        self.received: Signal[bytes] = Signal()
        self.noted: Signal[str] = Signal()
        self.answered: Signal[Answer] = Signal()
        self._connecting: Deferred[Any] | None = None
        self._handshake: Deferred[None] | None = None
        self._waiting: Deferred[None] | None = None
        self._closed_by_us = False
        sender.conversations.add(self)

    @property
    def closed(self) -> Closed | None:
        return self.status if isinstance(self.status, Closed) else None

    @property
    def closed_by_us(self) -> bool:
        """Whether we have closed it, or are about to."""
        return self._closed_by_us

    async def connect(self) -> Status:
        """Connect. Returns ``Open`` or ``Closed``."""
        try:
            self._connecting = Deferred.fromCoroutine(self._connect())
            await self._connecting
        except CancelledError:
            self._close("Closed before it was connected.", failed=False)
        except PostError as e:
            self._close(str(e), failed=not isinstance(e, errors.FaultError))
        except (ConnectError, ConnectingCancelledError, OSError) as e:
            self._not_connected(e)
        except Exception as e:
            self._sender.recorder.record_failure(e, self._sender.number)
            self._not_connected(e)
        finally:
            self._connecting = None
        return self.status

    def send(self, data: bytes, *, binary: bool = False) -> Deferred[None]:
        """Send one message: bytes, a datagram, the body of a request.

        Fires, never with an error, when the next message may be sent: when this one is written, or
        answered where the protocol has answers, or when the conversation is closed. Call it again only
        after that. ``binary``: send a WebSocket message as binary, even if it is valid UTF-8.
        """
        assert self._waiting is None, "one after the other"
        done: Deferred[None] = Deferred(lambda _: self._stop_waiting())
        self._waiting = done
        if not isinstance(self.status, Open):
            self._stop_waiting()
            return done
        try:
            self._send(data, binary)
        except PostError as e:
            self._close(str(e), failed=True)
            self.abort()
        return done

    async def drained(self) -> None:
        """Return when what was sent has left, as far as faults hold it back, or the conversation is closed."""
        done: Deferred[None] = Deferred()

        def fire(_: object = None) -> None:
            if not done.called:
                done.callback(None)

        unhook = self.status_changed.connect(lambda _: fire() if self.closed is not None else None)
        if self.closed is None:
            self._after_writes(fire)
        else:
            fire()
        await done
        unhook()

    def finish_sending(self) -> None:
        """Tell the peer, where the protocol can, that no more is sent. What it sends is still received."""

    def close(self) -> None:
        """Close as the protocol wants it, or give up connecting."""
        self._closed_by_us = True
        if self._connecting is not None:
            self._connecting.cancel()
        elif isinstance(self.status, Open):
            self._finish()

    def abort(self) -> None:
        """Close now."""
        self._closed_by_us = True
        if self._connecting is not None:
            self._connecting.cancel()
        else:
            self._abort()

    # -- what subclasses implement

    async def _connect(self) -> None:
        raise NotImplementedError

    def _send(self, data: bytes, binary: bool) -> None:
        raise NotImplementedError

    def _finish(self) -> None:
        raise NotImplementedError

    def _abort(self) -> None:
        raise NotImplementedError

    def _after_writes(self, call: Callable[[], None]) -> None:
        """Call ``call`` when what was sent has left."""
        call()

    # -- what subclasses call

    async def _reach(self, build: Callable[[], IProtocol] | IProtocolFactory) -> Any:
        """Connect by TCP, with TLS where the URL says so. Returns the protocol that ``build`` made."""
        factory = build if IProtocolFactory.providedBy(build) else _Factory(build)
        return await self._sender.endpoint(self.request).connect(factory)

    async def _secured(self) -> None:
        """Wait for the TLS handshake, where the URL says TLS. ``on_secured`` ends the wait."""
        if self.url.client.tls and self.closed is None:
            self._handshake = Deferred(lambda _: self._abort())
            await self._handshake
            self._handshake = None

    def on_secured(self) -> None:
        handshake = self._handshake
        if handshake is not None and not handshake.called:
            handshake.callback(None)

    def _not_connected(self, e: Exception) -> None:
        if self._closed_by_us:
            self._close("Closed before it was connected.", failed=False)
        else:
            self._close(str(reasons.not_connected(e, self.url)), failed=True)

    def _opened(self, detail: str = "") -> None:
        if isinstance(self.status, Connecting):
            self.was_open = True
            self._set(Open(self.url.address, detail))

    def _lost(self, reason: Failure, tap: Tap) -> None:
        """The connection was lost: closed by either side, or by an error."""
        if self._closed_by_us:
            self._close("Closed by us.", failed=False)
        elif by_fault := reasons.by_fault(tap):
            self._close(by_fault, failed=False)
        else:
            words = reasons.lost(reason, self.url, tap)
            self._close(str(words or f"Closed by {self.url.address}."), failed=words is not None)

    def _close(self, reason: str, *, failed: bool) -> None:
        if self.closed is None:
            self._sender.conversations.discard(self)
            self._set(Closed(reason, failed))
        self.on_secured()  # nobody waits for the handshake any more
        self._stop_waiting()

    def _stop_waiting(self) -> None:
        """Let ``send`` fire: the next message may be sent."""
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.called:
            waiting.callback(None)

    def _set(self, status: Status) -> None:
        self.status = status
        self.status_changed.emit(self)


@implementer(IProtocolFactory)
class _Factory:
    def __init__(self, build: Callable[[], IProtocol]) -> None:
        self._build = build

    def buildProtocol(self, addr: IAddress) -> IProtocol:
        return self._build()

    def doStart(self) -> None:
        """Does nothing."""

    def doStop(self) -> None:
        """Does nothing."""


class WriteGate:
    """A push producer that says whether the transport's write buffer is full.

    Attributes:
        shut: whether it is.
    """

    def __init__(self, on_open: Callable[[], None]) -> None:
        """``on_open`` is called when the write buffer takes data again."""
        self._on_open, self.shut = on_open, False

    def pauseProducing(self) -> None:
        self.shut = True

    def resumeProducing(self) -> None:
        self.shut = False
        self._on_open()

    def stopProducing(self) -> None:
        """Does nothing: the protocol is told when the connection is lost."""
