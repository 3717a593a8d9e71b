"""A conversation: one connection that we open, what goes out over it and what comes back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectError, ConnectingCancelledError
from twisted.internet.interfaces import IAddress, IProtocol, IProtocolFactory
from twisted.python.failure import Failure
from zope.interface import implementer

from app.errors import PostError
from app.sending import reasons
from app.sending.url import URL
from app.signal import Signal

if TYPE_CHECKING:
    from app.sending.sender import Sender
    from app.services.tap.tap import Tap


@dataclass(frozen=True, slots=True)
class Request:
    """What to connect for.

    Attributes:
        method: of HTTP; the usual one if empty: GET without data, else POST.
        fields: of HTTP requests and of WebSocket's handshake.
        verify: whether a certificate has to be right.
        certificate, key: files with ours, for servers that ask; no key: it is in that of the certificate.
    """

    url: URL
    method: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    verify: bool = True
    certificate: Path | None = None
    key: Path | None = None


@dataclass(frozen=True, slots=True)
class Connecting:
    """On the way to ``address``."""

    address: str


@dataclass(frozen=True, slots=True)
class Open:
    """Connected; ``detail`` says what more was agreed on, if anything."""

    address: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Closed:
    """Over, or never begun. ``reason`` is one sentence; ``failed``: it was not in good order."""

    reason: str
    failed: bool


Status = Connecting | Open | Closed


class Conversation:
    """Base of the clients. What goes wrong becomes the status ``Closed``, never an exception.

    Subclasses make ``_connect`` and ``_send``, and call ``_opened`` and ``_lost``.

    Attributes:
        request: HTTP looks at it anew with each message.
        status: ``status_changed`` emits the conversation after each change.
        received: emits bytes as they come: data, a datagram, a message, a part of a body.
        noted: emits one line of what they mean: the status of a response, a close code.
        answers: whether each message has an answer whose end is known.
        messages: whether what is sent keeps its bounds, as a WebSocket's messages do.
        patience: seconds of silence in which such an answer must come, or go on.
    """

    answers = False
    messages = False
    patience = 30.0

    def __init__(self, request: Request, sender: Sender) -> None:
        self.request, self._sender = request, sender
        self._reactor = sender.reactor
        self.url = request.url
        self.status: Status = Connecting(self.url.address)
        self.status_changed: Signal[Conversation] = Signal()
        self.received: Signal[bytes] = Signal()
        self.noted: Signal[str] = Signal()
        self._connecting: Deferred[Any] | None = None
        self._shaking: Deferred[None] | None = None
        self._waiting: Deferred[None] | None = None
        self._closed_by_us = False
        sender.conversations.add(self)

    @property
    def closed(self) -> Closed | None:
        return self.status if isinstance(self.status, Closed) else None

    async def connect(self) -> Status:
        """Connect. Returns ``Open`` or ``Closed``."""
        try:
            self._connecting = Deferred.fromCoroutine(self._connect())
            await self._connecting
        except CancelledError:
            self._close("Closed before it was connected.", failed=False)
        except PostError as e:
            self._close(str(e), failed=True)
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

        Fires, never with an error, when the next may be sent: when these have left us, or
        their answer has come, or the conversation is over. ``binary``: a WebSocket's message
        is not text, even if it could be. Sent one after the other, not at once.
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

    def finish_sending(self) -> None:
        """Nothing more will be sent, which the peer is told where the protocol can; it may go on."""

    def close(self) -> None:
        """Close in good order, or give up connecting."""
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

    # -- what a client does

    async def _connect(self) -> None:
        raise NotImplementedError

    def _send(self, data: bytes, binary: bool) -> None:
        raise NotImplementedError

    def _finish(self) -> None:
        raise NotImplementedError

    def _abort(self) -> None:
        raise NotImplementedError

    # -- what a client tells

    async def _reach(self, build: Callable[[], IProtocol] | IProtocolFactory) -> Any:
        """The protocol that is built, connected by TCP, and by TLS where the URL says so."""
        factory = build if IProtocolFactory.providedBy(build) else _Factory(build)
        return await self._sender.endpoint(self.request).connect(factory)

    async def _secured(self) -> None:
        """Wait for the handshake of TLS, where the URL says so; ``on_secured`` tells of its end."""
        if self.url.client.tls and self.closed is None:
            self._shaking = Deferred(lambda _: self._abort())
            await self._shaking
            self._shaking = None

    def on_secured(self) -> None:
        shaking = self._shaking
        if shaking is not None and not shaking.called:
            shaking.callback(None)

    def _not_connected(self, e: Exception) -> None:
        if self._closed_by_us:
            self._close("Closed before it was connected.", failed=False)
        else:
            self._close(str(reasons.not_connected(e, self.url)), failed=True)

    def _opened(self, detail: str = "") -> None:
        if isinstance(self.status, Connecting):
            self._set(Open(self.url.address, detail))

    def _lost(self, reason: Failure, tap: Tap) -> None:
        """The connection is gone."""
        if self._closed_by_us:
            self._close("Closed by us.", failed=False)
        else:
            words = reasons.lost(reason, self.url, tap)
            self._close(str(words or f"Closed by {self.url.address}."), failed=words is not None)

    def _close(self, reason: str, *, failed: bool) -> None:
        if self.closed is None:
            self._sender.conversations.discard(self)
            self._set(Closed(reason, failed))
        self.on_secured()  # or never
        self._stop_waiting()

    def _stop_waiting(self) -> None:
        """The next message may be sent."""
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
        """There is nothing to start."""

    def doStop(self) -> None:
        """Nor to stop."""


class Gate:
    """A push producer of a conversation: messages wait while what was written has not left us."""

    def __init__(self, open_: Any) -> None:
        """``open_`` is called when the way is free again."""
        self._open, self.shut = open_, False

    def pauseProducing(self) -> None:
        self.shut = True

    def resumeProducing(self) -> None:
        self.shut = False
        self._open()

    def stopProducing(self) -> None:
        """The transport is gone, which its protocol hears too."""
