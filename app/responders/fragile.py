"""Echoes lines, and breaks on one: to watch a Failure from its cause to its traceback."""

from __future__ import annotations

from functools import partial

from twisted.internet.interfaces import IProtocolFactory

from app.responders import Context, Options, Responder
from app.responders.script.messages import Framed, factory, longest
from app.text.framing import MAX_MESSAGE, Delimited


class Fragile(Framed):
    """Lines end with LF; a CR before it is part of the echo."""

    def messageReceived(self, message: bytes) -> None:
        self.process(message)
        self.send(message)

    def process(self, line: bytes) -> None:
        if line.strip() == b"fail":
            raise ValueError("Processing failed")


def _tcp(options: Options, context: Context) -> IProtocolFactory:
    return factory(Fragile, partial(Delimited, limit=options["max_message"]), context)


RESPONDER = Responder(
    "fragile", "Echoes lines; a line “fail” raises ValueError", {"tcp": _tcp}, (longest(MAX_MESSAGE, "line"),)
)
