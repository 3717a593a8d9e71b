"""Welcomes with a line, then echoes line by line."""

from __future__ import annotations

from functools import partial

from twisted.internet.interfaces import IProtocolFactory

from app.responders import Context, Option, Options, Responder
from app.responders.script.messages import Framed, factory, longest
from app.text.framing import MAX_MESSAGE, Delimited


def _tcp(options: Options, context: Context) -> IProtocolFactory:
    welcome = options["welcome"].encode()

    class Line(Framed):
        """Lines end with LF; a CR before it is part of the echo."""

        def connectionMade(self) -> None:
            if welcome:
                self.send(welcome)

        def messageReceived(self, message: bytes) -> None:
            self.send(message)

    return factory(Line, partial(Delimited, limit=options["max_message"]), context)


RESPONDER = Responder(
    "line",
    "Welcomes with a line, then echoes each line once it is whole",
    {"tcp": _tcp},
    (Option("welcome", str, "welcome", "The first line; empty: none"), longest(MAX_MESSAGE, "line")),
)
