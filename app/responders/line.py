"""Sends a welcome line when a client connects, then echoes each line once it is complete."""

from __future__ import annotations

from functools import partial

from twisted.internet.interfaces import IProtocolFactory

from app.options import live
from app.responders import Context, Option, Options, Responder
from app.responders.script.messages import Framed, factory, max_message_option
from app.text.framing import MAX_MESSAGE, Delimited


def _tcp(options: Options, context: Context) -> IProtocolFactory:
    welcome = options["welcome"].encode()

    class Line(Framed):
        """Lines end with LF. A CR before the LF is echoed."""

        def connectionMade(self) -> None:
            if welcome:
                self.send(welcome)

        def messageReceived(self, message: bytes) -> None:
            self.send(message)

    return factory(Line, partial(Delimited, limit=options["max_message"]), context)


RESPONDER = Responder(
    "line",
    "Sends a welcome line, then echoes each complete line",
    {"tcp": _tcp},
    live(Option("welcome", str, "welcome", "The first line; empty: none"), max_message_option(MAX_MESSAGE, "line")),
)
