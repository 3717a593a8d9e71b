"""Sends bytes over TCP, or over TLS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IHalfCloseableProtocol, IHandshakeListener
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure
from zope.interface import implementer

from app.sending.conversation import Conversation, WriteGate

CHUNK = 1 << 18
"""Most bytes that are written, and recorded, at once."""


@implementer(IHalfCloseableProtocol, IHandshakeListener)
class Client(Protocol):
    def __init__(self, conversation: TCPConversation) -> None:
        self._conversation = conversation

    def connectionMade(self) -> None:
        self._conversation.on_made(self.transport)

    def handshakeCompleted(self) -> None:
        self._conversation.on_secured()

    def dataReceived(self, data: bytes) -> None:
        self._conversation.received.emit(data)

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        self._conversation.on_lost(reason)

    def readConnectionLost(self) -> None:
        """The peer has sent everything; it may still receive."""
        self._conversation.on_all_received()

    def writeConnectionLost(self) -> None:
        """Does nothing: ``finish_sending`` has closed this side."""


class TCPConversation(Conversation):
    """One TCP connection."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._transport: Any = None
        self._gate = WriteGate(self._go_on)
        self._rest = memoryview(b"")

    async def _connect(self) -> None:
        await self._reach(lambda: Client(self))
        await self._secured()
        self._opened()

    def _send(self, data: bytes, binary: bool) -> None:
        self._rest = memoryview(data)
        self._go_on()

    def _go_on(self) -> None:
        while self._rest and not self._gate.shut and self.closed is None:
            chunk, self._rest = self._rest[:CHUNK], self._rest[CHUNK:]
            self._transport.write(bytes(chunk))
        if not (self._rest or self._gate.shut):
            self._stop_waiting()

    def _after_writes(self, call: Callable[[], None]) -> None:
        self._transport.after_writes(call)

    def finish_sending(self) -> None:
        if self._transport is not None:
            self._transport.loseWriteConnection()

    def _finish(self) -> None:
        self._transport.unregisterProducer()
        self._transport.loseConnection()

    def _abort(self) -> None:
        if self._transport is not None:
            self._transport.abortConnection()

    # -- called by the protocol

    def on_made(self, transport: Any) -> None:
        self._transport = transport
        transport.registerProducer(self._gate, True)

    def on_all_received(self) -> None:
        # A server that closes only its own side would otherwise keep the connection open for ever.
        if self._waiting is None:
            self._transport.unregisterProducer()
            self._transport.loseConnection()

    def on_lost(self, reason: Failure) -> None:
        tap, self._transport = self._transport, None
        self._lost(reason, tap)


CONVERSATION = TCPConversation
