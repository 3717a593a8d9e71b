"""Sends a banner when a client connects, as mail and FTP servers do, and discards what it receives."""

from __future__ import annotations

from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.protocol import Protocol, ServerFactory

from app.options import live
from app.responders import Context, Option, Options, Responder
from app.text import errors
from app.text.escapes import unescape


def _tcp(options: Options, context: Context) -> IProtocolFactory:
    banner, close = unescape(options["text"]), options["close"]

    class Banner(Protocol):
        def connectionMade(self) -> None:
            assert self.transport is not None
            self.transport.write(banner)
            if close:
                self.transport.loseConnection()

    return ServerFactory.forProtocol(Banner)


def _problem(text: str) -> str | None:
    try:
        unescape(text)
    except errors.EscapeError as e:
        return str(e)
    return None


RESPONDER = Responder(
    "banner",
    "Sends a greeting, then reads and ignores what the client sends",
    {"tcp": _tcp},
    live(
        Option(
            "text", str, r"220 ready\r\n", r"The greeting, with the escapes \r \n \t \0 \e \xNN and \\", check=_problem
        ),
        Option("close", bool, False, "Close the connection after the greeting"),
    ),
)
