"""Echoes lines, and breaks on one: to watch a Failure from its cause to its traceback."""

from __future__ import annotations

from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.protocol import ServerFactory
from twisted.protocols.basic import LineReceiver

from app.responders import Context, Options, Responder


class Fragile(LineReceiver):
    """Lines end with LF; a CR before it is part of the echo."""

    delimiter = b"\n"

    def lineReceived(self, line: bytes) -> None:
        self.process(line)
        self.sendLine(line)

    def process(self, line: bytes) -> None:
        if line.strip() == b"fail":
            raise ValueError("Processing failed")


def _tcp(options: Options, context: Context) -> IProtocolFactory:
    return ServerFactory.forProtocol(Fragile)


RESPONDER = Responder("fragile", "Echoes lines; a line “fail” raises ValueError", {"tcp": _tcp})
