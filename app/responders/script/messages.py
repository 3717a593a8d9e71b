"""A connection as whole messages, for responders that need no rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.protocol import Protocol, ServerFactory
from twisted.python.failure import Failure

from app.responders import Context, Option
from app.responders.script.wires import Stream, Wire, on_wire, tell_unfinished
from app.text.framing import Framer


def longest(default: int, what: str) -> Option:
    """The option that bounds a message; ``what`` it is called here."""
    text = f"A longer {what} ends the connection"
    return Option("max_message", int, default, text, "bytes", 1, 1 << 30)


class Framed(Protocol):
    """Hands on whole messages; where none can be found any more, an event says why and it closes."""

    transport: Any

    def __init__(self, framer: Framer, context: Context) -> None:
        self._framer, self._context = framer, context

    def dataReceived(self, data: bytes) -> None:
        framer, before = self._framer, self._framer.broken
        for message in framer.feed(data):
            try:
                self.messageReceived(message)
            except BaseException as e:
                # The bytes of this message alone, which may have come in several pieces.
                Wire(self._context, self.transport).failed(e, on_wire(framer, message))
                raise
        if framer.broken and not before:
            wire = Stream(self._context, self.transport, framer)
            wire.note(framer.broken, limit=True)
            wire.close("closed by us: no more messages can be found")

    def connectionLost(self, reason: Failure | None = None) -> None:
        tell_unfinished(self.transport, self._framer.unfinished, self._framer.awaited)

    def messageReceived(self, message: bytes) -> None:
        """A message came, without what frames it."""
        raise NotImplementedError

    def send(self, message: bytes) -> None:
        """Send a message, framed."""
        self.transport.write(self._framer.frame(message))


def factory(protocol: type[Framed], framer: Callable[[], Framer], context: Context) -> ServerFactory:
    """Builds ``protocol`` with a framer of its own for each connection."""

    class FramedFactory(ServerFactory):
        noisy = False

        def buildProtocol(self, addr: object) -> Framed:
            return protocol(framer(), context)

    return FramedFactory()
