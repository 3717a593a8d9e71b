"""Answers strings that have a 32-bit length prefix with the same strings reversed."""

from __future__ import annotations

from functools import partial

from twisted.internet.interfaces import IProtocolFactory

from app.responders import Context, Options, Responder
from app.responders.script.messages import Framed, factory, max_message_option
from app.text.framing import Prefixed


class Int32(Framed):
    """The length is in network byte order, as with Twisted's ``Int32StringReceiver``."""

    def messageReceived(self, message: bytes) -> None:
        self.send(message[::-1])


def _tcp(options: Options, context: Context) -> IProtocolFactory:
    return factory(Int32, partial(Prefixed, 4, limit=options["max_message"]), context)


RESPONDER = Responder(
    "int32",
    "Strings after a 32-bit length; answers each one reversed",
    {"tcp": _tcp},
    (max_message_option(16 << 20, "string"),),
)
