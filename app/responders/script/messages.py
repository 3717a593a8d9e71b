"""A TCP protocol that receives whole messages, for responders that need no rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.protocol import Protocol, ServerFactory
from twisted.python import log
from twisted.python.failure import Failure

from app.responders import Context, Option
from app.responders.script.wires import Stream
from app.text.framing import Framer


def max_message_option(default: int, unit: str) -> Option:
    """The option that limits the size of a message; ``unit`` is what a message is called: line, string."""
    text = f"A longer {unit} ends the connection"
    return Option("max_message", int, default, text, "bytes", 1, 1 << 30, live=True)


class Framed(Protocol):
    """Splits received data into messages. When the framing is broken, records the reason and closes."""

    transport: Any

    def __init__(self, framer: Framer, context: Context) -> None:
        self._framer, self._context = framer, context
        self._failure: Failure | None = None

    def makeConnection(self, transport: Any) -> None:
        self._wire = Stream(self._context, transport, self._framer)
        super().makeConnection(transport)

    def dataReceived(self, data: bytes) -> None:
        if self._failure is not None:
            return
        messages, reached = self._wire.received(data)
        for message in messages:
            try:
                self.messageReceived(message)
            except Exception as e:
                self._failure = Failure()
                self._close_after(e, message)
                return
        if reached is not None:
            self._wire.end_by(reached)

    def _close_after(self, error: Exception, message: bytes) -> None:
        """Record the error and close, once what was sent before has left: Twisted would throw that away.

        Raises it again where the transport is no Tap, as Twisted expects it.
        """
        if not hasattr(self.transport, "finish"):
            raise error
        self._wire.failed(error, message)
        log.err(self._failure)

    def connectionLost(self, reason: Failure | None = None) -> None:
        self._wire.tell_unfinished()

    def messageReceived(self, message: bytes) -> None:
        """A message was received; ``message`` is without its delimiter or length prefix."""
        raise NotImplementedError

    def send(self, message: bytes) -> None:
        """Send a message with its delimiter or length prefix."""
        self.transport.write(self._framer.frame(message))


def factory(protocol: type[Framed], framer: Callable[[], Framer], context: Context) -> ServerFactory:
    """A factory that builds ``protocol`` with a new framer for each connection."""

    class FramedFactory(ServerFactory):
        noisy = False

        def buildProtocol(self, addr: object) -> Framed:
            return protocol(framer(), context)

    return FramedFactory()
