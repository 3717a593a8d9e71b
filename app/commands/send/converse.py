"""``send --converse``: standard input is sent as soon as it is read, while answers are received."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReadDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer

from app.sending.contents import MAX_DATA
from app.sending.conversation import Conversation

CHUNK = 1 << 16
"""Most bytes read at once."""


@implementer(IReadDescriptor)
class Input:
    """A file descriptor that is read when the reactor finds it readable.

    It stays blocking. ``twisted.internet.stdio`` makes it non-blocking, and a terminal then stays
    non-blocking for the shell, and for the output of this program.
    """

    def __init__(self, reactor: Any, number: int) -> None:
        self._reactor, self._number = reactor, number
        self._waiting: Deferred[bytes] | None = None

    def read(self) -> Deferred[bytes]:
        """Fires with the next bytes, at most ``CHUNK``; with b"" at the end. Call it again after it has fired."""
        waiting: Deferred[bytes] = Deferred()
        self._waiting = waiting
        self._reactor.addReader(self)
        return waiting

    def end(self) -> None:
        """Stop reading; a pending ``read`` fires with b""."""
        self._fire(b"")

    def _fire(self, data: bytes) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            self._reactor.removeReader(self)
            waiting.callback(data)

    # -- called by the reactor

    def fileno(self) -> int:
        return self._number

    def logPrefix(self) -> str:
        return "input"

    def doRead(self) -> None:
        try:
            data = os.read(self._number, CHUNK)
        except OSError:  # for example, the terminal is gone
            data = b""
        self._fire(data)

    def connectionLost(self, reason: Failure) -> None:
        """The other end of the pipe is closed, and all its data was read."""
        self.end()


class Lines:
    """Cuts bytes into lines. Keeps an unfinished line until its end comes, or it is too long for a message."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def cut(self, data: bytes) -> Iterator[bytes]:
        """The lines that ``data`` completes, without their line ends. With b"": the unfinished line, if any."""
        self._rest += data
        if data and b"\n" not in data and len(self._rest) <= MAX_DATA:
            return
        *whole, rest = bytes(self._rest).split(b"\n")
        if rest and not (data and len(rest) <= MAX_DATA):
            whole, rest = [*whole, rest], b""
        self._rest = bytearray(rest)
        yield from whole


async def converse(reactor: Any, conversation: Conversation, number: int) -> int:
    """Send what is read from file descriptor ``number``, until it or the conversation ends.

    Bytes are sent as they are read; where the protocol has messages, each line is one. After that the
    peer is told that no more comes; its answers are still received. Returns how many messages were
    sent. Raises nothing.
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
