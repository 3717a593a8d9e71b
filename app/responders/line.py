"""Welcomes with a line, then echoes line by line."""

from __future__ import annotations

from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.protocol import ServerFactory
from twisted.protocols.basic import LineReceiver

from app.responders import Context, Option, Options, Responder

MAX_LINE = 1 << 20
"""Bytes of a line above which the connection is closed."""


def _tcp(options: Options, context: Context) -> IProtocolFactory:
    welcome = options["welcome"].encode()

    class Line(LineReceiver):
        """Lines end with LF; a CR before it is part of the echo."""

        delimiter = b"\n"
        MAX_LENGTH = MAX_LINE

        def connectionMade(self) -> None:
            if welcome:
                self.sendLine(welcome)

        def lineReceived(self, line: bytes) -> None:
            self.sendLine(line)

    return ServerFactory.forProtocol(Line)


RESPONDER = Responder(
    "line",
    "Welcomes with a line, then echoes each line once it is whole",
    {"tcp": _tcp},
    (Option("welcome", str, "welcome", "The first line; empty: none"),),
)
