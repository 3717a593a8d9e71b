"""Echoes lines, and raises an exception on the line “fail”, to show how a Failure is recorded."""

from __future__ import annotations

from functools import partial

from twisted.internet.interfaces import IProtocolFactory

from app.responders import Context, Options, Responder
from app.responders.script.messages import Framed, factory, max_message_option
from app.text.framing import MAX_MESSAGE, Delimited


class Fragile(Framed):
    """Lines end with LF. A CR before the LF is echoed."""

    def messageReceived(self, message: bytes) -> None:
        self.process(message)
        self.send(message)

    def process(self, line: bytes) -> None:
        if line.strip() == b"fail":
            raise ValueError("Processing failed")


def _tcp(options: Options, context: Context) -> IProtocolFactory:
    return factory(Fragile, partial(Delimited, limit=options["max_message"]), context)


RESPONDER = Responder(
    "fragile",
    "Echoes lines; the line “fail” raises ValueError",
    {"tcp": _tcp},
    (max_message_option(MAX_MESSAGE, "line"),),
)
