"""Conversations by hand: what comes from standard input goes out at once, while answers come in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReadDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer

from app.sending.conversation import Conversation
from app.sending.delivery import MAX_DATA

CHUNK = 1 << 16
"""Bytes read at once."""


@implementer(IReadDescriptor)
class Input:
    """A file descriptor that is read when the reactor says that there is something.

    It is not made non-blocking, as by ``twisted.internet.stdio``: a terminal would stay so for
    the shell behind us, and for our own output.
    """

    def __init__(self, reactor: Any, number: int) -> None:
        self._reactor, self._number = reactor, number
        self._waiting: Deferred[bytes] | None = None

    def read(self) -> Deferred[bytes]:
        """What comes next, at most ``CHUNK`` bytes; nothing at the end. One at a time."""
        waiting: Deferred[bytes] = Deferred()
        self._waiting = waiting
        self._reactor.addReader(self)
        return waiting

    def end(self) -> None:
        """Read no more."""
        self._give(b"")

    def _give(self, data: bytes) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            self._reactor.removeReader(self)
            waiting.callback(data)

    # -- for the reactor

    def fileno(self) -> int:
        return self._number

    def logPrefix(self) -> str:
        return "input"

    def doRead(self) -> None:
        try:
            data = os.read(self._number, CHUNK)
        except OSError:  # as of a terminal that is gone
            data = b""
        self._give(data)

    def connectionLost(self, reason: Failure) -> None:
        """The other end of a pipe is gone, and all it wrote was read."""
        self.end()


class Lines:
    """Cuts bytes into lines, and holds the last until it is whole, or too long for a message."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def cut(self, data: bytes) -> Iterator[bytes]:
        """The lines that are whole with ``data``, without their ends. With no data: what is left."""
        self._rest += data
        if data and b"\n" not in data and len(self._rest) <= MAX_DATA:
            return
        *whole, rest = bytes(self._rest).split(b"\n")
        if rest and not (data and len(rest) <= MAX_DATA):
            whole, rest = [*whole, rest], b""
        self._rest = bytearray(rest)
        yield from whole


async def converse(reactor: Any, conversation: Conversation, number: int) -> int:
    """Send what is read from file descriptor ``number``, to its end or that of the conversation.

    Bytes as they come, or each line as a message where the protocol has messages; then nothing
    more goes out, and answers may still come. Returns how many were sent. Raises nothing.
    """
    source, lines, sent = Input(reactor, number), Lines(), 0
    unhook = conversation.status_changed.connect(lambda c: source.end() if c.closed is not None else None)
    try:
        data = b"begin"
        while data and conversation.closed is None:
            data = await source.read()
            for message in lines.cut(data) if conversation.messages else [data] if data else []:
                await conversation.send(message)
                sent += 1
    finally:
        unhook()
    conversation.finish_sending()
    return sent
