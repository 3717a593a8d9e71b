"""Answers strings behind a 32-bit length with the same strings reversed."""

from __future__ import annotations

from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.protocol import ServerFactory
from twisted.protocols.basic import Int32StringReceiver

from app.responders import Context, Options, Responder

MAX_STRING = 16 << 20
"""Bytes of a string above which the connection is closed."""


class Int32(Int32StringReceiver):
    """Each string follows its length in network byte order."""

    MAX_LENGTH = MAX_STRING

    def stringReceived(self, string: bytes) -> None:
        self.sendString(string[::-1])


def _tcp(options: Options, context: Context) -> IProtocolFactory:
    return ServerFactory.forProtocol(Int32)


RESPONDER = Responder("int32", "Answers strings behind a 32-bit length, reversed", {"tcp": _tcp})
