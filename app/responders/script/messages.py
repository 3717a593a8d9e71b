"""A TCP protocol that receives whole messages, for responders that need no rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.protocol import Protocol, ServerFactory

from app.limits import FRAMING
from app.responders import Context, Option
from app.responders.script.wires import Stream
from app.text.framing import Framer


def max_message_option(default: int, unit: str) -> Option:
    """The option that limits the size of a message; ``unit`` is what a message is called: line, string."""
    text = f"A longer {unit} ends the connection"
    return Option("max_message", int, default, text, "bytes", 1, 1 << 30)


class Framed(Protocol):
    """Splits received data into messages. When the framing is broken, records the reason and closes."""

    transport: Any

    def __init__(self, framer: Framer, context: Context) -> None:
        self._framer, self._context = framer, context

    def dataReceived(self, data: bytes) -> None:
        framer, was_broken = self._framer, self._framer.broken
        for message in framer.feed(data):
            self.messageReceived(message)
        if framer.broken and not was_broken:
            wire = Stream(self._context, self.transport, framer)
            wire.record_limit(FRAMING.reached(framer.limit, why=framer.broken))
            wire.close("closed by us: no more messages can be found")

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
